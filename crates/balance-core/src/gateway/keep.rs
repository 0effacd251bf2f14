//! What a gateway has learned, to be kept and taken in again.
//!
//! Invariant: only the operator's pool is told of; what callers' own keys showed is forgotten with them.

use super::Gateway;
use crate::{
    host::Host,
    pool::{Mark, Memory},
    pools::PoolId,
    store::Note,
};

impl<H: Host> Gateway<H> {
    /// What was learned since a mark, and the mark to ask from the next time.
    pub fn learned(&self, since: Mark) -> (Vec<Note>, Mark) {
        let now = self.host.now();
        let Memory { facts, mark, .. } =
            self.pools().of(PoolId::Operator, now).remember(since, now);
        (facts.iter().filter_map(|fact| Note::to_keep(fact, now)).collect(), mark)
    }

    /// Takes in what was learned elsewhere, or here before.
    pub fn learn(&self, notes: &[Note]) {
        let now = self.host.now();
        let facts = notes.iter().filter_map(Note::kept_fact).collect();
        let memory = Memory { facts, ..Memory::default() };
        // Keys that are gone are left out, which is as it should be.
        let _left_out = self.pools().of(PoolId::Operator, now).recall(&memory, now);
        self.queue.call(PoolId::Operator);
    }
}
