//! How one of the ready keys is chosen, and the names that the ways have.
//!
//! Invariant: a strategy chooses among ready keys only, finds one whenever there is one, and neither
//! allocates nor looks at all of them.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    str::FromStr,
};

use super::{
    bucket::WINDOW,
    roster::Roster,
    slots::{SlotSet, reroll, scale},
};
use crate::time::Timestamp;

/// How the pool chooses among ready keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// The less busy one of two drawn by chance (the power of two choices): fewer requests under
    /// way and begun this minute on its project, for its weight, else the longer unused. Of a large
    /// pool they are drawn from a part of it, which moves on with each request.
    #[default]
    Balanced,
    /// One after the other, in the order of the list.
    RoundRobin,
    /// One that was used least for this model; a key that comes back from a rest starts among those.
    LeastUsed,
    /// Any, each as likely.
    Random,
    /// In proportion to the weights, evenly spread (smooth weighted round robin).
    Weighted,
    /// By the clock: each key has its share of every ten seconds, the same on all instances.
    TimeWindow,
    /// The one whose running minute ends first, until it has no room; then the next in the list.
    FillFirst,
}

impl Strategy {
    /// Whether it promises an order or shares of the keys, which conversations must not disturb.
    pub(super) const fn has_order(self) -> bool {
        match self {
            Self::RoundRobin | Self::Weighted | Self::TimeWindow | Self::FillFirst => true,
            Self::Balanced | Self::LeastUsed | Self::Random => false,
        }
    }
}

/// All strategies by their names.
const NAMES: [(&str, Strategy); 7] = [
    ("balanced", Strategy::Balanced),
    ("round-robin", Strategy::RoundRobin),
    ("least-used", Strategy::LeastUsed),
    ("random", Strategy::Random),
    ("weighted", Strategy::Weighted),
    ("time-window", Strategy::TimeWindow),
    ("fill-first", Strategy::FillFirst),
];

/// The time in which each key has one share under [`Strategy::TimeWindow`].
const WINDOW_MILLIS: u64 = 10_000;

/// How many keys the two of [`Strategy::Balanced`] are drawn from: few enough that all that is known
/// of them stays in the caches of a processor, where 100,000 keys have no room. As this part moves on
/// by one with each request, all keys have their turn.
pub(super) const PART: usize = 256;

/// In how many picks a key is soon to be looked at.
const SOON: usize = 4;

/// A text that names no strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownStrategy;

impl fmt::Display for UnknownStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wanted one of")?;
        for (place, (name, _)) in NAMES.iter().enumerate() {
            write!(f, "{} {name}", if place == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownStrategy {}

/// Reads a name; case does not matter, nor `_` for `-`. `adaptive` is another name of `balanced`.
impl FromStr for Strategy {
    type Err = UnknownStrategy;

    fn from_str(name: &str) -> Result<Self, UnknownStrategy> {
        let name = name.trim().to_ascii_lowercase().replace('_', "-");
        let name = if name == "adaptive" { "balanced" } else { &name };
        NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, strategy)| *strategy)
            .ok_or(UnknownStrategy)
    }
}

/// Shows the name.
impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, strategy)| strategy == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

/// What a strategy remembers of one model.
#[derive(Debug)]
pub(super) struct Rotation {
    strategy: Strategy,
    /// Round robin: where to go on. Balanced: where the part begins that is drawn from.
    cursor: usize,
    /// Least used: who has not had its turn in this round. As all take turns, and a key that comes
    /// back takes one at once, these are the least used ones.
    unused: SlotSet,
    /// Weighted: what each class of equal weight has had.
    shares: Vec<Share>,
    /// Fill first: minutes that run on ready keys, and when each ends; and all that run.
    running: BTreeSet<(Timestamp, usize)>,
    minutes: HashMap<usize, Timestamp>,
}

#[derive(Debug, Clone)]
struct Share {
    /// How many keys of the class are ready.
    ready: usize,
    /// How far behind its due the class is, in units of weight.
    credit: i64,
    /// Where to go on within the class.
    cursor: usize,
}

impl Rotation {
    pub(super) fn new(strategy: Strategy, roster: &Roster, ready: &SlotSet) -> Self {
        let rounds = strategy == Strategy::LeastUsed;
        let unused = SlotSet::full(if rounds { roster.len() } else { 0 });
        let shares = vec![Share { ready: 0, credit: 0, cursor: 0 }; roster.classes().len()];
        let (running, minutes) = Default::default();
        let mut rotation = Self { strategy, cursor: 0, unused, shares, running, minutes };
        if !rotation.shares.is_empty() {
            for slot in (0..roster.len()).filter(|slot| ready.contains(*slot)) {
                rotation.joined(slot, roster);
            }
        }
        rotation
    }

    /// Notes that a slot became ready.
    pub(super) fn joined(&mut self, slot: usize, roster: &Roster) {
        if let Some(share) = self.share_of(slot, roster) {
            share.ready += 1;
        }
        if let Some(ends) = self.minutes.get(&slot) {
            self.running.insert((*ends, slot));
        }
    }

    /// Notes that a slot is no longer ready.
    pub(super) fn left(&mut self, slot: usize, roster: &Roster) {
        if let Some(share) = self.share_of(slot, roster) {
            share.ready -= 1;
        }
        if let Some(ends) = self.minutes.get(&slot) {
            self.running.remove(&(*ends, slot));
        }
    }

    /// Chooses one of the `ready` slots.
    pub(super) fn pick(
        &mut self,
        ready: &SlotSet,
        roster: &Roster,
        now: Timestamp,
        roll: u64,
    ) -> Option<usize> {
        match self.strategy {
            Strategy::Balanced => self.less_busy_of_two(ready, roster, now, roll),
            Strategy::RoundRobin => {
                let slot = ready.first_from(self.cursor)?;
                self.cursor = slot + 1;
                Some(slot)
            }
            Strategy::LeastUsed => self.least_used(ready, roster, roll),
            Strategy::Random => ready.draw(roll),
            Strategy::Weighted => self.weighted(ready, roster),
            Strategy::TimeWindow => ready.first_from(place_in_window(now, roster.len())),
            Strategy::FillFirst => self.fill_first(ready, now),
        }
    }

    fn less_busy_of_two(
        &mut self,
        ready: &SlotSet,
        roster: &Roster,
        now: Timestamp,
        roll: u64,
    ) -> Option<usize> {
        let begin = self.cursor;
        self.cursor = if begin + 1 < roster.len() { begin + 1 } else { 0 };
        let one = ready.draw_of(begin, PART, roll)?;
        let other = ready.draw_of(begin, PART, reroll(roll))?;
        Some(if roster.loads().is_less_busy(other, one, now) { other } else { one })
    }

    /// The slot that the part which is drawn from comes to in a few picks, if it is a part of `size`.
    pub(super) fn next_in_part(&self, size: usize) -> Option<usize> {
        let is_part = self.strategy == Strategy::Balanced && size > PART;
        let next = self.cursor + PART + SOON;
        is_part.then(|| if next < size { next } else { next - size })
    }

    /// What is left of a minute that runs is lost when it ends; a minute that has not begun is not.
    fn fill_first(&mut self, ready: &SlotSet, now: Timestamp) -> Option<usize> {
        while let Some((ends, slot)) = self.running.first().copied() {
            if ends > now {
                return Some(slot);
            }
            self.running.pop_first();
            self.minutes.remove(&slot);
        }
        let slot = ready.first_from(0)?;
        let ends = now + WINDOW;
        self.minutes.insert(slot, ends);
        self.running.insert((ends, slot));
        Some(slot)
    }

    fn least_used(&mut self, ready: &SlotSet, roster: &Roster, roll: u64) -> Option<usize> {
        let start = scale(roll, roster.len());
        let slot = self.unused.first_in_both(ready, start).or_else(|| {
            if !ready.is_empty() {
                self.unused.fill();
            }
            ready.first_from(start)
        })?;
        self.unused.remove(slot);
        Some(slot)
    }

    /// Each class gains its weight times its ready keys; the one furthest behind its due is chosen
    /// and pays what all gained.
    fn weighted(&mut self, ready: &SlotSet, roster: &Roster) -> Option<usize> {
        let mut total = 0_i64;
        let mut chosen: Option<(usize, i64)> = None;
        for (number, (share, class)) in self.shares.iter_mut().zip(roster.classes()).enumerate() {
            if share.ready == 0 {
                continue;
            }
            let due = i64::from(class.weight)
                .saturating_mul(i64::try_from(share.ready).unwrap_or(i64::MAX));
            share.credit = share.credit.saturating_add(due);
            total = total.saturating_add(due);
            if chosen.is_none_or(|(_, credit)| share.credit > credit) {
                chosen = Some((number, share.credit));
            }
        }
        let number = chosen?.0;
        let (share, class) = (self.shares.get_mut(number)?, roster.classes().get(number)?);
        share.credit = share.credit.saturating_sub(total);
        let slot = class.slots.first_in_both(ready, share.cursor)?;
        share.cursor = slot + 1;
        Some(slot)
    }

    fn share_of(&mut self, slot: usize, roster: &Roster) -> Option<&mut Share> {
        self.shares.get_mut(roster.class_of(slot)?)
    }
}

/// The slot whose turn it is at this time, of `size`.
fn place_in_window(now: Timestamp, size: usize) -> usize {
    let offset = u128::from(now.unix_millis() % WINDOW_MILLIS);
    usize::try_from(offset * size as u128 / u128::from(WINDOW_MILLIS)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
