use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const PACE: Pace = Pace {
    shortest_wait: Duration::from_millis(16),
    longest_wait: Duration::from_millis(24),
    short: 10,
    long: 50,
    piece: 5,
};

fn event(text: &str) -> Value {
    let part = json!({ "text": text, "thoughtSignature": "s" });
    json!({
        "candidates": [{ "content": { "parts": [part], "role": "model" }, "finishReason": "STOP", "index": 0 }],
        "usageMetadata": { "totalTokenCount": 3 },
        "responseId": "r",
    })
}

fn sse(event: &Value) -> Vec<u8> {
    format!("data: {event}\r\n\r\n").into_bytes()
}

fn paced(bytes: &[u8], size: usize) -> (Vec<Paced>, Vec<u8>) {
    let mut pacer = Pacer::new(PACE);
    let pieces = bytes.chunks(size.max(1)).flat_map(|bytes| pacer.push(bytes)).collect();
    (pieces, pacer.finish())
}

fn read(piece: &Paced) -> Value {
    serde_json::from_slice(piece.bytes.strip_prefix(b"data: ").unwrap()).unwrap()
}

fn text(event: &Value) -> &str {
    event["candidates"][0]["content"]["parts"][0]["text"].as_str().unwrap()
}

#[test]
fn the_longer_a_text_the_shorter_the_wait_behind_each_piece() {
    for (letters, millis) in [(1, 24.0), (10, 24.0), (22, 20.08), (50, 16.0), (5000, 16.0)] {
        let wait = PACE.wait(letters).as_secs_f64() * 1000.0;
        assert!((wait - millis).abs() < 0.01, "{letters}: {wait}");
    }
    let flat = Pace { short: 50, long: 50, ..PACE };
    assert_eq!(flat.wait(50), PACE.longest_wait);
    assert_eq!(flat.wait(51), PACE.shortest_wait);
}

#[test]
fn a_short_text_comes_by_letters_and_a_long_one_by_pieces() {
    for (text_of, count) in [("Héllo".to_owned(), 5), ("x".repeat(49), 49), ("x".repeat(52), 11)] {
        let (pieces, rest) = paced(&sse(&event(&text_of)), usize::MAX);
        assert_eq!((pieces.len(), rest), (count, Vec::new()));
        let all: String = pieces.iter().map(|piece| text(&read(piece)).to_owned()).collect();
        assert_eq!(all, text_of);
        let wait = PACE.wait(text_of.chars().count());
        assert!(pieces.iter().all(|piece| piece.wait == wait));
    }
}

#[test]
fn what_else_an_event_carries_comes_once_and_last() {
    let (pieces, _) = paced(&sse(&event("abc")), usize::MAX);
    let first = json!({
        "candidates": [{ "content": { "parts": [{ "text": "a" }], "role": "model" }, "index": 0 }],
        "responseId": "r",
    });
    assert_eq!(read(&pieces[0]), first);
    assert_eq!(read(&pieces[2]), event("c"));
}

#[test]
fn what_has_no_single_text_passes_byte_for_byte() {
    let call = json!({ "candidates": [{ "content": { "parts": [{ "functionCall": { "name": "f" } }] } }] });
    let two =
        json!({ "candidates": [{ "content": { "parts": [{ "text": "a" }, { "text": "b" }] } }] });
    let likely = json!({ "candidates": [{ "content": { "parts": [{ "text": "ab" }] }, "logprobsResult": {} }] });
    for odd in [
        sse(&call),
        sse(&two),
        sse(&likely),
        sse(&event("")),
        b": ping\n\n".to_vec(),
        b"data: {\ndata: }\n\n".to_vec(),
        b"{\n  \"error\": {}\n}\n".to_vec(),
        b"data: [DONE]\n\n".to_vec(),
        b"data: {\"candidates\"".to_vec(),
    ] {
        let (pieces, rest) = paced(&odd, usize::MAX);
        let all: Vec<u8> = pieces.into_iter().flat_map(|piece| piece.bytes).chain(rest).collect();
        assert_eq!(all, odd);
    }
}

#[test]
fn an_event_without_an_end_is_not_held_for_ever() {
    let mut pacer = Pacer::new(PACE);
    let long = vec![b'x'; LIMIT + 1];
    assert_eq!(pacer.push(&long), [Paced { bytes: long, wait: Duration::ZERO }]);
}

proptest! {
    #[test]
    fn no_letter_is_lost_or_moved_however_the_bytes_are_cut(
        texts in prop::collection::vec(any::<String>(), 0..6),
        size in 1usize..400,
    ) {
        let bytes: Vec<u8> = texts.iter().flat_map(|text| sse(&event(text))).collect();
        let (pieces, rest) = paced(&bytes, size);
        prop_assert!(rest.is_empty());
        let said: String = pieces.iter().map(|piece| text(&read(piece)).to_owned()).collect();
        prop_assert_eq!(said, texts.concat());
        prop_assert_eq!(pieces, paced(&bytes, usize::MAX).0);
    }

    #[test]
    fn any_bytes_pass(bytes in prop::collection::vec(prop::sample::select(&b"data: {}\r\n\"x"[..]), 0..200), size in 1usize..50) {
        let (pieces, rest) = paced(&bytes, size);
        let all: Vec<u8> = pieces.into_iter().flat_map(|piece| piece.bytes).chain(rest).collect();
        prop_assert_eq!(all, bytes);
    }
}
