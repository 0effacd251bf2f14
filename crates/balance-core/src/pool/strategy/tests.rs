use std::{num::NonZeroU32, time::Duration};

use super::*;
use crate::{
    fault::Blame,
    key::{Key, KeyId},
    pool::{
        Ask, Pool,
        tests::{START, fault, key, keys, minute},
    },
};

/// Takes and gives back a key for model "m".
fn pick(pool: &mut Pool, now: Timestamp, roll: u64) -> KeyId {
    let lease = pool.select(&Ask { model: Some("m"), ..Ask::default() }, now, roll).unwrap();
    let key = lease.key;
    pool.settle(lease, Ok(balance_dialect::summary::Usage::default()), now);
    key
}

fn picks(pool: &mut Pool, count: usize) -> Vec<KeyId> {
    let mut roll = 1;
    let next = |_| {
        roll = reroll(roll);
        pick(pool, START, roll)
    };
    (0..count).map(next).collect()
}

/// How often each key was picked, in the order of the keys.
fn counts(picks: &[KeyId], keys: &[Key]) -> Vec<usize> {
    keys.iter().map(|key| picks.iter().filter(|picked| **picked == key.id).count()).collect()
}

/// Puts a key out of quota for a minute.
fn exhaust(pool: &mut Pool, key: &Key, now: Timestamp) {
    let ask = Ask { model: Some("m"), prefer: Some(key.id), ..Ask::default() };
    let lease = pool.select(&ask, now, 0).unwrap();
    assert_eq!(lease.key, key.id);
    pool.settle(lease, Err(&fault(minute(60))), now);
}

#[test]
fn names_are_read_and_written() {
    for (name, strategy) in NAMES {
        assert_eq!(name.parse(), Ok(strategy));
        assert_eq!(strategy.to_string(), name);
        assert_eq!(name.to_uppercase().replace('-', "_").parse(), Ok(strategy));
    }
    assert_eq!(" adaptive ".parse(), Ok(Strategy::Balanced));
    let error = "fastest".parse::<Strategy>().unwrap_err().to_string();
    assert_eq!(
        error,
        "wanted one of balanced, round-robin, least-used, random, weighted, time-window, fill-first"
    );
}

#[test]
fn round_robin_goes_round_in_order_and_steps_over_what_rests() {
    let keys = keys(4);
    let mut pool = Pool::new(keys.clone(), Strategy::RoundRobin);
    let order: Vec<_> = keys.iter().cycle().take(9).map(|key| key.id).collect();
    assert_eq!(picks(&mut pool, 9), order);
    exhaust(&mut pool, &keys[2], START);
    let expected = [1, 3, 0, 1, 3].map(|n| keys[n].id);
    assert_eq!(picks(&mut pool, 5), expected);
}

#[test]
fn least_used_takes_every_key_once_a_round_and_a_returning_one_at_once_but_not_again() {
    let keys = keys(5);
    let mut pool = Pool::new(keys.clone(), Strategy::LeastUsed);
    for _ in 0..20 {
        assert_eq!(counts(&picks(&mut pool, 5), &keys), [1; 5]);
    }
    exhaust(&mut pool, &keys[0], START);
    let mut rested = counts(&picks(&mut pool, 402), &keys);
    rested.sort_unstable();
    assert_eq!(rested, [0, 100, 100, 101, 101]);
    let later = START + Duration::from_secs(61);
    let picked: Vec<_> = (0..50).map(|n| pick(&mut pool, later, reroll(n))).collect();
    assert!(counts(&picked, &keys).iter().all(|count| (9..=11).contains(count)));
}

#[test]
fn random_takes_all_alike() {
    let keys = keys(10);
    let mut pool = Pool::new(keys.clone(), Strategy::Random);
    let counts = counts(&picks(&mut pool, 10_000), &keys);
    assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
}

#[test]
fn weighted_is_smooth_and_keeps_the_weights() {
    let mut keys = keys(3);
    keys[0].weight = NonZeroU32::new(5).unwrap();
    let mut pool = Pool::new(keys.clone(), Strategy::Weighted);
    let order = picks(&mut pool, 7)
        .iter()
        .map(|id| keys.iter().position(|k| k.id == *id).unwrap())
        .collect::<Vec<_>>();
    assert_eq!(order, [0, 1, 0, 0, 0, 2, 0]);
    for _ in 0..10 {
        assert_eq!(counts(&picks(&mut pool, 7), &keys), [5, 1, 1]);
    }
    // With the heavy one at rest the others share alike; when it is back, the weights hold again.
    exhaust(&mut pool, &keys[0], START);
    assert_eq!(counts(&picks(&mut pool, 10), &keys), [0, 5, 5]);
}

#[test]
fn weighted_keeps_many_weights_within_one_round() {
    let mut keys = keys(60);
    for (n, key) in keys.iter_mut().enumerate() {
        key.weight = NonZeroU32::new([1, 2, 7, 1000][n % 4]).unwrap();
    }
    let mut pool = Pool::new(keys.clone(), Strategy::Weighted);
    let round: usize = keys.iter().map(|key| key.weight.get() as usize).sum();
    let counts = counts(&picks(&mut pool, 2 * round), &keys);
    for (key, count) in keys.iter().zip(counts) {
        let due = 2 * key.weight.get() as usize;
        assert!(count.abs_diff(due) <= 1, "weight {} came {count} times", key.weight);
    }
}

#[test]
fn the_time_window_gives_each_key_its_share_of_ten_seconds() {
    let rows = [
        (3, 0, 0),
        (3, 3333, 0),
        (3, 3334, 1),
        (3, 6667, 2),
        (3, 9999, 2),
        (12, 833, 0),
        (12, 834, 1),
        (12, 9999, 11),
        (1, 5000, 0),
    ];
    for (size, offset, place) in rows {
        let keys = keys(size);
        let mut pool = Pool::new(keys.clone(), Strategy::TimeWindow);
        let now = Timestamp::from_unix_millis(1_795_255_680_000 / 10_000 * 10_000 + offset);
        for roll in [0, 9, u64::MAX] {
            assert_eq!(pick(&mut pool, now, roll), keys[place].id, "{size} keys at {offset}");
        }
    }
}

#[test]
fn a_retry_in_a_time_window_walks_on_to_the_next_key() {
    let keys = keys(3);
    let mut pool = Pool::new(keys.clone(), Strategy::TimeWindow);
    let now = Timestamp::from_unix_millis(6667);
    let mut tried = Vec::new();
    for place in [2, 0, 1] {
        let ask = Ask { model: Some("m"), tried: &tried, ..Ask::default() };
        let lease = pool.select(&ask, now, 0).unwrap();
        assert_eq!(lease.key, keys[place].id);
        tried.push(lease.key);
        pool.settle(lease, Err(&fault(Blame::Request)), now);
    }
}

#[test]
fn balanced_prefers_what_has_less_under_way() {
    let keys = keys(2);
    let mut pool = Pool::new(keys.clone(), Strategy::Balanced);
    let ask = Ask { model: Some("m"), prefer: Some(keys[0].id), ..Ask::default() };
    let busy: Vec<_> = (0..100).map(|_| pool.select(&ask, START, 0).unwrap()).collect();
    // In another minute only what is under way counts. The busy key comes when it is drawn twice,
    // which is once in four, until the other has had as many requests.
    let later = START + Duration::from_secs(61);
    let picked: Vec<_> = (0..100).map(|n| pick(&mut pool, later, reroll(n))).collect();
    let shares = counts(&picked, &keys);
    assert!((8..40).contains(&shares[0]), "{shares:?}");
    for lease in busy {
        pool.cancel(lease, later);
    }
    let later = later + Duration::from_secs(60);
    let picked: Vec<_> = (0..100).map(|n| pick(&mut pool, later, reroll(n))).collect();
    let shares = counts(&picked, &keys);
    assert!((45..55).contains(&shares[0]), "{shares:?}");
}

#[test]
fn balanced_spreads_the_requests_of_a_minute_evenly() {
    let keys = keys(100);
    let mut pool = Pool::new(keys.clone(), Strategy::Balanced);
    let counts = counts(&picks(&mut pool, 10_000), &keys);
    assert!(counts.iter().all(|count| (96..=104).contains(count)), "{counts:?}");
}

#[test]
fn balanced_counts_for_the_whole_project() {
    let mut keys = keys(4);
    for key in &mut keys[..3] {
        key.project = Some("shared".into());
    }
    let mut pool = Pool::new(keys.clone(), Strategy::Balanced);
    let counts = counts(&picks(&mut pool, 1000), &keys);
    // A quarter would be its share among four equal keys; it comes whenever it is drawn.
    assert!(counts[3] > 350, "{counts:?}");
}

#[test]
fn fill_first_drains_the_minute_that_ends_soonest() {
    let keys = keys(3);
    let rpm = crate::fault::Limits { requests_per_minute: Some(2), ..Default::default() };
    let limits = crate::pool::PoolLimits { default: rpm, ..Default::default() };
    let mut pool = Pool::new(keys.clone(), Strategy::FillFirst).with_limits(limits);
    let at = |seconds| START + Duration::from_secs(seconds);
    // Key 0 is drained, then key 1 is begun; when key 0 is back, key 1 is filled all the same.
    let expected = [(0, 0), (1, 0), (10, 1), (61, 1), (62, 0), (63, 0), (64, 2), (71, 2), (72, 1)];
    for (seconds, place) in expected {
        assert_eq!(pick(&mut pool, at(seconds), 7), keys[place].id, "after {seconds} s");
    }
}

#[test]
fn balanced_takes_more_of_the_heavier() {
    let mut keys = keys(2);
    keys[1].weight = NonZeroU32::new(2).unwrap();
    let mut pool = Pool::new(keys.clone(), Strategy::Balanced);
    let shares = counts(&picks(&mut pool, 3000), &keys);
    assert!((1900..2100).contains(&shares[1]), "{shares:?}");
}

#[test]
fn every_strategy_finds_the_one_ready_key() {
    for (_, strategy) in NAMES {
        let all = keys(200);
        let mut pool = Pool::new(all.clone(), strategy);
        for key in all.iter().filter(|other| other.id != key(137).id) {
            exhaust(&mut pool, key, START);
        }
        for roll in 0..50 {
            let roll = reroll(roll);
            assert_eq!(pick(&mut pool, START, roll), key(137).id, "{strategy}");
        }
    }
}
