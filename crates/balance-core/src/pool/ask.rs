//! What a request asks of the pool, and what it is answered.
//!
//! Invariant: a [`Lease`] is neither copied nor forged: it comes from the pool and goes back to it once.

use super::{model::Reserved, models::Place};
use crate::{key::KeyId, secret::Secret, time::Timestamp};

/// What a request wants of the pool.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ask<'a> {
    /// The model that is asked, if the request names one.
    pub model: Option<&'a str>,
    /// Keys that the request has tried. None of them is given again.
    pub tried: &'a [KeyId],
    /// A key to take if it is ready, whatever the strategy.
    pub prefer: Option<KeyId>,
    /// The key that holds what the request names. No other project can serve it, if that key is in the
    /// pool.
    pub holder: Option<KeyId>,
    /// What all requests of a conversation have in common. They go to one key, as long as it is ready,
    /// so that what Google keeps of the conversation is of use; unless the strategy promises an order.
    pub conversation: Option<u64>,
    /// How large the request is, as far as its bytes tell ([`guess_tokens`](super::guess_tokens)); 0 if not known.
    pub tokens: u64,
    /// Whether the request fails if it gets no key now, after it waited for one. It is sent even
    /// while nothing else is, as Google may be back since it was last asked.
    pub is_last_chance: bool,
}

/// The permission to send one request with one key, for which its part of the quota is reserved. It
/// ends with [`Pool::settle`](super::Pool::settle), [`Pool::cancel`](super::Pool::cancel) or [`Pool::give_back`](super::Pool::give_back); one that is lost is taken for
/// sent, and counts as under way for ten minutes.
#[derive(Debug)]
#[must_use = "a lease that is not settled counts as under way"]
pub struct Lease {
    /// The key.
    pub key: KeyId,
    /// Its text.
    pub secret: Secret,
    pub(super) number: u64,
    pub(super) place: Place,
    pub(super) reserved: Reserved,
    pub(super) roll: u64,
}

/// That no key can be given now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resting {
    /// The first moment at which a key is ready for this model, as far as known now; `None` if none
    /// comes back by itself.
    pub until: Option<Timestamp>,
    /// Why there is none.
    pub why: Why,
}

/// Why no key can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The pool is empty.
    NoKeys,
    /// Every key is disabled, dead, of a project that is out, or kept for other models.
    AllOut,
    /// Every key that could be given was tried by this request.
    AllTried,
    /// The key that holds what the request names, and every other one of its project, is out.
    HolderOut,
    /// Every key waits for its quota.
    AllResting,
    /// Google, or the way there, fails with all keys alike; none of them is to blame.
    Outage,
}
