//! Points in time, and the day that Google counts daily quotas by.
//!
//! Invariant: arithmetic saturates; no point in time, however odd, panics or wraps.

use std::{ops::Add, time::Duration};

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since the Unix epoch, and written as that number.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

impl Timestamp {
    /// The point `millis` milliseconds after the Unix epoch.
    #[must_use]
    pub const fn from_unix_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn unix_seconds(self) -> u64 {
        self.0 / 1000
    }

    /// How long ago `earlier` was; zero if it is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// This point moved back by `duration`, at most to the epoch.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// The first midnight in Los Angeles after this point: the moment at which Google's daily
    /// quotas start anew. Days there have 23, 24 or 25 hours; the law is that of 2007 (summer time
    /// from 02:00 on the second Sunday of March to 02:00 on the first Sunday of November).
    #[must_use]
    pub fn next_los_angeles_midnight(self) -> Self {
        let offset = if is_summer_time(self.0) { 7 * HOUR } else { 8 * HOUR };
        // The epoch was the afternoon of the last day of 1969 there, so count from a day earlier.
        let next_day = self.0.saturating_add(DAY - offset) / DAY;
        let midnight = next_day.saturating_mul(DAY);
        Self(midnight.saturating_add(if midnight_is_in_summer(next_day) {
            7 * HOUR
        } else {
            8 * HOUR
        }))
    }
}

/// Saturates at the end of time.
impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }
}

/// Whole milliseconds, rounded up, so that nothing is due a moment too early.
#[must_use]
pub fn millis(duration: Duration) -> u64 {
    let rest = u64::from(duration.subsec_nanos()).div_ceil(1_000_000);
    duration.as_secs().saturating_mul(1_000).saturating_add(rest)
}

/// Whether clocks in Los Angeles show summer time at this moment.
fn is_summer_time(unix_millis: u64) -> bool {
    // Neither switch is near a turn of the year, so the year in Greenwich will do.
    let (start, end) = summer_days(year_of(unix_millis / DAY));
    let from = start.saturating_mul(DAY).saturating_add(10 * HOUR); // 02:00 at UTC-8
    let to = end.saturating_mul(DAY).saturating_add(9 * HOUR); // 02:00 at UTC-7
    (from..to).contains(&unix_millis)
}

/// Whether summer time holds at 00:00 of this day. Both switches come at 02:00, so the first day of
/// summer time does not begin in it and the last one does.
fn midnight_is_in_summer(day: u64) -> bool {
    let (start, end) = summer_days(year_of(day));
    start < day && day <= end
}

/// The days, counted from the epoch, on which summer time begins and ends.
fn summer_days(year: u64) -> (u64, u64) {
    let march = days_before_year(year) + 31 + 28 + u64::from(is_leap(year));
    let november = march + 31 + 30 + 31 + 30 + 31 + 31 + 30 + 31;
    (sunday_on_or_after(march + 7), sunday_on_or_after(november))
}

/// 1 January 1970 was a Thursday.
const fn sunday_on_or_after(day: u64) -> u64 {
    day + 6 - (day + 3) % 7
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Days from the epoch to 1 January of `year`, 1970 or later.
const fn days_before_year(year: u64) -> u64 {
    let leap_days = (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
    (year - 1970) * 365 + leap_days - 477 // leap days before 1970
}

/// The year that this day, counted from the epoch, lies in.
const fn year_of(day: u64) -> u64 {
    // 400 years have 146,097 days. The guess is right or one too late.
    let guess = 1970 + day * 400 / 146_097 + 1;
    if days_before_year(guess) > day {
        let guess = guess - 1;
        if days_before_year(guess) > day { guess - 1 } else { guess }
    } else {
        guess
    }
}

#[cfg(test)]
mod tests;
