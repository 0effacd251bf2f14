//! The keys that are ready for a model, free ones before paid ones, and whose turn it is.
//!
//! Invariant: a slot stands in the rank of its project's tier; no paid one stands anywhere for a
//! model that paid keys do not serve.

use super::{
    roster::Roster,
    slots::SlotSet,
    strategy::{Rotation, Strategy},
};
use crate::time::Timestamp;

/// The ready keys of both tiers.
#[derive(Debug)]
pub(super) struct Ranks {
    free: Rank,
    paid: Rank,
}

/// The ready keys of one tier.
#[derive(Debug)]
struct Rank {
    ready: SlotSet,
    rotation: Rotation,
}

impl Ranks {
    /// All open keys, the paid ones only if they serve the model.
    pub(super) fn new(strategy: Strategy, roster: &Roster, takes_paid: bool) -> Self {
        let mut free = roster.open().clone();
        let size = if takes_paid && !roster.paid().is_empty() { roster.len() } else { 0 };
        let mut paid = SlotSet::new(size);
        for slot in roster.paid().iter() {
            if free.remove(slot) {
                paid.insert(slot);
            }
        }
        Self { free: Rank::new(strategy, roster, free), paid: Rank::new(strategy, roster, paid) }
    }

    /// Chooses one, a free one if there is any.
    pub(super) fn pick(&mut self, roster: &Roster, now: Timestamp, roll: u64) -> Option<usize> {
        self.free.pick(roster, now, roll).or_else(|| self.paid.pick(roster, now, roll))
    }

    /// The slot that will soon be among those that are drawn from, where they are a part of all.
    pub(super) fn next_in_part(&self) -> Option<usize> {
        self.free.rotation.next_in_part(self.free.ready.size())
    }

    /// Takes a slot in or out.
    pub(super) fn mark(&mut self, slot: usize, is_ready: bool, roster: &Roster) {
        let is_paid = roster.paid().contains(slot);
        let rank = if is_paid { &mut self.paid } else { &mut self.free };
        if is_ready && rank.ready.insert(slot) {
            rank.rotation.joined(slot, roster);
        } else if !is_ready && rank.ready.remove(slot) {
            rank.rotation.left(slot, roster);
        }
    }

    /// Whether a slot is in the first rank that has any.
    pub(super) fn favours(&self, slot: usize) -> bool {
        let first = if self.free.ready.is_empty() { &self.paid } else { &self.free };
        first.ready.contains(slot)
    }

    pub(super) fn contains(&self, slot: usize) -> bool {
        self.free.ready.contains(slot) || self.paid.ready.contains(slot)
    }

    pub(super) const fn len(&self) -> usize {
        self.free.ready.len() + self.paid.ready.len()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Rank {
    fn new(strategy: Strategy, roster: &Roster, ready: SlotSet) -> Self {
        Self { rotation: Rotation::new(strategy, roster, &ready), ready }
    }

    fn pick(&mut self, roster: &Roster, now: Timestamp, roll: u64) -> Option<usize> {
        if self.ready.is_empty() {
            return None;
        }
        self.rotation.pick(&self.ready, roster, now, roll)
    }
}
