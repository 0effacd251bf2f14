//! What is counted in a run, and the figures made of it.
//!
//! Invariant: figures are fractions of what was really offered and allowed, not of what was planned.

use std::time::Duration;

use balance_core::time::Timestamp;
use serde::Serialize;

use crate::setting::{Setting, start, to_float};

/// The outcome of one run.
#[derive(Debug, Clone, Serialize, PartialEq)]
pub(crate) struct Figures {
    /// Served requests over the smaller of offered and allowed.
    pub(crate) efficiency: f64,
    /// Refusals with 429 over all calls upstream: in the first hour, later, and in all.
    pub(crate) waste_first_hour: f64,
    pub(crate) waste_after: f64,
    pub(crate) waste_all: f64,
    /// Keys put out without a fault of theirs.
    pub(crate) wrong_blame: usize,
    /// The longest mean wait of a caller over the median one.
    pub(crate) fairness: f64,
    pub(crate) offered: u64,
    pub(crate) served: u64,
    pub(crate) failed: u64,
    /// Those that failed while a key that works had room for them.
    pub(crate) failed_needlessly: u64,
}

/// What is counted.
#[derive(Debug)]
pub(crate) struct Tally {
    models: Vec<Counts>,
    /// How long each caller waited, and for how many requests.
    callers: Vec<(Duration, u32)>,
    /// Calls and refusals, in the first hour and later.
    first_hour: (u64, u64),
    after: (u64, u64),
    failed_needlessly: u64,
}

#[derive(Debug, Clone, Default)]
struct Counts {
    offered: u64,
    served: u64,
    failed: u64,
}

impl Tally {
    pub(crate) fn new(setting: &Setting) -> Self {
        let models = vec![Counts::default(); setting.models.len()];
        let callers = vec![(Duration::ZERO, 0); setting.callers];
        Self { models, callers, first_hour: (0, 0), after: (0, 0), failed_needlessly: 0 }
    }

    pub(crate) fn offered(&mut self, model: usize) {
        self.models.get_mut(model).into_iter().for_each(|counts| counts.offered += 1);
    }

    pub(crate) fn failed(&mut self, model: usize, needlessly: bool) {
        self.failed_needlessly += u64::from(needlessly);
        self.models.get_mut(model).into_iter().for_each(|counts| counts.failed += 1);
    }

    pub(crate) fn served(&mut self, model: usize, caller: usize, waited: Duration) {
        self.models.get_mut(model).into_iter().for_each(|counts| counts.served += 1);
        if let Some((sum, count)) = self.callers.get_mut(caller) {
            *sum += waited;
            *count += 1;
        }
    }

    pub(crate) fn called(&mut self, now: Timestamp, is_refused: bool) {
        let is_early = now.since(start()) < Duration::from_secs(3600);
        let part = if is_early { &mut self.first_hour } else { &mut self.after };
        part.0 += 1;
        part.1 += u64::from(is_refused);
    }

    pub(crate) fn figures(&self, setting: &Setting, wrong_blame: usize) -> Figures {
        let possible = self.models.iter().zip(&setting.models).map(|(counts, model)| {
            counts.offered.min(model.allowed(setting.projects, setting.hours))
        });
        let sum = |of: fn(&Counts) -> u64| self.models.iter().map(of).sum::<u64>();
        let (served, all) = (sum(|counts| counts.served), self.first_hour.0 + self.after.0);
        Figures {
            efficiency: share(served, possible.sum()),
            waste_first_hour: share(self.first_hour.1, self.first_hour.0),
            waste_after: share(self.after.1, self.after.0),
            waste_all: share(self.first_hour.1 + self.after.1, all),
            wrong_blame,
            fairness: self.fairness(),
            offered: sum(|counts| counts.offered),
            served,
            failed: sum(|counts| counts.failed),
            failed_needlessly: self.failed_needlessly,
        }
    }

    fn fairness(&self) -> f64 {
        let waited = self.callers.iter().filter(|(_, count)| *count > 0);
        let mut means: Vec<_> =
            waited.map(|(sum, count)| sum.as_secs_f64() / f64::from(*count)).collect();
        means.sort_unstable_by(f64::total_cmp);
        let median = means.get(means.len() / 2).copied().unwrap_or(0.0);
        let longest = means.last().copied().unwrap_or(0.0);
        if median > 0.0 { longest / median } else { 1.0 }
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { to_float(part) / to_float(whole) }
}
