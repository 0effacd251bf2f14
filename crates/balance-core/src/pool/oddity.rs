//! What the pool cannot use of its settings, or does not believe of answers, and says so.
//!
//! Invariant: each kind is told once, however often it happens; an explanation tells how often.

use std::{collections::BTreeMap, time::Duration};

use super::{Pool, rest::LONGEST_WAIT};
use crate::{
    fault::{Blame, Fault, Limits, Quota},
    key::Key,
};

/// Something that is not taken at its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Oddity {
    ClockPutBack,
    WaitOfNothing,
    LongWait,
    Contradiction,
}

impl Oddity {
    const fn words(self) -> &'static str {
        match self {
            Self::ClockPutBack => {
                "the clock was put back: what lasts a time goes on as long as it would have"
            }
            Self::WaitOfNothing => {
                "Google refused a request and asked to wait for nothing: a minute is waited"
            }
            Self::LongWait => "Google asked to wait for more than an hour: an hour is waited",
            Self::Contradiction => {
                "Google named two limits for one quota in one answer: the smaller one is kept"
            }
        }
    }
}

/// What was met with, and how often.
#[derive(Debug, Default)]
pub(super) struct Oddities {
    met: BTreeMap<Oddity, u64>,
    untold: Vec<Oddity>,
    /// Whether the settings were told of.
    told_settings: bool,
}

impl Oddities {
    pub(super) fn note(&mut self, oddity: Oddity) {
        let count = self.met.entry(oddity).or_default();
        *count += 1;
        if *count == 1 {
            self.untold.push(oddity);
        }
    }

    pub(super) fn note_fault(&mut self, fault: &Fault) {
        if fault.contradicts_itself {
            self.note(Oddity::Contradiction);
        }
        match fault.blame {
            Blame::Quota(Quota::Minute { retry_after: Some(Duration::ZERO), .. }) => {
                self.note(Oddity::WaitOfNothing);
            }
            Blame::Quota(Quota::Minute { retry_after: Some(wait), .. })
            | Blame::Capacity { retry_after: Some(wait) }
            | Blame::Service { retry_after: Some(wait) }
                if wait > LONGEST_WAIT =>
            {
                self.note(Oddity::LongWait);
            }
            Blame::Key(_)
            | Blame::Project(_)
            | Blame::Quota(_)
            | Blame::Capacity { .. }
            | Blame::Service { .. }
            | Blame::Egress
            | Blame::Request
            | Blame::Gateway => {}
        }
    }
}

impl Pool {
    /// What was ignored and was not told of yet, in words: settings that are of no use, at the first
    /// call, and each kind of odd answer once.
    pub fn take_remarks(&mut self) -> Vec<String> {
        let is_first = !std::mem::replace(&mut self.oddities.told_settings, true);
        let mut remarks = if is_first { self.idle_settings() } else { Vec::new() };
        let untold = std::mem::take(&mut self.oddities.untold);
        remarks.extend(untold.into_iter().map(|oddity| oddity.words().to_owned()));
        remarks
    }

    /// All that was ignored so far, in words.
    pub(super) fn ignored(&self) -> Vec<String> {
        let mut ignored = self.idle_settings();
        let asked = |name: &str| self.models.named().any(|(asked, _)| asked == name);
        let unasked = self.limits.by_model.keys().filter(|name| !asked(name));
        ignored.extend(unasked.map(|name| format!("limits of {name}: nobody asked for it so far")));
        let met = self.oddities.met.iter();
        ignored.extend(met.map(|(oddity, count)| format!("{} ({count} times)", oddity.words())));
        ignored
    }

    /// Settings that are of no use with these keys. No key is shown.
    fn idle_settings(&self) -> Vec<String> {
        let mut idle = Vec::new();
        let by_key = &self.limits.by_key;
        let in_use = self.roster.keys().filter(|key| by_key.of(key).is_some()).count();
        let unused = by_key.0.len().saturating_sub(in_use);
        if unused > 0 {
            idle.push(format!("{unused} limits of single keys are of no key in the pool"));
        }
        let all = by_key.0.values().chain(self.limits.by_model.values());
        if all.chain([&self.limits.default]).any(has_zero) {
            idle.push("a limit of 0 is taken for none".to_owned());
        }
        for project in 0..self.roster.len() {
            let slots = self.roster.slots_of(project).iter();
            let keys: Vec<_> = slots.filter_map(|slot| self.roster.key(*slot)).collect();
            let Some((first, others)) = keys.split_first().filter(|(_, others)| !others.is_empty())
            else {
                continue;
            };
            let tag = first.project.as_deref().unwrap_or("");
            if others.iter().any(|key| key.tier != first.tier) {
                idle.push(format!(
                    "the tiers of project {tag:?} differ: that of its first key holds"
                ));
            }
            if differ(keys.iter().filter_map(|key: &&Key| by_key.of(key))) {
                idle.push(format!(
                    "the limits of the keys of project {tag:?} differ: the first ones hold"
                ));
            }
        }
        idle
    }
}

fn has_zero(limits: &Limits) -> bool {
    let Limits { requests_per_minute, tokens_per_minute, requests_per_day, tokens_per_day } =
        *limits;
    [requests_per_minute, tokens_per_minute, requests_per_day, tokens_per_day].contains(&Some(0))
}

fn differ(mut limits: impl Iterator<Item = Limits>) -> bool {
    let first = limits.next();
    limits.any(|other| Some(other) != first)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            KeyLimits, PoolLimits, Strategy,
            tests::{START, ask, keys},
        },
        *,
    };
    use crate::{key::Tier, pool::tests::fault};

    fn rpm(limit: u64) -> Limits {
        Limits { requests_per_minute: Some(limit), ..Limits::default() }
    }

    #[test]
    fn settings_that_are_of_no_use_are_told_once_and_explained() {
        let mut all = keys(3);
        for key in &mut all[..2] {
            key.project = Some("p".into());
        }
        all[1].tier = Tier::Paid;
        let ending = |n: usize| KeyLimits::ending(all[n].secret.expose()).to_owned();
        let by_key = [(ending(0), rpm(1)), (ending(1), rpm(2)), ("nobodys!".to_owned(), rpm(3))];
        let limits = PoolLimits {
            by_key: KeyLimits(by_key.into()),
            by_model: [("no-such-model".to_owned(), rpm(0))].into(),
            ..PoolLimits::default()
        };
        let mut pool = Pool::new(all.clone(), Strategy::Balanced).with_limits(limits);
        let told = pool.take_remarks();
        let expected = [
            "1 limits of single keys",
            "limit of 0",
            "tiers of project \"p\"",
            "limits of the keys",
        ];
        assert_eq!(told.len(), expected.len(), "{told:?}");
        assert!(told.iter().zip(expected).all(|(told, word)| told.contains(word)), "{told:?}");
        assert!(pool.take_remarks().is_empty());
        let explained = pool.explain(&ask("a"), 1, START).ignored;
        assert_eq!(explained[..4], told);
        assert!(explained[4].contains("no-such-model"));
        assert!(!all.iter().any(|key| explained.concat().contains(&ending(0))
            || explained.concat().contains(key.secret.expose())));
    }

    #[test]
    fn odd_answers_and_clocks_are_told_once_of_each_kind() {
        let mut pool = Pool::new(keys(9), Strategy::RoundRobin);
        let year = Duration::from_secs(365 * 24 * 3600);
        let wait = |wait| {
            let quota = Quota::Minute { retry_after: Some(wait), limits: Limits::default() };
            fault(Blame::Quota(quota))
        };
        let contradictory = Fault { contradicts_itself: true, ..fault(Blame::Request) };
        let faults = [wait(Duration::ZERO), wait(year), wait(year), contradictory];
        for odd in &faults {
            let lease = pool.select(&ask("a"), START, 0).unwrap();
            pool.settle(lease, Err(odd), START);
        }
        pool.in_flight(START.before(Duration::from_secs(60)));
        let told = pool.take_remarks();
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(pool.take_remarks().is_empty());
        let explained = pool.explain(&ask("a"), 1, START).ignored;
        assert!(explained.iter().any(|line| line.ends_with("(2 times)")), "{explained:?}");
    }
}
