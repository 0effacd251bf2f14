//! Requests and responses, from the web's types to those of `http` and back.
//!
//! Invariant: headers cross as they are, with bytes over 127 as Latin-1, as the web reads them, and
//! those that stand several times stay several.

use balance_core::{body, error::Error, host::BoxError};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body as _;
use js_sys::{Array, JSON, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_streams::ReadableStream;
use web_sys::{Headers, ResponseInit};

use crate::body::{Body, Message};

/// A caller's request.
///
/// # Errors
/// Method or address cannot be read, for the answer to say so.
pub fn from_web(request: &web_sys::Request) -> Result<Request<Body>, Error> {
    let headers = from_headers(&request.headers());
    let mut taken = Request::new(());
    *taken.method_mut() =
        Method::from_bytes(request.method().as_bytes()).map_err(|_| Error::NotFound)?;
    *taken.uri_mut() = request.url().parse().map_err(|_| Error::NotFound)?;
    let length = length(&headers);
    *taken.headers_mut() = headers;
    Ok(taken.map(|()| Body::new(Message::Request(Clone::clone(request)), length)))
}

/// A response from upstream. Its body was decoded on the way, if it was encoded.
pub(crate) fn head_of(response: web_sys::Response) -> Result<Response<Body>, JsValue> {
    let mut headers = from_headers(&response.headers());
    if headers.remove(header::CONTENT_ENCODING).is_some() {
        headers.remove(header::CONTENT_LENGTH);
    }
    let status = StatusCode::from_u16(response.status());
    let length = length(&headers);
    let mut taken = Response::new(Body::new(Message::Response(response), length));
    *taken.status_mut() =
        status.map_err(|_| JsValue::from_str("upstream answered with a status that is none"))?;
    *taken.headers_mut() = headers;
    Ok(taken)
}

/// A reply of the gateway, as the web wants it.
///
/// # Errors
/// What JavaScript threw, which it does for none that the gateway makes.
pub fn to_web<B>(reply: Response<body::Body<B>>) -> Result<web_sys::Response, JsValue>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin + 'static,
{
    let (head, body) = reply.into_parts();
    let init = ResponseInit::new();
    init.set_status(head.status.as_u16());
    init.set_headers(&to_headers(&head.headers)?);
    match body {
        // These have none (RFC 9110 §15), and the web throws at an empty one.
        _ if is_null_body(head.status) => web_sys::Response::new_with_opt_str_and_init(None, &init),
        body::Body::Full(bytes) => {
            let bytes = Uint8Array::from(&*bytes);
            web_sys::Response::new_with_opt_js_u8_array_and_init(Some(&bytes), &init)
        }
        streamed @ (body::Body::Feed(_) | body::Body::Relay(_) | body::Body::Weave(_)) => {
            let stream = to_stream(streamed);
            web_sys::Response::new_with_opt_readable_stream_and_init(Some(&stream), &init)
        }
    }
}

const fn is_null_body(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
}

/// A stream that is pulled: nothing is taken from the body before somebody wants it, and a reader
/// that leaves drops it.
fn to_stream<B>(mut body: body::Body<B>) -> web_sys::ReadableStream
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin + 'static,
{
    let frames = stream::poll_fn(move |cx| std::pin::Pin::new(&mut body).poll_frame(cx));
    let chunks = frames
        .map_ok(|frame| frame.into_data().unwrap_or_default())
        .try_filter(|bytes| std::future::ready(!bytes.is_empty()))
        .map(|chunk| match chunk {
            Ok(bytes) => Ok(JsValue::from(Uint8Array::from(&*bytes))),
            Err(error) => Err(JsValue::from(JsError::new(&error.to_string()))),
        });
    ReadableStream::from_stream(chunks).into_raw().unchecked_into()
}

/// The headers in one piece of text, as each call into JavaScript costs.
fn from_headers(headers: &Headers) -> HeaderMap {
    let text = JSON::stringify(&Array::from(headers)).ok().and_then(|text| text.as_string());
    text.map_or_else(HeaderMap::new, |text| read_headers(&text))
}

/// Reads `[["name", "value"], …]`; a character stands for a byte.
fn read_headers(text: &str) -> HeaderMap {
    let pairs: Vec<(String, String)> = serde_json::from_str(text).unwrap_or_default();
    let header = |(name, value): (String, String)| {
        let value: Option<Vec<u8>> = value.chars().map(|char| u8::try_from(char).ok()).collect();
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        Some((name, HeaderValue::from_maybe_shared(Bytes::from(value?)).ok()?))
    };
    let mut headers = HeaderMap::with_capacity(pairs.len());
    for (name, value) in pairs.into_iter().filter_map(header) {
        headers.append(name, value);
    }
    headers
}

pub(crate) fn to_headers(headers: &HeaderMap) -> Result<JsValue, JsValue> {
    JSON::parse(&write_headers(headers))
}

fn write_headers(headers: &HeaderMap) -> String {
    let latin1 =
        |value: &HeaderValue| value.as_bytes().iter().map(|&byte| char::from(byte)).collect();
    let pairs: Vec<(&str, String)> =
        headers.iter().map(|(name, value)| (name.as_str(), latin1(value))).collect();
    // Text by text, so nothing can fail.
    serde_json::to_string(&pairs).unwrap_or_default()
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_come_back_as_they_went_even_if_they_stand_twice() {
        let mut headers = HeaderMap::new();
        headers.append("set-cookie", HeaderValue::from_static("a=1; Path=/"));
        headers.append("set-cookie", HeaderValue::from_static("b=\"2\""));
        headers.append("x-latin", HeaderValue::from_bytes(&[b'z', 0xfc, 0xff, b'\t']).unwrap());
        assert_eq!(read_headers(&write_headers(&headers)), headers);
    }

    #[test]
    fn what_is_no_header_is_left_out_and_the_rest_stays() {
        let read = read_headers(r#"[["a b","1"],["ok","2"],["wide","\u4e16"],["cut","a\nb"]]"#);
        assert_eq!(read.len(), 1);
        assert_eq!(read["ok"], "2");
    }
}
