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
    pub trail: Box<Trail>,
}

/// A reply that is still to be finished.
#[derive(Debug)]
pub(crate) struct Draft<B> {
    pub(crate) response: Response<Body<B>>,
    pub(crate) job: Option<Job<B>>,
}

impl<B> Reply<B> {
    /// The reply to any request while there is no gateway to ask, in the shape of the API that the
    /// request called; `request_id` is a random number.
    #[must_use]
    pub fn refusal(error: &Error, uri: &Uri, request_id: u64) -> Self {
        Draft::of(render(error, dialect_of(uri))).finish(Trail::begin(request_id))
    }
}

impl<B> Draft<B> {
    pub(crate) const fn of(response: Response<Body<B>>) -> Self {
        Self { response, job: None }
    }

    pub(crate) fn with(response: Response<Body<B>>, answers: Answers<B>) -> Self {
        Self { response, job: Some(Job::of(Task::Answers(answers))) }
    }

    pub(crate) fn full(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut response = Response::new(Body::Full(body.into()));
        let content_type = HeaderValue::from_static(content_type);
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        Self::of(response)
    }

    /// The reply as it leaves the gateway.
    pub(crate) fn finish(mut self, trail: Box<Trail>) -> Reply<B> {
        let head = self.response.headers_mut();
        headers::allow_any_origin(head);
        if let Ok(id) = HeaderValue::from_bytes(&hex(trail.request_id)) {
            head.insert(REQUEST_ID, id);
        }
        Reply { response: self.response, job: self.job, trail }
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
