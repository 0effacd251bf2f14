//! What is left to do after a reply's head is on its way.
//!
//! Invariant: the core never spawns. A shell runs the job where its platform lets it; a job that is
//! never run only leaves a lease to its own deadline.

use balance_dialect::summary::Summary;
use futures_channel::oneshot;

use crate::{
    feed::Feeder,
    gateway::Supply,
    key::{Key, KeyId},
    pool::Lease,
    pools::PoolId,
    trail::Try,
};

/// Work that goes on while, or after, the body of a reply is sent; see
/// [`Gateway::run`](crate::gateway::Gateway::run).
#[derive(Debug)]
pub struct Job<B>(pub(crate) Box<Task<B>>);

impl<B> Job<B> {
    pub(crate) fn of(task: Task<B>) -> Self {
        Self(Box::new(task))
    }
}

#[derive(Debug)]
pub(crate) enum Task<B> {
    /// See answers to their ends.
    Answers(Answers<B>),
    /// Check keys, a line for each.
    Verify { keys: Vec<Key>, feeder: Feeder },
}

/// The answers that make a reply.
#[derive(Debug)]
pub(crate) struct Answers<B> {
    pub(crate) pool: PoolId,
    /// Those that are on their way: when they have ended, their leases are to be settled.
    pub(crate) ends: Vec<(Lease, oneshot::Receiver<Summary>)>,
    /// Those that are still to be found.
    pub(crate) supplies: Vec<Supply<B>>,
}

impl<B> Answers<B> {
    pub(crate) const fn in_pool(pool: PoolId) -> Self {
        Self { pool, ends: Vec::new(), supplies: Vec::new() }
    }
}

/// What came of a job, as facts for a log line.
#[derive(Debug)]
pub enum Outcome {
    /// An answer ended.
    Ended {
        /// The keys that it came by: one, or one for each of several answers that make it.
        keys: Vec<KeyId>,
        /// The keys that the job itself tried, in order.
        tries: Vec<Try>,
        /// How it ended; `None` if the caller left before its end.
        summary: Option<Summary>,
        /// Why its pictures could not be put on the web, where the job was to do that.
        not_put: Option<&'static str>,
    },
    /// Keys were checked.
    Verified {
        /// How many.
        keys: usize,
    },
}
