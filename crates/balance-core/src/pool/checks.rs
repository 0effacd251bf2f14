//! Which keys are to be checked, and what follows from a check.
//!
//! Invariant: what a check says holds at once; a key that was found in public is never asked again.

use std::{collections::BTreeSet, time::Duration};

use super::{Pool, roster::Membership};
use crate::{
    fault::{Blame, Fault, KeyFault},
    key::{Key, KeyId},
    time::Timestamp,
};

/// The keys that are to be checked, the first one first.
#[derive(Debug, Default)]
pub(super) struct Checks {
    /// How often what is out is checked; `None` means never.
    interval: Option<Duration>,
    due: BTreeSet<(Timestamp, KeyId)>,
}

impl Checks {
    pub(super) fn every(interval: Option<Duration>) -> Self {
        Self { interval, due: BTreeSet::new() }
    }

    /// Puts a key on the list, for the next round.
    pub(super) fn enlist(&mut self, key: KeyId, now: Timestamp) {
        if let Some(interval) = self.interval {
            self.due.insert((now + interval, key));
        }
    }

    /// Puts a key on the list, for at once.
    pub(super) fn enlist_first(&mut self, key: KeyId, now: Timestamp) {
        if self.interval.is_some() {
            self.due.insert((now, key));
        }
    }

    /// Takes what is due off the list.
    fn take(&mut self, most: usize, now: Timestamp) -> Vec<KeyId> {
        let mut taken = Vec::new();
        while taken.len() < most && self.due.first().is_some_and(|(at, _)| *at <= now) {
            taken.extend(self.due.pop_first().map(|(_, key)| key));
        }
        taken
    }

    /// Brings everything on the list forward to now.
    fn hurry(&mut self, now: Timestamp) {
        self.due = self.due.iter().map(|(at, key)| (now.min(*at), *key)).collect();
    }

    /// Follows a clock that was put back.
    pub(super) fn rewind(&mut self, by: Duration) {
        self.due = self.due.iter().map(|(at, key)| (at.before(by), *key)).collect();
    }
}

impl Pool {
    /// The same pool, new and unused, that lets keys be checked: those that are out, but for leaked
    /// ones, every `interval`, and those that were refused once without a reason, at once.
    #[must_use]
    pub fn with_checks(self, interval: Option<Duration>) -> Self {
        Self { checks: Checks::every(interval), ..self }
    }

    /// The keys that are to be checked now, `most` of them. To each belongs a call of
    /// [`Pool::note_check`]; one that is not checked comes again.
    pub fn due_checks(&mut self, most: usize, now: Timestamp) -> Vec<Key> {
        let now = self.advance(now);
        let mut keys = Vec::new();
        for id in self.checks.take(most, now) {
            let Some(slot) = self.roster.slot_of(id) else { continue };
            let needs_check = match self.roster.membership(slot) {
                Membership::Open => self.roster.is_struck(slot),
                Membership::Disabled | Membership::Dead(KeyFault::Leaked) => false,
                Membership::Dead(_) | Membership::Shut(_) => true,
            };
            if let Some(key) = self.roster.key(slot).filter(|_| needs_check) {
                keys.push(key.clone());
                self.checks.enlist(id, now);
            }
        }
        keys
    }

    /// When the next key is to be checked, if any is.
    #[must_use]
    pub fn next_check(&self) -> Option<Timestamp> {
        self.checks.due.first().map(|(at, _)| *at)
    }

    /// Lets every key that is to be checked be checked now: to be called where their time came while
    /// nobody counted it.
    pub fn hurry_checks(&mut self, now: Timestamp) {
        let now = self.advance(now);
        self.checks.hurry(now);
    }

    /// Draws the consequences of a check, which used no quota.
    pub fn note_check(&mut self, key: KeyId, outcome: Result<(), &Fault>, now: Timestamp) {
        let now = self.advance(now);
        let Some(slot) = self.roster.slot_of(key) else { return };
        let Some(project) = self.roster.project_of(slot) else { return };
        match outcome.map_err(|fault| fault.blame) {
            Ok(()) => {
                self.roster.revive(slot, now);
                self.roster.reopen(project);
                for model in self.models.all_mut() {
                    model.refresh(project, &self.roster, now);
                }
            }
            Err(Blame::Key(fault)) => self.kill(slot, fault, now),
            Err(Blame::Project(fault)) => self.shut(project, fault, now),
            Err(
                Blame::Quota(_)
                | Blame::Capacity { .. }
                | Blame::Service { .. }
                | Blame::Egress
                | Blame::Request
                | Blame::Gateway,
            ) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{START, ask, fail, fault, keys},
        *,
    };
    use crate::{fault::ProjectFault, pool::Strategy};

    const HOUR: Duration = Duration::from_secs(3600);
    const SECOND: Duration = Duration::from_secs(1);

    fn pool(keys: Vec<Key>) -> Pool {
        Pool::new(keys, Strategy::RoundRobin).with_checks(Some(HOUR))
    }

    fn due(pool: &mut Pool, now: Timestamp) -> Vec<KeyId> {
        pool.due_checks(100, now).iter().map(|key| key.id).collect()
    }

    #[test]
    fn what_is_out_is_checked_every_hour_until_it_works_and_what_leaked_never() {
        let all = keys(4);
        let mut pool = pool(all.clone());
        let suspended = Blame::Project(ProjectFault::Suspended);
        for (key, blame) in
            all.iter().zip([Blame::Key(KeyFault::Expired), Blame::Key(KeyFault::Leaked), suspended])
        {
            fail(&mut pool, key.id, "a", blame, START);
        }
        assert_eq!(due(&mut pool, START + HOUR.saturating_sub(SECOND)), []);
        let mut expected = [all[0].id, all[2].id];
        expected.sort_unstable();
        assert_eq!(due(&mut pool, START + HOUR), expected);
        assert_eq!(due(&mut pool, START + HOUR), [], "each once");
        pool.note_check(all[0].id, Err(&fault(Blame::Key(KeyFault::Invalid))), START + HOUR);
        pool.note_check(all[2].id, Ok(()), START + HOUR);
        assert_eq!(pool.census(None, START + HOUR).ready, 2, "one of them works again");
        assert_eq!(due(&mut pool, START + 2 * HOUR), [all[0].id]);
        pool.note_check(all[0].id, Ok(()), START + 2 * HOUR);
        pool.note_check(all[1].id, Ok(()), START + 2 * HOUR);
        let census = pool.census(Some("a"), START + 2 * HOUR);
        assert_eq!((census.ready, census.out), (3, vec![("key_leaked", 1)]));
        assert_eq!(due(&mut pool, START + 9 * HOUR), []);
    }

    #[test]
    fn the_next_check_is_known_and_can_be_brought_forward() {
        let all = keys(2);
        let mut pool = pool(all.clone());
        assert_eq!(pool.next_check(), None);
        fail(&mut pool, all[0].id, "a", Blame::Key(KeyFault::Expired), START);
        assert_eq!(pool.next_check(), Some(START + HOUR));
        pool.hurry_checks(START + SECOND);
        assert_eq!(pool.next_check(), Some(START + SECOND));
        assert_eq!(due(&mut pool, START + SECOND), [all[0].id]);
        assert_eq!(pool.next_check(), Some(START + SECOND + HOUR), "it is still out");
        pool.note_check(all[0].id, Ok(()), START + SECOND);
        assert_eq!(due(&mut pool, START + 2 * HOUR), []);
        assert_eq!(pool.next_check(), None);
    }

    #[test]
    fn a_401_is_checked_before_it_kills_a_key() {
        let refused = Blame::Key(KeyFault::Unauthorized);
        let all = keys(2);
        let mut pool = pool(all.clone());
        fail(&mut pool, all[0].id, "a", refused, START);
        let census = pool.census(Some("a"), START);
        assert_eq!((census.ready, census.doubtful), (1, 1), "it is asked last, not killed");
        assert_eq!(due(&mut pool, START), [all[0].id], "it is checked at once");
        pool.note_check(all[0].id, Ok(()), START);
        fail(&mut pool, all[0].id, "a", refused, START + HOUR);
        assert!(pool.census(None, START + HOUR).out.is_empty(), "the first one is forgotten");
        pool.note_check(all[0].id, Err(&fault(refused)), START + HOUR);
        assert_eq!(pool.census(None, START + HOUR).out, [("key_unauthorized", 1)]);
    }

    #[test]
    fn two_401s_in_a_row_kill_a_key_but_not_two_at_once() {
        let refused = fault(Blame::Key(KeyFault::Unauthorized));
        let mut pool = pool(keys(1));
        let both = [0, 1].map(|roll| pool.select(&ask("a"), START, roll).unwrap());
        for lease in both {
            pool.settle(lease, Err(&refused), START + SECOND);
        }
        assert!(pool.census(None, START + SECOND).out.is_empty());
        let lease = pool.select(&ask("a"), START + 2 * SECOND, 0).unwrap();
        pool.settle(lease, Err(&refused), START + 3 * SECOND);
        assert_eq!(pool.census(None, START + 3 * SECOND).out, [("key_unauthorized", 1)]);
    }
}
