//! The checking of keys that are out, with a question that costs nothing.
//!
//! Invariant: no more keys are asked at a time than `/verify` may ask.

use futures_util::{StreamExt, stream::FuturesUnordered};

use crate::{
    fault::Fault,
    gateway::Gateway,
    host::Host,
    key::{Key, KeyId},
    pools::PoolId,
    time::Timestamp,
};

/// How many keys one round checks at the most.
const ROUND: usize = 256;

/// What came of a round of checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checked {
    /// How many keys were asked.
    pub keys: usize,
    /// How many of them work.
    pub working: usize,
}

impl<H: Host> Gateway<H> {
    /// When the next key of the operator's pool is to be checked, if any is.
    #[must_use]
    pub fn next_check(&self) -> Option<Timestamp> {
        let now = self.host.now();
        self.pools().of(PoolId::Operator, now).next_check()
    }

    /// Lets every key that is to be checked be checked with the next call of
    /// [`check_keys`](Self::check_keys): where what was known came out of a store, nobody knows how
    /// long it waits already.
    pub fn hurry_checks(&self) {
        let now = self.host.now();
        self.pools().of(PoolId::Operator, now).hurry_checks(now);
    }

    /// Checks the keys of the operator's pool whose time it is. To be called every few seconds where
    /// something can run beside the requests.
    pub async fn check_keys(&self) -> Checked {
        let now = self.host.now();
        let round = self.settings.calls_allowed().min(ROUND);
        let mut waiting = self.pools().of(PoolId::Operator, now).due_checks(round, now).into_iter();
        let most = self.settings.verify_concurrency.as_usize();
        let mut running = FuturesUnordered::new();
        let mut checked = Checked::default();
        loop {
            while running.len() < most {
                let Some(key) = waiting.next() else { break };
                running.push(check(self, key));
            }
            let Some((key, outcome)) = running.next().await else { return checked };
            let found = outcome.as_ref().copied().map_err(|fault| &**fault);
            let now = self.host.now();
            self.pools().of(PoolId::Operator, now).note_check(key, found, now);
            checked.keys += 1;
            checked.working += usize::from(outcome.is_ok());
        }
    }
}

async fn check<H: Host>(gateway: &Gateway<H>, key: Key) -> (KeyId, Result<(), Box<Fault>>) {
    (key.id, gateway.probe(&key).await)
}
