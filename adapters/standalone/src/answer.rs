//! Answers one request through the gateway: the reply, the work behind it, and the log.
//!
//! Invariant: every request leaves a line in the log, however it ends; a stream leaves two.

use std::{convert::Infallible, sync::Arc, time::Instant};

use balance_core::{body::Body, gateway::Gateway, job::Job, reply::Reply};
use balance_tokio::TokioHost;
use http::{HeaderMap, Method, Request, Response, header};
use hyper::body::Incoming;
use tokio_util::task::TaskTracker;

use crate::logs::{Journal, Visit};

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
    let (method, start) = (request.method().clone(), Instant::now());
    let waiting = Waiting { journal: &desk.journal, method: &method, start };
    let Reply { response, job, trail } = desk.gateway.handle(request).await;
    waiting.over();
    let visit = Visit { method, status: response.status(), trail, start };
    match job {
        None => desk.journal.request(&visit, None),
        Some(job) => desk.work(job, visit, is_stream(response.headers())),
    }
    Ok(response)
}

impl Desk {
    /// Does a job beside the sending of the reply. The line of a request waits for it, except where
    /// the reply is a stream, which may take minutes.
    fn work(&self, job: Job<balance_tokio::Body>, visit: Visit, is_stream: bool) {
        if is_stream {
            self.journal.request(&visit, None);
        }
        let (gateway, journal) = (self.gateway.clone(), self.journal.clone());
        self.tasks.spawn(async move {
            let outcome = gateway.run(job).await;
            if is_stream {
                journal.stream_ended(&visit, &outcome);
            } else {
                journal.request(&visit, Some(&outcome));
            }
        });
    }
}

fn is_stream(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
}

/// A caller who waits for a reply; if this is dropped before that is over, the caller has left.
struct Waiting<'a> {
    journal: &'a Journal,
    method: &'a Method,
    start: Instant,
}

impl Waiting<'_> {
    fn over(self) {
        // It holds references only, so nothing is lost.
        std::mem::forget(self);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.journal.left(self.method, self.start);
    }
}
