//! From an answer that begins well to the reply's head and body.
//!
//! Invariant: a native answer keeps its status, its headers and its bytes; a translated one has no
//! header of upstream's.

use balance_dialect::{framing::Framing, observe::Observer};
use bytes::Bytes;
use http::{HeaderValue, Response, header, response};

use crate::{
    body::Body,
    headers,
    host::BoxError,
    inflow::Strand,
    label::Labeller,
    relay::{Relay, Tap},
    secret::Secret,
    veil::veiled,
    weave::Weave,
};

/// Gives a native answer as it is.
pub(crate) fn pass<B>(
    mut head: response::Parts,
    framing: Option<Framing>,
    labeller: Option<Labeller>,
    strand: Strand<B>,
) -> Response<Body<B>>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    // A stream that breaks gets an error event behind it, which no length has counted in.
    let body_is_kept =
        labeller.is_none() && !matches!(framing, Some(Framing::Sse | Framing::Array));
    head.headers = headers::for_caller(head.headers, body_is_kept);
    let tap = match (framing, labeller) {
        (Some(framing), _) => Tap::Observe(Box::new(Observer::new(framing))),
        (None, Some(labeller)) => Tap::Label(Box::new(labeller)),
        (None, None) => Tap::Pass,
    };
    Response::from_parts(head, Body::Relay(Box::new(Relay::new(strand, tap))))
}

/// Gives a native answer that is there as a whole.
pub(crate) fn whole<B>(mut head: response::Parts, body: Bytes, key: &Secret) -> Response<Body<B>> {
    head.headers = headers::for_caller(head.headers, true);
    Response::from_parts(head, Body::Full(veiled(body, key)))
}

/// Gives a native event stream before there is an answer.
pub(crate) fn promise<B>(strand: Strand<B>) -> Response<Body<B>>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    let tap = Tap::Observe(Box::new(Observer::new(Framing::Sse)));
    event_stream(Body::Relay(Box::new(Relay::new(strand, tap))))
}

/// Gives translated answers as events.
pub(crate) fn events<B>(weave: Weave<B>) -> Response<Body<B>> {
    event_stream(Body::Weave(Box::new(weave)))
}

fn event_stream<B>(body: Body<B>) -> Response<Body<B>> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    let fixed = HeaderValue::from_static;
    headers.insert(header::CONTENT_TYPE, fixed("text/event-stream; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, fixed("no-cache"));
    // Nginx, where it stands before us, would otherwise hold events back.
    headers.insert("x-accel-buffering", fixed("no"));
    response
}
