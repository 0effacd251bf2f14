//! The change of the keys, and of what is believed of their projects.
//!
//! Invariant: what is known of keys and projects that stay is kept.

use std::{collections::HashSet, mem};

use super::{Pool, Strategy, roster::Roster};
use crate::{key::Key, time::Timestamp};

impl Pool {
    /// Replaces the keys. What is known of those that stay is kept.
    pub fn set_keys(&mut self, keys: Vec<Key>, now: Timestamp) {
        let now = self.advance(now);
        self.renew(keys, now);
        self.kin.set_size(if self.limits.infer_projects { self.roster.untagged() } else { 0 });
    }

    /// Makes the roster anew, of other keys or of other groups of them.
    pub(super) fn renew(&mut self, keys: Vec<Key>, now: Timestamp) {
        let by_weight = self.strategy == Strategy::Weighted;
        let new = Roster::new(keys, by_weight, &self.kin);
        let old = mem::replace(&mut self.roster, new);
        let numbers = self.roster.inherit(&old);
        self.roster.set_limits(&self.limits.by_key);
        self.outage.renumber();
        self.leases.renumber(|slot| self.roster.slot_of(old.key(slot)?.id));
        for slot in self.leases.slots() {
            self.roster.loads_mut().carry(slot);
        }
        let parted = self.parted(&old, &numbers);
        for model in self.models.all_mut() {
            model.move_to(&self.roster, &numbers, &parted, self.strategy, now);
        }
    }

    /// Projects that are new, because a group was parted, and the old ones that they are parts of.
    fn parted(&self, old: &Roster, numbers: &[Option<usize>]) -> Vec<(usize, usize)> {
        let known: HashSet<_> = numbers.iter().flatten().copied().collect();
        let new = (0..self.roster.projects()).filter(|project| !known.contains(project));
        let origin = |project| old.project_of(old.slot_of(self.roster.name_of(project)?)?);
        new.filter_map(|project| Some((origin(project)?, project))).collect()
    }
}
