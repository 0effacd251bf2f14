//! From an answer that begins well to the reply's head and body.
//!
//! Invariant: a native answer keeps its status, its headers and its bytes; a translated one has no
//! header of upstream's.

use balance_dialect::{framing::Framing, observe::Observer, summary::Summary};
use bytes::Bytes;
use futures_channel::oneshot;
use http::{HeaderValue, Response, header};

use crate::{
    attempt::Opened,
    body::Body,
    feed::Feed,
    headers,
    host::BoxError,
    inflow::Inflow,
    relay::{Relay, Tap},
    secret::Secret,
    weave::Weave,
};

/// A reply's head and body, and where the answer's end will be told.
#[derive(Debug)]
pub(crate) struct Delivery<B> {
    pub(crate) response: Response<Body<B>>,
    pub(crate) summary: oneshot::Receiver<Summary>,
}

/// Gives a native answer as it is.
pub(crate) fn pass<B>(opened: Opened<B>, key: &Secret) -> Delivery<B>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    let (report, summary) = oneshot::channel();
    let Opened { mut head, start, rest, framing } = opened;
    // A stream that breaks gets an error event behind it, which no length has counted in.
    let body_is_kept = !matches!(framing, Some(Framing::Sse | Framing::Array));
    head.headers = headers::for_caller(head.headers, body_is_kept);
    let tap = framing.map_or(Tap::Pass, |framing| Tap::Observe(Box::new(Observer::new(framing))));
    let inflow = Inflow::new(start, rest, key);
    let body = Body::Relay(Box::new(Relay::new(inflow, tap, report)));
    Delivery { response: Response::from_parts(head, body), summary }
}

/// Gives a native event stream before there is an answer; a job supplies that by `feed`.
pub(crate) fn promise<B>(feed: Feed) -> Delivery<B>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    let (report, summary) = oneshot::channel();
    let tap = Tap::Observe(Box::new(Observer::new(Framing::Sse)));
    let body = Body::Relay(Box::new(Relay::new(Inflow::fed(feed), tap, report)));
    Delivery { response: event_stream(body), summary }
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
