//! How long streams take to their first content, and when a second key may be asked for one.
//!
//! Invariant: at most the set share of streams is asked for twice, however slow all of them are.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

/// How many streams of a model are remembered.
const REMEMBERED: usize = 128;

/// How many make a measure.
const ENOUGH: usize = 20;

/// How many models are remembered.
const MOST_MODELS: usize = 256;

/// How many second questions may be saved up.
const MOST_SAVED: u64 = 5;

/// The pace of each model, and what is left of the share.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Of a hundred streams, how many may be asked for twice; 0 for none.
    percent: u64,
    /// Hundredths of second questions that are left.
    left: u64,
    models: HashMap<Box<str>, VecDeque<Duration>>,
}

impl Pace {
    pub(crate) fn new(percent: u64) -> Self {
        Self { percent, left: 0, models: HashMap::new() }
    }

    /// Notes how long a stream took to its first content.
    pub(crate) fn note(&mut self, model: &str, took: Duration) {
        if self.percent == 0 {
            return;
        }
        self.left = (self.left + self.percent).min(100 * MOST_SAVED);
        if self.models.len() >= MOST_MODELS && !self.models.contains_key(model) {
            self.models.clear();
        }
        let times = self.models.entry(model.into()).or_default();
        if times.len() == REMEMBERED {
            times.pop_front();
        }
        times.push_back(took);
    }

    /// After which time a stream of this model is slower than 95 of 100; `None` while too few were
    /// seen, or none may be asked for twice.
    pub(crate) fn slow_after(&self, model: &str) -> Option<Duration> {
        let times = self.models.get(model).filter(|times| times.len() >= ENOUGH)?;
        if self.left < 100 {
            return None;
        }
        let mut times: Vec<_> = times.iter().copied().collect();
        let place = (times.len() * 95 / 100).min(times.len() - 1);
        times.sort_unstable(); // the algorithm that finds one place alone is longer than a few times are
        times.get(place).copied()
    }

    /// Takes a second question from the share; whether there was one.
    pub(crate) fn spend(&mut self) -> bool {
        let can = self.left >= 100;
        if can {
            self.left -= 100;
        }
        can
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_hundred(percent: u64) -> Pace {
        let mut pace = Pace::new(percent);
        for millis in 1..=100 {
            pace.note("m", Duration::from_millis(millis));
        }
        pace
    }

    #[test]
    fn slow_is_slower_than_ninety_five_of_a_hundred() {
        assert_eq!(of_hundred(2).slow_after("m"), Some(Duration::from_millis(96)));
        assert_eq!(of_hundred(2).slow_after("other"), None);
        let mut pace = Pace::new(100);
        for _ in 1..ENOUGH {
            pace.note("m", Duration::ZERO);
        }
        assert_eq!(pace.slow_after("m"), None, "too few were seen");
    }

    #[test]
    fn the_share_is_kept_and_little_of_it_is_saved_up() {
        let mut pace = of_hundred(2);
        let spent = (0..10).filter(|_| pace.spend()).count();
        assert_eq!(spent, 2);
        assert_eq!(pace.slow_after("m"), None, "nothing is left");
        let mut pace = of_hundred(100);
        assert_eq!((0..100).filter(|_| pace.spend()).count(), 5);
        assert!(!of_hundred(0).spend() && of_hundred(0).slow_after("m").is_none());
    }
}
