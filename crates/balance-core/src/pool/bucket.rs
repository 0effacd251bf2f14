//! What was sent for one (project, model): requests and tokens of the last minute and of the day.
//!
//! Invariant: a request counts from the moment it is begun until [`WINDOW`] later, so that no 60 s
//! hold more than a limit lets through, and until the day of Los Angeles ends. Requests of one
//! millisecond share an entry: a minute takes 1.5 MB at most, and 24 bytes a request as a rule.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{fault::Limits, time::Timestamp};

/// How long a request counts against the quotas of a minute: 60 s, which Google counts from the
/// moment it arrives there, and what one request may take longer than another to get there.
pub(super) const WINDOW: Duration = Duration::from_millis(60_200);

/// No moment: later than any.
const NEVER: Timestamp = Timestamp::from_unix_millis(u64::MAX >> 1);

/// The counters of one (project, model).
#[derive(Debug)]
pub(super) struct Bucket {
    /// What counts in this minute, in the order in which it was begun.
    minute: VecDeque<Entry>,
    /// When the first of it was begun; no moment if there is none. So that most calls need not look.
    oldest: Timestamp,
    minute_requests: u64,
    minute_tokens: u64,
    day_ends: Timestamp,
    day_requests: u64,
    day_served: u64,
    day_tokens: u64,
    /// When a request was last begun.
    changed: Timestamp,
    /// Whether more was served than other projects' limits allow, so that they do not hold here.
    pub(super) is_beyond_presumption: bool,
}

impl Default for Bucket {
    fn default() -> Self {
        Self {
            minute: VecDeque::new(),
            oldest: NEVER,
            minute_requests: 0,
            minute_tokens: 0,
            day_ends: Timestamp::default(),
            day_requests: 0,
            day_served: 0,
            day_tokens: 0,
            changed: Timestamp::default(),
            is_beyond_presumption: false,
        }
    }
}

/// Requests that were begun in one millisecond.
#[derive(Debug)]
struct Entry {
    at: Timestamp,
    requests: u32,
    served: u32,
    tokens: u64,
}

/// What was sent, for those who keep it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Requests and tokens of the last minute, by the moment at which they were begun.
    pub minute: Vec<(Timestamp, u32, u64)>,
    /// When the day of the next two ends.
    pub day_ends: Timestamp,
    /// Requests of the day.
    pub day_requests: u64,
    /// Tokens of the day.
    pub day_tokens: u64,
}

/// How much of each quota is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Used {
    pub(super) requests_in_minute: u64,
    pub(super) tokens_in_minute: u64,
    pub(super) requests_in_day: u64,
    pub(super) tokens_in_day: u64,
}

impl Bucket {
    /// Counts a request that begins, with the tokens that it is expected to take.
    pub(super) fn reserve(&mut self, tokens: u64, now: Timestamp) {
        self.advance(now);
        // What was begun before needs no look.
        let latest = if self.changed < now { None } else { self.minute.back_mut() };
        match latest.filter(|entry| entry.at >= now) {
            Some(entry) => {
                entry.requests = entry.requests.saturating_add(1);
                entry.tokens = entry.tokens.saturating_add(tokens);
            }
            None => self.minute.push_back(Entry { at: now, requests: 1, served: 0, tokens }),
        }
        self.changed = now;
        self.oldest = self.oldest.min(now);
        self.minute_requests += 1;
        self.day_requests += 1;
        self.minute_tokens = self.minute_tokens.saturating_add(tokens);
        self.day_tokens = self.day_tokens.saturating_add(tokens);
    }

    /// Notes that a request was served, and what it took instead of the tokens reserved.
    pub(super) fn settle(&mut self, begun: Timestamp, reserved: u64, actual: u64, now: Timestamp) {
        self.advance(now);
        let adjust = |tokens: u64| tokens.saturating_sub(reserved).saturating_add(actual);
        if let Some(entry) = entry_at(&mut self.minute, begun) {
            entry.served = entry.served.saturating_add(1);
            entry.tokens = adjust(entry.tokens);
            self.minute_tokens = adjust(self.minute_tokens);
        }
        if begun.next_los_angeles_midnight() == self.day_ends {
            self.day_served += 1;
            self.day_tokens = adjust(self.day_tokens);
        }
    }

    /// Takes back a request that upstream did not count.
    pub(super) fn refund(&mut self, begun: Timestamp, reserved: u64, now: Timestamp) {
        self.advance(now);
        if let Some(entry) = entry_at(&mut self.minute, begun).filter(|entry| entry.requests > 0) {
            entry.requests -= 1;
            entry.tokens = entry.tokens.saturating_sub(reserved);
            self.minute_requests -= 1;
            self.minute_tokens = self.minute_tokens.saturating_sub(reserved);
        }
        if begun.next_los_angeles_midnight() == self.day_ends {
            self.day_requests = self.day_requests.saturating_sub(1);
            self.day_tokens = self.day_tokens.saturating_sub(reserved);
        }
    }

    /// The first moment, from `now` on, at which one more request of so many tokens is within the
    /// limits. One that is larger than a limit has room when nothing else counts: its size is an
    /// estimate. A limit of zero is no limit: what a project does not have at all is no matter of
    /// counting.
    pub(super) fn room_at(&self, limits: &Limits, tokens: u64, now: Timestamp) -> Timestamp {
        let has_room = |limit: Option<u64>, used: u64, more: u64| {
            used == 0 || limit.is_none_or(|limit| limit == 0 || used.saturating_add(more) <= limit)
        };
        let day_has_room = now >= self.day_ends
            || has_room(limits.requests_per_day, self.day_requests, 1)
                && has_room(limits.tokens_per_day, self.day_tokens, tokens);
        let mut room = if day_has_room { now } else { self.day_ends };
        let (mut requests, mut used) = (self.minute_requests, self.minute_tokens);
        for entry in &self.minute {
            let leaves = entry.at + WINDOW;
            let minute_has_room = has_room(limits.requests_per_minute, requests, 1)
                && has_room(limits.tokens_per_minute, used, tokens);
            if leaves > now && minute_has_room {
                break;
            }
            requests -= u64::from(entry.requests);
            used = used.saturating_sub(entry.tokens);
            room = room.max(leaves);
        }
        room
    }

    /// When the oldest request that may count was begun; reads all that a pick will read.
    pub(super) fn first_word(&self) -> Timestamp {
        self.minute.front().map_or(self.oldest, |entry| entry.at)
    }

    /// When something last changed.
    pub(super) const fn changed(&self) -> Timestamp {
        self.changed
    }

    /// What counts now, for those who keep it.
    pub(super) fn record(&mut self, now: Timestamp) -> Record {
        self.advance(now);
        Record {
            minute: self.minute.iter().map(|e| (e.at, e.requests, e.tokens)).collect(),
            day_ends: self.day_ends,
            day_requests: self.day_requests,
            day_tokens: self.day_tokens,
        }
    }

    /// Takes in a record. What both know counts once: of two counts of one moment the larger.
    pub(super) fn recall(&mut self, record: &Record, now: Timestamp) {
        self.advance(now);
        let mut minute: BTreeMap<_, _> = self.minute.drain(..).map(|e| (e.at, e)).collect();
        for (at, requests, tokens) in record.minute.iter().copied() {
            if at > now || at + WINDOW <= now {
                continue;
            }
            let entry = minute.entry(at).or_insert(Entry { at, requests: 0, served: 0, tokens: 0 });
            entry.requests = entry.requests.max(requests);
            entry.tokens = entry.tokens.max(tokens);
        }
        self.minute_requests = minute.values().map(|entry| u64::from(entry.requests)).sum();
        let add = |sum: u64, entry: &Entry| sum.saturating_add(entry.tokens);
        self.minute_tokens = minute.values().fold(0, add);
        self.minute = minute.into_values().collect();
        self.note_oldest();
        if record.day_ends == self.day_ends {
            self.day_requests = self.day_requests.max(record.day_requests);
            self.day_tokens = self.day_tokens.max(record.day_tokens);
        }
        self.changed = now;
    }

    /// Adds what was sent to another project that is this one.
    pub(super) fn absorb(&mut self, mut other: Self, now: Timestamp) {
        self.advance(now);
        other.advance(now);
        if self.minute.is_empty() {
            self.minute = other.minute;
        } else {
            self.minute.extend(other.minute);
            self.minute.make_contiguous().sort_by_key(|entry| entry.at);
        }
        self.note_oldest();
        self.minute_requests += other.minute_requests;
        self.minute_tokens = self.minute_tokens.saturating_add(other.minute_tokens);
        self.day_requests += other.day_requests;
        self.day_served += other.day_served;
        self.day_tokens = self.day_tokens.saturating_add(other.day_tokens);
        self.changed = self.changed.max(other.changed);
        self.is_beyond_presumption |= other.is_beyond_presumption;
    }

    /// What counts now.
    pub(super) fn used(&mut self, now: Timestamp) -> Used {
        self.advance(now);
        Used {
            requests_in_minute: self.minute_requests,
            tokens_in_minute: self.minute_tokens,
            requests_in_day: self.day_requests,
            tokens_in_day: self.day_tokens,
        }
    }

    /// Whether more was served than these limits allow.
    pub(super) fn contradicts(&self, limits: &Limits) -> bool {
        let served_in_minute =
            || self.minute.iter().map(|entry| u64::from(entry.served)).sum::<u64>();
        let over = |limit: Option<u64>, most: u64| limit.is_some_and(|limit| most > limit);
        let tokens_served = || {
            let served = self.minute.iter().filter(|entry| entry.served >= entry.requests);
            served.fold(0, |sum: u64, entry| sum.saturating_add(entry.tokens))
        };
        over(limits.requests_per_minute, self.minute_requests)
            && over(limits.requests_per_minute, served_in_minute())
            || over(limits.tokens_per_minute, self.minute_tokens)
                && over(limits.tokens_per_minute, tokens_served())
            || over(limits.requests_per_day, self.day_served)
    }

    /// Whether nothing counts any more.
    pub(super) fn is_empty(&self, now: Timestamp) -> bool {
        let minute_is_over = self.minute.back().is_none_or(|entry| entry.at + WINDOW <= now);
        minute_is_over && (now >= self.day_ends || self.day_requests == 0)
    }

    /// Follows a clock that was put back to `now`.
    pub(super) fn rewind(&mut self, by: Duration, now: Timestamp) {
        self.advance(now + by);
        for entry in &mut self.minute {
            entry.at = entry.at.before(by);
        }
        self.note_oldest();
        self.changed = self.changed.before(by);
        self.day_ends = self.day_ends.min(now.next_los_angeles_midnight());
    }

    fn note_oldest(&mut self) {
        self.oldest = self.minute.front().map_or(NEVER, |entry| entry.at);
    }

    /// Forgets what no longer counts.
    fn advance(&mut self, now: Timestamp) {
        if self.oldest + WINDOW <= now {
            while let Some(entry) = self.minute.front().filter(|entry| entry.at + WINDOW <= now) {
                self.minute_requests -= u64::from(entry.requests);
                self.minute_tokens = self.minute_tokens.saturating_sub(entry.tokens);
                self.minute.pop_front();
            }
            self.note_oldest();
        }
        if now >= self.day_ends {
            (self.day_requests, self.day_served, self.day_tokens) = (0, 0, 0);
            self.day_ends = now.next_los_angeles_midnight();
        }
    }
}

fn entry_at(minute: &mut VecDeque<Entry>, at: Timestamp) -> Option<&mut Entry> {
    let place = minute.binary_search_by_key(&at, |entry| entry.at).ok()?;
    minute.get_mut(place)
}

#[cfg(test)]
mod tests;
