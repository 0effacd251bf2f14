//! What several instances share: slices of quotas, and what each has learned of keys and models.
//!
//! Invariant: a store is asked by [`Gateway::share`](crate::gateway::Gateway::share) alone, never on the
//! way of a request, and whatever goes wrong with it, requests go on. No key is ever shown to it: keys go
//! by their names.

mod memory;
mod notes;
pub mod rpc;

use std::fmt::Debug;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use self::memory::MemoryStore;
use crate::{
    host::BoxError,
    pool::{Claim, Slice},
    time::Timestamp,
};

/// A place that several instances reach.
///
/// `now` is the time of the instance that asks; a store with a clock of its own goes by that, so that
/// it does no harm if the instances' clocks differ.
#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
pub trait Store: Debug + MaybeSync {
    /// Exchanges what an instance holds of some quotas; each as one undivided step of
    /// [`Ledger::exchange`](crate::pool::Ledger::exchange). The slices are in the order of the bids.
    ///
    /// # Errors
    /// The store cannot be reached, or fails. Some bids may have been taken then.
    async fn exchange(&self, bids: &[Bid], now: Timestamp) -> Result<Vec<Slice>, StoreError>;

    /// Keeps notes, each in place of what was kept of its subject, under new revisions.
    ///
    /// # Errors
    /// The store cannot be reached, or fails. Some notes may be kept then.
    async fn save(&self, notes: &[Note], now: Timestamp) -> Result<(), StoreError>;

    /// The notes that were saved after a revision and are not over, the oldest first. It may be some
    /// of them only; there is no more when there is none.
    ///
    /// # Errors
    /// The store cannot be reached, or fails.
    async fn load(&self, since: Revision, now: Timestamp) -> Result<News, StoreError>;
}

/// A claim on one quota.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bid {
    /// The name of the quota's [`Ledger`](crate::pool::Ledger). One that is not there is new.
    pub ledger: String,
    /// How much there is, at most [`MOST`].
    pub limit: u64,
    /// Who claims how much of it, likewise.
    pub claim: Claim,
}

/// The largest number that a bid holds: beyond it numbers of JavaScript and Lua are not exact.
pub const MOST: u64 = (1 << 53) - 1;

/// Something that is known of a subject. A store need not understand it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Of what: a few words without secrets.
    pub subject: String,
    /// What, as JSON.
    pub text: String,
    /// When it is over; `None` if never.
    pub until: Option<Timestamp>,
}

/// A point in the history of a store; the default stands before everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Revision(pub u64);

/// Notes, and from where to ask for more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// The notes.
    pub notes: Vec<Note>,
    /// The revision of the last of them, or the store's latest if there is none. If it is less than
    /// was asked from, the store has lost what it knew, and told from its new beginning.
    pub revision: Revision,
}

/// The store cannot be reached, or fails.
#[derive(Debug, thiserror::Error)]
#[error("the shared store does not answer: {0}")]
pub struct StoreError(#[from] pub BoxError);

/// `Send` and `Sync` where there are threads.
#[cfg(not(target_arch = "wasm32"))]
pub trait MaybeSync: Send + Sync {}
#[cfg(not(target_arch = "wasm32"))]
impl<T: Send + Sync + ?Sized> MaybeSync for T {}

/// `Send` and `Sync` where there are threads.
#[cfg(target_arch = "wasm32")]
pub trait MaybeSync {}
#[cfg(target_arch = "wasm32")]
impl<T: ?Sized> MaybeSync for T {}
