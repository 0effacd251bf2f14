//! What happened to a request, as facts for a log line.
//!
//! Invariant: nothing in it is secret: keys stand by their ids, and no body, query or credential is
//! kept.

use balance_dialect::summary::Summary;

use crate::{fault::Fault, key::KeyId, pools::PoolId};

/// The way that one request took.
#[derive(Debug, Default)]
pub struct Trail {
    /// The id that the caller sees in `x-request-id`.
    pub request_id: u64,
    /// The name of the route; empty if there was none.
    pub route: &'static str,
    /// The model that was asked.
    pub model: Option<String>,
    /// The keys that were tried, in order.
    pub tries: Vec<Try>,
    /// The pool that was asked, if any was.
    pub(crate) pool: Option<PoolId>,
    /// What the answer turned out to be, where it was read as a whole before the reply.
    pub summary: Option<Summary>,
    /// Why its pictures could not be put on the web, as a stable word, where they were to be.
    pub not_put: Option<&'static str>,
}

/// One key that was tried.
#[derive(Debug)]
pub struct Try {
    /// The key.
    pub key: KeyId,
    /// What went wrong, as a stable word; `None` if the answer was delivered.
    pub fault: Option<&'static str>,
}

impl Trail {
    /// Boxed, as it goes the whole way of a request.
    pub(crate) fn begin(request_id: u64) -> Box<Self> {
        Box::new(Self { request_id, ..Self::default() })
    }

    /// Adds the way of one of several calls.
    pub(crate) fn join(&mut self, call: Self) {
        self.model = call.model.or_else(|| self.model.take());
        self.tries.extend(call.tries);
    }

    pub(crate) fn note(&mut self, key: KeyId, fault: Option<&Fault>) {
        self.tries.push(Try { key, fault: fault.map(Fault::code) });
    }
}
