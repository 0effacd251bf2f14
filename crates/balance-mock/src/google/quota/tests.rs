//! The exact counters, by rows and against a naive counter that keeps everything.

use proptest::prelude::*;

use super::*;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + millis)
}

fn limits(rpm: Option<u64>, tpm: Option<u64>, rpd: Option<u64>) -> Limits {
    Limits { rpm, tpm, rpd }
}

fn dimensions(refusal: &Result<(), Vec<Violation>>) -> Vec<Dimension> {
    refusal.as_ref().err().into_iter().flatten().map(|violation| violation.dimension).collect()
}

#[test]
fn a_request_leaves_the_minute_exactly_sixty_seconds_later() {
    let (mut bucket, limits) = (Bucket::default(), limits(Some(2), None, None));
    assert_eq!(bucket.admit(&limits, 1, at(0)), Ok(()));
    assert_eq!(bucket.admit(&limits, 1, at(1000)), Ok(()));
    let refusal = bucket.admit(&limits, 1, at(59_999)).unwrap_err();
    assert_eq!(refusal[0].room_in_millis, Some(1));
    assert_eq!(bucket.admit(&limits, 1, at(60_000)), Ok(()));
    let refusal = bucket.admit(&limits, 1, at(60_000)).unwrap_err();
    assert_eq!(refusal[0].room_in_millis, Some(1000));
}

#[test]
fn the_boundary_of_a_clock_minute_gives_nothing_away() {
    let (mut bucket, limits) = (Bucket::default(), limits(Some(3), None, None));
    for moment in [59_990, 59_995, 59_999] {
        assert_eq!(bucket.admit(&limits, 1, at(moment)), Ok(()));
    }
    assert_eq!(
        dimensions(&bucket.admit(&limits, 1, at(60_001))),
        [Dimension::RequestsPerMinute],
        "a fixed or refilled minute would let this through"
    );
}

#[test]
fn tokens_are_counted_over_the_same_minute() {
    let (mut bucket, limits) = (Bucket::default(), limits(None, Some(100), None));
    assert_eq!(bucket.admit(&limits, 60, at(0)), Ok(()));
    assert_eq!(bucket.admit(&limits, 40, at(10_000)), Ok(()));
    let refusal = bucket.admit(&limits, 61, at(20_000)).unwrap_err();
    assert_eq!(refusal[0].dimension, Dimension::TokensPerMinute);
    assert_eq!(refusal[0].room_in_millis, Some(50_000), "both older requests must be gone");
    let refusal = bucket.admit(&limits, 101, at(20_000)).unwrap_err();
    assert_eq!(refusal[0].room_in_millis, None, "it never fits");
    assert_eq!(bucket.admit(&limits, 60, at(60_000)), Ok(()));
}

#[test]
fn requests_per_day_start_again_at_the_los_angeles_midnight() {
    let (mut bucket, limits) = (Bucket::default(), limits(None, None, Some(2)));
    let evening = at(0);
    let midnight = evening.next_los_angeles_midnight();
    let before = Timestamp::from_millis(midnight.as_millis() - 1);
    assert_eq!(bucket.admit(&limits, 1, evening), Ok(()));
    assert_eq!(bucket.admit(&limits, 1, before), Ok(()));
    let refusal = bucket.admit(&limits, 1, before).unwrap_err();
    assert_eq!(refusal[0].room_in_millis, Some(1));
    assert_eq!(bucket.admit(&limits, 1, midnight), Ok(()));
}

#[test]
fn every_violated_limit_is_reported_and_a_refusal_costs_nothing() {
    let (mut bucket, limits) = (Bucket::default(), limits(Some(1), Some(10), Some(1)));
    assert_eq!(bucket.admit(&limits, 10, at(0)), Ok(()));
    for _ in 0..5 {
        assert_eq!(
            dimensions(&bucket.admit(&limits, 1, at(1))),
            [Dimension::TokensPerMinute, Dimension::RequestsPerMinute, Dimension::RequestsPerDay]
        );
    }
    let level = bucket.level(at(1));
    assert_eq!((level.admitted, level.refused), (1, 5));
    assert_eq!((level.minute_requests, level.minute_tokens, level.day_requests), (1, 10, 1));
}

#[test]
fn a_limit_of_zero_never_has_room() {
    let (mut bucket, limits) = (Bucket::default(), limits(Some(0), Some(0), Some(0)));
    let refusal = bucket.admit(&limits, 1, at(0)).unwrap_err();
    assert!(refusal.iter().all(|violation| violation.room_in_millis.is_none()), "{refusal:?}");
}

#[test]
fn a_clock_that_goes_back_admits_nothing_extra() {
    let (mut bucket, limits) = (Bucket::default(), limits(Some(1), None, Some(5)));
    assert_eq!(bucket.admit(&limits, 1, at(100_000)), Ok(()));
    assert!(bucket.admit(&limits, 1, at(0)).is_err());
    assert!(bucket.admit(&limits, 1, at(159_999)).is_err());
    assert_eq!(bucket.admit(&limits, 1, at(160_000)), Ok(()));
}

/// Keeps every admitted request and counts them all each time.
#[derive(Default)]
struct Naive(Vec<(u64, u64)>);

impl Naive {
    fn admit(&mut self, limits: &Limits, tokens: u64, now: u64) -> bool {
        let minute = || self.0.iter().filter(|(at, _)| at + 60_000 > now);
        let requests = minute().count() as u64;
        let spent: u64 = minute().map(|(_, tokens)| tokens).sum();
        let day = |millis| Timestamp::from_millis(millis).los_angeles_day();
        let today = self.0.iter().filter(|(at, _)| day(*at) == day(now)).count() as u64;
        let fits = limits.rpm.is_none_or(|limit| requests < limit)
            && limits.tpm.is_none_or(|limit| spent + tokens <= limit)
            && limits.rpd.is_none_or(|limit| today < limit);
        if fits {
            self.0.push((now, tokens));
        }
        fits
    }
}

proptest! {
    #[test]
    fn it_agrees_with_a_counter_that_keeps_everything(
        rpm in prop::option::of(0u64..6),
        tpm in prop::option::of(0u64..60),
        rpd in prop::option::of(0u64..40),
        steps in prop::collection::vec((0u64..3_000_000, 1u64..30), 1..200),
        dense in any::<bool>(),
    ) {
        let limits = Limits { rpm, tpm, rpd };
        let (mut bucket, mut naive) = (Bucket::default(), Naive::default());
        let mut now = 1_793_500_000_000; // a week around the end of daylight time in 2026
        for (gap, tokens) in steps {
            now += if dense { gap % 25_000 } else { gap };
            let answer = bucket.admit(&limits, tokens, Timestamp::from_millis(now));
            prop_assert_eq!(answer.is_ok(), naive.admit(&limits, tokens, now));
        }
    }

    #[test]
    fn the_promised_wait_is_exact(
        rpm in 1u64..6,
        tpm in 30u64..90,
        gaps in prop::collection::vec((0u64..20_000, 1u64..30), 1..60),
    ) {
        let limits = Limits { rpm: Some(rpm), tpm: Some(tpm), rpd: None };
        let mut bucket = Bucket::default();
        let mut now = at(0);
        for (gap, tokens) in gaps {
            now = now.plus_millis(gap);
            let Err(violations) = bucket.admit(&limits, tokens, now) else { continue };
            let wait = violations.iter().filter_map(|found| found.room_in_millis).max().unwrap();
            prop_assert!(bucket.admit(&limits, tokens, now.plus_millis(wait - 1)).is_err());
            prop_assert_eq!(bucket.admit(&limits, tokens, now.plus_millis(wait)), Ok(()));
            now = now.plus_millis(wait);
        }
    }
}
