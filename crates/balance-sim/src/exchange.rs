//! The place that several nodes reach, as Redis would be: ledgers of quotas, exchanged once a second.
//!
//! Invariant: nodes know nothing of each other but what the ledgers tell; each exchange is one step.

use std::collections::HashMap;

use balance_core::{
    fault::Limits,
    pool::{Claim, Ledger, Pool, Quotum},
    time::Timestamp,
};

/// The ledgers of every (project, model).
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    ledgers: HashMap<Quotum, Ledgers>,
    rounds: u64,
}

#[derive(Debug, Default)]
struct Ledgers {
    requests_per_minute: Ledger,
    tokens_per_minute: Ledger,
    requests_per_day: Ledger,
}

/// In how many rounds everything is looked at once; in the others, what was asked since.
const WHOLE: u64 = 20;

impl Exchange {
    /// Lets each node exchange what it holds.
    pub(crate) fn go_round(&mut self, nodes: &mut [Option<&mut Pool>], now: Timestamp) {
        self.rounds += 1;
        let all = self.rounds.is_multiple_of(WHOLE);
        for (node, pool) in (1..).zip(nodes) {
            let Some(pool) = pool else { continue };
            for holding in pool.holdings(all, now) {
                let ledgers = self.ledgers.entry(holding.of.clone()).or_default();
                let (limits, used, wanted) = (holding.limits, holding.used, holding.wanted);
                let exchange = |ledger: &mut Ledger, of: fn(&Limits) -> Option<u64>| {
                    let (used, wanted) = (of(&used).unwrap_or(0), of(&wanted)?);
                    let claim = Claim { node, used, wanted, counts_until: now };
                    Some(ledger.exchange(claim, of(&limits)?, now).held)
                };
                let slices = Limits {
                    requests_per_minute: exchange(&mut ledgers.requests_per_minute, |limits| {
                        limits.requests_per_minute
                    }),
                    tokens_per_minute: exchange(&mut ledgers.tokens_per_minute, |limits| {
                        limits.tokens_per_minute
                    }),
                    requests_per_day: exchange(&mut ledgers.requests_per_day, |limits| {
                        limits.requests_per_day
                    }),
                    tokens_per_day: None,
                };
                pool.hold(&holding.of, slices, now);
            }
        }
    }
}
