//! Answers one request through the gateway: the reply, the work behind it, and the log.
//!
//! Invariant: every request leaves one line in the log, however it ends.

use std::{convert::Infallible, sync::Arc, time::Instant};

use balance_core::{body::Body, gateway::Gateway, reply::Reply};
use balance_tokio::TokioHost;
use http::{Method, Request, Response};
use hyper::body::Incoming;
use tokio_util::task::TaskTracker;

use crate::logs::Journal;

/// What every request needs; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) gateway: Arc<Gateway<TokioHost>>,
    pub(crate) journal: Arc<Journal>,
    /// The work that outlives a reply's head, to be finished before the process ends.
    pub(crate) tasks: TaskTracker,
}

/// Answers a request. Dropping the future, as hyper does when the caller hangs up, cancels it.
pub(crate) async fn answer(
    desk: Desk,
    request: Request<Incoming>,
) -> Result<Response<Body<balance_tokio::Body>>, Infallible> {
    let start = Instant::now();
    let mut visit = Visit { desk: &desk, method: request.method().clone(), start, replied: false };
    let Reply { response, job, trail } = desk.gateway.handle(request).await;
    visit.replied = true;
    desk.journal.replied(&visit.method, response.status(), &trail, start.elapsed());
    if let Some(job) = job {
        let desk = desk.clone();
        desk.tasks.clone().spawn(async move {
            let outcome = desk.gateway.run(job).await;
            desk.journal.ended(trail.request_id, &outcome, start.elapsed());
        });
    }
    Ok(response)
}

/// A request under way; if it is dropped without a reply, its caller has left.
struct Visit<'a> {
    desk: &'a Desk,
    method: Method,
    start: Instant,
    replied: bool,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        if !self.replied {
            self.desk.journal.left(&self.method, self.start.elapsed());
        }
    }
}
