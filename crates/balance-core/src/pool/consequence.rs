//! What follows from a fault, for whom it is of.
//!
//! Invariant: a total function of the blame, without a catch-all arm; what is not the fault of a key
//! or its project leaves both alone.

use std::time::Duration;

use super::{
    Lease, Pool,
    model::{Failure, Rest, Spent},
    rest::{self, Doubt},
};
use crate::{
    fault::{Blame, KeyFault, Limits, ProjectFault, Quota},
    time::Timestamp,
};

impl Pool {
    /// Draws the consequences of a fault.
    pub(super) fn blame(
        &mut self,
        blame: Blame,
        slot: usize,
        project: usize,
        lease: &Lease,
        now: Timestamp,
    ) {
        match blame {
            Blame::Key(fault) => self.kill(slot, fault, now),
            Blame::Project(ProjectFault::Forbidden) => {
                self.doubt(Doubt::Refusal, None, project, lease, now);
            }
            Blame::Project(fault) => self.shut(project, fault, now),
            Blame::Quota(quota) => {
                if let Some(model) = self.models.at(lease.place) {
                    let (rest, limits) = consequence(quota, now);
                    model.learn(project, limits, &self.roster, now);
                    model.rest(project, rest, &self.roster, now);
                }
            }
            Blame::Capacity { retry_after } => {
                self.doubt(Doubt::Capacity, retry_after, project, lease, now);
            }
            Blame::Service { retry_after } => {
                self.doubt(Doubt::Service, retry_after, project, lease, now);
            }
            Blame::Egress | Blame::Request | Blame::Gateway => {}
        }
    }

    fn doubt(
        &mut self,
        doubt: Doubt,
        retry_after: Option<Duration>,
        project: usize,
        lease: &Lease,
        now: Timestamp,
    ) {
        let failure = Failure { doubt, retry_after, begun: lease.reserved.begun, roll: lease.roll };
        if let Some(model) = self.models.at(lease.place) {
            model.doubt(project, failure, &self.roster, now);
        }
    }

    fn kill(&mut self, slot: usize, fault: KeyFault, now: Timestamp) {
        self.roster.kill(slot, fault);
        for model in self.models.all_mut() {
            model.refresh_slot(slot, &self.roster, now);
        }
    }

    fn shut(&mut self, project: usize, fault: ProjectFault, now: Timestamp) {
        self.roster.shut(project, rest::shut(fault, now));
        for model in self.models.all_mut() {
            model.refresh(project, &self.roster, now);
        }
    }
}

/// How long a quota puts a (project, model) out, and what it tells of limits.
fn consequence(quota: Quota, now: Timestamp) -> (Rest, Limits) {
    let after = |duration, spent| Rest { until: now + duration, spent };
    match quota {
        Quota::Minute { retry_after, limits } => {
            (after(rest::minute_quota(retry_after), Spent::Minute), limits)
        }
        Quota::Day { limits } => {
            (Rest { until: now.next_los_angeles_midnight(), spent: Spent::Day }, limits)
        }
        Quota::Unavailable => (after(rest::UNAVAILABLE, Spent::Unavailable), Limits::default()),
    }
}
