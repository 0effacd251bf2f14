//! Whether a request that failed could have been served.
//!
//! Invariant: it knows all that happens at Google, which no pool does. Where a key that works had room
//! that nobody used before a storm came, or has it still, whoever waited for it failed needlessly.

use std::{collections::HashMap, time::Duration};

use balance_core::time::Timestamp;

use super::{Event, Request, Run, WAY};

/// How often it looks. What is free for as long is not just kept for a request that is on its way, or
/// for one that counts a little longer at a pool than at Google.
const LOOK: Duration = Duration::from_millis(500);

/// Storms change after so many looks.
const LOOKS: u64 = 120;

/// What is seen of quotas.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    looks: u64,
    /// The tokens that each project has room for, by model, as seen last and before that.
    rooms: [Vec<HashMap<usize, u64>>; 2],
    /// What was left at the end of each minute.
    leftovers: Vec<Leftover>,
}

/// What was left at the end of a minute: for each model the tokens of the largest request that a key
/// that works had room for; `None` if there was no such key.
#[derive(Debug)]
struct Leftover {
    at: Timestamp,
    by_model: Vec<Option<u64>>,
}

impl Run<'_> {
    /// Takes note of what is free, and plans to do so again.
    pub(super) fn look(&mut self) {
        let models = 0..self.setting.models.len();
        let rooms = models.clone().map(|model| self.rooms(model)).collect();
        let [last, before] = &mut self.oracle.rooms;
        *before = std::mem::replace(last, rooms);
        if self.oracle.looks.is_multiple_of(LOOKS) {
            let (at, storm) = (self.now, self.now.before(Duration::from_millis(1)));
            let by_model = models.map(|model| self.largest_served(model, storm)).collect();
            self.oracle.leftovers.push(Leftover { at, by_model });
        }
        self.oracle.looks += 1;
        if self.now < self.ends {
            self.plan(LOOK, Event::Look);
        }
    }

    /// Whether a key that works had room for the request while it waited, or has it now.
    pub(super) fn could_be_served(&mut self, request: &Request) -> bool {
        let fits = |largest: Option<u64>| largest.is_some_and(|most| most >= request.tokens);
        // The time in which a try could have begun that would be over by now.
        let way = Duration::from_millis(WAY.end);
        let (from, over) = (request.came + way, self.now.before(way).min(request.patient_until));
        let later = self.oracle.leftovers.iter().rev().skip_while(|left| left.at > over);
        let waited = later.take_while(|left| left.at >= from);
        let mut left = waited.filter_map(|left| left.by_model.get(request.model).copied());
        left.any(fits) || from <= over && fits(self.largest_served(request.model, over))
    }

    /// The tokens of the largest request that some project with a key that works, outside of any
    /// storm, would serve, and would have served when it was looked at lately.
    fn largest_served(&mut self, model: usize, at: Timestamp) -> Option<u64> {
        let now = self.rooms(model);
        let seen = self.oracle.rooms.iter().filter_map(|rooms| rooms.get(model));
        let seen: Vec<_> = seen.collect();
        let is_calm = |project: &usize| !self.setting.storms(*project, model, at);
        let room = |(project, now): (&usize, &u64)| {
            let seen = seen.iter().map(|rooms| rooms.get(project).copied());
            seen.chain([Some(*now)]).min().flatten()
        };
        now.iter().filter(|(project, _)| is_calm(project)).filter_map(room).max()
    }

    /// The tokens that each project with a live key has room for.
    fn rooms(&mut self, model: usize) -> HashMap<usize, u64> {
        let setting = self.setting;
        let Some(limits) = setting.models.get(model).map(|model| model.limits) else {
            return HashMap::new();
        };
        let below = |used, limit: Option<u64>| limit.is_none_or(|limit| used < limit);
        let used = self.upstream.levels(model, self.now);
        let room = |project| {
            let Some(used) = used.get(&project) else { return Some((project, u64::MAX)) };
            let has_room =
                below(used.minute_requests, limits.rpm) && below(used.day_requests, limits.rpd);
            let tokens = limits.tpm.map_or(u64::MAX, |tpm| tpm.saturating_sub(used.minute_tokens));
            has_room.then_some((project, tokens))
        };
        let projects = (0..setting.projects).filter(|project| setting.has_live_key(*project));
        projects.filter_map(room).collect()
    }
}
