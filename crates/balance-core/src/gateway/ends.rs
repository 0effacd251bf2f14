//! How leases end.
//!
//! Invariant: whatever ends may have made room, so those who wait are called.

use balance_dialect::summary::{Summary, Usage};

use super::Gateway;
use crate::{attempt, fault::Fault, host::Host, pool::Lease, pools::PoolId};

impl<H: Host> Gateway<H> {
    pub(super) fn settle(&self, pool: PoolId, lease: Lease, outcome: Result<Usage, &Fault>) {
        let now = self.host.now();
        self.pools().of(pool, now).settle(lease, outcome, now);
        self.queue.call(pool);
    }

    pub(super) fn note_opened(&self, pool: PoolId, lease: &Lease) {
        let now = self.host.now();
        self.pools().of(pool, now).note_opened(lease, now);
        self.queue.call(pool);
    }

    pub(super) fn cancel(&self, pool: PoolId, lease: Lease) {
        let now = self.host.now();
        self.pools().of(pool, now).cancel(lease, now);
        self.queue.call(pool);
    }

    pub(super) fn give_back(&self, pool: PoolId, lease: Lease) {
        let now = self.host.now();
        self.pools().of(pool, now).give_back(lease, now);
        self.queue.call(pool);
    }

    /// Settles the lease of an answer by how that ended; `None` if its caller left before.
    pub(super) fn conclude(&self, pool: PoolId, lease: Lease, summary: Option<&Summary>) {
        match summary {
            Some(summary) => {
                let fault = attempt::fault_at_end(summary, &lease.secret);
                self.settle(pool, lease, fault.as_ref().map_or(Ok(summary.usage), Err));
            }
            None => self.cancel(pool, lease),
        }
    }
}
