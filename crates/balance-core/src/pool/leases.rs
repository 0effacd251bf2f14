//! Which leases are out.
//!
//! Invariant: a lease is counted back once: when it is settled, or when its time is over. All leases
//! last equally long, so the queue is in the order in which they end.

use std::{collections::VecDeque, time::Duration};

use crate::time::Timestamp;

/// The leases that are out, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Leases {
    last_number: u64,
    queue: VecDeque<Out>,
    /// How many in the queue are not over.
    live: usize,
}

#[derive(Debug)]
struct Out {
    number: u64,
    slot: usize,
    until: Timestamp,
    over: bool,
}

impl Leases {
    /// Notes a lease on `slot`, and numbers it.
    pub(super) fn begin(&mut self, slot: usize, until: Timestamp) -> u64 {
        self.last_number += 1;
        self.queue.push_back(Out { number: self.last_number, slot, until, over: false });
        self.live += 1;
        self.last_number
    }

    /// When a lease that is out was begun, by the clock as it goes now. `lasting` is how long all
    /// leases last.
    pub(super) fn begun(&self, number: u64, lasting: Duration) -> Option<Timestamp> {
        let place = self.queue.binary_search_by_key(&number, |lease| lease.number).ok()?;
        let lease = self.queue.get(place).filter(|lease| !lease.over)?;
        Some(lease.until.before(lasting))
    }

    /// Counts a lease back; its slot, unless it was counted back already.
    pub(super) fn end(&mut self, number: u64) -> Option<usize> {
        let place = self.queue.binary_search_by_key(&number, |lease| lease.number).ok()?;
        let lease = self.queue.get_mut(place).filter(|lease| !lease.over)?;
        lease.over = true;
        let slot = lease.slot;
        self.live -= 1;
        self.tidy();
        Some(slot)
    }

    /// Counts back one lease whose time is over; its slot. To be called until there is none.
    pub(super) fn end_overdue(&mut self, now: Timestamp) -> Option<usize> {
        let first = self.queue.front().filter(|lease| lease.until <= now)?;
        let number = first.number;
        self.end(number)
    }

    /// How many leases are out.
    pub(super) const fn len(&self) -> usize {
        self.live
    }

    /// The slots of all leases that are out.
    pub(super) fn slots(&self) -> impl Iterator<Item = usize> {
        self.queue.iter().filter(|lease| !lease.over).map(|lease| lease.slot)
    }

    /// Gives each lease the slot that its key has now; leases of keys that are gone end.
    pub(super) fn renumber(&mut self, slot_now: impl Fn(usize) -> Option<usize>) {
        self.queue.retain_mut(|lease| {
            let slot = slot_now(lease.slot).filter(|_| !lease.over);
            lease.slot = slot.unwrap_or(lease.slot);
            slot.is_some()
        });
        self.live = self.queue.len();
    }

    /// Follows a clock that was put back.
    pub(super) fn rewind(&mut self, by: Duration) {
        for lease in &mut self.queue {
            lease.until = lease.until.before(by);
        }
    }

    /// Keeps the front live, and the queue no longer than twice what is live.
    fn tidy(&mut self) {
        while self.queue.front().is_some_and(|lease| lease.over) {
            self.queue.pop_front();
        }
        if self.queue.len() > 2 * self.live + 64 {
            self.queue.retain(|lease| !lease.over);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_unix_millis(millis)
    }

    #[test]
    fn a_lease_ends_once() {
        let mut leases = Leases::default();
        let (a, b, c) = (leases.begin(7, at(10)), leases.begin(8, at(20)), leases.begin(9, at(20)));
        assert_eq!(leases.end(b), Some(8));
        assert_eq!(leases.end(b), None);
        assert_eq!(leases.slots().collect::<Vec<_>>(), [7, 9]);
        assert_eq!(leases.end_overdue(at(9)), None);
        assert_eq!(leases.end_overdue(at(10)), Some(7));
        assert_eq!(leases.end_overdue(at(10)), None);
        assert_eq!(leases.end(a), None);
        assert_eq!(leases.end_overdue(at(30)), Some(9));
        assert_eq!(leases.end(c), None);
        assert_eq!(leases.end(99), None);
    }

    #[test]
    fn one_long_lease_does_not_keep_the_memory_of_all_after_it() {
        let mut leases = Leases::default();
        leases.begin(0, at(1));
        for slot in 1..10_000 {
            let number = leases.begin(slot, at(1));
            assert_eq!(leases.end(number), Some(slot));
            assert!(leases.queue.len() <= 67);
        }
        assert_eq!(leases.end_overdue(at(1)), Some(0));
        assert!(leases.queue.is_empty());
    }

    #[test]
    fn leases_follow_their_keys_to_other_slots() {
        let mut leases = Leases::default();
        let numbers: Vec<_> = (0..4).map(|slot| leases.begin(slot, at(5))).collect();
        leases.end(numbers[1]);
        leases.renumber(|slot| slot.checked_sub(1));
        assert_eq!(leases.end(numbers[0]), None);
        assert_eq!(leases.end(numbers[1]), None);
        assert_eq!(leases.end(numbers[2]), Some(1));
        assert_eq!(leases.end(numbers[3]), Some(2));
    }

    #[test]
    fn leases_follow_the_clock_back() {
        let mut leases = Leases::default();
        leases.begin(3, at(5000));
        leases.rewind(Duration::from_secs(4));
        assert_eq!(leases.end_overdue(at(1000)), Some(3));
    }
}
