//! Answers one web request through a gateway: the reply, the work behind it, and the log.
//!
//! Invariant: a caller that leaves before the reply takes the search for an answer with it; every
//! request leaves a line in the log, however it ends, and a stream leaves two.

use std::{cell::Cell, pin::pin, rc::Rc};

use balance_core::{gateway::Gateway, host::Host, job::Job, reply::Reply};
use futures_util::{
    future::{Either, select},
    poll,
};
use http::{HeaderMap, header};
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::ResponseInit;

use crate::{
    body::Body,
    door::refuse,
    host::now,
    leaving::Leaving,
    log::{Journal, Visit},
    message::{from_web, to_web},
    promise::promise,
    timer::here,
};

/// Keys that are out are looked at so often, at the most, while requests come.
const CHECK_ROUND_MILLIS: u64 = 10_000;

/// The status of a request whose caller has left, in logs; nobody reads the answer.
const CALLER_LEFT: u16 = 499;

/// What every request needs.
#[derive(Debug)]
pub struct Desk<H> {
    gateway: Rc<Gateway<H>>,
    journal: Rc<Journal>,
    checked_millis: Cell<u64>,
}

impl<H: Host<Incoming = Body, Body = Body> + 'static> Desk<H> {
    /// A desk with a gateway of its own.
    #[must_use]
    pub(crate) fn new(gateway: Gateway<H>, journal: Journal) -> Self {
        let (gateway, journal) = (Rc::new(gateway), Rc::new(journal));
        Self { gateway, journal, checked_millis: Cell::new(0) }
    }

    /// The gateway.
    #[must_use]
    pub const fn gateway(&self) -> &Rc<Gateway<H>> {
        &self.gateway
    }

    /// Answers a request. What is left to do after the reply's head is handed to `wait_until`, for
    /// the platform to go on with.
    ///
    /// # Errors
    /// What JavaScript threw, which it does for none of the gateway's replies.
    pub async fn answer(
        &self,
        request: &web_sys::Request,
        wait_until: &dyn Fn(Promise),
    ) -> Result<web_sys::Response, JsValue> {
        let start = now();
        let leaving = Leaving::of(request);
        let taken = match from_web(request) {
            Ok(taken) => taken,
            Err(error) => return refuse(request, &error),
        };
        let method = taken.method().clone();
        let reply = match select(pin!(self.gateway.handle(taken)), leaving).await {
            Either::Left((reply, _)) => reply,
            Either::Right(_) => {
                self.journal.left(&method, start);
                let init = ResponseInit::new();
                init.set_status(CALLER_LEFT);
                return web_sys::Response::new_with_opt_str_and_init(None, &init);
            }
        };
        let Reply { response, job, trail } = reply;
        let visit = Visit { method, status: response.status(), trail, start };
        match job {
            None => self.journal.request(&visit, None),
            Some(job) => {
                let mut work = Box::pin(self.work(job, visit, is_stream(response.headers())));
                // Behind an answer that is there as a whole, nothing is left to wait for.
                if poll!(work.as_mut()).is_pending() {
                    wait_until(later(work));
                }
            }
        }
        to_web(response)
    }

    /// Does a job beside the sending of the reply. The line of a request waits for it, except where
    /// the reply is a stream, which may take minutes.
    fn work(
        &self,
        job: Job<Body>,
        visit: Visit,
        is_stream: bool,
    ) -> impl Future<Output = ()> + use<H> {
        let (gateway, journal) = (Rc::clone(&self.gateway), Rc::clone(&self.journal));
        async move {
            if is_stream {
                journal.request(&visit, None);
            }
            let outcome = gateway.run(job).await;
            if is_stream {
                journal.stream_ended(&visit, &outcome);
            } else {
                journal.request(&visit, Some(&outcome));
            }
        }
    }

    /// Whether keys that are out were not looked at for a while; then it counts as done.
    pub(crate) fn is_time_to_check(&self) -> bool {
        let now = now().unix_millis();
        let is_time = now.saturating_sub(self.checked_millis.get()) >= CHECK_ROUND_MILLIS;
        if is_time {
            self.checked_millis.set(now);
        }
        is_time
    }
}

/// Begins work and gives the promise of its end.
pub fn later(work: impl Future<Output = ()> + 'static) -> Promise {
    let work = here(work);
    promise(async move {
        work.await;
        Ok(JsValue::UNDEFINED)
    })
}

fn is_stream(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
}
