use super::*;

const START: Timestamp = Timestamp::from_unix_millis(1_795_255_680_000);
const SECOND: Duration = Duration::from_secs(1);

fn per_minute(requests: u64) -> Limits {
    Limits { requests_per_minute: Some(requests), ..Limits::default() }
}

fn tokens_per_minute(tokens: u64) -> Limits {
    Limits { tokens_per_minute: Some(tokens), ..Limits::default() }
}

#[test]
fn no_window_holds_more_requests_than_the_limit() {
    let limits = per_minute(5);
    let (mut bucket, mut now, mut admitted) = (Bucket::default(), START, Vec::new());
    for step in 0..2000_u64 {
        let room = bucket.room_at(&limits, 0, now);
        if room == now {
            bucket.reserve(0, now);
            admitted.push(now);
        } else {
            assert!(bucket.room_at(&limits, 0, room.before(Duration::from_millis(1))) == room);
            assert_eq!(bucket.room_at(&limits, 0, room), room);
        }
        now = now + Duration::from_millis(step * 7919 % 9000);
    }
    assert!(admitted.len() > 500, "{}", admitted.len());
    assert!(admitted.windows(6).all(|six| six[5].since(six[0]) >= WINDOW));
}

#[test]
fn tokens_are_counted_as_expected_and_then_as_they_were() {
    let limits = tokens_per_minute(1000);
    let mut bucket = Bucket::default();
    bucket.reserve(600, START);
    assert_eq!(bucket.room_at(&limits, 400, START), START);
    assert_eq!(bucket.room_at(&limits, 401, START), START + WINDOW);
    bucket.settle(START, 600, 100, START + SECOND);
    assert_eq!(bucket.room_at(&limits, 900, START + SECOND), START + SECOND);
    assert_eq!(bucket.room_at(&limits, 901, START + SECOND), START + WINDOW);
    // What is larger than the limit is asked when nothing else counts: the size is a guess.
    assert_eq!(bucket.room_at(&limits, 5000, START + SECOND), START + WINDOW);
}

#[test]
fn a_request_waits_for_as_many_to_leave_as_it_needs() {
    let limits = tokens_per_minute(100);
    let mut bucket = Bucket::default();
    for n in 0..10 {
        bucket.reserve(10, START + n * SECOND);
    }
    let now = START + 10 * SECOND;
    assert_eq!(bucket.room_at(&limits, 10, now), START + WINDOW);
    assert_eq!(bucket.room_at(&limits, 35, now), START + 3 * SECOND + WINDOW);
}

#[test]
fn the_day_ends_at_midnight_in_los_angeles() {
    let limits = Limits { requests_per_day: Some(2), ..Limits::default() };
    let mut bucket = Bucket::default();
    bucket.reserve(0, START);
    bucket.reserve(0, START + 600 * SECOND);
    let now = START + 700 * SECOND;
    let midnight = START.next_los_angeles_midnight();
    assert_eq!(bucket.room_at(&limits, 0, now), midnight);
    assert_eq!(bucket.room_at(&limits, 0, midnight), midnight);
    bucket.refund(START, 0, now);
    assert_eq!(bucket.room_at(&limits, 0, now), now);
    // What was begun yesterday is not taken from today.
    bucket.reserve(0, midnight);
    bucket.reserve(0, midnight);
    bucket.refund(START, 0, midnight);
    assert!(bucket.room_at(&limits, 0, midnight) > midnight);
    assert!(!bucket.is_empty(midnight) && bucket.is_empty(midnight + 90_000 * SECOND));
}

#[test]
fn a_refund_makes_room_once() {
    let limits = per_minute(1);
    let mut bucket = Bucket::default();
    bucket.reserve(50, START);
    assert!(bucket.room_at(&limits, 0, START) > START);
    bucket.refund(START, 50, START);
    bucket.refund(START, 50, START);
    assert_eq!(bucket.room_at(&limits, 0, START), START);
    bucket.reserve(50, START);
    assert!(bucket.room_at(&limits, 0, START) > START);
    assert!(bucket.room_at(&tokens_per_minute(99), 50, START) > START);
}

#[test]
fn a_minute_takes_bounded_memory_whatever_the_traffic() {
    let mut bucket = Bucket::default();
    for n in 0..2_000_000_u64 {
        bucket.reserve(1, START + Duration::from_micros(n * 100));
    }
    assert!(bucket.minute.len() <= 60_201, "{}", bucket.minute.len());
}

#[test]
fn more_served_than_a_limit_allows_contradicts_it() {
    let mut bucket = Bucket::default();
    for _ in 0..6 {
        bucket.reserve(0, START);
    }
    assert!(!bucket.contradicts(&per_minute(5)), "nothing was served yet");
    for _ in 0..6 {
        bucket.settle(START, 0, 0, START + SECOND);
    }
    assert!(bucket.contradicts(&per_minute(5)));
    assert!(!bucket.contradicts(&per_minute(6)));
    assert!(!bucket.contradicts(&Limits::default()));
}

#[test]
fn a_clock_that_is_put_back_moves_the_window_with_it() {
    let limits = per_minute(1);
    let mut bucket = Bucket::default();
    bucket.reserve(0, START);
    let back = START.before(100 * SECOND);
    bucket.rewind(100 * SECOND, back);
    assert_eq!(bucket.room_at(&limits, 0, back), back + WINDOW);
}

#[test]
fn absurd_limits_and_sizes_do_no_harm() {
    let mut bucket = Bucket::default();
    for _ in 0..3 {
        bucket.reserve(u64::MAX, START);
    }
    for limit in [0, u64::MAX] {
        let limits = Limits {
            requests_per_minute: Some(limit),
            tokens_per_minute: Some(limit),
            requests_per_day: Some(limit),
            tokens_per_day: Some(limit),
        };
        assert_eq!(bucket.room_at(&limits, u64::MAX, START), START);
    }
    bucket.settle(START, u64::MAX, u64::MAX, START);
    bucket.refund(START, u64::MAX, START);
    assert_eq!(bucket.room_at(&per_minute(3), 0, START), START);
}
