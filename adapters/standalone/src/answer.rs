//! Answers one request at the desk, and sees to what its reply left to do.
//!
//! Invariant: the process does not end before that is done.

use std::convert::Infallible;

use balance_tokio::{Desk, Outgoing};
use http::{Request, Response};
use hyper::body::Incoming;
use tokio_util::task::TaskTracker;

/// Answers a request; what is left to do runs among `tasks`. Dropping the future, as hyper does when
/// the caller hangs up, cancels the request.
pub(crate) async fn answer(
    desk: Desk,
    tasks: TaskTracker,
    request: Request<Incoming>,
) -> Result<Response<Outgoing>, Infallible> {
    let (response, work) = desk.answer(request).await;
    if let Some(work) = work {
        tasks.spawn(work);
    }
    Ok(response)
}
