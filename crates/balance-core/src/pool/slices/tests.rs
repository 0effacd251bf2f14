use super::{
    super::{
        bucket::{Bucket, WINDOW},
        slots::{reroll, scale},
        tests::{START, ask, keys},
    },
    *,
};
use crate::pool::{PoolLimits, Strategy};

const SECOND: Duration = Duration::from_secs(1);

fn claim(node: u64, used: u64, wanted: u64) -> Claim {
    Claim { node, used, wanted, counts_until: START }
}

#[test]
fn each_gets_what_it_wants_as_far_as_there_is() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.exchange(claim(1, 0, 80), 100, START).held, 80);
    assert_eq!(ledger.exchange(claim(2, 0, 80), 100, START).held, 20);
    // The first wants less than it has in use; what it has not is free for the second.
    assert_eq!(ledger.exchange(claim(1, 30, 35), 100, START).held, 35);
    assert_eq!(ledger.exchange(claim(2, 20, 80), 100, START).held, 65);
}

#[test]
fn where_all_want_more_than_there_is_each_gets_an_even_part() {
    let mut ledger = Ledger::default();
    let mut held = [0_u64; 4];
    for round in 0..3 {
        for node in 0..4 {
            let place = usize::try_from(node).unwrap();
            held[place] = ledger.exchange(claim(node, 0, 100), 10, START + round * SECOND).held;
        }
    }
    assert_eq!(held.iter().sum::<u64>(), 10, "{held:?}");
    assert!(held.iter().all(|held| (1..=3).contains(held)), "{held:?}");
}

#[test]
fn a_holder_that_falls_silent_loses_its_slice_after_the_term() {
    let mut ledger = Ledger::default();
    let _slice = ledger.exchange(claim(1, 0, 9), 9, START);
    assert_eq!(ledger.exchange(claim(2, 0, 9), 9, START + TERM.saturating_sub(SECOND)).held, 0);
    assert_eq!(ledger.exchange(claim(2, 0, 9), 9, START + TERM).held, 9);
    let text = serde_json::to_string(&ledger).unwrap();
    assert_eq!(serde_json::from_str::<Ledger>(&text).unwrap(), ledger);
}

/// The bound: whatever instances ask and send, within what they hold no minute sees more than the
/// limit of all of them together.
#[test]
fn together_they_never_send_more_than_the_limit_in_any_minute() {
    for seed in 0..40 {
        let (limit, mut roll) = (3 + seed % 20, reroll(seed));
        let mut chance = |bound| {
            roll = reroll(roll);
            scale(roll, bound)
        };
        let mut ledger = Ledger::default();
        let mut nodes: Vec<(Bucket, u64)> = (0..4).map(|_| (Bucket::default(), 0)).collect();
        let mut sent: Vec<Timestamp> = Vec::new();
        let mut now = START;
        for _ in 0..4000 {
            now = now + Duration::from_millis(chance(800) as u64);
            let place = chance(4);
            let (bucket, held) = &mut nodes[place];
            let used = bucket.used(now).requests_in_minute;
            if chance(3) == 0 {
                let claim = claim(place as u64, used, used + chance(8) as u64);
                *held = ledger.exchange(claim, limit, now).held;
            } else if used < *held {
                bucket.reserve(0, now);
                sent.push(now);
            }
        }
        for (place, first) in sent.iter().enumerate() {
            let in_minute = sent[place..].iter().take_while(|at| at.since(*first) < WINDOW);
            assert!(in_minute.count() as u64 <= limit, "seed {seed}");
        }
        assert!(sent.len() as u64 > 15 * limit, "seed {seed}: {}", sent.len());
    }
}

#[test]
fn a_pool_sends_no_more_than_it_holds_and_goes_on_when_it_gets_more() {
    let rpm = Limits { requests_per_minute: Some(8), ..Limits::default() };
    let sharing = Sharing::Slices { instances: 1 };
    let limits = PoolLimits { default: rpm, sharing, ..PoolLimits::default() };
    let mut pool = Pool::new(keys(1), Strategy::Balanced).with_limits(limits);
    let hold = |pool: &mut Pool, requests: u64, now| {
        let of = Quotum { key: keys(1)[0].id, model: "a".into() };
        pool.hold(&of, Limits { requests_per_minute: Some(requests), ..rpm }, now);
    };
    let send_all = |pool: &mut Pool, now| {
        let mut sent = 0;
        while let Ok(lease) = pool.select(&ask("a"), now, 0) {
            pool.cancel(lease, now);
            sent += 1;
        }
        sent
    };
    let lease = pool.select(&ask("a"), START, 0).unwrap();
    pool.cancel(lease, START);
    let told = pool.holdings(false, START);
    assert_eq!((told.len(), told[0].used.requests_per_minute), (1, Some(1)));
    assert_eq!(told[0].wanted.requests_per_minute, Some(2));
    assert_eq!(pool.holdings(false, START), [], "nothing new");
    hold(&mut pool, 3, START);
    assert_eq!(send_all(&mut pool, START), 2);
    hold(&mut pool, 5, START + SECOND);
    assert_eq!(send_all(&mut pool, START + SECOND), 2);
    hold(&mut pool, 0, START + WINDOW + SECOND);
    assert_eq!(send_all(&mut pool, START + 2 * WINDOW), 0, "nothing held, nothing sent");
    hold(&mut pool, 100, START + 2 * WINDOW);
    assert_eq!(send_all(&mut pool, START + 2 * WINDOW), 8, "never more than the limit");
}

#[test]
fn what_one_that_fell_silent_had_used_of_a_day_stays_used() {
    let day_ends = START + 1000 * TERM;
    let of_day = |node, used, wanted| Claim { node, used, wanted, counts_until: day_ends };
    let mut ledger = Ledger::default();
    let _slice = ledger.exchange(of_day(1, 40, 60), 100, START);
    assert_eq!(ledger.exchange(of_day(2, 0, 90), 100, START), Slice { held: 40, holders: 2 });
    // Its slice is over, but 40 of it were sent.
    let later = START + TERM;
    assert_eq!(ledger.exchange(of_day(3, 0, 90), 100, later), Slice { held: 60, holders: 1 });
    // It comes back, and counts once.
    assert_eq!(ledger.exchange(of_day(1, 45, 90), 100, later), Slice { held: 45, holders: 2 });
    assert_eq!(ledger.exchange(of_day(4, 0, 90), 100, day_ends).held, 90, "another day");
}

#[test]
fn however_many_fall_silent_the_ledger_stays_small() {
    let of_day = |node, used| Claim { node, used, wanted: used, counts_until: START + 1000 * TERM };
    let mut ledger = Ledger::default();
    for node in 1..=1000 {
        let now = START + u32::try_from(node).unwrap() * SECOND;
        let _slice = ledger.exchange(of_day(node, 1), 10_000, now);
    }
    let claim = Claim { node: 2000, used: 0, wanted: 10_000, counts_until: START };
    let slice = ledger.exchange(claim, 10_000, START + 1200 * SECOND);
    assert_eq!(slice, Slice { held: 9_000, holders: 1 });
    assert!(ledger.holders.len() <= MOST_GONE + 2, "{}", ledger.holders.len());
}

#[test]
fn what_is_not_wanted_is_given_up_before_others_can_hear_of_it() {
    let rpm = Limits { requests_per_minute: Some(80), ..Limits::default() };
    let sharing = Sharing::Slices { instances: 2 };
    let limits = PoolLimits { default: rpm, sharing, ..PoolLimits::default() };
    let mut pool = Pool::new(keys(1), Strategy::Balanced).with_limits(limits);
    let lease = pool.select(&ask("a"), START, 0).unwrap();
    pool.cancel(lease, START);
    let of = Quotum { key: keys(1)[0].id, model: "a".into() };
    pool.hold(&of, Limits { requests_per_minute: Some(60), ..rpm }, START);
    assert_eq!(pool.limits(keys(1)[0].id, Some("a")).requests_per_minute, Some(60));
    let told = pool.holdings(true, START);
    assert_eq!(told[0].wanted.requests_per_minute, Some(11));
    assert_eq!(pool.limits(keys(1)[0].id, Some("a")).requests_per_minute, Some(11));
}
