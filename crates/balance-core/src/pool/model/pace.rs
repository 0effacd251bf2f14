//! The pace at which a project is asked whose quota others use too: what was sent from here does not
//! tell how much of it is left.
//!
//! Invariant: of a project that is slowed down one request is sent at a time, and the next one when a
//! refusal would have come back; a pace never keeps it from using its whole limit.

use std::time::Duration;

use super::{Cell, Model};
use crate::{pool::bucket::WINDOW, time::Timestamp};

/// The longest pause between two requests.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How long a project is slowed down after the last refusal that tells of others.
const SLOW_FOR: Duration = Duration::from_secs(60 * 60);

/// The time between two requests to a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pace {
    pause: Duration,
    until: Timestamp,
    /// Until when the next request is held back.
    held: Option<Timestamp>,
}

impl Model {
    /// Slows a project down that may be asked so many times a minute, as others were refused for it.
    pub(in crate::pool) fn slow_down(&mut self, project: usize, a_minute: u64, now: Timestamp) {
        let share = WINDOW / u32::try_from(a_minute.max(1)).unwrap_or(u32::MAX);
        let pause = share.min(LONGEST_PAUSE);
        self.cells.enter(project).pace = Some(Pace { pause, until: now + SLOW_FOR, held: None });
    }

    /// Holds back the next request to a project that is slowed down; whether it is.
    pub(super) fn hold_next(&mut self, project: usize, now: Timestamp) -> bool {
        let pace = self.cells.of_mut(project).and_then(|cell| cell.pace.as_mut());
        let Some(pace) = pace else { return false };
        pace.held = Some(now + pace.pause);
        true
    }
}

impl Cell {
    /// Until when the next request is held back.
    pub(super) fn held(&self) -> Option<Timestamp> {
        self.pace.and_then(|pace| pace.held)
    }
}

impl Pace {
    /// What is left of it.
    pub(super) fn at(self, now: Timestamp) -> Option<Self> {
        let held = self.held.filter(|held| *held > now);
        (self.until > now).then_some(Self { held, ..self })
    }

    pub(super) fn rewind(&mut self, by: Duration) {
        self.until = self.until.before(by);
        self.held = self.held.map(|held| held.before(by));
    }
}
