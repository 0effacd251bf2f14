//! What failures of the service do to keys, and what they do not.

use super::*;

const TEN_MINUTES: Duration = Duration::from_secs(600);

/// The keys that requests get, one after the other, none of them settled.
fn take(pool: &mut Pool, count: usize, now: Timestamp) -> Vec<Lease> {
    (0..count).map(|n| pool.select(&ask("a"), now, slots::reroll(n as u64)).unwrap()).collect()
}

#[test]
fn a_project_that_failed_is_tried_by_one_request_at_a_time() {
    let all = keys(2);
    let mut pool = Pool::new(all.clone(), Strategy::RoundRobin);
    fail(&mut pool, all[0].id, "a", SERVICE, START);
    let now = START + MINUTE;
    let is_first = |lease: &Lease| lease.key == all[0].id;
    let mut leases = take(&mut pool, 20, now);
    assert_eq!(leases.iter().filter(|lease| is_first(lease)).count(), 1, "one tries it");
    let place = leases.iter().position(is_first).unwrap();
    pool.cancel(leases.swap_remove(place), now);
    let mut again = take(&mut pool, 20, now);
    assert_eq!(again.iter().filter(|lease| is_first(lease)).count(), 1, "another one may");
    let place = again.iter().position(is_first).unwrap();
    pool.note_opened(&again.swap_remove(place), now);
    let trusted = take(&mut pool, 20, now);
    assert_eq!(trusted.iter().filter(|lease| is_first(lease)).count(), 10, "it works");
}

#[test]
fn a_try_that_fails_makes_the_next_one_later() {
    let all = keys(2);
    let mut pool = Pool::new(all.clone(), Strategy::RoundRobin);
    let mut now = START;
    let mut pauses = Vec::new();
    for _ in 0..6 {
        fail(&mut pool, all[0].id, "a", SERVICE, now);
        let back = pool.next_change(now).unwrap();
        pauses.push(back.since(now));
        now = back;
    }
    assert!(pauses.is_sorted() && pauses[5] > 8 * pauses[0], "{pauses:?}");
}

#[test]
fn what_fails_everywhere_is_no_key_s_fault_and_is_tried_by_one_request_at_a_time() {
    let mut pool = Pool::new(keys(50), Strategy::RoundRobin);
    for lease in take(&mut pool, 3, START) {
        pool.settle(lease, Err(&fault(SERVICE)), START);
    }
    let census = pool.census(Some("a"), START);
    assert_eq!((census.ready, census.doubtful), (50, 0), "no key is to blame");
    let out = pool.select(&ask("a"), START, 0).unwrap_err();
    assert_eq!(out.why, Why::Outage);
    assert_eq!(pool.next_ready(Some("a"), START), out.until);
    assert!(pool.select(&ask("b"), START, 0).is_ok(), "another model is another matter");
    let now = out.until.unwrap();
    let tries = pool.select(&ask("a"), now, 0).unwrap();
    assert_eq!(pool.select(&ask("a"), now, 0).unwrap_err().why, Why::Outage);
    pool.settle(tries, Err(&fault(SERVICE)), now);
    let now = pool.select(&ask("a"), now, 0).unwrap_err().until.unwrap();
    let tries = pool.select(&ask("a"), now, 0).unwrap();
    pool.note_opened(&tries, now);
    assert_eq!(take(&mut pool, 50, now).len(), 50, "one good answer is enough");
}

#[test]
fn who_tried_some_keys_in_an_outage_waits_for_its_end() {
    let mut pool = Pool::new(keys(5), Strategy::RoundRobin);
    let tried: Vec<_> = take(&mut pool, 3, START)
        .into_iter()
        .map(|lease| {
            let key = lease.key;
            pool.settle(lease, Err(&fault(SERVICE)), START);
            key
        })
        .collect();
    let ends = pool.select(&ask("a"), START, 0).unwrap_err().until;
    assert!(ends.is_some());
    assert_eq!(pool.next_untried(&Ask { tried: &tried, ..ask("a") }, START), ends);
    let all: Vec<_> = keys(5).iter().map(|key| key.id).collect();
    assert_eq!(pool.next_untried(&Ask { tried: &all, ..ask("a") }, START), None);
}

#[test]
fn the_next_try_goes_to_another_project_and_only_then_to_another_key_of_one_tried() {
    let mut all = keys(6);
    for (number, key) in all.iter_mut().enumerate() {
        key.project = Some(["p", "q", "r"][number % 3].into());
    }
    let project = |key: KeyId| all.iter().find(|own| own.id == key).unwrap().project.clone();
    for roll in 0..50 {
        let mut pool = Pool::new(all.clone(), Strategy::Random);
        let mut tried = Vec::new();
        for _ in 0..6 {
            let lease = pool.select(&Ask { tried: &tried, ..ask("a") }, START, roll).unwrap();
            tried.push(lease.key);
        }
        let mut projects: Vec<_> = tried[..3].iter().map(|key| project(*key)).collect();
        projects.sort_unstable();
        projects.dedup();
        assert_eq!(projects.len(), 3, "{tried:?}");
    }
}

#[test]
fn another_key_of_a_free_project_comes_before_a_paid_one() {
    let mut all = keys(3);
    for key in &mut all[..2] {
        key.project = Some("p".into());
    }
    all[2].tier = Tier::Paid;
    let mut pool = Pool::new(all.clone(), Strategy::Balanced);
    let first = pool.select(&ask("a"), START, 0).unwrap().key;
    let second = pool.select(&Ask { tried: &[first], ..ask("a") }, START, 0).unwrap().key;
    let both = [first, second];
    assert!(both.contains(&all[0].id) && both.contains(&all[1].id));
}

#[test]
fn an_outage_that_ends_is_noticed_within_eight_seconds() {
    let mut pool = Pool::new(keys(20), Strategy::Balanced);
    let ends = START + TEN_MINUTES;
    let mut now = START;
    let served = loop {
        match pool.select(&ask("a"), now, now.unix_millis()) {
            Ok(lease) if now < ends => pool.settle(lease, Err(&fault(SERVICE)), now),
            Ok(lease) => break lease,
            Err(resting) => now = resting.until.unwrap(),
        }
    };
    assert!(now.since(ends) <= 8 * SECOND, "{:?}", now.since(ends));
    pool.settle(served, Ok(Usage::default()), now);
    assert!(pool.census(Some("a"), now).out.is_empty());
}

#[test]
fn when_two_models_fail_everywhere_it_is_the_way_there() {
    let mut pool = Pool::new(keys(9), Strategy::RoundRobin);
    for model in ["a", "a", "b", "b", "a", "b"] {
        if let Ok(lease) = pool.select(&ask(model), START, 0) {
            pool.settle(lease, Err(&fault(SERVICE)), START);
        }
    }
    let out = pool.select(&ask("c"), START, 0).unwrap_err();
    assert_eq!(out.why, Why::Outage, "a model that was not asked yet");
    let now = out.until.unwrap() + 8 * SECOND;
    let tries = pool.select(&ask("c"), now, 0).unwrap();
    pool.settle(tries, Ok(Usage::default()), now);
    assert!(pool.select(&ask("a"), now, 0).is_ok() && pool.select(&ask("d"), now, 0).is_ok());
}
