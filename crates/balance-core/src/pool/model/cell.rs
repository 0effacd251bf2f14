//! What is known of one project and one model.
//!
//! Invariant: how it stands follows from what is known, by [`Cell::standing`] alone.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::pace::Pace;
use crate::{pool::rest::Doubt, time::Timestamp};

/// What is known of one project and this model.
#[derive(Debug, Default)]
pub(super) struct Cell {
    pub(super) quota: Option<Rest>,
    /// Until when its bucket has no room.
    pub(super) full: Option<Timestamp>,
    pub(super) health: Health,
    /// How slowly it is asked, if others use its quota too.
    pub(super) pace: Option<Pace>,
    /// Failures in a row that made it doubtful, and when the last was counted.
    pub(super) failures: u32,
    pub(super) failed_at: Timestamp,
    /// When it was told to rest, or became doubtful.
    pub(super) changed: Timestamp,
    /// Under what it stands in a timer list.
    pub(super) listed: Standing,
}

/// The breaker of one project and model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Health {
    #[default]
    Sound,
    /// Others are asked first, until then.
    Doubtful(Timestamp),
    /// One request may try.
    HalfOpen,
    /// One tries, which may take until then. Others are asked first meanwhile.
    Tried(Timestamp),
}

/// A quota that is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    /// When it is back.
    pub until: Timestamp,
    /// Which one.
    pub spent: Spent,
}

/// A doubt about a project and a model: others are asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubted {
    /// Until when.
    pub until: Timestamp,
    /// How often it failed in a row.
    pub failures: u32,
}

/// Which quota is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spent {
    /// One that comes back after some time.
    Minute,
    /// That of the day, which ends at midnight in Los Angeles.
    Day,
    /// All: the project does not have the model.
    Unavailable,
}

/// How a project stands for this model, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Standing {
    #[default]
    Ready,
    Doubtful(Timestamp),
    Resting(Timestamp),
}

/// How a project stands, for those who ask why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pool) enum View {
    Ready,
    Doubtful(Timestamp),
    Resting(&'static str, Timestamp),
}

/// A failure that makes a project doubtful.
#[derive(Debug, Clone, Copy)]
pub(in crate::pool) struct Failure {
    pub(in crate::pool) doubt: Doubt,
    pub(in crate::pool) retry_after: Option<Duration>,
    /// When the request that failed was begun.
    pub(in crate::pool) begun: Timestamp,
    /// Chance.
    pub(in crate::pool) roll: u64,
}

impl Cell {
    /// Being out of quota weighs more than a doubt.
    pub(super) fn standing(&self) -> Standing {
        let resting = self.quota.map(|rest| rest.until).max(self.full).max(self.held());
        match (resting, self.health) {
            (Some(until), _) => Standing::Resting(until),
            (None, Health::Doubtful(until) | Health::Tried(until)) => Standing::Doubtful(until),
            (None, Health::Sound | Health::HalfOpen) => Standing::Ready,
        }
    }

    /// What lasts longest of that it rests for, as a stable word.
    pub(super) fn why_resting(&self) -> &'static str {
        match self.quota.filter(|rest| Some(rest.until) >= self.full.max(self.held())) {
            None => "no_room",
            Some(Rest { spent: Spent::Minute, .. }) => "minute_quota",
            Some(Rest { spent: Spent::Day, .. }) => "day_quota",
            Some(Rest { spent: Spent::Unavailable, .. }) => "model_unavailable",
        }
    }

    /// The doubt about it, for those who keep it.
    pub(super) fn doubted(&self) -> Option<Doubted> {
        match self.health {
            Health::Doubtful(until) => Some(Doubted { until, failures: self.failures }),
            Health::Sound | Health::HalfOpen | Health::Tried(_) => None,
        }
    }

    pub(super) fn expire(&mut self, now: Timestamp) {
        self.quota = self.quota.filter(|rest| rest.until > now);
        self.pace = self.pace.and_then(|pace| pace.at(now));
        if let Health::Doubtful(until) | Health::Tried(until) = self.health
            && until <= now
        {
            self.health = Health::HalfOpen;
        }
    }

    /// Adds what is known of another project that is this one: the worse counts.
    pub(super) fn absorb(&mut self, other: &Self) {
        if self.quota.map(|rest| rest.until) < other.quota.map(|rest| rest.until) {
            self.quota = other.quota;
        }
        self.pace = self.pace.max(other.pace);
        if other.failures > self.failures {
            (self.health, self.failures) = (other.health, other.failures);
        }
        self.failed_at = self.failed_at.max(other.failed_at);
        self.changed = self.changed.max(other.changed);
    }

    pub(super) fn is_blank(&self) -> bool {
        self.standing() == Standing::Ready && self.failures == 0 && self.pace.is_none()
    }

    pub(super) fn rewind(&mut self, by: Duration, now: Timestamp) {
        if let Some(rest) = &mut self.quota {
            rest.until = if rest.spent == Spent::Day {
                rest.until.min(now.next_los_angeles_midnight())
            } else {
                rest.until.before(by)
            };
        }
        self.health = match self.health {
            Health::Doubtful(until) => Health::Doubtful(until.before(by)),
            Health::Tried(until) => Health::Tried(until.before(by)),
            Health::Sound | Health::HalfOpen => self.health,
        };
        self.failed_at = self.failed_at.before(by);
        self.pace.iter_mut().for_each(|pace| pace.rewind(by));
    }
}
