//! A set of slots (places in the list of keys) that can be searched and drawn from at any size.
//!
//! Invariant: the counts and marks of each group agree with its words, so that a search looks at a
//! few words however many slots there are. 100,000 slots take 13 kB.

/// A set of numbers below a fixed size: one bit each, and a summary for each 4,096.
#[derive(Debug, Clone)]
pub(super) struct SlotSet {
    size: usize,
    len: usize,
    words: Vec<u64>,
    groups: Vec<Group>,
}

/// What is in 64 words.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    /// Which of the words are not empty.
    occupied: u64,
    /// How many slots are in them.
    len: usize,
}

const BITS: usize = 64;

impl SlotSet {
    /// The empty set of numbers below `size`.
    pub(super) fn new(size: usize) -> Self {
        let words = size.div_ceil(BITS);
        let groups = words.div_ceil(BITS);
        Self { size, len: 0, words: vec![0; words], groups: vec![Group::default(); groups] }
    }

    /// All numbers below `size`.
    pub(super) fn full(size: usize) -> Self {
        let mut set = Self::new(size);
        set.fill();
        set
    }

    /// Adds all numbers below the size.
    pub(super) fn fill(&mut self) {
        for slot in 0..self.size {
            self.insert(slot);
        }
    }

    pub(super) const fn size(&self) -> usize {
        self.size
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn contains(&self, slot: usize) -> bool {
        self.word(slot / BITS) & bit(slot) != 0
    }

    /// Adds `slot`; whether it was new. Numbers not below the size are never added.
    pub(super) fn insert(&mut self, slot: usize) -> bool {
        let place = slot / BITS;
        let (Some(word), Some(group)) =
            (self.words.get_mut(place), self.groups.get_mut(place / BITS))
        else {
            return false;
        };
        if slot >= self.size || *word & bit(slot) != 0 {
            return false;
        }
        *word |= bit(slot);
        group.occupied |= bit(place);
        group.len += 1;
        self.len += 1;
        true
    }

    /// Takes `slot` out; whether it was there.
    pub(super) fn remove(&mut self, slot: usize) -> bool {
        let place = slot / BITS;
        let (Some(word), Some(group)) =
            (self.words.get_mut(place), self.groups.get_mut(place / BITS))
        else {
            return false;
        };
        if *word & bit(slot) == 0 {
            return false;
        }
        *word &= !bit(slot);
        if *word == 0 {
            group.occupied &= !bit(place);
        }
        group.len -= 1;
        self.len -= 1;
        true
    }

    /// All of them, the smallest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        let mut next = Some(0);
        std::iter::from_fn(move || {
            let slot = self.at_or_after(self, next?);
            next = slot.map(|slot| slot + 1);
            slot
        })
    }

    /// The first one from `start` on, going round at the end.
    pub(super) fn first_from(&self, start: usize) -> Option<usize> {
        self.first_in_both(self, start)
    }

    /// The first one from `start` on that is in `other` too, going round at the end.
    pub(super) fn first_in_both(&self, other: &Self, start: usize) -> Option<usize> {
        self.at_or_after(other, start).or_else(|| self.at_or_after(other, 0))
    }

    /// One of them, each as likely as the others. `roll` is chance.
    pub(super) fn draw(&self, mut roll: u64) -> Option<usize> {
        // While most slots are in the set, a guess is nearly always right and touches one word.
        for _ in 0..4 {
            let slot = scale(roll, self.size);
            if self.contains(slot) {
                return Some(slot);
            }
            roll = reroll(roll);
        }
        self.nth(scale(roll, self.len))
    }

    /// One of them by chance, from among the `part` numbers from `begin` on, going round at the end;
    /// if there is none, the next one. Of smaller sets any.
    pub(super) fn draw_of(&self, begin: usize, part: usize, mut roll: u64) -> Option<usize> {
        if self.size <= part {
            return self.draw(roll);
        }
        for _ in 0..4 {
            let slot = begin + scale(roll, part);
            let slot = if slot < self.size { slot } else { slot - self.size };
            if self.contains(slot) {
                return Some(slot);
            }
            roll = reroll(roll);
        }
        self.first_from(begin + scale(roll, part))
    }

    /// The one with `rank` others before it.
    fn nth(&self, mut rank: usize) -> Option<usize> {
        for (number, group) in self.groups.iter().enumerate() {
            if rank >= group.len {
                rank -= group.len;
                continue;
            }
            for place in number * BITS..(number + 1) * BITS {
                let word = self.word(place);
                let ones = word.count_ones() as usize;
                if rank < ones {
                    let rest = (0..rank).fold(word, |word, _| word & word.wrapping_sub(1));
                    return Some(place * BITS + rest.trailing_zeros() as usize);
                }
                rank -= ones;
            }
        }
        None
    }

    fn at_or_after(&self, other: &Self, start: usize) -> Option<usize> {
        let common = |place: usize| self.word(place) & other.word(place);
        let first_place = start / BITS;
        let rest_of_word = common(first_place) & (u64::MAX << (start % BITS));
        if rest_of_word != 0 {
            return Some(first_place * BITS + rest_of_word.trailing_zeros() as usize);
        }
        let next = first_place + 1;
        let mut unseen = u64::MAX << (next % BITS);
        for number in next / BITS..self.groups.len() {
            let mut places = self.occupied(number) & other.occupied(number) & unseen;
            while places != 0 {
                let place = number * BITS + places.trailing_zeros() as usize;
                let word = common(place);
                if word != 0 {
                    return Some(place * BITS + word.trailing_zeros() as usize);
                }
                places &= places - 1;
            }
            unseen = u64::MAX;
        }
        None
    }

    fn word(&self, place: usize) -> u64 {
        self.words.get(place).copied().unwrap_or(0)
    }

    fn occupied(&self, number: usize) -> u64 {
        self.groups.get(number).map_or(0, |group| group.occupied)
    }
}

/// Another number from chance that was used already (one step of SplitMix64).
pub(super) const fn reroll(roll: u64) -> u64 {
    let mixed = roll.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Chance as a number below `bound`, each as likely; 0 if there is none below.
pub(super) fn scale(roll: u64, bound: usize) -> usize {
    usize::try_from((u128::from(roll) * bound as u128) >> 64).unwrap_or(0)
}

/// Where a number stands in its word.
const fn bit(number: usize) -> u64 {
    1 << (number % BITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Sizes around the ends of words and groups.
    const SIZES: [usize; 9] = [0, 1, 63, 64, 65, 4095, 4096, 4097, 9000];

    #[test]
    fn it_does_what_a_plain_set_does() {
        let mut roll = 1;
        for size in SIZES {
            let (mut set, mut plain) = (SlotSet::new(size), BTreeSet::new());
            for step in 0..2000 {
                roll = reroll(roll);
                let slot = scale(roll, size + 2);
                if roll & 3 == 0 {
                    assert_eq!(set.remove(slot), plain.remove(&slot));
                } else {
                    assert_eq!(set.insert(slot), slot < size && plain.insert(slot));
                }
                assert_eq!((set.len(), set.is_empty()), (plain.len(), plain.is_empty()));
                assert_eq!(set.contains(slot), plain.contains(&slot));
                let start = scale(reroll(roll), size + 100);
                let next = plain.range(start..).chain(&plain).next().copied();
                assert_eq!(set.first_from(start), next, "size {size}, step {step}");
                let rank = scale(roll, plain.len() + 1);
                assert_eq!(set.nth(rank), plain.iter().nth(rank).copied());
            }
            assert!(set.iter().eq(plain.iter().copied()));
        }
    }

    #[test]
    fn the_first_in_both_is_found() {
        let mut roll = 7;
        for size in SIZES {
            let (mut one, mut other) = (SlotSet::new(size), SlotSet::new(size));
            for _ in 0..size / 20 {
                roll = reroll(roll);
                one.insert(scale(roll, size));
                other.insert(scale(reroll(roll), size));
            }
            let both = |slot: &usize| one.contains(*slot) && other.contains(*slot);
            for start in (0..size + 70).step_by(13) {
                let expected = (start..size).chain(0..size).find(both);
                assert_eq!(one.first_in_both(&other, start), expected);
            }
        }
    }

    #[test]
    fn draws_are_fair_when_full_and_when_nearly_empty() {
        for (size, kept) in [(10, 10), (9000, 5)] {
            let mut set = SlotSet::new(size);
            for n in 0..kept {
                set.insert(n * size / kept);
            }
            let mut counts = std::collections::BTreeMap::new();
            let mut roll = 3;
            for _ in 0..10_000 {
                roll = reroll(roll);
                *counts.entry(set.draw(roll).unwrap()).or_insert(0) += 1;
            }
            let fair = 10_000 / kept;
            assert_eq!(counts.len(), kept);
            assert!(
                counts.values().all(|count| (fair - fair / 5..fair + fair / 5).contains(count))
            );
        }
        assert_eq!(SlotSet::new(100).draw_of(7, 10, 5), None);
        for begin in [0, 50, 95] {
            let drawn = (0..99).map(|roll| SlotSet::full(100).draw_of(begin, 10, reroll(roll)));
            let part: BTreeSet<_> =
                drawn.flatten().map(|slot| (slot + 100 - begin) % 100).collect();
            assert!(part.into_iter().eq(0..10), "all of the part, and nothing else");
        }
        let mut nearly_empty = SlotSet::new(1000);
        nearly_empty.insert(3);
        assert_eq!(nearly_empty.draw_of(500, 10, 5), Some(3));
        assert_eq!(SlotSet::new(100).draw(5), None);
        assert_eq!(SlotSet::full(100).len(), 100);
    }
}
