//! What is left to do after a reply's head is on its way.
//!
//! Invariant: the core never spawns. A shell runs the job where its platform lets it; a job that is
//! never run only leaves a lease to its own deadline.

use balance_dialect::summary::{Summary, Usage};
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

impl Outcome {
    /// The keys that were tried after the reply's head had gone out, if any were.
    #[must_use]
    pub fn tries(&self) -> Option<&[Try]> {
        match self {
            Self::Ended { tries, .. } => Some(tries.as_slice()).filter(|tries| !tries.is_empty()),
            Self::Verified { .. } => None,
        }
    }

    /// How it ended, in words.
    #[must_use]
    pub const fn ending(&self) -> &'static str {
        match self {
            Self::Ended { summary: None, .. } => "the caller left",
            Self::Ended { summary: Some(summary), .. } => summary.ending.word(),
            Self::Verified { .. } => "keys checked",
        }
    }

    /// The tokens that it took, as far as that was told.
    #[must_use]
    pub const fn usage(&self) -> Option<&Usage> {
        match self {
            Self::Ended { summary: Some(summary), .. } => Some(&summary.usage),
            Self::Ended { summary: None, .. } | Self::Verified { .. } => None,
        }
    }

    /// Why pictures were not put on the web, where they were to be.
    #[must_use]
    pub const fn not_put(&self) -> Option<&'static str> {
        match self {
            Self::Ended { not_put, .. } => *not_put,
            Self::Verified { .. } => None,
        }
    }
}
