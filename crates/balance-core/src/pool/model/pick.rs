//! The choice of a key for one request.
//!
//! Invariant: what is given is ready, untried and has room for the request; failing that, it is the
//! least doubtful one. What is due comes back before it would be missed.

use super::{Model, Roster, View, metering};
use crate::{
    pool::{Why, slots::reroll},
    time::Timestamp,
};

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
        self.wake_some(roster, now);
        if let Some(slot) = prefer {
            self.wake_slot(slot, roster, now);
        }
        let mut picked = self.pick_beside(prefer, tried, tokens, roster, now, roll);
        let is_free = |slot| !roster.paid().contains(slot);
        if !picked.is_ok_and(is_free) && self.wake(roster, now) {
            picked = self.pick_beside(prefer, tried, tokens, roster, now, roll);
        }
        picked.or_else(|room| self.least_doubtful(tried, tokens, roster, now).ok_or(room))
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
}
