//! Requests and responses, from the web's types to those of `http` and back.
//!
//! Invariant: headers cross as they are, with bytes over 127 as Latin-1, as the web reads them, and
//! those that stand several times stay several.

use balance_core::{body, error::Error, host::BoxError};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

use crate::{
    body::{Body, Message},
    pieces::to_stream,
};

#[wasm_bindgen(module = "/src/steps.js")]
extern "C" {
    fn head(request: &web_sys::Request) -> String;
    #[wasm_bindgen(catch)]
    fn respond(head: &str, body: &JsValue) -> Result<web_sys::Response, JsValue>;
}

/// A caller's request.
///
/// # Errors
/// Method or address cannot be read, for the answer to say so.
pub fn from_web(request: &web_sys::Request) -> Result<Request<Body>, Error> {
    let head = head(request);
    let mut lines = head.split('\n');
    let (method, url) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let headers = read_headers(lines);
    let mut taken = Request::new(());
    *taken.method_mut() = Method::from_bytes(method.as_bytes()).map_err(|_| Error::NotFound)?;
    *taken.uri_mut() = url.parse().map_err(|_| Error::NotFound)?;
    let length = length(&headers);
    *taken.headers_mut() = headers;
    Ok(taken.map(|()| Body::new(Message::Request(Clone::clone(request)), length)))
}

/// A response from upstream, and its head in words. Its body was decoded on the way, if it was encoded.
pub(crate) fn head_of(head: &str, response: web_sys::Response) -> Result<Response<Body>, JsValue> {
    let mut lines = head.split('\n');
    let status = lines.next().unwrap_or_default();
    let mut headers = read_headers(lines);
    if headers.remove(header::CONTENT_ENCODING).is_some() {
        headers.remove(header::CONTENT_LENGTH);
    }
    let status = StatusCode::from_bytes(status.as_bytes());
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
    let body = match body {
        // These have none (RFC 9110 §15), and the web throws at an empty one.
        _ if is_null_body(head.status) => JsValue::NULL,
        body::Body::Full(bytes) => Uint8Array::from(&*bytes).into(),
        streamed @ (body::Body::Feed(_) | body::Body::Relay(_) | body::Body::Weave(_)) => {
            to_stream(streamed).into()
        }
    };
    respond(&write_head(&[head.status.as_str()], &head.headers), &body)
}

const fn is_null_body(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
}

/// A head in lines, as each call into JavaScript costs: what begins it, and then names and values in turn.
pub(crate) fn write_head(first: &[&str], headers: &HeaderMap) -> String {
    let mut head = first.join("\n");
    for (name, value) in headers {
        head.extend(["\n", name.as_str(), "\n"]);
        match value.to_str() {
            Ok(text) => head.push_str(text),
            Err(_) => head.extend(value.as_bytes().iter().map(|&byte| char::from(byte))),
        }
    }
    head
}

/// What is left of a head when its beginning is taken away; a character stands for a byte.
fn read_headers(mut lines: std::str::Split<'_, char>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(16);
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        if let (Ok(name), Some(value)) = (name.parse::<HeaderName>(), read_value(value)) {
            headers.append(name, value);
        }
    }
    headers
}

fn read_value(text: &str) -> Option<HeaderValue> {
    if text.is_ascii() {
        return text.parse().ok();
    }
    let bytes: Option<Vec<u8>> = text.chars().map(|char| u8::try_from(char).ok()).collect();
    HeaderValue::from_maybe_shared(Bytes::from(bytes?)).ok()
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
        let head = write_head(&["200"], &headers);
        let mut lines = head.split('\n');
        assert_eq!(lines.next(), Some("200"));
        assert_eq!(read_headers(lines), headers);
    }

    #[test]
    fn what_is_no_header_is_left_out_and_the_rest_stays() {
        let read = read_headers("a b\n1\nok\n2\nwide\n\u{4e16}\ncut\na\u{7f}b\nlonely".split('\n'));
        assert_eq!(read.len(), 1);
        assert_eq!(read["ok"], "2");
    }
}
