//! What is left to do after a reply's head is on its way.
//!
//! Invariant: the core never spawns. A shell runs the job where its platform lets it; a job that is
//! never run only leaves a lease to its own deadline.

use balance_dialect::summary::Summary;
use bytes::Bytes;
use futures_channel::{mpsc, oneshot};

use crate::{
    key::{Key, KeyId},
    pool::Lease,
    pools::PoolId,
};

/// Work that goes on while, or after, the body of a reply is sent; see
/// [`Gateway::run`](crate::gateway::Gateway::run).
#[derive(Debug)]
pub struct Job(pub(crate) Task);

#[derive(Debug)]
pub(crate) enum Task {
    /// Wait for the ends of answers, then settle their leases.
    Settle { pool: PoolId, ends: Vec<(Lease, oneshot::Receiver<Summary>)> },
    /// Check keys, a line for each.
    Verify { keys: Vec<Key>, lines: mpsc::Sender<Bytes> },
}

/// What came of a job, as facts for a log line.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// An answer ended.
    Ended {
        /// The keys that it came by: one, or one for each of several answers that make it.
        keys: Vec<KeyId>,
        /// How it ended; `None` if the caller left before its end.
        summary: Option<Summary>,
    },
    /// Keys were checked.
    Verified {
        /// How many.
        keys: usize,
    },
}
