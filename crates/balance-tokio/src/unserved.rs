//! Tells whether a request that failed was surely never served, so that it may be sent again.
//!
//! Invariant: in doubt it was served. A model's answer costs quota, and a second one is not to be
//! had by accident.

use std::time::Instant;

use balance_core::host::Payload;
use http::Request;
use hyper_util::client::legacy;

use crate::line::was_dead_before;

/// Whether the request that was begun at `start` and failed with `error` was never served.
pub(crate) fn unserved(start: Instant, error: &legacy::Error) -> bool {
    refused(error) || was_dead_before(start, error)
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
fn refused(error: &legacy::Error) -> bool {
    let mut cause = std::error::Error::source(error);
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
