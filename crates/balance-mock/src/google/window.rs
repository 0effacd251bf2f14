//! What happened in the last 60 seconds, exactly. Invariant: an event at `t` counts at every
//! moment in `t .. t + 60 s` and at no other, so no window of 60 s holds more than was admitted.

use std::collections::VecDeque;

use super::Timestamp;

/// The length of the window, in milliseconds.
pub(super) const MINUTE: u64 = 60_000;

/// Requests of the last minute and the tokens each of them brought.
#[derive(Debug, Default)]
pub(super) struct Window {
    events: VecDeque<(Timestamp, u64)>,
    tokens: u64,
}

impl Window {
    /// Forgets what is a minute old. Amortised O(1).
    pub(super) fn expire(&mut self, now: Timestamp) {
        while let Some(&(at, tokens)) = self.events.front() {
            if now.millis_since(at) < MINUTE {
                break;
            }
            self.tokens -= tokens;
            self.events.pop_front();
        }
    }

    /// Counts one request. A clock that went back is taken as standing still, so that the
    /// window stays in order.
    pub(super) fn push(&mut self, now: Timestamp, tokens: u64) {
        let latest = self.events.back().map_or(now, |&(at, _)| at.max(now));
        self.events.push_back((latest, tokens));
        self.tokens += tokens;
    }

    /// Requests that count now.
    pub(super) fn requests(&self) -> u64 {
        self.events.len() as u64
    }

    /// Tokens that count now.
    pub(super) fn tokens(&self) -> u64 {
        self.tokens
    }

    /// Milliseconds until fewer than `limit` requests count; `None` for a limit of zero.
    pub(super) fn wait_for_request(&self, limit: u64, now: Timestamp) -> Option<u64> {
        let surplus = self.requests().checked_sub(limit)?;
        let (at, _) = self.events.get(usize::try_from(surplus).ok()?)?;
        Some(at.plus_millis(MINUTE).millis_since(now))
    }

    /// Milliseconds until `tokens` more fit under `limit`; `None` if they never do.
    pub(super) fn wait_for_tokens(&self, limit: u64, tokens: u64, now: Timestamp) -> Option<u64> {
        let mut left = self.tokens;
        for &(at, freed) in &self.events {
            left -= freed;
            if left.saturating_add(tokens) <= limit {
                return Some(at.plus_millis(MINUTE).millis_since(now));
            }
        }
        None
    }
}
