//! The line of those who wait for a key, many at a time.

#![cfg(test)]

use std::{cell::RefCell, collections::BTreeMap, pin::pin, rc::Rc, time::Duration};

use balance_core::{host::Clock, key::KeyId};
use balance_testkit::{
    answer::Answer,
    fake_host::FakeHost,
    in_process::Stage,
    scripted_body::{Piece, ScriptedBody},
};
use futures_util::future::{Either, join_all, select};
use http::Request;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);

/// A gateway with keys that take two requests a minute, and the numbers of those that upstream saw.
fn stage(keys: &str, queue: &str) -> (Stage, Rc<RefCell<Vec<u64>>>) {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&seen);
    let host = FakeHost::answering(move |_, sent| {
        let body: Value = serde_json::from_slice(&sent.body).unwrap();
        noted.borrow_mut().push(body["number"].as_u64().unwrap());
        Answer::json(
            200,
            &json!({ "candidates": [{ "finishReason": "STOP", "content": { "parts": [{ "text": "Hi" }] } }] }),
        )
    });
    let settings =
        [("API_KEYS", keys), ("OPEN_POOL", "true"), ("DEFAULT_RPM", "2"), ("QUEUE_SECONDS", queue)];
    let settings: BTreeMap<_, _> =
        settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    (Stage::on(host, &settings).unwrap(), seen)
}

/// Asks after a while; the status, or 0 for a caller who leaves, and when it came.
async fn ask(stage: &Stage, number: u64, at: Duration, leaves_after: Duration) -> (u16, Duration) {
    ask_with(stage, &json!({ "number": number }), at, leaves_after).await
}

async fn ask_with(
    stage: &Stage,
    body: &Value,
    at: Duration,
    leaves_after: Duration,
) -> (u16, Duration) {
    let start = stage.host.now();
    stage.host.sleep(at).await;
    let body = body.to_string();
    let body = ScriptedBody::new(stage.host.time(), [Piece::Data(body.into())]);
    let path = "http://door.test/v1beta/models/gemini-2.5-flash:generateContent";
    let request = Request::post(path).body(body).unwrap();
    let asking = pin!(stage.gateway.handle(request));
    let status = match select(asking, pin!(stage.host.sleep(leaves_after))).await {
        Either::Left((reply, _)) => reply.response.status().as_u16(),
        Either::Right(_) => 0,
    };
    (status, stage.host.now().since(start))
}

#[test]
fn the_line_is_served_in_the_order_of_arrival_as_fast_as_the_quota_allows() {
    let (stage, seen) = stage("key-a,key-b", "600");
    let asked = (0..20).map(|n| {
        let at = Duration::from_millis(n * 10);
        ask(&stage, n, at, 3600 * SECOND)
    });
    let replies = stage.host.time().block_on(join_all(asked)).unwrap();
    assert_eq!(*seen.borrow(), (0..20).collect::<Vec<_>>());
    for (number, (status, at)) in replies.iter().enumerate() {
        // Four a minute.
        let window = 60 * SECOND * u32::try_from(number / 4).unwrap();
        assert_eq!(*status, 200, "request {number}");
        assert!((window..window + 5 * SECOND).contains(at), "request {number} came at {at:?}");
    }
}

#[test]
fn those_who_wait_for_one_key_do_not_hold_up_those_who_take_any() {
    let (stage, seen) = stage("key-a,key-b", "600");
    let file = format!("https://x.test/v1beta/files/gb{}-000000000001", KeyId::of("key-b"));
    let of_file = |number: u64| json!({ "number": number, "fileUri": file });
    // Four want the one key, which serves two a minute; then two come who take any.
    let asked = (0..6_u64).map(|n| {
        let body = if n < 4 { of_file(n) } else { json!({ "number": n }) };
        let stage = &stage;
        async move { ask_with(stage, &body, Duration::from_millis(n * 10), 3600 * SECOND).await }
    });
    let replies = stage.host.time().block_on(join_all(asked)).unwrap();
    assert_eq!(*seen.borrow(), [0, 1, 4, 5, 2, 3]);
    assert!(replies.iter().all(|(status, _)| *status == 200), "{replies:?}");
}

#[test]
fn those_who_hang_up_do_not_hold_up_those_behind_them() {
    let (stage, seen) = stage("key-a", "600");
    let asked = (0..10).map(|n| {
        let leaves_after = if (2..8).contains(&n) { (30 - n) * 1000 } else { 3_600_000 };
        ask(&stage, n, Duration::from_millis(n), Duration::from_millis(leaves_after))
    });
    let replies = stage.host.time().block_on(join_all(asked)).unwrap();
    assert_eq!(*seen.borrow(), [0, 1, 8, 9]);
    for (status, at) in &replies[8..] {
        assert!(*status == 200 && *at < 62 * SECOND, "{status} at {at:?}");
    }
}

#[test]
fn a_line_longer_than_the_patience_ends_in_429s_for_its_end_alone() {
    let (stage, seen) = stage("key-a", "90");
    let asked = (0..10).map(|n| ask(&stage, n, Duration::from_millis(n), 3600 * SECOND));
    let replies = stage.host.time().block_on(join_all(asked)).unwrap();
    assert_eq!(*seen.borrow(), [0, 1, 2, 3]);
    let statuses: Vec<_> = replies.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 429, 429, 429, 429, 429, 429]);
    assert!(replies[4..].iter().all(|(_, at)| *at < 92 * SECOND));
}
