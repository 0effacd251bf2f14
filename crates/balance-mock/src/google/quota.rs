//! The quota of one (project, model): requests and tokens per minute, requests per day, counted
//! exactly. Invariant: a request is counted when it is admitted and only then.

use serde::{Deserialize, Serialize};

use super::Timestamp;
use super::window::Window;

/// What a project may send to one model. `None` means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests in any 60 seconds.
    pub rpm: Option<u64>,
    /// Input tokens in any 60 seconds.
    pub tpm: Option<u64>,
    /// Requests in one Los Angeles day.
    pub rpd: Option<u64>,
}

/// Which limit was hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Input tokens per minute.
    TokensPerMinute,
    /// Requests per minute.
    RequestsPerMinute,
    /// Requests per day.
    RequestsPerDay,
}

/// One limit that does not allow a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which limit.
    pub dimension: Dimension,
    /// Its value.
    pub limit: u64,
    /// Milliseconds until this limit would allow the request; `None` if it never will.
    pub room_in_millis: Option<u64>,
}

/// The counters of one (project, model).
#[derive(Debug, Default)]
pub(super) struct Bucket {
    window: Window,
    day: u64,
    today: u64,
    admitted: u64,
    refused: u64,
}

/// The counters of a bucket, for people to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Level {
    /// Requests that count in this minute.
    pub minute_requests: u64,
    /// Input tokens that count in this minute.
    pub minute_tokens: u64,
    /// Requests admitted in this Los Angeles day.
    pub day_requests: u64,
    /// Requests admitted since the start.
    pub admitted: u64,
    /// Requests refused with 429 since the start.
    pub refused: u64,
}

impl Bucket {
    /// Counts a request with so many input tokens, or says which limits forbid it.
    pub(super) fn admit(
        &mut self,
        limits: &Limits,
        tokens: u64,
        now: Timestamp,
    ) -> Result<(), Vec<Violation>> {
        self.advance(now);
        let violations = self.violations(limits, tokens, now);
        if !violations.is_empty() {
            self.refused += 1;
            return Err(violations);
        }
        if limits.rpm.is_some() || limits.tpm.is_some() {
            self.window.push(now, tokens);
        }
        self.today += 1;
        self.admitted += 1;
        Ok(())
    }

    /// The counters as they stand now.
    pub(super) fn level(&mut self, now: Timestamp) -> Level {
        self.advance(now);
        Level {
            minute_requests: self.window.requests(),
            minute_tokens: self.window.tokens(),
            day_requests: self.today,
            admitted: self.admitted,
            refused: self.refused,
        }
    }

    fn advance(&mut self, now: Timestamp) {
        self.window.expire(now);
        let day = now.los_angeles_day();
        if day > self.day {
            self.day = day;
            self.today = 0;
        }
    }

    fn violations(&self, limits: &Limits, tokens: u64, now: Timestamp) -> Vec<Violation> {
        let mut found = Vec::new();
        if let Some(limit) = limits.tpm
            && self.window.tokens().saturating_add(tokens) > limit
        {
            let room_in_millis = self.window.wait_for_tokens(limit, tokens, now);
            found.push(Violation { dimension: Dimension::TokensPerMinute, limit, room_in_millis });
        }
        if let Some(limit) = limits.rpm
            && self.window.requests() >= limit
        {
            let room_in_millis = self.window.wait_for_request(limit, now);
            found.push(Violation {
                dimension: Dimension::RequestsPerMinute,
                limit,
                room_in_millis,
            });
        }
        if let Some(limit) = limits.rpd
            && self.today >= limit
        {
            let midnight = now.next_los_angeles_midnight().millis_since(now);
            let room_in_millis = (limit > 0).then_some(midnight);
            found.push(Violation { dimension: Dimension::RequestsPerDay, limit, room_in_millis });
        }
        found
    }
}

#[cfg(test)]
mod tests;
