//! An answer before faults befall it: head, and the body in the pieces that a stream has.
//! Invariant: the pieces joined are the body, and a piece is a whole event where there are events.

use std::sync::LazyLock;

use bytes::Bytes;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{HeaderName, StatusCode};
use serde_json::Value;

use crate::google::ApiError;

mod fault;
mod transmission;

pub(crate) use fault::sending;
pub(crate) use transmission::{Cut, Line, Transmission};

/// How the body is made of its pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One piece, with a content-length.
    Whole,
    /// Server-sent events.
    Sse,
    /// One JSON array, an element a piece, the closing bracket last.
    Array,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) form: Form,
    pub(crate) pieces: Vec<Bytes>,
}

impl Reply {
    /// A body of one piece.
    pub(crate) fn new(status: StatusCode, content_type: &'static str, body: Bytes) -> Self {
        let mut headers = google_headers();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { status, headers, form: Form::Whole, pieces: vec![body] }
    }

    /// 200 with JSON, indented as Google does.
    pub(crate) fn json(value: &Value) -> Self {
        Self::new(StatusCode::OK, JSON, pretty(value))
    }

    /// 200 with JSON that is rendered already.
    pub(crate) fn whole(pieces: Vec<Bytes>) -> Self {
        Self { pieces, ..Self::new(StatusCode::OK, JSON, Bytes::new()) }
    }

    /// 200 with a stream of pieces that are rendered already.
    pub(crate) fn stream(form: Form, pieces: Vec<Bytes>) -> Self {
        let content_type = if form == Form::Sse { EVENTS } else { JSON };
        let mut reply = Self::new(StatusCode::OK, content_type, Bytes::new());
        reply.headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
        Self { form, pieces, ..reply }
    }

    /// An error, in the form of the stream that was asked for: with `alt=sse` plain JSON under the
    /// type of events, without it wrapped in an array.
    pub(crate) fn error(error: &ApiError, asked: Form) -> Self {
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_GATEWAY);
        if error.is_html() {
            return Self::new(status, "text/html; charset=UTF-8", error.to_body().into());
        }
        match asked {
            Form::Whole => Self::new(status, JSON, error.to_body().into()),
            Form::Sse => Self::new(status, EVENTS, error.to_body().into()),
            Form::Array => Self::new(status, JSON, pretty(&Value::Array(vec![error.to_json()]))),
        }
    }
}

/// The pieces of a stream.
pub(crate) fn render(events: &[Value], form: Form) -> Vec<Bytes> {
    let mut pieces: Vec<Bytes> =
        events.iter().enumerate().map(|(index, event)| piece(event, form, index)).collect();
    if form == Form::Array {
        pieces.push(Bytes::from_static(b"]"));
    }
    pieces
}

/// The piece for one event at this place in the stream.
fn piece(event: &Value, form: Form, index: usize) -> Bytes {
    match form {
        Form::Whole => pretty(event),
        Form::Sse => format!("data: {event}\r\n\r\n").into(),
        Form::Array => {
            let mut bytes: Vec<u8> = if index == 0 { b"[".to_vec() } else { b",\r\n".to_vec() };
            bytes.extend_from_slice(&pretty(event));
            bytes.into()
        }
    }
}

/// Indented JSON.
pub(crate) fn pretty(value: &Value) -> Bytes {
    let mut body = serde_json::to_vec_pretty(value).unwrap_or_default();
    body.push(b'\n');
    body.into()
}

pub(crate) const JSON: &str = "application/json; charset=UTF-8";
const EVENTS: &str = "text/event-stream";

/// The headers that Google sends with everything.
fn google_headers() -> HeaderMap {
    static HEADERS: LazyLock<HeaderMap> = LazyLock::new(|| {
        [
            (http::header::VARY, "Origin, X-Origin, Referer"),
            (http::header::SERVER, "scaffolding on HTTPServer2"),
            (http::header::X_XSS_PROTECTION, "0"),
            (http::header::X_FRAME_OPTIONS, "SAMEORIGIN"),
            (http::header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (HeaderName::from_static("server-timing"), "gfet4t7; dur=12"),
        ]
        .into_iter()
        .map(|(name, value)| (name, HeaderValue::from_static(value)))
        .collect()
    });
    HEADERS.clone()
}
