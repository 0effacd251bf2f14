//! Whether a request that failed could have been served.
//!
//! Invariant: it knows all that happens at Google, which no pool does. Where a key that works had room
//! that nobody used before a storm came, or has it still, whoever waited for it failed needlessly.

use std::time::Duration;

use balance_core::time::Timestamp;

use super::{Event, Request, Run, WAY};

/// Storms change with each of these.
const MINUTE: Duration = Duration::from_secs(60);

/// What was left at the end of a minute: for each model the tokens of the largest request that a key
/// that works had room for; `None` if there was no such key.
#[derive(Debug)]
pub(super) struct Leftover {
    at: Timestamp,
    by_model: Vec<Option<u64>>,
}

impl Run<'_> {
    /// Takes note of what this minute leaves, and plans to do so with the next.
    pub(super) fn end_minute(&mut self) {
        let (at, before) = (self.now, self.now.before(Duration::from_millis(1)));
        let models = 0..self.setting.models.len();
        let by_model = models.map(|model| self.largest_served(model, before)).collect();
        self.leftovers.push(Leftover { at, by_model });
        if self.now < self.ends {
            self.plan(MINUTE, Event::EndMinute);
        }
    }

    /// Whether a key that works had room for the request while it waited, or has it now.
    pub(super) fn could_be_served(&mut self, request: &Request) -> bool {
        let fits = |largest: Option<u64>| largest.is_some_and(|most| most >= request.tokens);
        // The time in which a try could have begun that would be over by now.
        let way = Duration::from_millis(WAY.end);
        let (from, over) = (request.came + way, self.now.before(way).min(request.patient_until));
        let later = self.leftovers.iter().rev().skip_while(|left| left.at > over);
        let waited = later.take_while(|left| left.at >= from);
        let mut left = waited.filter_map(|left| left.by_model.get(request.model).copied());
        left.any(fits) || from <= over && fits(self.largest_served(request.model, over))
    }

    /// The tokens of the largest request that some project with a key that works, outside of any
    /// storm, would serve.
    fn largest_served(&mut self, model: usize, at: Timestamp) -> Option<u64> {
        let (setting, limits) = (self.setting, self.setting.models.get(model)?.limits);
        let projects = (0..setting.projects).filter(|project| setting.has_live_key(*project));
        let calm: Vec<_> = projects.filter(|one| !setting.storms(*one, model, at)).collect();
        let below = |used, limit: Option<u64>| limit.is_none_or(|limit| used < limit);
        let used = self.upstream.levels(model, self.now);
        let room = |project| {
            let Some(used) = used.get(&project) else { return Some(u64::MAX) };
            let has_room =
                below(used.minute_requests, limits.rpm) && below(used.day_requests, limits.rpd);
            let tokens = limits.tpm.map_or(u64::MAX, |tpm| tpm.saturating_sub(used.minute_tokens));
            has_room.then_some(tokens)
        };
        calm.into_iter().filter_map(room).max()
    }
}
