mod affinity;
mod bad_input;
mod health;
mod tiers;

use bytes::Bytes;
use http::StatusCode;

use super::*;
use crate::fault::{Blame, KeyFault, ProjectFault, Quota};

pub(super) const START: Timestamp = Timestamp::from_unix_millis(1_795_255_680_000);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn key(n: usize) -> Key {
    Key::parse(&format!("AIzaSy-test-key-{n:08}")).unwrap()
}

pub(super) fn keys(count: usize) -> Vec<Key> {
    (0..count).map(key).collect()
}

pub(super) fn fault(blame: Blame) -> Fault {
    let status = StatusCode::BAD_GATEWAY;
    let (message, body) = Default::default();
    Fault {
        blame,
        status,
        message,
        body,
        content_type: None,
        project_number: None,
        contradicts_itself: false,
    }
}

pub(super) fn minute(seconds: u64) -> Blame {
    let retry_after = Some(Duration::from_secs(seconds));
    Blame::Quota(Quota::Minute { retry_after, limits: Limits::default() })
}

const DAY: Blame = Blame::Quota(Quota::Day {
    limits: Limits {
        requests_per_minute: None,
        tokens_per_minute: None,
        requests_per_day: Some(20),
        tokens_per_day: None,
    },
});
const SERVICE: Blame = Blame::Service { retry_after: None };

pub(super) fn ask(model: &str) -> Ask<'_> {
    Ask { model: Some(model), ..Ask::default() }
}

/// Takes a key for `model` and lets it fail.
pub(super) fn fail(pool: &mut Pool, key: KeyId, model: &str, blame: Blame, now: Timestamp) {
    let lease = pool.select(&Ask { prefer: Some(key), ..ask(model) }, now, 0).unwrap();
    assert_eq!(lease.key, key, "the key is not ready");
    pool.settle(lease, Err(&fault(blame)), now);
}

/// The keys that can be had for a model, one after the other.
fn usable(pool: &mut Pool, model: &str, now: Timestamp) -> Vec<KeyId> {
    let mut tried = Vec::new();
    while let Ok(lease) = pool.select(&Ask { tried: &tried, ..ask(model) }, now, 7) {
        assert!(!tried.contains(&lease.key));
        tried.push(lease.key);
        pool.cancel(lease, now);
    }
    tried.sort_unstable();
    tried
}

fn ids(keys: &[Key]) -> Vec<KeyId> {
    let mut ids: Vec<_> = keys.iter().map(|key| key.id).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn a_quota_rests_one_model_of_one_project() {
    let mut all = keys(4);
    for key in &mut all[..2] {
        key.project = Some("p".into());
    }
    let mut pool = Pool::new(all.clone(), Strategy::Balanced);
    fail(&mut pool, all[0].id, "a", minute(30), START);
    assert_eq!(usable(&mut pool, "a", START), ids(&all[2..]));
    assert_eq!(usable(&mut pool, "b", START), ids(&all));
    let back = START + 30 * SECOND;
    assert_eq!(pool.next_change(START), Some(back));
    assert_eq!(usable(&mut pool, "a", back.before(Duration::from_millis(1))), ids(&all[2..]));
    assert_eq!(usable(&mut pool, "a", back), ids(&all));
    assert_eq!(pool.next_change(back), None);
}

#[test]
fn a_day_quota_rests_until_midnight_in_los_angeles() {
    let mut pool = Pool::new(keys(1), Strategy::Balanced);
    fail(&mut pool, key(0).id, "a", DAY, START);
    let resting = pool.select(&ask("a"), START, 0).unwrap_err();
    let midnight = START.next_los_angeles_midnight();
    assert_eq!(resting, Resting { until: Some(midnight), why: Why::AllResting });
    assert_eq!(pool.limits(key(0).id, Some("a")).requests_per_day, Some(20));
    assert_eq!(pool.limits(key(0).id, Some("b")), Limits::default());
    assert!(pool.select(&ask("a"), midnight, 0).is_ok());
}

#[test]
fn limits_outlive_the_rest_and_the_newest_word_counts() {
    let mut pool = Pool::new(keys(1), Strategy::Balanced);
    let quota = |requests_per_minute| {
        let limits = Limits { requests_per_minute, ..Limits::default() };
        Blame::Quota(Quota::Minute { retry_after: Some(SECOND), limits })
    };
    fail(&mut pool, key(0).id, "a", quota(Some(5)), START);
    fail(&mut pool, key(0).id, "a", quota(None), START + 2 * SECOND);
    assert_eq!(pool.limits(key(0).id, Some("a")).requests_per_minute, Some(5));
    fail(&mut pool, key(0).id, "a", quota(Some(10)), START + 4 * SECOND);
    assert_eq!(pool.limits(key(0).id, Some("a")).requests_per_minute, Some(10));
}

#[test]
fn the_first_moment_of_several_is_told() {
    let all = keys(3);
    let mut pool = Pool::new(all.clone(), Strategy::Balanced);
    fail(&mut pool, all[0].id, "a", minute(40), START);
    fail(&mut pool, all[1].id, "a", minute(20), START);
    fail(&mut pool, all[2].id, "a", DAY, START);
    let until = |pool: &mut Pool| pool.select(&ask("a"), START, 0).unwrap_err().until;
    assert_eq!(until(&mut pool), Some(START + 20 * SECOND));
    // A key that is dead does not come back, whatever its quota.
    fail(&mut pool, all[1].id, "b", Blame::Key(KeyFault::Invalid), START);
    assert_eq!(until(&mut pool), Some(START + 40 * SECOND));
    // Nor does a shut project before it reopens.
    fail(&mut pool, all[0].id, "b", Blame::Project(ProjectFault::Billing), START);
    assert_eq!(until(&mut pool), Some(START + HOUR));
    assert!(pool.select(&ask("a"), START + HOUR, 0).is_ok());
}

#[test]
fn dead_keys_stay_dead_for_every_model() {
    let reasons = [
        KeyFault::Invalid,
        KeyFault::Expired,
        KeyFault::Leaked,
        KeyFault::Suspended,
        KeyFault::Restricted,
    ];
    let all = keys(reasons.len() + 1);
    let mut pool = Pool::new(all.clone(), Strategy::Balanced);
    assert_eq!(usable(&mut pool, "b", START).len(), 6);
    for (key, reason) in all.iter().zip(reasons) {
        fail(&mut pool, key.id, "a", Blame::Key(reason), START);
    }
    let later = START + 10_000 * HOUR;
    for model in ["a", "b", "never asked before"] {
        assert_eq!(usable(&mut pool, model, later), [all[5].id]);
    }
    let census = pool.census(Some("a"), later);
    assert_eq!((census.total, census.ready), (6, 1));
    assert_eq!(census.out, reasons.map(|reason| (reason.code(), 1)));
    fail(&mut pool, all[5].id, "a", Blame::Key(KeyFault::Invalid), later);
    let none = Resting { until: None, why: Why::AllOut };
    assert_eq!(pool.select(&ask("a"), later, 0).unwrap_err(), none);
}

#[test]
fn a_project_fault_shuts_all_keys_of_the_project() {
    let mut all = keys(4);
    for key in &mut all[..3] {
        key.project = Some("p".into());
    }
    let mut pool = Pool::new(all.clone(), Strategy::Balanced);
    fail(&mut pool, all[1].id, "a", Blame::Project(ProjectFault::Billing), START);
    for model in ["a", "b"] {
        assert_eq!(usable(&mut pool, model, START), [all[3].id]);
    }
    assert_eq!(pool.census(None, START).out, [("project_billing", 3)]);
    assert_eq!(pool.next_change(START), Some(START + HOUR));
    assert_eq!(usable(&mut pool, "b", START + HOUR), ids(&all));
    fail(&mut pool, all[1].id, "a", Blame::Project(ProjectFault::Suspended), START + HOUR);
    assert_eq!(usable(&mut pool, "b", START + 10_000 * HOUR), [all[3].id]);
}

#[test]
fn doubtful_keys_are_used_last_and_the_least_doubtful_first() {
    let all = keys(3);
    let mut pool = Pool::new(all.clone(), Strategy::RoundRobin);
    fail(&mut pool, all[0].id, "a", SERVICE, START);
    fail(&mut pool, all[2].id, "a", Blame::Project(ProjectFault::Forbidden), START);
    for roll in 0..20 {
        let lease = pool.select(&ask("a"), START, roll).unwrap();
        assert_eq!(lease.key, all[1].id);
        pool.cancel(lease, START);
    }
    let census = pool.census(Some("a"), START);
    assert_eq!((census.ready, census.doubtful, census.resting), (1, 2, 0));
    fail(&mut pool, all[1].id, "a", DAY, START);
    let mut tried = Vec::new();
    for expected in [&all[0], &all[2]] {
        let lease = pool.select(&Ask { tried: &tried, ..ask("a") }, START, 0).unwrap();
        assert_eq!(lease.key, expected.id);
        tried.push(lease.key);
        pool.cancel(lease, START);
    }
    let resting = pool.select(&Ask { tried: &tried, ..ask("a") }, START, 0).unwrap_err();
    assert_eq!(resting.why, Why::AllTried);
    assert_eq!(resting.until, pool.next_ready(Some("a"), START));
    assert_eq!(usable(&mut pool, "b", START), ids(&all));
}

#[test]
fn doubts_grow_with_failures_in_a_row_and_end_with_a_success() {
    let mut pool = Pool::new(keys(1), Strategy::Balanced);
    let mut now = START;
    let mut waits = Vec::new();
    for _ in 0..8 {
        let lease = pool.select(&ask("a"), now, u64::MAX).unwrap();
        pool.settle(lease, Err(&fault(SERVICE)), now);
        let ready = pool.next_ready(Some("a"), now).unwrap();
        waits.push(ready.since(now).as_secs_f64().round());
        now = ready;
    }
    assert_eq!(waits, [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]);
    let lease = pool.select(&ask("a"), now, 0).unwrap();
    pool.settle(lease, Err(&fault(SERVICE)), now);
    assert_eq!(pool.census(Some("a"), now).doubtful, 1);
    let lease = pool.select(&ask("a"), now, 0).unwrap();
    pool.settle(lease, Ok(Usage::default()), now);
    assert_eq!(pool.census(Some("a"), now).ready, 1);
    // It decays, and is not forgotten at once.
    let lease = pool.select(&ask("a"), now, u64::MAX).unwrap();
    pool.settle(lease, Err(&fault(SERVICE)), now);
    assert!(pool.next_ready(Some("a"), now).unwrap().since(now) > 20 * SECOND);
}

#[test]
fn requests_that_fail_together_count_as_one_failure() {
    let mut pool = Pool::new(keys(1), Strategy::Balanced);
    let leases: Vec<_> = (0..50).map(|_| pool.select(&ask("a"), START, 0).unwrap()).collect();
    let late = pool.select(&ask("a"), START, 0).unwrap();
    let now = START + SECOND;
    for lease in leases {
        pool.settle(lease, Err(&fault(SERVICE)), now);
    }
    let wait = pool.next_ready(Some("a"), now).unwrap().since(now);
    assert!(wait <= 2 * SECOND, "{wait:?}");
    // A success that was begun before them proves nothing.
    pool.settle(late, Ok(Usage::default()), now);
    assert_eq!(pool.census(Some("a"), now).doubtful, 1);
}

#[test]
fn a_quota_weighs_more_than_a_doubt() {
    let mut pool = Pool::new(keys(1), Strategy::Balanced);
    let first = pool.select(&ask("a"), START, 0).unwrap();
    let second = pool.select(&ask("a"), START, u64::MAX).unwrap();
    pool.settle(first, Err(&fault(minute(10))), START);
    let doubt = Blame::Capacity { retry_after: Some(30 * SECOND) };
    pool.settle(second, Err(&fault(doubt)), START);
    let resting = pool.select(&ask("a"), START, 0).unwrap_err();
    assert_eq!(resting.until, Some(START + 10 * SECOND));
    let back = START + 10 * SECOND;
    assert_eq!(pool.census(Some("a"), back).doubtful, 1);
    assert!(pool.select(&ask("a"), back, 0).is_ok());
    assert_eq!(pool.census(Some("a"), back + 25 * SECOND).ready, 1);
}

#[test]
fn requests_and_egress_blame_no_key() {
    let mut pool = Pool::new(keys(2), Strategy::RoundRobin);
    for blame in [Blame::Request, Blame::Egress, Blame::Gateway] {
        for n in 0..2 {
            fail(&mut pool, key(n).id, "a", blame, START);
        }
    }
    assert_eq!(pool.census(Some("a"), START).ready, 2);
    assert_eq!(pool.next_change(START), None);
}

#[test]
fn a_preferred_key_is_taken_while_it_is_ready_and_untried() {
    let all = keys(3);
    let mut pool = Pool::new(all.clone(), Strategy::RoundRobin);
    let prefer = Some(all[2].id);
    for _ in 0..5 {
        let lease = pool.select(&Ask { prefer, ..ask("a") }, START, 0).unwrap();
        assert_eq!(lease.key, all[2].id);
        pool.cancel(lease, START);
    }
    let tried = [all[2].id];
    let lease = pool.select(&Ask { prefer, tried: &tried, ..ask("a") }, START, 0).unwrap();
    assert_eq!(lease.key, all[0].id);
    pool.cancel(lease, START);
    fail(&mut pool, all[2].id, "a", minute(60), START);
    let lease = pool.select(&Ask { prefer, ..ask("a") }, START, 0).unwrap();
    assert_eq!(lease.key, all[1].id);
    pool.cancel(lease, START);
    let unknown = Some(KeyId::of("of another pool"));
    assert!(pool.select(&Ask { prefer: unknown, ..ask("a") }, START, 0).is_ok());
}

#[test]
fn why_there_is_no_key_is_told() {
    let mut pool = Pool::new(Vec::new(), Strategy::Balanced);
    let refused = |pool: &mut Pool| pool.select(&Ask::default(), START, 0).unwrap_err();
    assert_eq!(refused(&mut pool), Resting { until: None, why: Why::NoKeys });
    let mut disabled = key(0);
    disabled.enabled = false;
    let mut pool = Pool::new(vec![disabled], Strategy::Balanced);
    assert_eq!(refused(&mut pool), Resting { until: None, why: Why::AllOut });
    assert_eq!(pool.census(None, START).disabled, 1);
    let mut pool = Pool::new(keys(1), Strategy::Balanced);
    let tried = [key(0).id];
    let resting = pool.select(&Ask { tried: &tried, ..Ask::default() }, START, 0).unwrap_err();
    assert_eq!(resting, Resting { until: Some(START), why: Why::AllTried });
}

#[test]
fn a_lost_lease_is_counted_back_in_time() {
    let mut pool = Pool::new(keys(1), Strategy::Balanced);
    let lost = pool.select(&ask("a"), START, 0).unwrap();
    let kept = pool.select(&ask("a"), START + SECOND, 0).unwrap();
    drop(lost);
    assert_eq!(pool.in_flight(START + SECOND), 2);
    assert_eq!(pool.in_flight(START + LEASE_TIME), 1);
    assert_eq!(pool.in_flight(START + LEASE_TIME + SECOND), 0);
    // What comes of it late still counts.
    pool.settle(kept, Err(&fault(DAY)), START + LEASE_TIME + MINUTE);
    assert_eq!(pool.census(Some("a"), START + LEASE_TIME + MINUTE).resting, 1);
    assert_eq!(pool.in_flight(START + LEASE_TIME + MINUTE), 0);
}

#[test]
fn keys_that_stay_keep_what_is_known_of_them() {
    let all = keys(6);
    let mut pool = Pool::new(all.clone(), Strategy::RoundRobin);
    fail(&mut pool, all[1].id, "a", minute(60), START);
    fail(&mut pool, all[2].id, "a", Blame::Key(KeyFault::Leaked), START);
    fail(&mut pool, all[3].id, "a", Blame::Project(ProjectFault::Billing), START);
    fail(&mut pool, all[4].id, "a", SERVICE, START);
    let staying = pool.select(&Ask { prefer: Some(all[5].id), ..ask("a") }, START, 0).unwrap();
    let leaving = pool.select(&Ask { prefer: Some(all[0].id), ..ask("a") }, START, 0).unwrap();
    let mut new: Vec<_> = all[1..].iter().rev().cloned().collect();
    new.push(key(77));
    pool.set_keys(new, START);
    assert_eq!(pool.in_flight(START), 1);
    pool.settle(leaving, Err(&fault(DAY)), START);
    pool.settle(staying, Ok(Usage::default()), START);
    assert_eq!(pool.in_flight(START), 0);
    let census = pool.census(Some("a"), START);
    assert_eq!((census.total, census.ready, census.doubtful, census.resting), (6, 2, 1, 1));
    assert_eq!(census.out, [("project_billing", 1), ("key_leaked", 1)]);
    assert_eq!(pool.next_change(START + 30 * SECOND), Some(START + MINUTE));
    let mut disabled = all[5].clone();
    disabled.enabled = false;
    pool.set_keys(vec![disabled, all[1].clone()], START);
    assert_eq!(usable(&mut pool, "a", START + MINUTE), [all[1].id]);
}

#[test]
fn of_equal_keys_the_first_counts() {
    let mut second = key(0);
    second.enabled = false;
    let mut pool = Pool::new(vec![key(0), second, key(1)], Strategy::RoundRobin);
    assert_eq!(pool.census(None, START).total, 2);
    assert_eq!(usable(&mut pool, "a", START).len(), 2);
}

#[test]
fn made_up_models_do_not_pile_up_nor_push_out_what_is_known() {
    let all = keys(2);
    let mut pool = Pool::new(all.clone(), Strategy::Balanced);
    fail(&mut pool, all[0].id, "real", DAY, START);
    let early = pool.select(&ask("made-up-early"), START, 0).unwrap();
    for n in 0..5000 {
        let name = format!("made-up-{n}");
        let lease = pool.select(&ask(&name), START, n).unwrap();
        pool.settle(lease, Err(&fault(Blame::Request)), START);
    }
    assert!(pool.models.all().count() <= 256);
    assert_eq!(usable(&mut pool, "real", START), [all[1].id]);
    // Its model was forgotten: the lease is counted back all the same.
    pool.settle(early, Err(&fault(DAY)), START);
    assert_eq!(pool.in_flight(START), 0);
    let long = "x".repeat(100_000);
    let lease = pool.select(&ask(&long), START, 0).unwrap();
    pool.settle(lease, Err(&fault(DAY)), START);
    assert!(pool.models.find(None).is_some(), "names that are too long are taken for none");
}

#[test]
fn a_clock_that_jumps_back_does_not_lengthen_a_rest() {
    let all = keys(3);
    let mut pool = Pool::new(all.clone(), Strategy::Balanced);
    let ahead = START + 48 * HOUR;
    fail(&mut pool, all[0].id, "a", minute(60), ahead);
    fail(&mut pool, all[1].id, "a", DAY, ahead);
    fail(&mut pool, all[2].id, "b", Blame::Project(ProjectFault::Billing), ahead);
    let lease = pool.select(&ask("b"), ahead, 0).unwrap();
    assert_eq!(pool.next_ready(Some("a"), START), Some(START + MINUTE));
    assert_eq!(usable(&mut pool, "a", START + MINUTE), [all[0].id]);
    assert_eq!(usable(&mut pool, "a", START + HOUR), ids(&[all[0].clone(), all[2].clone()]));
    assert_eq!(pool.in_flight(START + HOUR), 0);
    drop(lease);
    assert_eq!(usable(&mut pool, "a", START.next_los_angeles_midnight()), ids(&all));
}

#[test]
fn times_that_come_out_of_order_change_nothing() {
    let mut pool = Pool::new(keys(1), Strategy::Balanced);
    fail(&mut pool, key(0).id, "a", minute(60), START + 3 * SECOND);
    assert!(pool.select(&ask("a"), START, 0).is_err());
    assert_eq!(pool.next_change(START), Some(START + 63 * SECOND));
}

#[test]
fn a_lease_shows_no_key() {
    let secret = "AIzaSyABCDEFGHIJKLMNOPQRSTUVWXYZ0123456";
    let mut pool = Pool::new(vec![Key::parse(secret).unwrap()], Strategy::Balanced);
    let lease = pool.select(&ask("a"), START, 0).unwrap();
    assert!(!format!("{lease:?} {pool:?}").contains(secret));
    assert_eq!(lease.secret.expose(), secret);
    pool.cancel(lease, START);
}

pub(super) fn of_minute(requests: u64) -> Blame {
    let limits = Limits { requests_per_minute: Some(requests), ..Limits::default() };
    Blame::Quota(Quota::Minute { retry_after: Some(SECOND), limits })
}

/// Takes keys for a model until there is none; how many there were, and when there is one again.
fn drain(pool: &mut Pool, model: &str, tokens: u64, now: Timestamp) -> (usize, Resting) {
    for count in 0..1000 {
        match pool.select(&Ask { tokens, ..ask(model) }, now, count as u64) {
            Ok(lease) => pool.settle(lease, Ok(Usage::default()), now),
            Err(resting) => return (count, resting),
        }
    }
    panic!("there is always one");
}

fn alike() -> PoolLimits {
    PoolLimits { alike: true, ..PoolLimits::default() }
}

/// One key with two requests a minute must not make another one, without limits, wait.
#[test]
fn a_limit_of_one_project_does_not_hold_back_others_that_may_have_more() {
    let all = keys(2);
    let mut pool = Pool::new(all.clone(), Strategy::RoundRobin);
    fail(&mut pool, all[0].id, "a", of_minute(2), START);
    for n in 0..50 {
        let lease = pool.select(&ask("a"), START + SECOND, n).unwrap();
        pool.settle(lease, Ok(Usage::default()), START + SECOND);
    }
}

#[test]
fn a_limit_that_one_project_was_told_holds_for_all_of_its_tier() {
    let mut all = keys(4);
    all[3].tier = Tier::Paid;
    let mut pool = Pool::new(all.clone(), Strategy::Balanced).with_limits(alike());
    fail(&mut pool, all[0].id, "a", of_minute(5), START);
    let now = START + SECOND;
    let only_free = [all[3].id];
    for n in 0..15 {
        let lease = pool.select(&Ask { tried: &only_free, ..ask("a") }, now, n).unwrap();
        pool.settle(lease, Ok(Usage::default()), now);
    }
    let mut select = |at| pool.select(&Ask { tried: &only_free, ..ask("a") }, at, 0);
    let test = select(now).unwrap();
    assert_ne!(test.key, all[0].id, "that one was told");
    assert_eq!(select(now).unwrap_err().why, Why::AllTried, "the paid one is ready");
    assert!(select(now + SECOND).is_ok(), "the next is put to the test");
    pool.settle(test, Ok(Usage::default()), now);
    assert_eq!(pool.limits(all[2].id, Some("a")).requests_per_minute, Some(5));
    assert_eq!(pool.limits(all[3].id, Some("a")), Limits::default());
    assert_eq!(pool.limits(all[2].id, Some("b")), Limits::default());
    let learned = pool.learned_limits(now);
    let told: Vec<_> = learned.iter().map(|one| (one.key, one.tier, &*one.model)).collect();
    assert_eq!(told, [(None, Tier::Free, "a"), (Some(all[0].id), Tier::Free, "a")]);
    assert_eq!(learned[0].until, START + LEARNED_FOR);
    assert_eq!(pool.learned_limits(START + LEARNED_FOR), []);
}

#[test]
fn a_project_that_was_served_more_than_presumed_is_not_held_to_it() {
    let all = keys(2);
    let mut pool = Pool::new(all.clone(), Strategy::RoundRobin).with_limits(alike());
    let prefer = Some(all[1].id);
    for _ in 0..6 {
        let lease = pool.select(&Ask { prefer, ..ask("a") }, START, 0).unwrap();
        pool.settle(lease, Ok(Usage::default()), START);
    }
    let last = pool.select(&Ask { prefer, ..ask("a") }, START, 0).unwrap();
    fail(&mut pool, all[0].id, "a", of_minute(3), START);
    assert_eq!(pool.census(Some("a"), START + SECOND).ready, 1, "the other one is full");
    pool.settle(last, Ok(Usage::default()), START + SECOND);
    assert!(usable(&mut pool, "a", START + SECOND).contains(&all[1].id));
}

#[test]
fn settings_limit_from_the_first_request_on_and_the_strongest_counts() {
    let rpm = |requests| Limits { requests_per_minute: Some(requests), ..Limits::default() };
    let limits = PoolLimits {
        default: rpm(2),
        by_model: [("b".to_owned(), rpm(3))].into(),
        by_key: KeyLimits([("00000001".to_owned(), rpm(7))].into()),
        ..PoolLimits::default()
    };
    let mut pool = Pool::new(keys(2), Strategy::Random).with_limits(limits);
    for (model, expected) in [("a", 2 + 7), ("b", 3 + 7)] {
        let (count, resting) = drain(&mut pool, model, 0, START);
        let back = START + bucket::WINDOW;
        assert_eq!(count, expected, "{model}");
        assert_eq!(resting, Resting { until: Some(back), why: Why::AllResting });
        let just_before = back.before(Duration::from_millis(1));
        assert_eq!(pool.census(Some(model), just_before).ready, 0);
    }
    assert_eq!(drain(&mut pool, "a", 0, START + bucket::WINDOW).0, 9);
    pool.set_keys(keys(3), START + bucket::WINDOW);
    assert_eq!(drain(&mut pool, "a", 0, START + bucket::WINDOW).0, 2, "counts stay with the keys");
    let endless = pool.select(&Ask::default(), START + bucket::WINDOW, 0);
    assert!(endless.is_ok(), "what names no model has no limit");
}

#[test]
fn tokens_are_reserved_as_expected_and_corrected_by_what_was_counted() {
    let limits = Limits { tokens_per_minute: Some(100_000), ..Limits::default() };
    let limits = PoolLimits { default: limits, ..PoolLimits::default() };
    let mut pool = Pool::new(keys(1), Strategy::Balanced).with_limits(limits);
    let mut now = START;
    let mut counted = 0;
    // Gemini counts twice what the bytes let guess.
    for _ in 0..300 {
        match pool.select(&Ask { tokens: 5_000, ..ask("a") }, now, 0) {
            Ok(lease) => {
                let usage = Usage { prompt_tokens: 10_000, ..Usage::default() };
                pool.settle(lease, Ok(usage), now);
                counted += 1;
            }
            Err(resting) => {
                assert!(counted <= 10, "{counted} times 10,000");
                (now, counted) = (resting.until.unwrap(), 0);
            }
        }
    }
    let lease = loop {
        match pool.select(&Ask { tokens: 5_000, ..ask("a") }, now, 0) {
            Ok(lease) => break lease,
            Err(resting) => now = resting.until.unwrap(),
        }
    };
    assert!((10_000..10_600).contains(&lease.reserved.tokens), "{lease:?}");
    pool.give_back(lease, now);
}

#[test]
fn a_large_request_waits_while_small_ones_go_on() {
    let limits = Limits { tokens_per_minute: Some(1_000), ..Limits::default() };
    let limits = PoolLimits { default: limits, ..PoolLimits::default() };
    let mut pool = Pool::new(keys(3), Strategy::RoundRobin).with_limits(limits);
    for _ in 0..30 {
        let lease = pool.select(&Ask { tokens: 40, ..ask("a") }, START, 0).unwrap();
        pool.settle(lease, Ok(Usage::default()), START);
    }
    let now = START + SECOND;
    let large = pool.select(&Ask { tokens: 700, ..ask("a") }, now, 0).unwrap_err();
    assert_eq!(large, Resting { until: Some(START + bucket::WINDOW), why: Why::AllResting });
    assert!(pool.select(&Ask { tokens: 40, ..ask("a") }, now, 0).is_ok());
    assert!(pool.select(&Ask { tokens: 700, ..ask("a") }, START + bucket::WINDOW, 0).is_ok());
}

#[test]
fn what_google_did_not_count_is_taken_back() {
    let rpm = Limits { requests_per_minute: Some(1), ..Limits::default() };
    let limits = PoolLimits { default: rpm, ..PoolLimits::default() };
    let has_room_after = |end: fn(&mut Pool, Lease)| {
        let mut pool = Pool::new(keys(1), Strategy::Balanced).with_limits(limits.clone());
        let lease = pool.select(&ask("a"), START, 0).unwrap();
        assert!(pool.select(&ask("a"), START, 0).is_err());
        end(&mut pool, lease);
        pool.select(&ask("a"), START + SECOND, 0).is_ok()
    };
    assert!(has_room_after(|pool, lease| pool.give_back(lease, START)));
    assert!(has_room_after(|pool, lease| {
        let forbidden = fault(Blame::Project(ProjectFault::Forbidden));
        pool.settle(lease, Err(&forbidden), START);
    }));
    assert!(!has_room_after(|pool, lease| pool.cancel(lease, START)));
    assert!(!has_room_after(|pool, lease| pool.settle(lease, Err(&fault(SERVICE)), START)));
    assert!(!has_room_after(|pool, lease| pool.settle(lease, Ok(Usage::default()), START)));
}
