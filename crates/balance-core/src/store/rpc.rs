//! A store behind calls: where it cannot be reached itself, but by messages.
//!
//! Invariant: whoever calls has the answers of the store itself, or an error; a message that cannot be read is
//! an error too.

use std::fmt::Debug;

use async_trait::async_trait;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Bid, MaybeSync, News, Note, Revision, Store, StoreError};
use crate::{host::BoxError, pool::Slice, time::Timestamp};

/// Brings calls to a store, and its answers back.
#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
pub trait Transport: Debug + MaybeSync {
    /// The answer of [`answer`] to a call.
    ///
    /// # Errors
    /// The call was not brought there, or the answer not back.
    async fn send(&self, call: String) -> Result<String, BoxError>;
}

/// The store at the other end of a transport.
#[derive(Debug)]
pub struct RpcStore<T>(pub T);

#[derive(Debug, Serialize, Deserialize)]
enum Call {
    Exchange { bids: Vec<Bid>, now: Timestamp },
    Save { notes: Vec<Note>, now: Timestamp },
    Load { since: Revision, now: Timestamp },
}

/// Asks a store what a call asks, and gives its answer for the caller.
pub async fn answer(store: &dyn Store, call: &str) -> String {
    let answer = match balance_dialect::json::read_str(call) {
        Ok(Call::Exchange { bids, now }) => told(store.exchange(&bids, now).await),
        Ok(Call::Save { notes, now }) => told(store.save(&notes, now).await),
        Ok(Call::Load { since, now }) => told(store.load(since, now).await),
        Err(error) => told::<()>(Err(StoreError(error.into()))),
    };
    // Lists and texts under names: nothing of that can fail.
    answer.unwrap_or_default()
}

fn told<T: Serialize>(answer: Result<T, StoreError>) -> serde_json::Result<String> {
    serde_json::to_string(&answer.map_err(|error| error.0.to_string()))
}

impl<T: Transport> RpcStore<T> {
    async fn call<A: DeserializeOwned>(&self, call: &Call) -> Result<A, StoreError> {
        let call = serde_json::to_string(call).map_err(|error| StoreError(error.into()))?;
        let answer: Result<A, String> = balance_dialect::json::read_str(&self.0.send(call).await?)
            .map_err(|error| StoreError(error.into()))?;
        answer.map_err(|reason| StoreError(reason.into()))
    }
}

#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
impl<T: Transport> Store for RpcStore<T> {
    async fn exchange(&self, bids: &[Bid], now: Timestamp) -> Result<Vec<Slice>, StoreError> {
        self.call(&Call::Exchange { bids: bids.to_vec(), now }).await
    }

    async fn save(&self, notes: &[Note], now: Timestamp) -> Result<(), StoreError> {
        self.call(&Call::Save { notes: notes.to_vec(), now }).await
    }

    async fn load(&self, since: Revision, now: Timestamp) -> Result<News, StoreError> {
        self.call(&Call::Load { since, now }).await
    }
}
