//! Limits, clocks and answers that make no sense: the pool stays sane.

use super::*;
use crate::{classify::classify, secret::Secret};

/// What a 429 with this body means.
fn judged(body: &str) -> Blame {
    let body = Bytes::copy_from_slice(body.as_bytes());
    let key = Secret::new("AIzaSy-any");
    classify(StatusCode::TOO_MANY_REQUESTS, &http::HeaderMap::new(), &body, &key).blame
}

fn body(details: &str) -> String {
    format!(
        r#"{{"error":{{"code":429,"message":"Quota exceeded.","status":"RESOURCE_EXHAUSTED","details":[{details}]}}}}"#
    )
}

fn failure(id: &str, value: &str) -> String {
    let at = "type.googleapis.com/google.rpc.QuotaFailure";
    format!(r#"{{"@type":"{at}","violations":[{{"quotaId":"{id}","quotaValue":{value}}}]}}"#)
}

fn retry(delay: &str) -> String {
    format!(r#"{{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":{delay}}}"#)
}

const MINUTE_ID: &str = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier";
const DAY_ID: &str = "GenerateRequestsPerDayPerProjectPerModel-FreeTier";

/// When the only key is back after such an answer.
fn back_after(body: &str) -> Duration {
    let all = keys(1);
    let mut pool = Pool::new(all.clone(), Strategy::Balanced);
    fail(&mut pool, all[0].id, "a", judged(body), START);
    assert!(pool.census(None, START).out.is_empty(), "{body}");
    pool.next_ready(Some("a"), START).unwrap().since(START)
}

#[test]
fn every_429_lets_its_key_come_back_within_a_day_and_an_hour() {
    let odd_delays = ["\"0s\"", "\"31536000s\"", "\"-5s\"", "\"1e99s\"", "\"\"", "null", "{}", "7"];
    let odd_values = ["\"\"", "\"-1\"", "\"99999999999999999999\"", "null", "1.5", "[]", "\"5\""];
    for id in [MINUTE_ID, DAY_ID, "", "PerNothing"] {
        for delay in odd_delays {
            for value in odd_values {
                let body = body(&[failure(id, value), retry(delay)].join(","));
                let back = back_after(&body);
                assert!(back <= 25 * HOUR, "{body}: {back:?}");
            }
        }
    }
    for odd in ["", "null", "[]", "{}", "{\"error\":7}", "{\"error\":{\"details\":[{}]}}", "\u{0}"]
    {
        assert!(back_after(odd) <= 25 * HOUR, "{odd}");
    }
}

#[test]
fn a_wait_of_nothing_is_a_minute_and_one_of_a_year_an_hour() {
    let minute = |delay| body(&[failure(MINUTE_ID, "\"5\""), retry(delay)].join(","));
    assert_eq!(back_after(&minute("\"0s\"")), MINUTE);
    assert_eq!(back_after(&minute("\"31536000s\"")), HOUR);
}

#[test]
fn a_429_that_contradicts_itself_is_taken_at_its_worst() {
    let both = body(&[failure(MINUTE_ID, "\"5\""), failure(DAY_ID, "\"20\"")].join(","));
    assert!(matches!(judged(&both), Blame::Quota(Quota::Day { .. })));
    let twice = body(&[failure(MINUTE_ID, "\"5\""), failure(MINUTE_ID, "\"50\"")].join(","));
    let Blame::Quota(Quota::Minute { limits, .. }) = judged(&twice) else { panic!("{twice}") };
    assert_eq!(limits.requests_per_minute, Some(5));
    let none_and_some = body(&[failure(MINUTE_ID, "\"0\""), failure(DAY_ID, "\"20\"")].join(","));
    assert_eq!(judged(&none_and_some), Blame::Quota(Quota::Unavailable));
    assert!(matches!(judged(&body("")), Blame::Quota(_) | Blame::Capacity { .. }));
}

#[test]
fn limits_of_zero_and_beyond_reason_neither_close_a_pool_nor_overflow_it() {
    for limit in [0, 1, u64::MAX - 1, u64::MAX] {
        let every = Limits {
            requests_per_minute: Some(limit),
            tokens_per_minute: Some(limit),
            requests_per_day: Some(limit),
            tokens_per_day: Some(limit),
        };
        let limits = PoolLimits { default: every, ..PoolLimits::default() };
        let mut pool = Pool::new(keys(2), Strategy::Balanced).with_limits(limits);
        for tokens in [0, 1, u64::MAX] {
            for _ in 0..3 {
                let asked = pool.select(&Ask { tokens, ..ask("a") }, START, 0);
                if let Ok(lease) = asked {
                    let usage = Usage { prompt_tokens: u64::MAX, ..Usage::default() };
                    pool.settle(lease, Ok(usage), START);
                }
            }
        }
        let later = START + 26 * HOUR;
        assert!(pool.select(&ask("a"), later, 0).is_ok(), "limit {limit}");
    }
}

#[test]
fn limits_for_models_and_keys_that_do_not_exist_are_no_matter() {
    let rpm = Limits { requests_per_minute: Some(1), ..Limits::default() };
    let limits = PoolLimits {
        by_model: [("no-such-model".to_owned(), rpm)].into(),
        by_key: KeyLimits([("nobodys!".to_owned(), rpm)].into()),
        ..PoolLimits::default()
    };
    let mut pool = Pool::new(keys(1), Strategy::Balanced).with_limits(limits);
    for _ in 0..50 {
        let lease = pool.select(&ask("a"), START, 0).unwrap();
        pool.settle(lease, Ok(Usage::default()), START);
    }
}

#[test]
fn a_clock_that_jumps_an_hour_either_way_costs_no_key_and_no_more_than_its_quota() {
    let rpm = Limits { requests_per_minute: Some(3), ..Limits::default() };
    let limits = PoolLimits { default: rpm, ..PoolLimits::default() };
    for jumps in [[HOUR, Duration::ZERO], [Duration::ZERO, HOUR]] {
        let mut pool = Pool::new(keys(2), Strategy::Balanced).with_limits(limits.clone());
        let (first, then) = (START + jumps[0], START + jumps[1]);
        assert_eq!(drain(&mut pool, "a", 0, first).0, 6);
        let (count, resting) = drain(&mut pool, "a", 0, then);
        // What lies ahead of a clock put back counts as sent just now, and no longer.
        assert!(count <= 6 && resting.until.unwrap() <= then + 2 * MINUTE, "{jumps:?}");
        assert!(pool.census(None, then).out.is_empty());
        assert_eq!(drain(&mut pool, "a", 0, then + 2 * MINUTE).0, 6);
    }
}
