//! Tells whether a request that failed was surely never served, so that it may be sent again.
//!
//! Invariant: in doubt it was served. A model's answer costs quota, and a second one is not to be
//! had by accident.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use balance_core::host::Payload;
use http::Request;

use crate::line::Ear;

/// Shorter silences are no sign that the connection was dead before the request.
const REST: Duration = Duration::from_secs(1);

/// Whether a connection has been used before and idle for so long that it may have died.
pub(crate) fn may_be_dead(ear: &Ear, now: Instant) -> bool {
    now.checked_sub(REST).is_some_and(|idle| ear.deaf_since(idle))
}

/// Whether the request that was begun at `start` and failed with `error` was never served: its
/// connection had lain idle and brought nothing any more, or upstream said that it did not look.
pub(crate) fn unserved(start: Instant, ear: &Ear, error: &hyper::Error) -> bool {
    may_be_dead(ear, start) || refused(error)
}

/// A copy to send again, if the body is there to be sent again.
pub(crate) fn copy<I>(request: &Request<Payload<I>>) -> Option<Request<Payload<I>>> {
    let Payload::Full(body) = request.body() else { return None };
    let mut copy = Request::new(Payload::Full(body.clone()));
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    copy.headers_mut().clone_from(request.headers());
    *copy.version_mut() = request.version();
    Some(copy)
}

/// Whether upstream said that it did not look at the request: RFC 9113 §8.7 names the two ways, a
/// stream that is refused and one that was opened after the last that upstream took.
fn refused(error: &hyper::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            let leaving = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
            let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
            return error.is_remote() && (leaving || refused);
        }
        cause = error.source();
    }
    false
}
