use super::*;

/// A moment in Greenwich.
fn utc(date: (u64, u64, u64), time: (u64, u64)) -> Timestamp {
    let (year, month, day) = date;
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before: u64 = lengths.iter().take(month as usize - 1).sum();
    Timestamp((days_before_year(year) + before + day - 1) * DAY + time.0 * HOUR + time.1 * 60_000)
}

#[test]
fn dates_of_the_test_itself_are_right() {
    assert_eq!(utc((1970, 1, 1), (0, 0)).unix_millis(), 0);
    assert_eq!(utc((2000, 3, 1), (0, 0)).unix_seconds(), 951_868_800);
    assert_eq!(utc((2026, 11, 21), (10, 8)).unix_seconds(), 1_795_255_680);
}

#[test]
fn the_next_midnight_follows_summer_and_winter_time() {
    let rows = [
        // winter, an ordinary day
        (utc((2026, 1, 15), (12, 0)), utc((2026, 1, 16), (8, 0))),
        // summer, an ordinary day
        (utc((2026, 7, 15), (12, 0)), utc((2026, 7, 16), (7, 0))),
        // exactly midnight is already the new day; a millisecond earlier is not
        (utc((2026, 7, 15), (7, 0)), utc((2026, 7, 16), (7, 0))),
        (Timestamp(utc((2026, 7, 15), (7, 0)).0 - 1), utc((2026, 7, 15), (7, 0))),
        (utc((2026, 1, 15), (8, 0)), utc((2026, 1, 16), (8, 0))),
        (utc((2026, 1, 15), (7, 59)), utc((2026, 1, 15), (8, 0))),
        // 8 March 2026 has 23 hours
        (utc((2026, 3, 8), (8, 0)), utc((2026, 3, 9), (7, 0))),
        (utc((2026, 3, 8), (9, 59)), utc((2026, 3, 9), (7, 0))),
        (utc((2026, 3, 8), (10, 0)), utc((2026, 3, 9), (7, 0))),
        (utc((2026, 3, 8), (7, 59)), utc((2026, 3, 8), (8, 0))),
        (utc((2026, 3, 9), (7, 0)), utc((2026, 3, 10), (7, 0))),
        // 1 November 2026 has 25 hours
        (utc((2026, 11, 1), (7, 0)), utc((2026, 11, 2), (8, 0))),
        (utc((2026, 11, 1), (8, 59)), utc((2026, 11, 2), (8, 0))),
        (utc((2026, 11, 1), (9, 0)), utc((2026, 11, 2), (8, 0))),
        (utc((2026, 11, 2), (7, 59)), utc((2026, 11, 2), (8, 0))),
        (utc((2026, 11, 1), (6, 59)), utc((2026, 11, 1), (7, 0))),
        // the earliest and latest days on which the switches can fall
        (utc((2015, 3, 8), (8, 0)), utc((2015, 3, 9), (7, 0))),
        (utc((2021, 3, 14), (8, 0)), utc((2021, 3, 15), (7, 0))),
        (utc((2021, 11, 7), (7, 0)), utc((2021, 11, 8), (8, 0))),
        // turns of the year, leap days
        (utc((2026, 12, 31), (23, 0)), utc((2027, 1, 1), (8, 0))),
        (utc((2027, 1, 1), (7, 59)), utc((2027, 1, 1), (8, 0))),
        (utc((2028, 2, 28), (20, 0)), utc((2028, 2, 29), (8, 0))),
        (utc((2028, 2, 29), (20, 0)), utc((2028, 3, 1), (8, 0))),
        (utc((2100, 2, 28), (20, 0)), utc((2100, 3, 1), (8, 0))),
        // the epoch
        (Timestamp(0), Timestamp(8 * HOUR)),
    ];
    for (at, midnight) in rows {
        assert_eq!(at.next_los_angeles_midnight(), midnight, "after {at:?}");
    }
}

#[test]
fn every_day_of_130_years_has_23_24_or_25_hours() {
    let end = utc((2100, 1, 1), (0, 0));
    let mut at = Timestamp(0).next_los_angeles_midnight();
    let (mut short, mut long, mut days) = (0, 0, 0);
    while at < end {
        let next = at.next_los_angeles_midnight();
        match (next.0 - at.0) / HOUR {
            23 => short += 1,
            24 => {}
            25 => long += 1,
            hours => panic!("a day of {hours} hours at {at:?}"),
        }
        assert_eq!(Timestamp(next.0 - 1).next_los_angeles_midnight(), next);
        days += 1;
        at = next;
    }
    assert_eq!((short, long, days), (130, 130, 47_482));
}

#[test]
fn years_are_found_from_days() {
    for year in 1970..5000 {
        let first = days_before_year(year);
        assert_eq!(year_of(first), year);
        assert_eq!(year_of(days_before_year(year + 1) - 1), year);
    }
}

#[test]
fn arithmetic_saturates() {
    let end = Timestamp(u64::MAX);
    assert_eq!(end + Duration::MAX, end);
    assert_eq!(Timestamp(5).since(Timestamp(9)), Duration::ZERO);
    assert_eq!(Timestamp(9).since(Timestamp(5)), Duration::from_millis(4));
    assert_eq!(Timestamp(5).before(Duration::MAX), Timestamp(0));
    assert!(end.next_los_angeles_midnight() <= end);
    assert!(Timestamp(u64::MAX - DAY).next_los_angeles_midnight() > Timestamp(0));
}

#[test]
fn a_fraction_of_a_millisecond_is_rounded_up() {
    assert_eq!(Timestamp(0) + Duration::from_nanos(1), Timestamp(1));
    assert_eq!(Timestamp(0) + Duration::from_millis(1), Timestamp(1));
}
