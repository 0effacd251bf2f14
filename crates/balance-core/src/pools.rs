//! The pools behind one gateway: the operator's, and one for each set of keys that callers bring.
//!
//! Invariant: keys of one caller never serve another, and sets that callers bring cannot grow
//! without bound: the one unused for longest is forgotten.

use std::{collections::HashMap, time::Duration};

use sha2::{Digest, Sha256};

use crate::{
    authorize::Caller,
    grant::Grant,
    key::Key,
    pool::{Pool, PoolLimits, Strategy},
    time::Timestamp,
};

/// How many sets of callers' own keys are remembered.
const MOST_OWNERS: usize = 1024;

/// Which pool a request uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum PoolId {
    /// The operator's.
    Operator,
    /// The operator's keys for what only paid keys do.
    Paid,
    /// One of a caller's own keys, by a digest of them that cannot be forged.
    Owner(u128),
}

/// All pools of one gateway.
#[derive(Debug)]
pub(crate) struct Pools {
    operator: Pool,
    paid: Pool,
    owners: HashMap<u128, Owner>,
    strategy: Strategy,
}

#[derive(Debug)]
struct Owner {
    pool: Pool,
    last_used: Timestamp,
}

impl Pools {
    /// The operator's pool, and no other yet. The limits are the operator's alone: nothing is known
    /// of callers' own keys until Google says so.
    #[must_use]
    pub(crate) fn new(keys: Vec<Key>, strategy: Strategy, limits: PoolLimits) -> Self {
        let operator = Pool::new(keys, strategy).with_limits(limits);
        Self { operator, paid: Pool::new(Vec::new(), strategy), owners: HashMap::new(), strategy }
    }

    /// The same with keys for what only paid keys do.
    #[must_use]
    pub(crate) fn with_paid(self, keys: Vec<Key>) -> Self {
        Self { paid: Pool::new(keys, self.strategy), ..self }
    }

    /// The same, new and unused, with checks of the operator's keys.
    #[must_use]
    pub(crate) fn with_checks(self, interval: Option<Duration>) -> Self {
        Self { operator: self.operator.with_checks(interval), ..self }
    }

    /// The pool that a caller uses; made if it is a new set of own keys.
    pub(crate) fn enter(&mut self, caller: Caller, now: Timestamp) -> PoolId {
        let Caller::Owner(keys) = caller else { return PoolId::Operator };
        let id = digest(&keys);
        // Keys that are all out are asked anew: their owner may have mended them.
        if self.owners.get(&id).is_none_or(|owner| !owner.pool.has_open_keys()) {
            self.forget_one();
            let pool = Pool::new(keys, self.strategy);
            self.owners.insert(id, Owner { pool, last_used: now });
        }
        PoolId::Owner(id)
    }

    /// The pool that a grant opens: that of the key it was made with, if it is good for `link`.
    pub(crate) fn enter_by(&self, grant: &Grant, link: &str) -> Option<PoolId> {
        let opens = |pool: &Pool| {
            pool.secret_of(grant.key).is_some_and(|secret| grant.is_for(link, secret))
        };
        if opens(&self.operator) {
            return Some(PoolId::Operator);
        }
        let owner = self.owners.iter().find(|(_, owner)| opens(&owner.pool));
        owner.map(|(id, _)| PoolId::Owner(*id))
    }

    /// A pool that was entered. One that was forgotten since is empty.
    pub(crate) fn of(&mut self, id: PoolId, now: Timestamp) -> &mut Pool {
        match id {
            PoolId::Operator => &mut self.operator,
            PoolId::Paid => &mut self.paid,
            PoolId::Owner(id) => {
                let pool = || Pool::new(Vec::new(), self.strategy);
                let owner =
                    self.owners.entry(id).or_insert_with(|| Owner { pool: pool(), last_used: now });
                owner.last_used = now;
                &mut owner.pool
            }
        }
    }

    fn forget_one(&mut self) {
        if self.owners.len() >= MOST_OWNERS {
            let idlest = self.owners.iter().min_by_key(|(_, owner)| owner.last_used);
            if let Some(id) = idlest.map(|(id, _)| *id) {
                self.owners.remove(&id);
            }
        }
    }
}

/// The first half of the SHA-256 over the keys, in the order given.
fn digest(keys: &[Key]) -> u128 {
    let mut hash = Sha256::new();
    for key in keys {
        hash.update(key.secret.expose());
        hash.update([0]);
    }
    hash.finalize().iter().take(16).fold(0, |digest, byte| digest << 8 | u128::from(*byte))
}
