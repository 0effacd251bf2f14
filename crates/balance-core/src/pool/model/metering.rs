//! The counting of what one model's requests take of each project's quota.
//!
//! Invariant: a project has a bucket from its first request on; it stands in the timer list while
//! its bucket has no room for a small request.

use std::{collections::BTreeSet, time::Duration};

use super::{Bucket, Model, Roster};
use crate::{
    fault::Limits,
    key::Tier,
    pool::{
        bucket::WINDOW,
        estimate::Expected,
        numbers::ByProject,
        slices::{self, ROUND, Sharing},
    },
    time::Timestamp,
};

/// How many projects without room for a large request are passed over before it has to wait.
const MOST_PASSED_OVER: usize = 16;

/// What a request that was let through has taken of its project's quota.
#[derive(Debug, Clone, Copy)]
pub(in crate::pool) struct Reserved {
    /// When it was begun.
    pub(in crate::pool) begun: Timestamp,
    /// Its size, as its bytes let guess.
    pub(in crate::pool) guess: u64,
    /// Its size, as the pool expected it.
    pub(in crate::pool) tokens: u64,
    /// Whether it tries what failed lately: its project, or the model everywhere.
    pub(in crate::pool) tries: bool,
}

impl Model {
    /// The tokens that a request will take, judged by those before it.
    pub(in crate::pool) fn expect_tokens(&mut self, guess: u64) -> Expected {
        self.correction.expect(guess)
    }

    /// The tokens of most requests, as they come lately.
    pub(in crate::pool) fn typical_tokens(&self) -> u64 {
        self.correction.typical()
    }

    /// Counts a request that begins; whether it tries what failed lately.
    pub(in crate::pool) fn begin(
        &mut self,
        project: usize,
        tokens: u64,
        roster: &Roster,
        now: Timestamp,
    ) -> bool {
        if self.is_metered {
            self.buckets.enter(project).reserve(tokens, now);
            self.touch(project);
            let is_held = self.hold_next(project, now);
            if is_held || self.full_until(project, roster, now).is_some() {
                self.refresh(project, roster, now);
            }
        }
        let tries_model = self.outage.begin(now);
        self.begin_try(project, roster, now) || tries_model
    }

    /// Notes that a request was served, and the tokens that Gemini counted; zero if it did not say.
    pub(in crate::pool) fn settle(
        &mut self,
        project: usize,
        reserved: Reserved,
        counted: u64,
        roster: &Roster,
        now: Timestamp,
    ) {
        self.correction.learn(reserved.guess, counted);
        self.correction.changed = now;
        let presumed = self.limits.presumed(roster.tier_of(project), now);
        let Some(bucket) = self.buckets.of_mut(project) else { return };
        let actual = if counted == 0 { reserved.tokens } else { counted };
        bucket.settle(reserved.begun, reserved.tokens, actual, now);
        let is_beyond = presumed.is_some_and(|presumed| bucket.contradicts(&presumed));
        bucket.is_beyond_presumption |= is_beyond;
        if is_beyond || actual != reserved.tokens {
            self.recount(project, roster, now);
        }
    }

    /// Takes back a request that Google did not count.
    pub(in crate::pool) fn refund(
        &mut self,
        project: usize,
        reserved: Reserved,
        roster: &Roster,
        now: Timestamp,
    ) {
        if let Some(bucket) = self.buckets.of_mut(project) {
            bucket.refund(reserved.begun, reserved.tokens, now);
            self.recount(project, roster, now);
        }
    }

    /// Keeps limits that Google named. Other projects are looked at anew only if it is news to them.
    pub(in crate::pool) fn learn(
        &mut self,
        project: usize,
        limits: Limits,
        roster: &Roster,
        now: Timestamp,
    ) {
        if !self.limits.learn(project, roster.tier_of(project), limits, now) {
            self.recount(project, roster, now);
            return;
        }
        self.recount_all(roster, now);
    }

    /// The limits in force for a project: no more than this instance holds of them.
    pub(in crate::pool) fn limits(
        &self,
        project: usize,
        roster: &Roster,
        now: Timestamp,
    ) -> Limits {
        let known = self.known_limits(project, roster, now);
        if self.sharing == Sharing::Alone {
            return known;
        }
        self.sharing.usable(known, self.slices.get(&project))
    }

    /// Takes note of how quotas are shared.
    pub(in crate::pool) fn set_sharing(
        &mut self,
        sharing: Sharing,
        roster: &Roster,
        now: Timestamp,
    ) {
        self.sharing = sharing;
        self.recount_all(roster, now);
    }

    /// Gives up all slices.
    pub(in crate::pool) fn let_go(&mut self, roster: &Roster, now: Timestamp) {
        self.slices = ByProject::default();
        self.recount_all(roster, now);
    }

    fn recount_all(&mut self, roster: &Roster, now: Timestamp) {
        let projects: Vec<_> = self.buckets.projects().collect();
        for project in projects {
            self.recount(project, roster, now);
        }
    }

    /// Notes that other instances are to be asked for more of a project's quota, or told of it.
    pub(super) fn touch(&mut self, project: usize) {
        if self.sharing != Sharing::Alone {
            self.touched.insert(project);
        }
    }

    /// Takes slices of shared quotas.
    pub(in crate::pool) fn hold(
        &mut self,
        project: usize,
        slices: Limits,
        roster: &Roster,
        now: Timestamp,
    ) {
        if self.slices.insert(project, slices) != Some(slices) {
            self.recount(project, roster, now);
        }
    }

    /// Gives up what is held of a project's quotas beyond what is wanted.
    pub(in crate::pool) fn give_up(
        &mut self,
        project: usize,
        wanted: Limits,
        roster: &Roster,
        now: Timestamp,
    ) {
        if let Some(held) = self.slices.get(&project).copied() {
            self.hold(project, slices::lesser(held, wanted), roster, now);
        }
    }

    /// The projects that were asked since the last call; or all that anything counts of.
    pub(in crate::pool) fn take_touched(&mut self, all: bool) -> BTreeSet<usize> {
        let touched = std::mem::take(&mut self.touched);
        if all {
            self.buckets.projects().chain(self.slices.keys().copied()).collect()
        } else {
            touched
        }
    }

    /// The limits of a project, as far as known.
    pub(in crate::pool) fn known_limits(
        &self,
        project: usize,
        roster: &Roster,
        now: Timestamp,
    ) -> Limits {
        if !self.is_metered {
            return Limits::default();
        }
        let is_beyond = || self.buckets.of(project).is_some_and(|b| b.is_beyond_presumption);
        let (tier, own) = (roster.tier_of(project), roster.limits_of(project));
        self.limits.of(project, tier, own, is_beyond, now)
    }

    /// Whether what one project is told is held against others, and none but this instance uses them.
    pub(super) fn presumes(&self) -> bool {
        self.limits.presumes() && self.sharing == Sharing::Alone
    }

    /// Whether a project that rests has room by all that it was told itself.
    pub(super) fn is_presumed_full(
        &self,
        project: usize,
        roster: &Roster,
        tokens: u64,
        now: Timestamp,
    ) -> bool {
        let (tier, own) = (roster.tier_of(project), roster.limits_of(project));
        let limits = self.limits.of(project, tier, own, || true, now);
        let is_full = |bucket: &Bucket| bucket.room_at(&limits, tokens, now) > now;
        self.cells.of(project).is_some_and(|cell| cell.quota.is_none() && cell.held().is_none())
            && !self.buckets.of(project).is_some_and(is_full)
    }

    /// What Google said: to which project, or presumed of which tier; and until when it is believed.
    pub(in crate::pool) fn learned(
        &self,
    ) -> impl Iterator<Item = (Option<usize>, Option<Tier>, Limits, Timestamp)> {
        self.limits.learned()
    }

    /// When a project will have room for a small request; `None` if it has.
    pub(super) fn full_until(
        &self,
        project: usize,
        roster: &Roster,
        now: Timestamp,
    ) -> Option<Timestamp> {
        self.cramped_until(project, self.correction.small(), roster, now)
    }

    /// When the project of a slot will have room for this many tokens; `None` if it has.
    pub(super) fn cramped_until(
        &self,
        project: usize,
        tokens: u64,
        roster: &Roster,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if self.limits.is_unlimited() && roster.limits_of(project) == Limits::default() {
            return None;
        }
        if self.holds_none(project) {
            return Some(now + self.next_word());
        }
        let limits = self.limits(project, roster, now);
        if limits == Limits::default() {
            return None;
        }
        let bucket = self.buckets.of(project)?;
        let room = bucket.room_at(&limits, tokens, now);
        if room == now {
            return None;
        }
        let known = self.known_limits(project, roster, now);
        if self.sharing != Sharing::Alone && bucket.room_at(&known, tokens, now) == now {
            // It is others that hold what is left.
            return Some(room.min(now + self.next_word()));
        }
        // A limit may be forgotten before there is room under it.
        let tier = roster.tier_of(project);
        let forgotten = self.limits.next_forgotten(project, tier, now).filter(|at| *at < room);
        Some(
            forgotten
                .map_or(room, |at| self.cramped_until(project, tokens, roster, at).unwrap_or(at)),
        )
    }

    /// How long it takes until there may be more of a quota that others hold.
    const fn next_word(&self) -> Duration {
        match self.sharing {
            Sharing::Slices { .. } => ROUND,
            Sharing::Evenly { .. } | Sharing::Alone => WINDOW,
        }
    }

    /// Whether this instance was given nothing of a quota.
    fn holds_none(&self, project: usize) -> bool {
        let is_zero = |held: &Limits| {
            [held.requests_per_minute, held.requests_per_day, held.tokens_per_minute]
                .contains(&Some(0))
        };
        !self.slices.is_empty() && self.slices.get(&project).is_some_and(is_zero)
    }

    /// Passes over a ready project that has no room for a request of this size. The moment at which
    /// it will have, unless it has, or too many were passed over.
    pub(super) fn pass_over(
        &mut self,
        slot: usize,
        tokens: u64,
        passed_over: &mut Vec<usize>,
        roster: &Roster,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if tokens == 0 {
            return None;
        }
        let project = roster.project_of(slot)?;
        let until = self.cramped_until(project, tokens, roster, now)?;
        for slot in roster.slots_of(project) {
            self.ready.mark(*slot, false, roster);
        }
        passed_over.push(project);
        Some(until)
    }

    /// Lets come back what was passed over.
    pub(super) fn readmit(&mut self, passed_over: &[usize], roster: &Roster) {
        for slot in passed_over.iter().flat_map(|project| roster.slots_of(*project)) {
            let is_ready = self.is_ready(*slot, roster);
            self.ready.mark(*slot, is_ready, roster);
        }
    }

    /// Follows a clock that was put back to `now`.
    pub(super) fn rewind_buckets(&mut self, by: Duration, now: Timestamp) {
        self.limits.rewind(by);
        for bucket in self.buckets.values_mut() {
            bucket.rewind(by, now);
        }
    }

    /// Brings the lists in line with a bucket that has changed.
    fn recount(&mut self, project: usize, roster: &Roster, now: Timestamp) {
        let is_full = self.full_until(project, roster, now);
        let was_full = self.cells.of(project).and_then(|cell| cell.full);
        if is_full != was_full {
            self.refresh(project, roster, now);
        }
        let is_spent = |bucket: &Bucket| !bucket.is_beyond_presumption && bucket.is_empty(now);
        if self.buckets.of(project).is_some_and(is_spent) {
            self.buckets.remove(project);
        }
    }
}

/// Whether as many were passed over as a pick may look at.
pub(super) const fn is_enough(passed_over: &[usize]) -> bool {
    passed_over.len() >= MOST_PASSED_OVER
}
