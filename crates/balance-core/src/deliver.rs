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
    call::Via,
    error::Error,
    fault::Fault,
    headers,
    host::BoxError,
    relay::{Relay, Tap},
    secret::Secret,
};

/// A reply's head and body, and where the answer's end will be told.
#[derive(Debug)]
pub(crate) struct Delivery<B> {
    pub(crate) response: Response<Body<B>>,
    pub(crate) summary: oneshot::Receiver<Summary>,
}

/// Gives the answer in the way that `via` says.
///
/// # Errors
/// [`Error::Upstream`] if a whole answer cannot be translated.
pub(crate) fn deliver<B>(opened: Opened<B>, via: Via, key: Secret) -> Result<Delivery<B>, Error>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    let (report, summary) = oneshot::channel();
    let response = match via {
        Via::Pass | Via::Watch(_) | Via::Gather => pass(opened, key, report),
        Via::Stream(translator) => {
            let body =
                Relay::new(opened.start, opened.rest, Tap::Translate(translator), key, report);
            let mut response = with_type(Body::Relay(body), "text/event-stream; charset=utf-8");
            let fixed = HeaderValue::from_static;
            response.headers_mut().insert(header::CACHE_CONTROL, fixed("no-cache"));
            // Nginx, where it stands before us, would otherwise hold events back.
            response.headers_mut().insert("x-accel-buffering", fixed("no"));
            response
        }
        Via::Whole(mut translator) => {
            let whole = opened.whole();
            let mut out = Vec::with_capacity(whole.len());
            let ended = translator
                .whole(whole, &mut out)
                .map_err(|malformed| Error::upstream(Fault::malformed(&malformed)))?;
            // The receiver stands in this very function.
            let _ = report.send(ended);
            with_type(Body::Full(out.into()), "application/json")
        }
    };
    Ok(Delivery { response, summary })
}

/// A native answer, as it is.
fn pass<B>(opened: Opened<B>, key: Secret, report: oneshot::Sender<Summary>) -> Response<Body<B>>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    let Opened { mut head, start, rest, framing } = opened;
    // A stream that breaks gets an error event behind it, which no length has counted in.
    let body_is_kept = !matches!(framing, Some(Framing::Sse | Framing::Array));
    head.headers = headers::for_caller(head.headers, body_is_kept);
    let tap = framing.map_or(Tap::Pass, |framing| Tap::Observe(Box::new(Observer::new(framing))));
    Response::from_parts(head, Body::Relay(Relay::new(start, rest, tap, key, report)))
}

fn with_type<B>(body: Body<B>, content_type: &'static str) -> Response<Body<B>> {
    let mut response = Response::new(body);
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}
