//! Requests and responses, from the web's types to those of `http` and back.
//!
//! Invariant: headers cross as they are, with bytes over 127 as Latin-1, as the web reads them, and
//! those that stand several times stay several.

use std::fmt::{Display, Write as _};

use balance_core::{body, error::Error, host::BoxError};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header,
};
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
    let head = Bytes::from(head(request));
    let mut lines = lines(&head);
    let (method, url) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let headers = read_headers(&head, lines);
    let mut taken = Request::new(());
    *taken.method_mut() = Method::from_bytes(method).map_err(|_| Error::NotFound)?;
    *taken.uri_mut() = Uri::from_maybe_shared(head.slice_ref(url)).map_err(|_| Error::NotFound)?;
    let length = length(&headers);
    *taken.headers_mut() = headers;
    Ok(taken.map(|()| Body::new(Message::Request(Clone::clone(request)), length)))
}

/// A response from upstream, and its head in words. Its body was decoded on the way, if it was encoded.
pub(crate) fn head_of(
    head: String,
    response: web_sys::Response,
) -> Result<Response<Body>, JsValue> {
    let head = Bytes::from(head);
    let mut lines = lines(&head);
    let status = StatusCode::from_bytes(lines.next().unwrap_or_default());
    let mut headers = read_headers(&head, lines);
    if headers.remove(header::CONTENT_ENCODING).is_some() {
        headers.remove(header::CONTENT_LENGTH);
    }
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
    respond(&write_head(&head.status.as_str(), &head.headers), &body)
}

const fn is_null_body(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
}

/// A head in lines, as each call into JavaScript costs: what begins it, and then names and values in turn.
pub(crate) fn write_head(first: &dyn Display, headers: &HeaderMap) -> String {
    // Most heads have room in that.
    let mut head = String::with_capacity(1_024);
    // Writing to a String cannot fail.
    let _written = write!(head, "{first}");
    for (name, value) in headers {
        head.push('\n');
        head.push_str(name.as_str());
        head.push('\n');
        match value.to_str() {
            Ok(text) => head.push_str(text),
            Err(_) => head.extend(value.as_bytes().iter().map(|&byte| char::from(byte))),
        }
    }
    head
}

fn lines(head: &Bytes) -> impl Iterator<Item = &[u8]> {
    head.split(|byte| *byte == b'\n')
}

/// What is left of a head when its beginning is taken away.
fn read_headers<'a>(head: &Bytes, mut lines: impl Iterator<Item = &'a [u8]>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(16);
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        if let (Ok(name), Some(value)) = (HeaderName::from_bytes(name), read_value(head, value)) {
            headers.append(name, value);
        }
    }
    headers
}

/// A value, as a part of the head that it stands in; where it is no ASCII, a character stands for a byte.
fn read_value(head: &Bytes, line: &[u8]) -> Option<HeaderValue> {
    let bytes = if line.is_ascii() {
        head.slice_ref(line)
    } else {
        let chars = str::from_utf8(line).ok()?.chars();
        chars.map(|char| u8::try_from(char).ok()).collect::<Option<Vec<u8>>>()?.into()
    };
    HeaderValue::from_maybe_shared(bytes).ok()
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
        let head = Bytes::from(write_head(&"200", &headers));
        let mut lines = lines(&head);
        assert_eq!(lines.next(), Some(&b"200"[..]));
        assert_eq!(read_headers(&head, lines), headers);
    }

    #[test]
    fn what_is_no_header_is_left_out_and_the_rest_stays() {
        let head = Bytes::from("a b\n1\nok\n2\nwide\n\u{4e16}\ncut\na\u{7f}b\nlonely");
        let read = read_headers(&head, lines(&head));
        assert_eq!(read.len(), 1);
        assert_eq!(read["ok"], "2");
    }
}
