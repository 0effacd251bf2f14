//! What follows from a fault, for whom it is of.
//!
//! Invariant: a total function of the blame, without a catch-all arm; what is not the fault of a key
//! or its project leaves both alone.

use std::time::Duration;

use super::{
    Lease, Pool,
    kin::Refusal,
    model::{Failure, Rest, Spent},
    outage::{Failing, Others},
    rest::{self, Doubt},
    slices::Sharing,
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
            // It may be the way there that lost the key: a second look decides.
            Blame::Key(KeyFault::Unauthorized)
                if self.roster.strike(slot, lease.reserved.begun, now) =>
            {
                self.checks.enlist_first(lease.key, now);
                self.doubt(Doubt::Refusal, None, project, lease, now);
            }
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

    /// Notes a refusal that what was sent with these keys does not explain: others may share their
    /// project.
    pub(super) fn compare_refusal(
        &mut self,
        quota: Quota,
        slot: usize,
        project: usize,
        lease: &Lease,
        now: Timestamp,
    ) {
        let is_untagged = self.roster.key(slot).is_some_and(|key| key.project.is_none());
        let Some(model) = self.models.at(lease.place).filter(|_| is_untagged) else { return };
        let used = model.used(project, now);
        let is_left = |limit: Option<u64>, used: u64| limit.is_some_and(|limit| used < limit);
        let is_unexplained = match quota {
            Quota::Minute { limits, .. } => {
                is_left(limits.requests_per_minute, used.requests_in_minute)
            }
            Quota::Day { limits } => is_left(limits.requests_per_day, used.requests_in_day),
            Quota::Unavailable => false,
        };
        if !is_unexplained || !self.limits.infer_projects {
            return;
        }
        let (Rest { until, .. }, limits) = consequence(quota, now);
        let told_until = match quota {
            Quota::Minute { retry_after, .. } => {
                model.slow_down(project, limits.requests_per_minute.unwrap_or(0), now);
                retry_after.filter(|wait| !wait.is_zero()).map(|_| until)
            }
            Quota::Day { .. } | Quota::Unavailable => None,
        };
        // What other instances send explains it as well, but not that two are told one moment.
        if self.limits.sharing == Sharing::Alone || told_until.is_some() {
            let refusal = Refusal { until, told_until };
            self.kin.note_refused(lease.key, lease.place.number(), refusal, now);
        }
    }

    /// Makes a project doubtful for a model; or the model for all projects, if several fail alike.
    fn doubt(
        &mut self,
        doubt: Doubt,
        retry_after: Option<Duration>,
        project: usize,
        lease: &Lease,
        now: Timestamp,
    ) {
        let (begun, roll) = (lease.reserved.begun, lease.roll);
        let number = lease.place.number();
        let Some(model) = self.models.at(lease.place) else { return };
        model.wake(&self.roster, now);
        if model.outage.is_closed() && self.outage.is_closed() {
            let failure = Failure { doubt, retry_after, begun, roll };
            model.doubt(project, failure, &self.roster, now);
        }
        let others = model.others(now);
        let tries = lease.reserved.tries;
        let failing = Failing { project, model: number, begun, at: now, tries };
        let all_fail = match doubt {
            Doubt::Refusal => return,
            Doubt::Capacity => false,
            Doubt::Service => self.outage.failed(failing, Others::Ready, 2, roll),
        };
        if model.outage.failed(failing, others, 1, roll) || all_fail {
            let (own, all) = (model.outage.projects(), self.outage.projects());
            let innocent: Vec<_> = own.chain(all).collect();
            for project in innocent {
                model.absolve(project, &self.roster, now);
            }
            // Who was doubted before may be the one that is spared.
            model.reconsider(&self.roster, now);
        }
    }

    /// Draws the consequences of a good answer.
    pub(super) fn trust(&mut self, project: usize, lease: &Lease, now: Timestamp) {
        let begun = lease.reserved.begun;
        self.roster.clear_strike(lease.key);
        self.outage.succeeded(begun, now);
        if let Some(model) = self.models.at(lease.place) {
            model.outage.succeeded(begun, now);
            model.trust(project, begun, &self.roster, now);
        }
    }

    /// Lets another request try what this one tried and told nothing of.
    pub(super) fn release(&mut self, project: usize, lease: &Lease, now: Timestamp) {
        if !lease.reserved.tries {
            return;
        }
        self.outage.release(now);
        if let Some(model) = self.models.at(lease.place) {
            model.outage.release(now);
            model.release(project, &self.roster, now);
        }
    }

    pub(super) fn kill(&mut self, slot: usize, fault: KeyFault, now: Timestamp) {
        self.roster.kill(slot, fault, now);
        if let Some(key) = self.roster.key(slot) {
            self.checks.enlist(key.id, now);
        }
        for model in self.models.all_mut() {
            model.refresh_slot(slot, &self.roster, now);
        }
    }

    pub(super) fn shut(&mut self, project: usize, fault: ProjectFault, now: Timestamp) {
        self.roster.shut(project, rest::shut(fault, now), now);
        let first = self.roster.slots_of(project).first();
        if let Some(key) = first.and_then(|slot| self.roster.key(*slot)) {
            self.checks.enlist(key.id, now);
        }
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
