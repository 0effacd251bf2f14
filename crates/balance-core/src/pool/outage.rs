//! The breaker that opens when several projects fail alike: then it is the model, the region or the
//! way there, and no key is to blame.
//!
//! Invariant: a single good answer closes it. While it is open nothing is sent but, each time a pause
//! is over, one request that tries; and, once, each that has waited for as long as it can. Those may
//! close it, but do not hold it open.

use std::time::Duration;

use super::rest;
use crate::time::Timestamp;

/// How many projects must have failed, at the least, with no good answer between.
const LEAST_PROJECTS: usize = 3;

/// As many must have, if there were good answers lately and not all projects were asked since.
const TELLING_PROJECTS: usize = 32;

/// What is lately; and failures are alike if they come within this time.
const ALIKE: Duration = Duration::from_secs(10);

/// How long a try may take until another one is let through. No first byte takes longer as a rule.
pub(super) const TRY_TIME: Duration = Duration::from_secs(60);

/// How often to look whether a try is over.
const LOOK: Duration = Duration::from_secs(1);

/// A breaker, closed at first.
#[derive(Debug, Default)]
pub(super) struct Outage {
    state: State,
    /// What failed since the last good answer, once for each project.
    failing: Vec<Failing>,
    /// How often it opened since it was closed.
    openings: u32,
    /// What was begun before says nothing of the state since.
    changed: Timestamp,
    last_success: Timestamp,
}

/// A failure of the service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failing {
    pub(super) project: usize,
    /// The number of the model.
    pub(super) model: usize,
    pub(super) begun: Timestamp,
    pub(super) at: Timestamp,
    /// Whether it was sent to try.
    pub(super) tries: bool,
}

/// What is left of the projects when one fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    /// Some are in good standing.
    Ready,
    /// None, but the quota of some is back within a minute: that they serve nothing says nothing.
    Awaited,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Closed,
    /// Nothing is sent until then.
    Open(Timestamp),
    /// One request tries, which may take until then.
    Tried(Timestamp),
}

impl Outage {
    /// Until when nothing can be sent; `None` if something can.
    pub(super) fn blocked_until(&self, now: Timestamp) -> Option<Timestamp> {
        match self.state {
            State::Closed => None,
            State::Open(until) | State::Tried(until) => Some(until).filter(|until| *until > now),
        }
    }

    /// When it pays to look again for one whom nobody calls: at the end of a pause; a try may be over
    /// at any time. `None` if something can be sent now.
    pub(super) fn look_again(&self, now: Timestamp) -> Option<Timestamp> {
        let until = self.blocked_until(now)?;
        let is_tried = matches!(self.state, State::Tried(_));
        Some(if is_tried { until.min(now + LOOK) } else { until })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Notes that a request is sent; whether it is the one that tries.
    pub(super) fn begin(&mut self, now: Timestamp) -> bool {
        if self.is_closed() || self.blocked_until(now).is_some() {
            return false;
        }
        self.state = State::Tried(now + TRY_TIME);
        true
    }

    /// Notes that the request that tries told nothing.
    pub(super) fn release(&mut self, now: Timestamp) {
        if matches!(self.state, State::Tried(_)) {
            self.state = State::Open(now);
        }
    }

    /// Notes that a request, begun at `begun`, was answered well.
    pub(super) fn succeeded(&mut self, begun: Timestamp, now: Timestamp) {
        self.failing.retain(|failing| failing.at > begun);
        self.last_success = now;
        if !self.is_closed() && begun >= self.changed {
            *self = Self { changed: now, last_success: now, ..Self::default() };
        }
    }

    /// Notes a failure; `models` says how many must fail. Whether the breaker was opened by it.
    pub(super) fn failed(
        &mut self,
        failing: Failing,
        others: Others,
        models: usize,
        roll: u64,
    ) -> bool {
        if failing.begun < self.changed || !self.is_closed() && !failing.tries {
            return false;
        }
        let now = failing.at;
        self.failing.retain(|old| old.at + ALIKE > now && old.project != failing.project);
        self.failing.push(failing);
        if self.is_closed() && !self.is_telling(others, models, now) {
            return false;
        }
        self.openings = self.openings.saturating_add(1);
        self.state = State::Open(now + rest::outage(self.openings, roll));
        self.changed = now;
        true
    }

    /// Until when it is open, and how often it opened, if that changed since a time.
    pub(super) fn memory(&self, since: Timestamp) -> Option<(Timestamp, u32)> {
        match self.state {
            State::Open(until) if self.changed >= since => Some((until, self.openings)),
            State::Open(_) | State::Closed | State::Tried(_) => None,
        }
    }

    /// Opens it as another one was, unless it is open.
    pub(super) fn recall(&mut self, until: Timestamp, openings: u32, now: Timestamp) {
        if self.is_closed() && until > now {
            self.state = State::Open(until.min(now + rest::outage(u32::MAX, u64::MAX)));
            (self.openings, self.changed) = (openings, now);
        }
    }

    /// The projects that failed.
    pub(super) fn projects(&self) -> impl Iterator<Item = usize> {
        self.failing.iter().map(|failing| failing.project)
    }

    /// Forgets projects, whose numbers have changed.
    pub(super) fn renumber(&mut self) {
        self.failing.clear();
    }

    /// Follows a clock that was put back.
    pub(super) fn rewind(&mut self, by: Duration) {
        self.changed = self.changed.before(by);
        self.last_success = self.last_success.before(by);
        self.failing.clear();
        self.state = match self.state {
            State::Closed => State::Closed,
            State::Open(until) => State::Open(until.before(by)),
            State::Tried(until) => State::Tried(until.before(by)),
        };
    }

    fn is_telling(&self, others: Others, models: usize, now: Timestamp) -> bool {
        let first = self.failing.first().map(|failing| failing.model);
        let differ = self.failing.iter().any(|failing| Some(failing.model) != first);
        let count = self.failing.len();
        let is_whole = match others {
            Others::None => true,
            Others::Ready => count >= TELLING_PROJECTS || self.last_success + ALIKE < now,
            Others::Awaited => count >= TELLING_PROJECTS,
        };
        count >= LEAST_PROJECTS && (models < 2 || differ) && is_whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_unix_millis(1_795_255_680_000);
    const SECOND: Duration = Duration::from_secs(1);

    fn fail(outage: &mut Outage, project: usize, at: Timestamp) -> bool {
        outage.failed(Failing { project, model: 0, begun: at, at, tries: true }, Others::None, 1, 0)
    }

    #[test]
    fn it_opens_when_three_projects_fail_with_no_good_answer_between() {
        let mut outage = Outage::default();
        assert!(!fail(&mut outage, 1, START) && !fail(&mut outage, 2, START));
        assert!(!fail(&mut outage, 2, START + SECOND), "the same one again");
        outage.succeeded(START + SECOND, START + SECOND);
        assert!(!fail(&mut outage, 3, START + 2 * SECOND));
        assert!(!fail(&mut outage, 4, START + 2 * SECOND));
        assert!(!fail(&mut outage, 5, START + 13 * SECOND), "too late to be alike");
        assert!(!fail(&mut outage, 6, START + 13 * SECOND));
        assert!(fail(&mut outage, 7, START + 13 * SECOND));
        assert!(outage.blocked_until(START + 13 * SECOND).is_some());
    }

    #[test]
    fn while_others_are_in_good_standing_many_must_fail() {
        let mut outage = Outage::default();
        outage.succeeded(START.before(SECOND), START);
        let opened = |project| {
            let failing = Failing { project, model: 0, begun: START, at: START, tries: false };
            outage.failed(failing, Others::Ready, 1, 0)
        };
        assert_eq!((0..40).position(opened), Some(TELLING_PROJECTS - 1));
    }

    #[test]
    fn one_request_tries_after_each_pause_and_closes_it_or_makes_the_next_longer() {
        let mut outage = Outage::default();
        (0..3).for_each(|project| _ = fail(&mut outage, project, START));
        let mut now = START;
        let mut pauses = Vec::new();
        for _ in 0..6 {
            let until = outage.blocked_until(now).unwrap();
            pauses.push(until.since(now));
            now = until;
            assert!(outage.blocked_until(now).is_none() && outage.begin(now));
            assert_eq!(outage.blocked_until(now), Some(now + TRY_TIME), "single flight");
            assert!(fail(&mut outage, 9, now));
        }
        assert!(pauses.is_sorted() && pauses[0] <= SECOND && pauses[5] <= 8 * SECOND);
        now = outage.blocked_until(now).unwrap();
        outage.begin(now);
        outage.succeeded(START, now);
        assert!(!outage.is_closed(), "that was begun before");
        outage.release(now);
        assert!(outage.begin(now));
        outage.succeeded(now, now);
        assert!(outage.is_closed());
    }

    #[test]
    fn a_last_chance_closes_it_or_leaves_it_as_it_is() {
        let mut outage = Outage::default();
        (0..3).for_each(|project| _ = fail(&mut outage, project, START));
        let until = outage.blocked_until(START).unwrap();
        let now = START + Duration::from_millis(1);
        assert!(!outage.begin(now), "it is not the one that tries");
        let last = Failing { project: 9, model: 0, begun: now, at: now, tries: false };
        assert!(!outage.failed(last, Others::None, 1, 0));
        assert_eq!(outage.blocked_until(now), Some(until));
        outage.succeeded(now, now);
        assert!(outage.is_closed());
    }

    #[test]
    fn that_of_all_models_wants_two_of_them_to_fail() {
        let mut outage = Outage::default();
        let mut fail = |project, model| {
            let failing = Failing { project, model, begun: START, at: START, tries: false };
            outage.failed(failing, Others::None, 2, 0)
        };
        assert!(!(0..9).any(|project| fail(project, 7)));
        assert!(fail(9, 8));
    }
}
