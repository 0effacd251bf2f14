//! A store in memory, for tests and for several gateways in one process.
//!
//! Invariant: it does what every store does, and forgets it with the process.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::{Bid, News, Note, Revision, Store, StoreError};
use crate::{
    pool::{Ledger, Slice},
    time::Timestamp,
};

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    ledgers: HashMap<String, Ledger>,
    notes: HashMap<String, (u64, Note)>,
    revision: u64,
}

impl MemoryStore {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        // It is whole before anything in it can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
impl Store for MemoryStore {
    async fn exchange(&self, bids: &[Bid], now: Timestamp) -> Result<Vec<Slice>, StoreError> {
        let mut kept = self.kept();
        let mut exchange = |bid: &Bid| {
            let ledger = kept.ledgers.entry(bid.ledger.clone()).or_default();
            ledger.exchange(bid.claim, bid.limit, now)
        };
        Ok(bids.iter().map(&mut exchange).collect())
    }

    async fn save(&self, notes: &[Note], now: Timestamp) -> Result<(), StoreError> {
        let mut kept = self.kept();
        kept.notes.retain(|_, (_, note)| note.until.is_none_or(|until| until > now));
        for note in notes {
            kept.revision += 1;
            let revision = kept.revision;
            kept.notes.insert(note.subject.clone(), (revision, note.clone()));
        }
        Ok(())
    }

    async fn load(&self, since: Revision, now: Timestamp) -> Result<News, StoreError> {
        let kept = self.kept();
        let since = if since.0 > kept.revision { 0 } else { since.0 };
        let is_new = |(revision, note): &&(u64, Note)| {
            *revision > since && note.until.is_none_or(|until| until > now)
        };
        let mut news: Vec<_> = kept.notes.values().filter(is_new).collect();
        news.sort_unstable_by_key(|(revision, _)| *revision);
        let notes = news.into_iter().map(|(_, note)| note.clone()).collect();
        Ok(News { notes, revision: Revision(kept.revision) })
    }
}
