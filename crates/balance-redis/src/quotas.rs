//! Slices of quotas, exchanged by a script.
//!
//! Invariant: the script gives what [`Ledger::exchange`](balance_core::pool::Ledger::exchange) gives.

use balance_core::{
    pool::{MOST_GONE, Slice, TERM},
    store::Bid,
    time::Timestamp,
};
use redis::{RedisResult, Script, aio::ConnectionLike};

/// How many exchanges one script makes: the server does nothing else meanwhile.
const BATCH: usize = 256;

pub(crate) struct Quotas {
    script: Script,
    prefix: String,
}

impl Quotas {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { script: Script::new(include_str!("exchange.lua")), prefix: prefix.to_owned() }
    }

    /// Exchanges slices. The server's clock tells the time if `now` is the epoch.
    pub(crate) async fn exchange(
        &self,
        connection: &mut (impl ConnectionLike + Send),
        bids: &[Bid],
        now: Timestamp,
    ) -> RedisResult<Vec<Slice>> {
        let mut slices = Vec::with_capacity(bids.len());
        for bids in bids.chunks(BATCH) {
            let mut call = self.script.prepare_invoke();
            call.arg(now.unix_millis()).arg(TERM.as_millis().to_string()).arg(MOST_GONE);
            for bid in bids {
                let claim = &bid.claim;
                call.key(format!("{}:quota:{}", self.prefix, bid.ledger));
                call.arg(bid.limit).arg(claim.node).arg(claim.used).arg(claim.wanted);
                call.arg(claim.counts_until.unix_millis());
            }
            let given: Vec<(u64, u64)> = call.invoke_async(connection).await?;
            slices.extend(given.into_iter().map(|(held, holders)| Slice { held, holders }));
        }
        Ok(slices)
    }
}

#[cfg(test)]
mod tests;
