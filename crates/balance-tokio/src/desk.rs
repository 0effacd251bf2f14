//! Answers requests through a gateway: the reply, the work behind it, and the log.
//!
//! Invariant: every request leaves a line in the log, however it ends; a stream leaves two.

use std::{pin::Pin, sync::Arc, time::Instant};

use balance_core::{
    body::Body as ReplyBody, gateway::Gateway, host::BoxError, reply::Reply, settings::Settings,
    store::Store,
};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, header};
use hyper::body::Incoming;

use crate::{
    answer::Answer,
    body::Body,
    host::TokioHost,
    journal::{Journal, Visit},
};

/// The body of a reply; `I` is the body of callers' requests.
pub type Outgoing<I = Incoming> = ReplyBody<Body<Answer<I>>>;

/// What every request needs; cheap to clone.
#[derive(Debug)]
pub struct Desk<I = Incoming> {
    gateway: Arc<Gateway<TokioHost<I>>>,
    journal: Arc<Journal>,
}

impl<I> Clone for Desk<I> {
    fn clone(&self) -> Self {
        Self { gateway: Arc::clone(&self.gateway), journal: Arc::clone(&self.journal) }
    }
}

impl<I> Desk<I>
where
    I: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin + Send + 'static,
{
    /// A desk with a gateway on this host.
    #[must_use]
    pub fn new(host: TokioHost<I>, settings: Settings) -> Self {
        let journal = Arc::new(Journal::new(&settings));
        Self { gateway: Arc::new(Gateway::new(host, settings)), journal }
    }

    /// The same, sharing quotas and what it learns with others through a store; see
    /// [`Gateway::share`].
    #[must_use]
    pub fn sharing(host: TokioHost<I>, settings: Settings, store: Arc<dyn Store>) -> Self {
        let journal = Arc::new(Journal::new(&settings));
        Self { gateway: Arc::new(Gateway::new(host, settings).with_store(store)), journal }
    }

    /// Its gateway.
    #[must_use]
    pub fn gateway(&self) -> &Arc<Gateway<TokioHost<I>>> {
        &self.gateway
    }

    /// Answers a request, and gives what is to be done beside the sending of the reply. Dropping
    /// the future, as hyper does when the caller hangs up, cancels the request.
    ///
    /// The line of a request waits for that work, except where the reply is a stream, which may
    /// take minutes.
    pub async fn answer(
        &self,
        request: Request<I>,
    ) -> (Response<Outgoing<I>>, Option<Pin<Box<impl Future<Output = ()> + use<I>>>>) {
        let (method, start) = (request.method().clone(), Instant::now());
        let waiting = Waiting { journal: &self.journal, method: &method, start };
        let Reply { response, job, trail } = self.gateway.handle(request).await;
        waiting.over();
        let visit = Visit { method, status: response.status(), trail, start };
        let is_stream = is_stream(response.headers());
        if is_stream || job.is_none() {
            self.journal.request(&visit, None);
        }
        let work = job.map(|job| {
            let Self { gateway, journal } = self.clone();
            // Boxed, as most replies leave nothing to do.
            Box::pin(async move {
                let outcome = gateway.run(job).await;
                if is_stream {
                    journal.stream_ended(&visit, &outcome);
                } else {
                    journal.request(&visit, Some(&outcome));
                }
            })
        });
        (response, work)
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
