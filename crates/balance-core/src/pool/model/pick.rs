//! The choice of a key for one request.
//!
//! Invariant: what is given is ready, untried and has room for the request; failing that, it is the
//! least doubtful one. What is due comes back before it would be missed.

use std::{hint::black_box, time::Duration};

use super::{Model, Roster, View, metering};
use crate::{
    pool::{Why, slots::reroll, strategy::PART},
    time::Timestamp,
};

/// How many resting projects are looked at for one that is only presumed to be full, from both ends.
const LOOKED_AT: usize = 8;

/// How long others are taken to be full before the next one is asked.
const NEXT_TEST: Duration = Duration::from_secs(1);

impl Model {
    /// Chooses a ready slot that is not `tried` and has room for so many tokens; failing that, the
    /// least doubtful one.
    ///
    /// # Errors
    /// When there will be room for so many tokens, if that is all that was missing.
    pub(in crate::pool) fn pick(
        &mut self,
        prefer: Option<usize>,
        tried: &(impl Iterator<Item = usize> + Clone),
        tokens: u64,
        roster: &Roster,
        now: Timestamp,
        roll: u64,
    ) -> Result<usize, Option<Timestamp>> {
        // Where many are ready, what is due comes back between the picks.
        if self.ready.len() < PART {
            self.wake_some(roster, now);
        }
        if let Some(slot) = prefer {
            self.wake_slot(slot, roster, now);
        }
        let mut picked = self.pick_beside(prefer, tried, tokens, roster, now, roll);
        let is_free = |slot| !roster.paid().contains(slot);
        if !picked.is_ok_and(is_free) && self.wake(roster, now) {
            picked = self.pick_beside(prefer, tried, tokens, roster, now, roll);
        }
        picked
            .or_else(|room| self.least_doubtful(tried, tokens, roster, now).ok_or(room))
            .or_else(|room| self.presumed_full(tried, tokens, roster, now).ok_or(room))
    }

    /// Does between two picks what the next one need not wait for: lets come back what is due, and
    /// reads what it will look at.
    pub(in crate::pool) fn prepare_pick(&mut self, roster: &Roster, now: Timestamp) {
        self.wake_some(roster, now);
        self.fetch_ahead(roster);
    }

    /// Reads a word of all that is known of a key that is soon to be looked at. Among 100,000 keys none
    /// of it is in the processor's caches; a later pick finds it there.
    fn fetch_ahead(&self, roster: &Roster) {
        let Some(slot) = self.ready.next_in_part() else { return };
        let project = roster.project_of(slot).unwrap_or(0);
        let name = roster.key(slot).map_or(0, |key| key.id.as_u64());
        let words = [
            name,
            roster.loads().in_flight_of(project),
            self.buckets.of(project).map_or(0, |bucket| bucket.first_word().unix_millis()),
            self.cells.of(project).map_or(0, |cell| cell.changed.unix_millis()),
            self.limits.told_at(project).unix_millis(),
        ];
        black_box(words);
    }

    /// Chooses one of those that are back: of another project than those tried, if there is a
    /// free one, as what fails one key of a project may well fail all.
    fn pick_beside(
        &mut self,
        prefer: Option<usize>,
        tried: &(impl Iterator<Item = usize> + Clone),
        tokens: u64,
        roster: &Roster,
        now: Timestamp,
        roll: u64,
    ) -> Result<usize, Option<Timestamp>> {
        if tried.clone().next().is_some() {
            let preferred = prefer.filter(|slot| tried.clone().all(|tried| tried != *slot));
            let preferred = preferred.and_then(|slot| roster.project_of(slot));
            let projects = tried.clone().filter_map(|slot| roster.project_of(slot));
            let others = projects.filter(move |project| Some(*project) != preferred);
            let slots = others.flat_map(|project| roster.slots_of(project)).copied();
            let avoided = tried.clone().chain(slots);
            let picked = self.pick_ready(prefer, &avoided, tokens, roster, now, roll);
            if picked.is_ok_and(|slot| !roster.paid().contains(slot)) {
                return picked;
            }
        }
        self.pick_ready(prefer, tried, tokens, roster, now, roll)
    }

    /// Chooses one of those that are back and not tried.
    fn pick_ready(
        &mut self,
        prefer: Option<usize>,
        tried: &(impl Iterator<Item = usize> + Clone),
        tokens: u64,
        roster: &Roster,
        now: Timestamp,
        roll: u64,
    ) -> Result<usize, Option<Timestamp>> {
        for slot in tried.clone() {
            self.ready.mark(slot, false, roster);
        }
        let (mut passed_over, mut room, mut roll) = (Vec::new(), None, roll);
        let picked = loop {
            let preferred = prefer.filter(|slot| self.ready.contains(*slot));
            let picked = preferred.or_else(|| self.ready.pick(roster, now, roll));
            let Some(slot) = picked else { break None };
            let later = self.pass_over(slot, tokens, &mut passed_over, roster, now);
            let Some(later) = later else { break Some(slot) };
            room = Some(room.map_or(later, |room: Timestamp| room.min(later)));
            if metering::is_enough(&passed_over) {
                break None;
            }
            roll = reroll(roll);
        };
        self.readmit(&passed_over, roster);
        for slot in tried.clone() {
            let is_ready = self.is_ready(slot, roster);
            self.ready.mark(slot, is_ready, roster);
        }
        picked.ok_or(room)
    }

    /// Chooses a key of one project, which alone can serve the request: the one of a slot, or another.
    ///
    /// # Errors
    /// When the project is ready again, if that is known, and why it is not.
    pub(in crate::pool) fn pick_of(
        &mut self,
        slot: usize,
        tried: &(impl Iterator<Item = usize> + Clone),
        tokens: u64,
        roster: &Roster,
        now: Timestamp,
    ) -> Result<usize, (Option<Timestamp>, Why)> {
        let Some(project) = roster.project_of(slot) else { return Err((None, Why::HolderOut)) };
        self.wake_slot(slot, roster, now);
        let all = || [slot].into_iter().chain(roster.slots_of(project).iter().copied());
        let open = || all().filter(|slot| roster.open().contains(*slot));
        if open().next().is_none() {
            let reopens = roster.reopenings().find(|(_, shut)| *shut == project);
            return Err(match reopens {
                Some((until, _)) => (Some(until), Why::AllResting),
                None => (None, Why::HolderOut),
            });
        }
        let until = match self.view(project) {
            View::Resting(_, until) => Some(until),
            View::Ready | View::Doubtful(_) => self.cramped_until(project, tokens, roster, now),
        };
        if until.is_some() {
            return Err((until, Why::AllResting));
        }
        open().find(|slot| tried.clone().all(|tried| tried != *slot)).ok_or((None, Why::AllTried))
    }

    fn least_doubtful(
        &self,
        tried: &(impl Iterator<Item = usize> + Clone),
        tokens: u64,
        roster: &Roster,
        now: Timestamp,
    ) -> Option<usize> {
        let has_room =
            |project: &usize| self.cramped_until(*project, tokens, roster, now).is_none();
        let projects = self.doubtful.iter().map(|(_, project)| *project).filter(has_room);
        projects
            .flat_map(|project| roster.slots_of(project))
            .copied()
            .find(|slot| roster.open().contains(*slot) && tried.clone().all(|tried| tried != *slot))
    }

    /// One that rests only because others were told of a limit: it may have a larger one. Its answer
    /// tells, so a few in a row are enough.
    fn presumed_full(
        &mut self,
        tried: &(impl Iterator<Item = usize> + Clone),
        tokens: u64,
        roster: &Roster,
        now: Timestamp,
    ) -> Option<usize> {
        if self.presumes_until > now || !self.presumes() {
            return None;
        }
        let projects = self.resting.iter().take(LOOKED_AT);
        let projects = projects.chain(self.resting.iter().rev().take(LOOKED_AT));
        let mut projects = projects
            .map(|(_, project)| *project)
            .filter(|p| self.is_presumed_full(*p, roster, tokens, now));
        let slots = projects.find_map(|project| {
            let mut slots = roster.slots_of(project).iter().copied();
            slots.find(|slot| {
                roster.open().contains(*slot) && tried.clone().all(|tried| tried != *slot)
            })
        });
        if slots.is_some() {
            self.presumes_until = now + NEXT_TEST;
        }
        slots
    }
}
