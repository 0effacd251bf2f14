//! Which key carries a request: a state machine over keys, projects and models.
//!
//! Invariant: no clock, no chance and no I/O in here; a key is given out only while nothing known
//! speaks against it, or, if nothing better is left, while it is merely doubtful. A pick takes the
//! same time however many keys there are.
//!
//! The parts: `Roster` knows who is in the pool and who is out for all models, `Model` what one
//! model's quotas say of each project, `Bucket` what was sent of it, `ModelLimits` how much that may
//! be, `Correction` how large a request is, `Rotation` whose turn it is, `Leases` what is under way.

mod ask;
mod beside;
mod bucket;
mod census;
mod checks;
mod consequence;
mod estimate;
mod explain;
mod kin;
mod leases;
mod limits;
mod memory;
mod model;
mod models;
mod numbers;
mod oddity;
mod outage;
mod pages;
mod rank;
mod renewal;
mod rest;
mod roster;
mod slices;
mod slots;
mod strategy;

use std::time::Duration;

pub use ask::{Ask, Lease, Resting, Why};
use balance_dialect::summary::Usage;
pub use beside::Bottleneck;
pub use bucket::Record;
pub use census::Census;
pub use estimate::{Sizes, guess_tokens};
pub use explain::{Candidate, Explanation, Level, Levels, Standing};
pub use limits::{KeyLimits, LEARNED_FOR, LearnedLimits, PaidModels, PoolLimits};
pub use memory::{Fact, MEMORY_VERSION, Mark, Memory};
pub use model::{Doubted, Rest, Spent};
pub use slices::{Claim, Holding, Ledger, MOST_GONE, Quotum, ROUND, Sharing, Slice, TERM};
pub use strategy::{Strategy, UnknownStrategy};

use self::{
    checks::Checks,
    estimate::Expected,
    kin::{Kinship, Test},
    leases::Leases,
    model::{Model, Reserved},
    models::{Models, Place},
    oddity::{Oddities, Oddity},
    outage::Outage,
    roster::Roster,
};
use crate::{
    fault::{Blame, Fault, Limits},
    key::{Key, KeyId, Tier},
    secret::Secret,
    time::Timestamp,
};

/// How long a lease counts as under way if it is not settled. A longer answer only seems to be over
/// earlier.
const LEASE_TIME: Duration = Duration::from_secs(600);

/// How far the clock may seem to go back because requests bring their times out of order.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);

/// The keys of one operator, or of one caller, and all that is known of them.
#[derive(Debug)]
pub struct Pool {
    strategy: Strategy,
    limits: PoolLimits,
    roster: Roster,
    models: Models,
    leases: Leases,
    /// Whether all models fail: then it is the region or the way there.
    outage: Outage,
    checks: Checks,
    kin: Kinship,
    oddities: Oddities,
    /// The latest time that was told.
    latest: Timestamp,
}

impl Pool {
    /// A pool of these keys; of several with one id the first counts.
    #[must_use]
    pub fn new(keys: Vec<Key>, strategy: Strategy) -> Self {
        Self {
            strategy,
            limits: PoolLimits::default(),
            roster: Roster::new(keys, strategy == Strategy::Weighted, &Kinship::default()),
            models: Models::default(),
            leases: Leases::default(),
            outage: Outage::default(),
            checks: Checks::default(),
            kin: Kinship::default(),
            oddities: Oddities::default(),
            latest: Timestamp::default(),
        }
    }

    /// The same pool, new and unused, with limits that the operator knows of.
    #[must_use]
    pub fn with_limits(mut self, limits: PoolLimits) -> Self {
        self.roster.set_limits(&limits.by_key);
        let kin = Kinship::of(if limits.infer_projects { self.roster.untagged() } else { 0 });
        Self { limits, kin, ..self }
    }

    /// Gives a key for one request. `roll` is chance.
    ///
    /// # Errors
    /// Says when the first key is ready for this model, and why none is now.
    pub fn select(&mut self, ask: &Ask<'_>, now: Timestamp, roll: u64) -> Result<Lease, Resting> {
        let now = self.advance(now);
        let place = self.enter(ask.model);
        let roster = &self.roster;
        let prefer = ask.prefer.and_then(|id| roster.slot_of(id));
        let under_way = self.leases.len();
        let tried = ask.tried.iter().filter_map(|id| roster.slot_of(*id));
        let Some(model) = self.models.at(place) else { return Err(self.resting(place, now)) };
        let outage = self.outage.blocked_until(now).max(model.outage.blocked_until(now));
        if outage.is_some() && !ask.is_last_chance {
            return Err(Resting { until: outage, why: Why::Outage });
        }
        let Expected { tokens, most } = model.expect_tokens(ask.tokens);
        let held = ask.holder.and_then(|id| roster.slot_of(id));
        let test = match held {
            Some(_) => None,
            None => self.kin.next_test(place.number(), now),
        };
        let suspect = match test {
            Some(Test::Suspect(key)) => roster.slot_of(key),
            Some(Test::KinOf(_)) | None => None,
        };
        let prefer = prefer.or(suspect).or_else(|| {
            let conversation = ask.conversation.filter(|_| !self.strategy.has_order())?;
            let slot = roster.key_of_conversation(conversation)?;
            model.wake_slot(slot, roster, now);
            (model.favours(slot) && !roster.loads().is_crowded(slot, under_way)).then_some(slot)
        });
        let kin = match test {
            Some(Test::KinOf(key)) if ask.tried.is_empty() => roster.kin_of(key),
            Some(_) | None => None,
        };
        let picked = match (held, kin) {
            (Some(slot), _) => {
                let picked = model.pick_of(slot, &tried, most, roster, now);
                Ok(picked.map_err(|(until, why)| Resting { until, why })?)
            }
            (None, Some(slot)) => Ok(slot),
            (None, None) => model.pick(prefer, &tried, most, roster, now, roll),
        };
        let slot = match picked {
            Ok(slot) => slot,
            Err(None) => return Err(self.resting(place, now)),
            Err(Some(room)) => {
                let until = model.next_change().map_or(room, |change| room.min(change));
                return Err(Resting { until: Some(until), why: Why::AllResting });
            }
        };
        let Some(project) = roster.project_of(slot) else {
            return Err(self.resting(place, now));
        };
        let tries = model.begin(project, tokens, roster, now) | self.outage.begin(now);
        let number = self.leases.begin(slot, now + LEASE_TIME);
        self.roster.loads_mut().begin(slot, number, now);
        let reserved = Reserved { begun: now, guess: ask.tokens, tokens, tries };
        let Some(key) = self.roster.key(slot) else { return Err(self.resting(place, now)) };
        let (key, secret) = (key.id, key.secret.clone());
        Ok(Lease { key, secret, number, place, reserved, roll })
    }

    /// Notes that an answer begins well, long before it may end.
    pub fn note_opened(&mut self, lease: &Lease, now: Timestamp) {
        let now = self.advance(now);
        if let Some(project) =
            self.roster.slot_of(lease.key).and_then(|slot| self.roster.project_of(slot))
        {
            self.trust(project, lease, now);
        }
    }

    /// Ends a lease with what came of it: a good answer and what it took, or a fault and its
    /// consequences.
    pub fn settle(&mut self, mut lease: Lease, outcome: Result<Usage, &Fault>, now: Timestamp) {
        let now = self.advance(now);
        let Some(Ended { slot, project, was_out }) = self.end(&mut lease) else { return };
        let model = self.models.at(lease.place);
        match outcome {
            Ok(usage) => {
                if let Some(model) = model.filter(|_| was_out) {
                    let counted = usage.prompt_tokens;
                    model.settle(project, lease.reserved, counted, &self.roster, now);
                }
                self.kin.note_served(lease.key, lease.place.number(), lease.reserved.begun, now);
                self.trust(project, &lease, now);
            }
            Err(fault) => {
                if let Some(model) = model.filter(|_| was_out && !fault.blame.is_counted()) {
                    model.wake(&self.roster, now);
                    model.refund(project, lease.reserved, &self.roster, now);
                }
                self.release(project, &lease, now);
                self.oddities.note_fault(fault);
                if let Blame::Quota(quota) = fault.blame {
                    self.compare_refusal(quota, slot, project, &lease, now);
                }
                self.blame(fault.blame, slot, project, &lease, now);
                let is_untagged = self.roster.key(slot).is_some_and(|key| key.project.is_none());
                if let Some(number) = fault.project_number.filter(|_| is_untagged) {
                    self.kin.note_number(lease.key, number, now);
                }
            }
        }
        if let Some(model) = self.models.at(lease.place) {
            model.prepare_pick(&self.roster, now);
        }
    }

    /// Ends a lease of which nothing can be learned, because the caller left. What was sent counts.
    pub fn cancel(&mut self, mut lease: Lease, now: Timestamp) {
        let now = self.advance(now);
        if let Some(Ended { project, .. }) = self.end(&mut lease) {
            self.release(project, &lease, now);
        }
    }

    /// Ends a lease by which nothing was sent: it never took anything of the quota.
    pub fn give_back(&mut self, mut lease: Lease, now: Timestamp) {
        let now = self.advance(now);
        let Some(Ended { project, was_out, .. }) = self.end(&mut lease) else { return };
        self.release(project, &lease, now);
        if let Some(model) = self.models.at(lease.place).filter(|_| was_out) {
            model.wake(&self.roster, now);
            model.refund(project, lease.reserved, &self.roster, now);
        }
    }

    /// The first moment after `now` at which time alone changes which keys are ready, doubtful or
    /// out; `None` if that never happens. Every other call may change it.
    pub fn next_change(&mut self, now: Timestamp) -> Option<Timestamp> {
        let now = self.advance(now);
        for model in self.models.all_mut() {
            model.wake(&self.roster, now);
        }
        let reopening = self.roster.reopenings().map(|(until, _)| until).next();
        self.models.all().filter_map(Model::next_change).chain(reopening).min()
    }

    /// The first moment at which a key is ready for a model, as far as known now; `None` if none
    /// comes back by itself.
    pub fn next_ready(&mut self, model: Option<&str>, now: Timestamp) -> Option<Timestamp> {
        let now = self.advance(now);
        let place = self.enter(model);
        let model = self.models.at(place)?;
        model.wake(&self.roster, now);
        let outage = self.outage.blocked_until(now).max(model.outage.blocked_until(now));
        Some(model.next_ready(&self.roster, now)?.max(outage.unwrap_or(now)))
    }

    /// Whether nothing is sent to a model now, because it fails with all keys alike.
    pub fn is_blocked(&mut self, model: Option<&str>, now: Timestamp) -> bool {
        let now = self.advance(now);
        let model = self.models.find(model).and_then(|model| model.outage.blocked_until(now));
        model.or_else(|| self.outage.blocked_until(now)).is_some()
    }

    /// The first moment at which a key comes back for this request that it has not tried; `None` if
    /// none does by itself. For requests that have tried some, and found no other to be ready.
    pub fn next_untried(&mut self, ask: &Ask<'_>, now: Timestamp) -> Option<Timestamp> {
        let now = self.advance(now);
        let place = self.enter(ask.model);
        let roster = &self.roster;
        let model = self.models.at(place)?;
        model.wake(roster, now);
        let is_tried = |slot: usize| ask.tried.iter().any(|id| roster.slot_of(*id) == Some(slot));
        let held = ask.holder.and_then(|id| roster.project_of(roster.slot_of(id)?));
        let can_serve = |slot: usize| held.is_none() || roster.project_of(slot) == held;
        let is_left =
            |slot: &usize| roster.open().contains(*slot) && can_serve(*slot) && !is_tried(*slot);
        let outage = self.outage.look_again(now).max(model.outage.look_again(now));
        // In an outage there are keys that are ready, and are not given.
        let is_kept = |slot: usize| is_left(&slot) && model.is_ready(slot, roster);
        if outage.is_some() && !model.has_none_ready() && roster.open().iter().any(is_kept) {
            return outage;
        }
        let next = model.next_of(|project| roster.slots_of(project).iter().any(is_left))?;
        Some(next.max(outage.unwrap_or(now)))
    }

    /// The text of a key of this pool.
    #[must_use]
    pub fn secret_of(&self, key: KeyId) -> Option<&Secret> {
        self.roster.key(self.roster.slot_of(key)?).map(|key| &key.secret)
    }

    /// Whether any key may be used, now or once its quota is back.
    #[must_use]
    pub fn has_open_keys(&self) -> bool {
        !self.roster.open().is_empty()
    }

    /// How many requests are under way.
    pub fn in_flight(&mut self, now: Timestamp) -> usize {
        self.advance(now);
        self.leases.slots().count()
    }

    /// The limits in force for a key's project and a model.
    pub fn limits(&mut self, key: KeyId, model: Option<&str>) -> Limits {
        let project = self.roster.slot_of(key).and_then(|slot| self.roster.project_of(slot));
        let place = self.enter(model);
        let (roster, now) = (&self.roster, self.latest);
        let model = self.models.at(place).map(|model| &*model);
        model
            .zip(project)
            .map_or_else(Limits::default, |(m, project)| m.limits(project, roster, now))
    }

    /// What Google said of limits, and is believed still.
    #[must_use]
    pub fn learned_limits(&self, now: Timestamp) -> Vec<LearnedLimits> {
        let mut learned = Vec::new();
        for (name, model) in self.models.named() {
            for (project, tier, limits, until) in model.learned().filter(|told| told.3 > now) {
                let slot = project.and_then(|project| self.roster.slots_of(project).first());
                let key = slot.and_then(|slot| self.roster.key(*slot)).map(|key| key.id);
                let told = project.map_or(Tier::Free, |project| self.roster.tier_of(project));
                let tier = tier.unwrap_or(told);
                learned.push(LearnedLimits { model: name.into(), key, tier, limits, until });
            }
        }
        learned
    }

    fn enter(&mut self, model: Option<&str>) -> Place {
        self.models.enter(model, self.strategy, &self.limits, &self.roster)
    }

    /// Takes note of the time and of what is due. Returns the time that holds.
    fn advance(&mut self, now: Timestamp) -> Timestamp {
        if now + CLOCK_TOLERANCE < self.latest {
            let by = self.latest.since(now);
            self.latest = now;
            self.leases.rewind(by);
            self.outage.rewind(by);
            self.checks.rewind(by);
            self.kin.rewind();
            self.oddities.note(Oddity::ClockPutBack);
            self.roster.rewind(by, now);
            for model in self.models.all_mut() {
                model.rewind(by, &self.roster, now);
            }
        }
        self.latest = self.latest.max(now);
        if self.kin.take_change(self.latest) {
            self.renew(self.roster.keys().cloned().collect(), self.latest);
        }
        while let Some(slot) = self.leases.end_overdue(self.latest) {
            self.roster.loads_mut().end(slot);
        }
        while let Some(project) = self.roster.reopen_due(self.latest) {
            for model in self.models.all_mut() {
                model.refresh(project, &self.roster, self.latest);
            }
        }
        self.latest
    }

    /// Counts a lease back; `None` if its key is gone.
    fn end(&mut self, lease: &mut Lease) -> Option<Ended> {
        if let Some(begun) = self.leases.begun(lease.number, LEASE_TIME) {
            lease.reserved.begun = begun;
        }
        let counted = self.leases.end(lease.number);
        if let Some(slot) = counted {
            self.roster.loads_mut().end(slot);
        }
        let slot = counted.or_else(|| self.roster.slot_of(lease.key))?;
        let project = self.roster.project_of(slot)?;
        Some(Ended { slot, project, was_out: counted.is_some() })
    }

    fn resting(&mut self, place: Place, now: Timestamp) -> Resting {
        let until = self.models.at(place).and_then(|model| model.next_ready(&self.roster, now));
        let usable =
            self.models.at(place).is_some_and(|model| model.counts(&self.roster) != (0, 0));
        let why = match (self.roster.len(), self.roster.open().len()) {
            (0, _) => Why::NoKeys,
            (_, 0) => Why::AllOut,
            (_, _) if usable => Why::AllTried,
            (_, _) if until.is_none() => Why::AllOut,
            (_, _) => Why::AllResting,
        };
        Resting { until, why }
    }
}

/// A lease that ends.
struct Ended {
    /// The slot that its key has now, and the project.
    slot: usize,
    project: usize,
    /// Whether it was not over long ago.
    was_out: bool,
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
