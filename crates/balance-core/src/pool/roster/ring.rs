//! The key that a conversation goes to.
//!
//! Invariant: it follows from the names of the keys alone, the same on every instance, and stays the
//! same for nearly all conversations when keys come and go.

use crate::{key::KeyId, pool::slots::reroll};

/// How many numbers are drawn for a conversation: more spread conversations more evenly.
const PROBES: usize = 8;

/// The names of all keys in order, as numbers, and their slots.
#[derive(Debug, Default)]
pub(super) struct Ring(Vec<(u64, usize)>);

impl Ring {
    /// Of keys in the order of their slots.
    pub(super) fn new(keys: impl Iterator<Item = KeyId>) -> Self {
        let mut ring: Vec<_> = keys.enumerate().map(|(slot, id)| (id.as_u64(), slot)).collect();
        ring.sort_unstable();
        Self(ring)
    }

    /// The key whose name comes next after one of a few numbers drawn from the conversation, the
    /// nearest.
    pub(super) fn slot_for(&self, conversation: u64) -> Option<usize> {
        let mut number = conversation;
        let probes = std::iter::repeat_with(|| {
            number = reroll(number);
            let next = self.0.partition_point(|(name, _)| *name < number);
            let (name, slot) = self.0.get(next).or_else(|| self.0.first())?;
            Some((name.wrapping_sub(number), *slot))
        });
        probes.take(PROBES).flatten().min().map(|(_, slot)| slot)
    }
}
