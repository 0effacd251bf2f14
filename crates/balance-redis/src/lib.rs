//! What several instances share, kept in Redis or Valkey.
//!
//! Each exchange of slices is one script there, undivided ([`exchange.lua`](../src/exchange.lua)); it does
//! what [`Ledger::exchange`](balance_core::pool::Ledger::exchange) does, and goes by the server's clock.
//!
//! Invariant: no key stands in anything that is sent; and a server that is away, or comes back without
//! what it knew, is reached again by itself.

mod notes;
mod quotas;

use std::{fmt, time::Duration};

use async_trait::async_trait;
use balance_core::{
    pool::Slice,
    secret::Secret,
    store::{Bid, News, Note, Revision, Store, StoreError},
    time::Timestamp,
};
use redis::{
    Client, RedisError,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use crate::{notes::Notes, quotas::Quotas};

/// How long the server may take to answer, and to be connected to.
const PATIENCE: Duration = Duration::from_secs(2);

/// A store on a Redis or Valkey server.
pub struct RedisStore {
    connection: ConnectionManager,
    quotas: Quotas,
    notes: Notes,
}

/// The address cannot be read as one. It is not repeated, as it may hold a password.
#[derive(Debug)]
pub struct WrongAddress;

impl fmt::Display for WrongAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wanted redis://user:password@host:6379/0, or rediss:// for TLS")
    }
}

impl std::error::Error for WrongAddress {}

impl RedisStore {
    /// A store on the server at this address, under names that begin with `prefix`. The server is
    /// connected to when something is first asked of it. To be called on a tokio runtime.
    ///
    /// # Errors
    /// The address cannot be read.
    pub fn open(address: &Secret, prefix: &str) -> Result<Self, WrongAddress> {
        let wrong = |_: RedisError| WrongAddress;
        let client = Client::open(address.expose()).map_err(wrong)?;
        // One try for each question: who asks comes again soon anyway.
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_number_of_retries(1);
        let connection = ConnectionManager::new_lazy_with_config(client, config).map_err(wrong)?;
        Ok(Self { connection, quotas: Quotas::new(prefix), notes: Notes::new(prefix) })
    }
}

/// Never shows the address.
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn exchange(&self, bids: &[Bid], _now: Timestamp) -> Result<Vec<Slice>, StoreError> {
        let by_server = Timestamp::default();
        self.quotas.exchange(&mut self.connection.clone(), bids, by_server).await.map_err(failed)
    }

    async fn save(&self, notes: &[Note], _now: Timestamp) -> Result<(), StoreError> {
        self.notes.save(&mut self.connection.clone(), notes).await.map_err(failed)
    }

    async fn load(&self, since: Revision, _now: Timestamp) -> Result<News, StoreError> {
        self.notes.load(&mut self.connection.clone(), since).await.map_err(failed)
    }
}

fn failed(error: RedisError) -> StoreError {
    StoreError(Box::new(error))
}
