//! Streams that are cut at every byte and gone on with, through the whole gateway.

#![cfg(test)]

use std::collections::BTreeMap;

use balance_testkit::{
    answer::Answer,
    fake_host::FakeHost,
    in_process::Stage,
    scenario::{Asked, Names, Received, Usual},
    sent::Sent,
};
use serde_json::{Value, json};

const TEXT: &str = "The quick brown \"fox\" jumps\nover the lazy 狗, and then it sleeps.";

/// How the model takes up what it is shown.
#[derive(Debug, Clone, Copy)]
enum Manner {
    Exactly,
    FromTheStart,
}

/// The answer of a model that says one text, whatever it is asked.
fn answer(sent: &Sent, manner: Manner) -> Answer {
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    let said = body.pointer("/contents/1/parts/0/text").and_then(Value::as_str).unwrap_or("");
    let rest = match manner {
        Manner::Exactly => TEXT.strip_prefix(said).expect("only what was said is shown"),
        Manner::FromTheStart => TEXT,
    };
    let letters: Vec<char> = rest.chars().collect();
    let event = |piece: &[char], is_last: bool| {
        let text: String = piece.iter().collect();
        let mut candidate = json!({ "content": { "parts": [{ "text": text }], "role": "model" } });
        if is_last {
            candidate["finishReason"] = "STOP".into();
        }
        json!({ "candidates": [candidate], "usageMetadata": { "promptTokenCount": 5, "totalTokenCount": 9 } })
    };
    let count = letters.chunks(9).len().max(1);
    let mut pieces = letters.chunks(9);
    let events: Vec<_> =
        (1..=count).map(|n| event(pieces.next().unwrap_or_default(), n == count)).collect();
    if sent.uri.query() == Some("alt=sse") {
        return Answer::sse(events);
    }
    let frames: Vec<_> = events
        .iter()
        .enumerate()
        .map(|(n, event)| {
            format!(
                "{}{event}{}",
                if n == 0 { "[" } else { ",\r\n" },
                if n + 1 == count { "]" } else { "" }
            )
            .into()
        })
        .collect();
    Answer::frames(200, frames).header("content-type", "application/json; charset=UTF-8")
}

/// What a caller gets whose first answers are cut at these bytes.
fn resumed(ask: Usual, cuts: &[usize], manner: Manner) -> (Received, usize) {
    let cuts = cuts.to_vec();
    let host = FakeHost::answering(move |number, sent| {
        let answer = answer(sent, manner);
        match cuts.get(number) {
            Some(bytes) => answer.broken_after(*bytes),
            None => answer,
        }
    });
    let settings = [
        ("API_KEYS", "key-a,key-b,key-c,key-d"),
        ("OPEN_POOL", "true"),
        ("STREAM_RESUME", "true"),
        ("STRATEGY", "round-robin"),
    ];
    let settings: BTreeMap<_, _> =
        settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let stage = Stage::on(host, &settings).unwrap();
    let asked = Asked { ask: Some(ask), anonymous: true, ..Asked::default() };
    let names = Names { door: "http://d".into(), upstream: "http://u".into() };
    let request = asked.request(&names, &Received::default()).unwrap();
    let reply = stage.ask(request, &asked).unwrap();
    let times = stage.host.sent().len();
    (reply, times)
}

fn check(ask: Usual, cuts: &[usize], manner: Manner) -> usize {
    let (reply, times) = resumed(ask, cuts, manner);
    let context = || format!("{ask:?} cut at {cuts:?}, {manner:?}: {}", reply.text());
    assert_eq!((reply.status, &reply.broke), (200, &None), "{}", context());
    assert_eq!(reply.said(), TEXT, "{}", context());
    let finish = if ask == Usual::ChatStream { "stop" } else { "STOP" };
    assert_eq!(reply.finish().as_deref(), Some(finish), "{}", context());
    assert!(!reply.text().contains("error"), "{}", context());
    times
}

#[test]
fn a_stream_that_is_cut_at_any_byte_says_all_of_its_text_once() {
    for ask in [Usual::Stream, Usual::Array, Usual::ChatStream] {
        for manner in [Manner::Exactly, Manner::FromTheStart] {
            let again = (0..1000).filter(|cut| check(ask, &[*cut], manner) == 2).count();
            assert!(again > 700, "the cuts did not hit: {again}");
        }
    }
}

#[test]
fn a_stream_that_is_cut_twice_says_all_of_its_text_once() {
    for ask in [Usual::Stream, Usual::Array, Usual::ChatStream] {
        for first in (120..1000).step_by(61) {
            for second in (120..1000).step_by(53) {
                check(ask, &[first, second], Manner::Exactly);
            }
        }
    }
}
