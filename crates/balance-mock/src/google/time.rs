//! Moments and the Los Angeles day, by which Google counts requests per day. Invariant: every
//! function is pure; the offset comes from the United States rule in force since 2007 (daylight
//! time from the second Sunday of March, 10:00 UTC, to the first Sunday of November, 09:00 UTC).

use serde::{Deserialize, Serialize};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

/// A moment: milliseconds since 1 January 1970, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment that many milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// This moment, so many milliseconds later.
    #[must_use]
    pub const fn plus_millis(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this moment; 0 if it lies in the future.
    #[must_use]
    pub const fn millis_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The number of the Los Angeles calendar day, counted from 1 January 1970.
    #[must_use]
    pub fn los_angeles_day(self) -> u64 {
        self.0.saturating_sub(self.los_angeles_lag()) / DAY
    }

    /// The first moment of the next Los Angeles day: when requests per day start again.
    #[must_use]
    pub fn next_los_angeles_midnight(self) -> Self {
        let local = (self.los_angeles_day() + 1) * DAY;
        let daylight = Self(local + 7 * HOUR);
        if daylight.los_angeles_lag() == 7 * HOUR { daylight } else { Self(local + 8 * HOUR) }
    }

    /// As Google writes times: `2026-11-21T08:00:00.000Z`.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let (year, month, day) = civil(self.0 / DAY);
        let rest = self.0 % DAY;
        let (hour, minute) = (rest / HOUR, rest / 60_000 % 60);
        let (second, milli) = (rest / 1000 % 60, rest % 1000);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }

    /// By how much Los Angeles is behind UTC at this moment.
    fn los_angeles_lag(self) -> u64 {
        let (year, ..) = civil(self.0 / DAY);
        let start = nth_sunday(year, 3, 2) * DAY + 10 * HOUR;
        let end = nth_sunday(year, 11, 1) * DAY + 9 * HOUR;
        if (start..end).contains(&self.0) { 7 * HOUR } else { 8 * HOUR }
    }
}

/// Year, month and day of a day counted from the epoch (proleptic Gregorian calendar, years
/// taken to start in March so that the leap day comes last).
fn civil(day: u64) -> (u64, u64, u64) {
    let shifted = day + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The day, counted from the epoch, of a date after February.
fn day_number(year: u64, month: u64, day: u64) -> u64 {
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * (month - 3) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era).saturating_sub(719_468)
}

/// The day, counted from the epoch, of the nth Sunday of a month after February.
fn nth_sunday(year: u64, month: u64, nth: u64) -> u64 {
    let first = day_number(year, month, 1);
    let weekday = (first + 4) % 7; // 1 January 1970 was a Thursday; Sunday is 0
    first + (7 - weekday) % 7 + 7 * (nth - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows made with an independent time-zone database: UTC milliseconds, the local day's number
    /// (days from the epoch of the local date) and the next local midnight in UTC milliseconds.
    const ROWS: &[(u64, u64, u64)] = &include!("time_rows.in");

    #[test]
    fn los_angeles_days_and_midnights_agree_with_the_time_zone_database() {
        for &(now, day, midnight) in ROWS {
            let now = Timestamp::from_millis(now);
            assert_eq!(now.los_angeles_day(), day, "day at {}", now.to_rfc3339());
            assert_eq!(now.next_los_angeles_midnight().as_millis(), midnight, "{now:?}");
        }
    }

    #[test]
    fn times_are_written_as_google_writes_them() {
        assert_eq!(Timestamp::from_millis(0).to_rfc3339(), "1970-01-01T00:00:00.000Z");
        let leap_day = Timestamp::from_millis(1_709_209_845_067);
        assert_eq!(leap_day.to_rfc3339(), "2024-02-29T12:30:45.067Z");
    }
}
