//! How busy each project is.
//!
//! Invariant: what a pick looks at stands close together, four bytes for a key and 16 for a project,
//! so that the caches of a processor hold it for 100,000 of them.

use std::num::NonZeroU32;

use crate::time::Timestamp;

/// The project of each slot, and what each project has to do.
#[derive(Debug, Default)]
pub(in crate::pool) struct Loads {
    owners: Vec<u32>,
    projects: Vec<Load>,
}

/// What one project has to do.
#[derive(Debug, Clone, Copy, Default)]
struct Load {
    in_flight: u32,
    /// How often it was picked in a minute of the clock, and the last digits of which.
    picks: u16,
    minute: u16,
    /// That of its heaviest key.
    weight: u32,
    /// The last digits of the number of the last pick.
    last_pick: u32,
}

impl Loads {
    /// Adds the next slot, a key of a project, which may be the next one.
    pub(super) fn add(&mut self, project: usize, weight: NonZeroU32) {
        self.owners.push(u32::try_from(project).unwrap_or(u32::MAX));
        if project == self.projects.len() {
            self.projects.push(Load::default());
        }
        if let Some(load) = self.projects.get_mut(project) {
            load.weight = load.weight.max(weight.get());
        }
    }

    /// Takes over how often projects were picked, which have the numbers given here.
    pub(super) fn inherit(&mut self, old: &Self, numbers: &[Option<usize>]) {
        for (load, number) in old.projects.iter().zip(numbers) {
            if let Some(heir) = number.and_then(|number| self.projects.get_mut(number)) {
                let Load { picks, minute, last_pick, .. } = *load;
                *heir = Load { picks, minute, last_pick, ..*heir };
            }
        }
    }

    /// The project of each slot.
    pub(super) fn owners(&self) -> &[u32] {
        &self.owners
    }

    pub(super) fn project_of(&self, slot: usize) -> Option<usize> {
        self.owners.get(slot).map(|project| *project as usize)
    }

    /// Whether the project of one slot is less busy than that of another: fewer requests under way and
    /// begun in this minute, as a minute is what most quotas count, for its weight; then the longer
    /// unused one.
    pub(in crate::pool) fn is_less_busy(&self, one: usize, other: usize, now: Timestamp) -> bool {
        let Some((one, other)) = self.of(one).zip(self.of(other)) else { return false };
        let work = |load: &Load, weight: u32| {
            let picks = if load.minute == minute(now) { load.picks } else { 0 };
            let all = u64::from(load.in_flight) + u64::from(picks);
            (all * u64::from(weight), load.last_pick)
        };
        work(one, other.weight) < work(other, one.weight)
    }

    /// Whether far more requests are under way on the project of a slot than on others.
    pub(in crate::pool) fn is_crowded(&self, slot: usize, under_way: usize) -> bool {
        let mean = under_way as u64 / (self.projects.len() as u64).max(1);
        let own = self.of(slot).map_or(0, |load| u64::from(load.in_flight));
        own > 2 * mean + 2
    }

    /// How many requests are under way on a project.
    pub(in crate::pool) fn in_flight_of(&self, project: usize) -> u64 {
        self.projects.get(project).map_or(0, |load| load.in_flight.into())
    }

    /// Counts a request that begins on a slot; `pick` is its number.
    pub(in crate::pool) fn begin(&mut self, slot: usize, pick: u64, now: Timestamp) {
        let Some(load) = self.of_mut(slot) else { return };
        load.in_flight = load.in_flight.saturating_add(1);
        load.last_pick = u32::try_from(pick & u64::from(u32::MAX)).unwrap_or(0);
        if load.minute != minute(now) {
            (load.picks, load.minute) = (0, minute(now));
        }
        load.picks = load.picks.saturating_add(1);
    }

    /// Counts a request that is still under way after its key got another slot.
    pub(in crate::pool) fn carry(&mut self, slot: usize) {
        if let Some(load) = self.of_mut(slot) {
            load.in_flight = load.in_flight.saturating_add(1);
        }
    }

    /// Counts a request that is over.
    pub(in crate::pool) fn end(&mut self, slot: usize) {
        if let Some(load) = self.of_mut(slot) {
            load.in_flight = load.in_flight.saturating_sub(1);
        }
    }

    fn of(&self, slot: usize) -> Option<&Load> {
        self.projects.get(self.project_of(slot)?)
    }

    fn of_mut(&mut self, slot: usize) -> Option<&mut Load> {
        let project = self.project_of(slot)?;
        self.projects.get_mut(project)
    }
}

fn minute(now: Timestamp) -> u16 {
    u16::try_from((now.unix_seconds() / 60) & u64::from(u16::MAX)).unwrap_or(0)
}

#[cfg(test)]
impl Loads {
    /// Requests under way on all projects.
    pub(in crate::pool) fn in_flight(&self) -> u64 {
        self.projects.iter().map(|load| u64::from(load.in_flight)).sum()
    }
}
