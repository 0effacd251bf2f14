//! The breaker of each project for one model.
//!
//! Invariant: a project that failed is asked after all others, until one request that tried it, and
//! only one at a time, was answered well.

use super::{Doubted, Failure, Model, Roster, cell::Health};
use crate::{
    pool::{outage::TRY_TIME, rest},
    time::Timestamp,
};

impl Model {
    /// Notes that a request is sent to a project; whether it is the one that tries it.
    pub(super) fn begin_try(&mut self, project: usize, roster: &Roster, now: Timestamp) -> bool {
        let half_open = |cell: &&mut super::Cell| cell.health == Health::HalfOpen;
        let Some(cell) = self.cells.of_mut(project).filter(half_open) else { return false };
        cell.health = Health::Tried(now + TRY_TIME);
        self.refresh(project, roster, now);
        true
    }

    /// Notes that the request that tried a project told nothing.
    pub(in crate::pool) fn release(&mut self, project: usize, roster: &Roster, now: Timestamp) {
        let tried = |cell: &&mut super::Cell| matches!(cell.health, Health::Tried(_));
        if let Some(cell) = self.cells.of_mut(project).filter(tried) {
            cell.health = Health::HalfOpen;
            self.refresh(project, roster, now);
        }
    }

    /// Takes a project out of suspicion: it was not its fault.
    pub(in crate::pool) fn absolve(&mut self, project: usize, roster: &Roster, now: Timestamp) {
        if let Some(cell) = self.cells.of_mut(project) {
            (cell.health, cell.failures) = (Health::Sound, 0);
            self.refresh(project, roster, now);
        }
    }

    /// Ends all doubts: any project may be tried again, by one request each.
    pub(in crate::pool) fn reconsider(&mut self, roster: &Roster, now: Timestamp) {
        while let Some((_, project)) = self.doubtful.first().copied() {
            if let Some(cell) = self.cells.of_mut(project) {
                cell.health = Health::HalfOpen;
            }
            self.refresh(project, roster, now);
        }
    }

    /// Makes a project doubtful, longer with each failure in a row. Requests that were under way
    /// together count as one failure.
    pub(in crate::pool) fn doubt(
        &mut self,
        project: usize,
        failure: Failure,
        roster: &Roster,
        now: Timestamp,
    ) {
        let cell = self.cells.enter(project);
        if cell.failures == 0 || failure.begun >= cell.failed_at {
            cell.failures = cell.failures.saturating_add(1);
            cell.failed_at = now;
        }
        let Failure { doubt, retry_after, roll, .. } = failure;
        let until = now + rest::doubt(doubt, cell.failures, retry_after, roll);
        cell.health = match cell.health {
            Health::Doubtful(old) => Health::Doubtful(old.max(until)),
            Health::Sound | Health::HalfOpen | Health::Tried(_) => Health::Doubtful(until),
        };
        cell.changed = now;
        self.refresh(project, roster, now);
    }

    /// Takes over a doubt of another instance, if there is none here.
    pub(in crate::pool) fn recall_doubt(
        &mut self,
        project: usize,
        doubt: Doubted,
        roster: &Roster,
        now: Timestamp,
    ) {
        if doubt.until <= now || !self.outage.is_closed() {
            return;
        }
        let cell = self.cells.enter(project);
        if cell.health == Health::Sound && cell.failures == 0 {
            cell.health = Health::Doubtful(doubt.until.min(now + rest::LONGEST_DOUBT));
            (cell.failures, cell.failed_at) = (doubt.failures.max(1), now);
        }
        self.refresh(project, roster, now);
    }

    /// Notes that a request, begun at `begun`, was answered well.
    pub(in crate::pool) fn trust(
        &mut self,
        project: usize,
        begun: Timestamp,
        roster: &Roster,
        now: Timestamp,
    ) {
        let Some(cell) = self.cells.of_mut(project) else { return };
        if cell.failures > 0 && begun >= cell.failed_at {
            cell.failures /= 2;
            cell.health = Health::Sound;
            self.refresh(project, roster, now);
        }
    }
}
