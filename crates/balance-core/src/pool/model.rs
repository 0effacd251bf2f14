//! What one model's quotas, and Google's service for it, say of the projects in the pool.
//!
//! Invariant: a slot is in `ready` exactly if it is open, of a tier that serves the model, and its
//! project neither rests nor is doubtful here. Every open project that does stands in one of the two timer lists, once, under the
//! time at which that ends. A project without a cell is ready. One that was not refused but has
//! filled its bucket rests too: see `metering`.

mod cell;
mod health;
mod metering;
mod pace;
mod pick;

use std::{collections::BTreeSet, mem, time::Duration};

use self::cell::{Cell, Standing};
pub use self::cell::{Doubted, Rest, Spent};
pub(super) use self::{
    cell::{Failure, View},
    metering::Reserved,
};
use super::{
    bucket::{Bucket, Record, Used, WINDOW},
    estimate::Correction,
    limits::{ModelLimits, PoolLimits},
    numbers::ByProject,
    outage::{Others, Outage},
    pages::Pages,
    rank::Ranks,
    roster::Roster,
    slices::Sharing,
    strategy::Strategy,
};
use crate::{fault::Limits, key::Tier, time::Timestamp};

/// How many projects come back at a time, while others are ready.
const WOKEN_AT_ONCE: usize = 2;

/// The pool as one model sees it.
#[derive(Debug)]
pub(super) struct Model {
    ready: Ranks,
    /// Whether paid keys serve it.
    takes_paid: bool,
    cells: Pages<Cell>,
    /// Projects out of quota.
    resting: BTreeSet<(Timestamp, usize)>,
    /// Projects that are tried last.
    doubtful: BTreeSet<(Timestamp, usize)>,
    /// Whether its requests count against quotas. Those that name no model do not.
    is_metered: bool,
    limits: ModelLimits,
    /// What each project was asked.
    buckets: Pages<Bucket>,
    /// Until when what is presumed of limits is not put to the test.
    presumes_until: Timestamp,
    pub(super) correction: Correction,
    /// What this instance holds of quotas that it shares with others.
    slices: ByProject<Limits>,
    /// Which projects were asked since that was last looked at.
    touched: BTreeSet<usize>,
    sharing: Sharing,
    /// Whether it fails everywhere.
    pub(super) outage: Outage,
}

/// What is known of a project, for those who keep it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) project: usize,
    pub(super) rest: Option<Rest>,
    pub(super) doubt: Option<Doubted>,
    pub(super) sent: Option<Record>,
    pub(super) told: Option<(Limits, Timestamp)>,
}

impl Model {
    /// A model of which nothing is known but its name, which is empty for requests without one.
    pub(super) fn new(
        name: &str,
        strategy: Strategy,
        limits: &PoolLimits,
        roster: &Roster,
    ) -> Self {
        let takes_paid = limits.paid_models.contain(name);
        let (cells, resting, doubtful, buckets, correction) = Default::default();
        Self {
            ready: Ranks::new(strategy, roster, takes_paid),
            takes_paid,
            cells,
            resting,
            doubtful,
            is_metered: !name.is_empty(),
            limits: ModelLimits::new(name, limits),
            buckets,
            presumes_until: Timestamp::default(),
            correction,
            slices: ByProject::default(),
            touched: BTreeSet::new(),
            sharing: limits.sharing,
            outage: Outage::default(),
        }
    }

    /// The first moment at which a project comes back, or ceases to be doubtful.
    pub(super) fn next_change(&self) -> Option<Timestamp> {
        let first = |timers: &BTreeSet<(Timestamp, usize)>| timers.first().map(|(until, _)| *until);
        first(&self.resting).into_iter().chain(first(&self.doubtful)).min()
    }

    /// The first moment at which one of the projects that `counts` says yes to comes back, or ceases
    /// to be doubtful.
    pub(super) fn next_of(&self, counts: impl Fn(usize) -> bool) -> Option<Timestamp> {
        let first = |timers: &BTreeSet<(Timestamp, usize)>| {
            timers.iter().find(|(_, project)| counts(*project)).map(|(until, _)| *until)
        };
        first(&self.resting).into_iter().chain(first(&self.doubtful)).min()
    }

    /// The project whose quota comes back first, and when.
    pub(super) fn first_resting(&self) -> Option<(Timestamp, usize)> {
        self.resting.first().copied()
    }

    /// The first moment at which a key is in good standing, if nothing happens until then.
    pub(super) fn next_ready(&self, roster: &Roster, now: Timestamp) -> Option<Timestamp> {
        if !self.ready.is_empty() {
            return Some(now);
        }
        let mut first = self.next_change();
        for (reopens, project) in roster.reopenings() {
            if first.is_some_and(|first| first <= reopens) {
                break;
            }
            if !self.serves(project, roster) {
                continue;
            }
            let quota = self.cells.of(project).and_then(|cell| cell.quota);
            let full = self.full_until(project, roster, reopens);
            let ready = quota.map(|rest| rest.until).max(full).map_or(reopens, |t| t.max(reopens));
            first = Some(first.map_or(ready, |first| first.min(ready)));
        }
        first
    }

    /// Lets come back whatever is due; whether anything was.
    pub(super) fn wake(&mut self, roster: &Roster, now: Timestamp) -> bool {
        let mut woken = false;
        while self.wake_one(roster, now) {
            woken = true;
        }
        woken
    }

    /// Lets come back some of what is due: more than one request can put out, and not all at once.
    pub(super) fn wake_some(&mut self, roster: &Roster, now: Timestamp) {
        for _ in 0..WOKEN_AT_ONCE {
            if !self.wake_one(roster, now) {
                return;
            }
        }
    }

    /// Lets come back one project that is due; whether there was any.
    fn wake_one(&mut self, roster: &Roster, now: Timestamp) -> bool {
        let is_due = |timer: &&(Timestamp, usize)| timer.0 <= now;
        let resting = self.resting.first().filter(is_due);
        let due = resting.or_else(|| self.doubtful.first().filter(is_due)).copied();
        let Some((_, project)) = due else { return false };
        self.refresh(project, roster, now);
        true
    }

    /// Lets the project of a slot come back if it is due.
    pub(super) fn wake_slot(&mut self, slot: usize, roster: &Roster, now: Timestamp) {
        let Some(project) = roster.project_of(slot) else { return };
        let is_due = |cell: &Cell| match cell.listed {
            Standing::Ready => false,
            Standing::Doubtful(until) | Standing::Resting(until) => until <= now,
        };
        if self.cells.of(project).is_some_and(is_due) {
            self.refresh(project, roster, now);
        }
    }

    /// Puts a project out until its quota is back.
    pub(super) fn rest(&mut self, project: usize, rest: Rest, roster: &Roster, now: Timestamp) {
        let cell = self.cells.enter(project);
        if cell.quota.is_none_or(|old| old.until < rest.until) {
            cell.quota = Some(rest);
            cell.changed = now;
        }
        self.refresh(project, roster, now);
    }

    /// Follows a change of one slot in the roster.
    pub(super) fn refresh_slot(&mut self, slot: usize, roster: &Roster, now: Timestamp) {
        let is_ready = self.is_ready(slot, roster);
        self.ready.mark(slot, is_ready, roster);
        if let Some(project) =
            roster.project_of(slot).filter(|project| !self.is_open(*project, roster))
        {
            self.refresh(project, roster, now);
        }
    }

    /// Brings sets and lists in line with what is known of a project at this time.
    pub(super) fn refresh(&mut self, project: usize, roster: &Roster, now: Timestamp) {
        let mut before = Standing::Ready;
        let mut standing = Standing::Ready;
        let full = self.full_until(project, roster, now);
        if full.is_some() {
            self.cells.enter(project);
            self.touch(project);
        }
        let is_open = self.is_open(project, roster);
        if let Some(cell) = self.cells.of_mut(project) {
            cell.expire(now);
            cell.full = full;
            standing = cell.standing();
            let listed = if is_open { standing } else { Standing::Ready };
            before = mem::replace(&mut cell.listed, listed);
            if cell.is_blank() {
                self.cells.remove(project);
            }
            self.list(project, before, listed);
        }
        if before != Standing::Ready && standing != Standing::Ready && is_open {
            return; // Its slots were taken out already.
        }
        for slot in roster.slots_of(project) {
            let is_ready = standing == Standing::Ready && is_open && roster.open().contains(*slot);
            self.ready.mark(*slot, is_ready, roster);
        }
    }

    /// The same knowledge for another roster, in which the projects have the numbers given. Those that
    /// were `parted` from another one rest as that does.
    pub(super) fn move_to(
        &mut self,
        roster: &Roster,
        numbers: &[Option<usize>],
        parted: &[(usize, usize)],
        strategy: Strategy,
        now: Timestamp,
    ) {
        let number = |project: usize| numbers.get(project).copied().flatten();
        self.ready = Ranks::new(strategy, roster, self.takes_paid);
        (self.resting, self.doubtful) = Default::default();
        self.limits.renumber(numbers);
        self.outage.renumber();
        // They are exchanged anew.
        (self.slices, self.touched) = Default::default();
        // Projects that turned out to be one have one number.
        for (project, bucket) in mem::take(&mut self.buckets).into_iter() {
            if let Some(project) = number(project) {
                self.buckets.enter(project).absorb(bucket, now);
            }
        }
        let old = mem::take(&mut self.cells);
        for (old, new) in parted.iter().filter_map(|(from, to)| Some((old.of(*from)?, *to))) {
            self.cells.enter(new).quota = old.quota;
        }
        for (project, mut cell) in old.into_iter() {
            if let Some(project) = number(project) {
                cell.listed = Standing::Ready;
                self.cells.enter(project).absorb(&cell);
            }
        }
        self.refresh_all(roster, now);
    }

    /// Follows a clock that was put back to `now`. What was over by then does not begin again.
    pub(super) fn rewind(&mut self, by: Duration, roster: &Roster, now: Timestamp) {
        for cell in self.cells.values_mut() {
            cell.expire(now + by);
            cell.rewind(by, now);
        }
        self.rewind_buckets(by, now);
        self.presumes_until = self.presumes_until.before(by);
        self.outage.rewind(by);
        self.refresh_all(roster, now);
    }

    /// Brings all projects in line, after something that concerns all.
    fn refresh_all(&mut self, roster: &Roster, now: Timestamp) {
        let mut projects: Vec<_> = self.cells.projects().chain(self.buckets.projects()).collect();
        projects.sort_unstable();
        projects.dedup();
        for project in projects {
            self.refresh(project, roster, now);
        }
    }

    /// How many keys are ready, and how many doubtful.
    pub(super) fn counts(&self, roster: &Roster) -> (usize, usize) {
        let is_open = |slot: &&usize| roster.open().contains(**slot);
        let open_in = |project| roster.slots_of(project).iter().filter(is_open).count();
        let doubtful = self.doubtful.iter().map(|(_, project)| open_in(*project)).sum();
        (self.ready.len(), doubtful)
    }

    /// Whether no key is in good standing.
    pub(super) const fn has_none_ready(&self) -> bool {
        self.ready.is_empty()
    }

    /// What there is beside a project that fails.
    pub(super) fn others(&self, now: Timestamp) -> Others {
        let is_back_soon = |(until, _): &(Timestamp, usize)| *until <= now + WINDOW;
        match self.resting.first() {
            _ if !self.ready.is_empty() => Others::Ready,
            Some(first) if is_back_soon(first) => Others::Awaited,
            Some(_) | None => Others::None,
        }
    }

    /// How many open keys are kept for other models.
    pub(super) fn reserved(&self, roster: &Roster) -> usize {
        if self.takes_paid {
            return 0;
        }
        roster.paid().iter().filter(|slot| roster.open().contains(*slot)).count()
    }

    /// Whether nothing is known that a new one would not know, but for what was counted.
    pub(super) fn is_blank(&self) -> bool {
        self.cells.is_empty() && self.limits.is_blank()
    }

    pub(super) fn is_ready(&self, slot: usize, roster: &Roster) -> bool {
        let Some(project) = roster.project_of(slot) else { return false };
        roster.open().contains(slot)
            && self.serves(project, roster)
            && self.cells.of(project).is_none_or(|cell| cell.standing() == Standing::Ready)
    }

    /// Whether a slot is as good as any.
    pub(super) fn favours(&self, slot: usize) -> bool {
        self.ready.favours(slot)
    }

    /// Whether keys of a project are used for this model at all.
    pub(super) fn serves(&self, project: usize, roster: &Roster) -> bool {
        self.takes_paid || roster.tier_of(project) == Tier::Free
    }

    fn is_open(&self, project: usize, roster: &Roster) -> bool {
        roster.is_open(project) && self.serves(project, roster)
    }

    /// What changed since a time, and what counts now of it; of what was sent only if `whole`.
    pub(super) fn changed(&mut self, since: Timestamp, whole: bool, now: Timestamp) -> Vec<Known> {
        let sent = self.buckets.iter().filter(|(_, bucket)| whole && bucket.changed() >= since);
        let rested = self.cells.iter().filter(|(_, cell)| cell.changed >= since);
        let tells = |cell: &Cell| cell.quota.is_some() || cell.doubted().is_some();
        let rested = rested.filter(|(_, cell)| tells(cell)).map(|(project, _)| project);
        let projects: BTreeSet<_> = sent.map(|(project, _)| project).chain(rested).collect();
        let known = projects.into_iter().map(|project| Known {
            project,
            rest: self.cells.of(project).and_then(|cell| cell.quota),
            doubt: self.cells.of(project).and_then(Cell::doubted),
            sent: self.buckets.of_mut(project).filter(|_| whole).map(|bucket| bucket.record(now)),
            told: self.limits.told_until(project, now),
        });
        known.collect()
    }

    /// Until when the last that Google said of a project's limits is believed.
    pub(super) fn told_until(&self, project: usize, now: Timestamp) -> Option<Timestamp> {
        self.limits.told_until(project, now).map(|(_, until)| until)
    }

    /// Counts what was sent elsewhere, or before.
    pub(super) fn recall_sent(&mut self, project: usize, sent: &Record, now: Timestamp) {
        if self.is_metered {
            self.buckets.enter(project).recall(sent, now);
        }
    }

    /// How a project that is open stands.
    pub(super) fn view(&self, project: usize) -> View {
        let Some(cell) = self.cells.of(project) else { return View::Ready };
        match cell.standing() {
            Standing::Ready => View::Ready,
            Standing::Doubtful(until) => View::Doubtful(until),
            Standing::Resting(until) => View::Resting(cell.why_resting(), until),
        }
    }

    /// What counts of a project's quotas.
    pub(super) fn used(&mut self, project: usize, now: Timestamp) -> Used {
        self.buckets.of_mut(project).map_or_else(Used::default, |bucket| bucket.used(now))
    }

    /// Moves a project from one place in the timer lists to another.
    fn list(&mut self, project: usize, before: Standing, after: Standing) {
        match before {
            Standing::Ready => false,
            Standing::Doubtful(until) => self.doubtful.remove(&(until, project)),
            Standing::Resting(until) => self.resting.remove(&(until, project)),
        };
        match after {
            Standing::Ready => false,
            Standing::Doubtful(until) => self.doubtful.insert((until, project)),
            Standing::Resting(until) => self.resting.insert((until, project)),
        };
    }
}

#[cfg(test)]
impl Model {
    /// Panics unless sets and lists are as the module promises.
    pub(super) fn check(&self, roster: &Roster) {
        for slot in 0..roster.len() {
            assert_eq!(self.ready.contains(slot), self.is_ready(slot, roster), "slot {slot}");
        }
        let mut listed = 0;
        for (project, cell) in self.cells.iter() {
            let expected =
                if self.is_open(project, roster) { cell.standing() } else { Standing::Ready };
            assert_eq!(cell.listed, expected, "project {project}");
            match cell.listed {
                Standing::Ready => continue,
                Standing::Doubtful(until) => assert!(self.doubtful.contains(&(until, project))),
                Standing::Resting(until) => assert!(self.resting.contains(&(until, project))),
            }
            listed += 1;
        }
        assert_eq!(self.resting.len() + self.doubtful.len(), listed);
    }
}
