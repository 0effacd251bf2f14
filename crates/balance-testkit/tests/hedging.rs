//! Streams that are slow to begin, and the second key that is asked for them.

#![cfg(test)]

use std::{collections::BTreeMap, time::Duration};

use balance_testkit::{
    answer::Answer,
    fake_host::FakeHost,
    in_process::Stage,
    scenario::{Asked, Names, Received, Usual},
    scripted_body::Ending,
};
use serde_json::json;

const USUAL: Duration = Duration::from_millis(100);
const SLOW: Duration = Duration::from_secs(20);

/// A gateway whose requests from the one with this number on are slow to be answered, every second.
fn stage(percent: &str, slow_from: usize, more: &[(&str, &str)]) -> Stage {
    let host = FakeHost::answering(move |number, _| {
        let event = json!({ "candidates": [{ "content": { "parts": [{ "text": "Hi" }] }, "finishReason": "STOP" }] });
        let is_slow = number >= slow_from && (number - slow_from).is_multiple_of(2);
        Answer::sse([event]).after(if is_slow { SLOW } else { USUAL })
    });
    let usual = [
        ("API_KEYS", r#"[{"key":"key-a","project":"p"},{"key":"key-b","project":"p"},"key-c"]"#),
        ("OPEN_POOL", "true"),
        ("STRATEGY", "round-robin"),
        ("ADMIN_TOKEN", "admin"),
        ("HEDGE_PERCENT", percent),
    ];
    let settings: BTreeMap<_, _> = usual
        .iter()
        .chain(more)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Stage::on(host, &settings).unwrap()
}

fn ask(stage: &Stage) -> Received {
    let asked = Asked { ask: Some(Usual::Stream), anonymous: true, ..Asked::default() };
    send(stage, &asked)
}

fn send(stage: &Stage, asked: &Asked) -> Received {
    let names = Names { door: "http://d".into(), upstream: "http://u".into() };
    let request = asked.request(&names, &Received::default()).unwrap();
    stage.ask(request, asked).unwrap()
}

/// The requests of the minute that count for each key.
fn used(stage: &Stage) -> u64 {
    let headers = [("authorization".to_owned(), "Bearer admin".to_owned())].into();
    let path = Some("/api/explain?model=gemini-2.5-flash".into());
    let told = send(stage, &Asked { path, headers, ..Asked::default() });
    let told: serde_json::Value = serde_json::from_slice(&told.body).unwrap();
    let candidates = told["candidates"].as_array().unwrap();
    let of =
        |key: &serde_json::Value| key["levels"]["requests_per_minute"]["used"].as_u64().unwrap();
    // Two keys share a project.
    candidates.iter().filter(|key| key["project"].is_null()).map(of).sum::<u64>()
        + candidates.iter().find(|key| key["project"] == "p").map_or(0, of)
}

#[test]
fn a_slow_stream_is_asked_of_another_project_and_the_loser_counts_for_nothing() {
    let stage = stage("10", 40, &[]);
    for _ in 0..40 {
        assert_eq!(ask(&stage).took, USUAL);
    }
    let before = used(&stage);
    let reply = ask(&stage);
    assert_eq!((reply.said().as_str(), reply.took), ("Hi", 2 * USUAL));
    let sent = stage.host.sent();
    assert_eq!(sent.len(), 42);
    assert_eq!((sent[40].ending, sent[41].ending), (Ending::Dropped, Ending::Complete));
    let keys: Vec<_> =
        sent[40..].iter().map(|sent| sent.headers["x-goog-api-key"].clone()).collect();
    assert_ne!(keys[0] == "key-c", keys[1] == "key-c", "{keys:?} are of two projects");
    assert_eq!(used(&stage), before + 1);
}

#[test]
fn the_share_is_not_exceeded_however_slow_all_are() {
    let stage = stage("2", 100, &[]);
    for _ in 0..150 {
        assert_eq!(ask(&stage).said(), "Hi");
    }
    let asked_twice = stage.host.sent().len() - 150;
    assert!((1..=3).contains(&asked_twice), "{asked_twice}");
}

#[test]
fn without_room_to_spare_or_without_the_setting_nothing_is_asked_twice() {
    let limit = [("DEFAULT_RPM", "21"), ("QUEUE_SECONDS", "0")];
    for (percent, more) in [("0", &[][..]), ("100", &limit[..])] {
        let stage = stage(percent, 41, more);
        for _ in 0..41 {
            assert_eq!(ask(&stage).took, USUAL);
        }
        assert_eq!(ask(&stage).took, SLOW, "{percent}");
        assert_eq!(stage.host.sent().len(), 42);
    }
}

#[test]
fn a_whole_answer_is_never_asked_twice() {
    let stage = stage("100", 0, &[]);
    for _ in 0..30 {
        let asked = Asked { ask: Some(Usual::Generate), anonymous: true, ..Asked::default() };
        send(&stage, &asked);
    }
    assert_eq!(stage.host.sent().len(), 30);
}
