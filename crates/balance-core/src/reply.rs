//! What the gateway hands back to the door that a request came in by.
//!
//! Invariant: every reply may be read by a page of any origin and carries the id of its request.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, Uri, header};

use crate::{
    body::Body,
    error::Error,
    headers,
    job::{Answers, Job, Task},
    render::render,
    route::dialect_of,
    trail::Trail,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// An answer, what is left to do for it, and what happened on its way.
#[derive(Debug)]
pub struct Reply<B> {
    /// The answer.
    pub response: Response<Body<B>>,
    /// To be given to [`Gateway::run`](crate::gateway::Gateway::run) beside sending the body.
    pub job: Option<Job<B>>,
    /// Facts for a log line.
    pub trail: Trail,
}

impl<B> Reply<B> {
    /// The reply to any request while there is no gateway to ask, in the shape of the API that the
    /// request called; `request_id` is a random number.
    #[must_use]
    pub fn refusal(error: &Error, uri: &Uri, request_id: u64) -> Self {
        Self::of(render(error, dialect_of(uri))).finish(Trail::begin(request_id))
    }

    pub(crate) fn of(response: Response<Body<B>>) -> Self {
        Self { response, job: None, trail: Trail::default() }
    }

    pub(crate) fn with(response: Response<Body<B>>, answers: Answers<B>) -> Self {
        Self { job: Some(Job(Task::Answers(answers))), ..Self::of(response) }
    }

    pub(crate) fn full(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut response = Response::new(Body::Full(body.into()));
        let content_type = HeaderValue::from_static(content_type);
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        Self::of(response)
    }

    /// The reply as it leaves the gateway.
    pub(crate) fn finish(mut self, trail: Trail) -> Self {
        let head = self.response.headers_mut();
        headers::allow_any_origin(head);
        if let Ok(id) = HeaderValue::from_bytes(&hex(trail.request_id)) {
            head.insert(REQUEST_ID, id);
        }
        Self { trail, ..self }
    }
}

/// Sixteen digits, without the way through a formatter.
fn hex(id: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    let nibbles = (0..16).rev().map(|place| id >> (4 * place) & 0xf);
    for (digit, nibble) in digits.iter_mut().zip(nibbles) {
        *digit = b"0123456789abcdef".get(nibble as usize).copied().unwrap_or_default();
    }
    digits
}
