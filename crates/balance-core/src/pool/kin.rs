//! Which keys share a project, where nobody said so: told by the project numbers in Google's errors,
//! and by keys that are refused together although neither used up a quota by itself, the more so if
//! Google names one moment to both at which the quota is back.
//!
//! Invariant: the operator's tags stand. What was only inferred is taken back when a key of a group is
//! served while by another's refusal it could not be, and is forgotten after [`LEARNED_FOR`].

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    mem,
    time::Duration,
};

use super::{LEARNED_FOR, numbers::ByKey};
use crate::{key::KeyId, time::Timestamp};

/// How long a refusal says something of other keys, at the most.
const LONGEST_CASE: Duration = Duration::from_secs(60);

/// How long answers that were under way may take.
const LATE: Duration = Duration::from_secs(60);

/// A refusal may end this much earlier than it seems, as an answer takes its time.
const EARLY: Duration = Duration::from_millis(500);

/// How far apart the moments may be that two keys of one project are told for one and the same.
const TOGETHER: Duration = Duration::from_millis(250);

/// The most refusals and pairs that are kept in mind, and the most keys that one is tested with.
const MOST_CASES: usize = 1024;
const MOST_PAIRS: usize = 131_072;
const MOST_TESTS: usize = 8;

/// How many refusals are looked at, at each pick, for a key that should be asked.
const LOOKED_AT: usize = 16;

/// How much one answer weighs in the share of refusals, and the least that this is taken to be.
const WEIGHT: f64 = 1.0 / 64.0;
const LEAST_SHARE: f64 = 0.01;

/// How unlikely it must be that two keys were refused together by chance, for each key there is.
const SURE: f64 = 1e2;

/// How long groups stay as they are, for each key there is.
const REGROUPING: Duration = Duration::from_micros(100);

/// What is known, and what is suspected.
#[derive(Debug, Default)]
pub(super) struct Kinship {
    /// How many keys may be grouped; none where that is not wanted.
    keys: usize,
    /// For each key of a group its first one, and until when that is believed.
    leaders: ByKey<(KeyId, Timestamp)>,
    /// The numbers of projects, as Google said, and a key of each.
    numbers: ByKey<u64>,
    named: HashMap<u64, KeyId>,
    /// What goes on: keys that are refused, though not by what was sent with them.
    cases: Vec<Case>,
    /// Where to go on looking for a key that should be asked.
    cursor: usize,
    /// How unlikely it is that two groups were refused together by chance, as a logarithm. Each pair
    /// stands here both ways round.
    pairs: BTreeMap<(KeyId, KeyId), f64>,
    /// The share of such refusals among the answers of each model, by its number; all at first, as it
    /// is not known.
    refused: Vec<f64>,
    /// When the next group is forgotten.
    forgets: Option<Timestamp>,
    /// Whether groups changed since that was last asked, and when to ask again.
    is_changed: bool,
    regroups: Timestamp,
}

/// How long a key is refused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal {
    pub(super) until: Timestamp,
    /// The same moment if Google named it, and named it for this project alone.
    pub(super) told_until: Option<Timestamp>,
}

/// A key that is refused for a model.
#[derive(Debug)]
struct Case {
    model: usize,
    key: KeyId,
    from: Timestamp,
    until: Timestamp,
    told_until: Option<Timestamp>,
    /// Those that were asked since, to see whether they are refused as well.
    tested: BTreeSet<KeyId>,
    /// Whether one of its group was.
    has_tested_kin: bool,
}

/// A key that is to be asked, to see whether it is refused as another is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Test {
    /// This one, if it is ready.
    Suspect(KeyId),
    /// Another one of the group of this one, which rests, and is asked all the same.
    KinOf(KeyId),
}

impl Kinship {
    /// For so many keys without a tag.
    pub(super) fn of(keys: usize) -> Self {
        Self { keys, ..Self::default() }
    }

    /// How many keys may be grouped.
    pub(super) const fn set_size(&mut self, keys: usize) {
        self.keys = keys;
    }

    /// The first key of the group that a key is in, if it is in any.
    pub(super) fn leader_of(&self, key: KeyId) -> Option<KeyId> {
        self.leaders.get(&key).map(|(leader, _)| *leader)
    }

    /// Whether groups changed since this was last said. It is not said often, as all keys are then
    /// grouped anew.
    pub(super) fn take_change(&mut self, now: Timestamp) -> bool {
        if !self.is_changed || now < self.regroups {
            return false;
        }
        self.regroups = now + REGROUPING * u32::try_from(self.keys).unwrap_or(u32::MAX);
        self.is_changed = false;
        true
    }

    /// Notes the number of a key's project, in Google's words, which decide.
    pub(super) fn note_number(&mut self, key: KeyId, number: u64, now: Timestamp) {
        if self.keys == 0 || self.numbers.insert(key, number) == Some(number) {
            return;
        }
        let leader = self.leader(key);
        if self.numbers.get(&leader).is_some_and(|of| *of != number) {
            self.dissolve(leader);
        }
        let other = *self.named.entry(number).or_insert(key);
        self.join(other, key, now);
    }

    /// Notes that a key was refused for a model, by a quota that counts requests and that what was
    /// sent with its group did not use up.
    pub(super) fn note_refused(
        &mut self,
        key: KeyId,
        model: usize,
        refusal: Refusal,
        now: Timestamp,
    ) {
        if self.keys < 2 {
            return;
        }
        let share = self.count(model, 1.0).max(LEAST_SHARE);
        self.forget(now);
        let own = self.leader(key);
        let others = self.refused_beside(model, refusal.told_until, now);
        // One refusal is evidence once.
        if others.iter().any(|(other, _)| *other == own) {
            return;
        }
        let mut told: Vec<_> = others.iter().filter_map(|(_, apart)| *apart).collect();
        told.sort_unstable();
        let untold = others.len() - told.len();
        for (other, apart) in &others {
            if apart.is_some_and(|apart| apart > TOGETHER) {
                self.unpair(own, *other);
                continue;
            }
            // That so many were told as near a moment is how likely chance did it to this one.
            let as_near = |apart| untold + told.partition_point(|other| *other <= apart);
            let near = apart.map_or(1.0, |it| to_float(as_near(it)) / to_float(others.len() + 1));
            self.suspect(own, *other, share * near, now);
        }
        if self.cases.len() < MOST_CASES {
            let Refusal { until, told_until } = refusal;
            let until = until.before(EARLY).min(now + LONGEST_CASE);
            let (from, tested, has_tested_kin) = (now, BTreeSet::new(), false);
            self.cases.push(Case { model, key, from, until, told_until, tested, has_tested_kin });
        }
    }

    /// Notes that a request with a key, begun at `begun`, was not refused.
    pub(super) fn note_served(
        &mut self,
        key: KeyId,
        model: usize,
        begun: Timestamp,
        now: Timestamp,
    ) {
        if self.keys < 2 {
            return;
        }
        self.count(model, 0.0);
        if self.cases.is_empty() {
            return;
        }
        self.forget(now);
        let own = self.leader(key);
        let lasted = |case: &&Case| case.model == model && case.from < begun && begun < case.until;
        let cases = self.cases.iter().filter(lasted).filter(|case| case.key != key);
        let others: BTreeSet<_> = cases.map(|case| self.leader(case.key)).collect();
        for other in others {
            self.unpair(own, other);
            if other == own {
                self.dissolve(own);
            }
        }
    }

    /// A key that is to be asked now: one that is suspected to share the project of one that is
    /// refused, or believed to.
    pub(super) fn next_test(&mut self, model: usize, now: Timestamp) -> Option<Test> {
        let (leaders, pairs) = (&self.leaders, &self.pairs);
        let leader = |key: KeyId| leaders.get(&key).map_or(key, |(leader, _)| *leader);
        let running = |case: &&mut Case| case.model == model && case.until > now;
        let first = self.cursor % self.cases.len().max(1);
        self.cursor = first + LOOKED_AT;
        let looked_at = self.cases.iter_mut().skip(first).take(LOOKED_AT);
        looked_at.filter(running).find_map(|case| {
            if !mem::replace(&mut case.has_tested_kin, true) && leaders.contains_key(&case.key) {
                return Some(Test::KinOf(case.key));
            }
            if case.tested.len() >= MOST_TESTS {
                return None;
            }
            let own = leader(case.key);
            let all = (own, KeyId::from_u64(0))..=(own, KeyId::from_u64(u64::MAX));
            let mut suspects = pairs.range(all).map(|((_, key), _)| *key);
            let suspect = suspects.find(|key| !case.tested.contains(key))?;
            case.tested.insert(suspect);
            Some(Test::Suspect(suspect))
        })
    }

    /// Follows a clock that was put back: what goes on is forgotten.
    pub(super) fn rewind(&mut self) {
        self.cases.clear();
        self.regroups = Timestamp::default();
    }

    fn leader(&self, key: KeyId) -> KeyId {
        self.leader_of(key).unwrap_or(key)
    }

    /// The groups of which keys are refused now; and how far apart the moments are that they and one
    /// more were told, if they were told one. What keys of one group are told counts once.
    fn refused_beside(
        &self,
        model: usize,
        told_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Vec<(KeyId, Option<Duration>)> {
        let running = self.cases.iter().filter(|case| case.model == model && case.until > now);
        let mut others: Vec<_> = running
            .map(|case| (self.leader(case.key), apart(case.told_until, told_until)))
            .collect();
        others.sort_unstable_by_key(|(other, apart)| (*other, apart.is_none(), *apart));
        others.dedup_by_key(|(other, _)| *other);
        others
    }

    /// Adds to the evidence that two groups share a project, or joins them, if that is enough: they
    /// were refused together, which happens by chance as often as `chance` says.
    fn suspect(&mut self, one: KeyId, other: KeyId, chance: f64, now: Timestamp) {
        let known = self.pairs.get(&(one, other)).copied();
        if known.is_none() && self.pairs.len() >= MOST_PAIRS {
            return;
        }
        let evidence = known.unwrap_or(0.0) - chance.ln();
        self.pairs.insert((one, other), evidence);
        self.pairs.insert((other, one), evidence);
        if evidence >= (SURE * to_float(self.keys)).ln() {
            self.join(one, other, now);
        }
    }

    fn unpair(&mut self, one: KeyId, other: KeyId) {
        self.pairs.remove(&(one, other));
        self.pairs.remove(&(other, one));
    }

    /// Makes one group of two.
    fn join(&mut self, one: KeyId, other: KeyId, now: Timestamp) {
        let (leader, follower) = (self.leader(one), self.leader(other));
        if leader == follower {
            return;
        }
        let until = now + LEARNED_FOR;
        for (of, _) in self.leaders.values_mut().filter(|(of, _)| *of == follower) {
            *of = leader;
        }
        self.forgets = self.forgets.or(Some(until));
        self.leaders.insert(leader, (leader, until));
        self.leaders.insert(follower, (leader, until));
        self.pairs.retain(|(one, other), _| *one != follower && *other != follower);
        self.is_changed = true;
    }

    /// Parts the keys of a group, but for those of which Google said so.
    fn dissolve(&mut self, leader: KeyId) {
        let number = self.numbers.get(&leader).copied();
        let numbers = &self.numbers;
        let before = self.leaders.len();
        self.leaders.retain(|key, (of, _)| {
            *of != leader || number.is_some() && numbers.get(key).copied() == number
        });
        self.is_changed |= self.leaders.len() < before;
    }

    /// Forgets what is over.
    fn forget(&mut self, now: Timestamp) {
        self.cases.retain(|case| case.until + LATE > now);
        if self.forgets.is_some_and(|until| until <= now) {
            let numbers = &self.numbers;
            self.leaders.retain(|key, (_, until)| *until > now || numbers.contains_key(key));
            let left = self.leaders.values().map(|(_, until)| *until);
            self.forgets = left.filter(|until| *until > now).min();
            self.is_changed = true;
        }
    }

    /// Counts an answer; the share of refusals until then.
    fn count(&mut self, model: usize, refused: f64) -> f64 {
        if self.refused.len() <= model {
            self.refused.resize(model + 1, 1.0);
        }
        let Some(share) = self.refused.get_mut(model) else { return 1.0 };
        let before = *share;
        *share += (refused - before) * WEIGHT;
        before
    }
}

/// How far apart two moments are, if both are known.
fn apart(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Duration> {
    let (one, other) = one.zip(other)?;
    Some(one.since(other).max(other.since(one)))
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
const fn to_float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
