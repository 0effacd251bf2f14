use serde_json::{Value, json};

use crate::summary::{Ending, Summary};
use crate::translate::{self, Call, Stamp};

fn call(fields: &Value) -> Call {
    let mut body = json!({ "model": "gemini-3-flash", "n": 2,
                           "messages": [{ "role": "user", "content": "q" }] });
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    translate::chat(body.to_string().as_bytes(), Stamp { unix_seconds: 0, nonce: 0 }).unwrap()
}

fn stream() -> Call {
    call(&json!({ "stream": true, "stream_options": { "include_usage": true } }))
}

fn answer(text: &str, ends: bool) -> String {
    let mut candidate = json!({ "content": { "parts": [{ "text": text }] } });
    if ends {
        candidate["finishReason"] = json!("STOP");
    }
    json!({ "candidates": [candidate], "responseId": text,
            "usageMetadata": { "promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5 } })
    .to_string()
}

fn event(text: &str, ends: bool) -> Vec<u8> {
    format!("data: {}\r\n\r\n", answer(text, ends)).into_bytes()
}

const BLOCKED: &str = r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"}}"#;

/// The chunks that a client got, and whether it was told that these are all.
fn chunks(out: &[u8]) -> (Vec<Value>, bool) {
    let text = std::str::from_utf8(out).unwrap();
    let events = text.split_terminator("\n\n").map(|event| event.strip_prefix("data: ").unwrap());
    let mut all: Vec<&str> = events.collect();
    let is_done = all.last() == Some(&"[DONE]");
    all.retain(|data| *data != "[DONE]");
    (all.iter().map(|data| serde_json::from_str(data).unwrap()).collect(), is_done)
}

#[test]
fn a_model_that_gives_one_answer_is_asked_as_often_as_answers_are_wanted() {
    let one_by_one = call(&json!({ "seed": 7 }));
    let seeds: Vec<Value> = one_by_one
        .requests
        .iter()
        .map(|request| serde_json::from_slice::<Value>(request.body.as_ref().unwrap()).unwrap())
        .map(|body| body["generationConfig"].clone())
        .collect();
    assert_eq!(seeds, [json!({ "seed": 7 }), json!({ "seed": 8 })]);
    let same = call(&json!({}));
    assert_eq!(same.requests.len(), 2);
    assert_eq!(same.requests[0], same.requests[1]);
    assert_eq!(call(&json!({ "model": "gemini-2.5-flash" })).requests.len(), 1);
    assert_eq!(call(&json!({ "n": 1 })).requests.len(), 1);
}

#[test]
fn streams_side_by_side_make_one() {
    let mut call = stream();
    let mut out = Vec::new();
    for (lane, event) in [
        (1, event("b1", false)),
        (0, event("a1", false)),
        (1, event("b2", true)),
        (0, event("a2", true)),
    ] {
        call.translator.push_lane(lane, &event, &mut out).unwrap();
    }
    let first = call.translator.finish_lane(1, &mut out);
    assert_eq!(first.ending, Ending::Finished);
    assert_eq!(first.usage.total_tokens, 5);
    assert!(!chunks(&out).1);
    call.translator.finish_lane(0, &mut out);
    let (chunks, is_done) = chunks(&out);
    assert!(is_done);
    let text = |index: u64| -> String {
        let mine = chunks.iter().flat_map(|c| c["choices"].as_array().unwrap());
        let mine = mine.filter(|choice| choice["index"] == index);
        mine.filter_map(|choice| choice["delta"]["content"].as_str()).collect()
    };
    assert_eq!((text(0), text(1)), ("a1a2".to_owned(), "b1b2".to_owned()));
    assert!(chunks.iter().all(|chunk| chunk["id"] == "chatcmpl-b1"));
    let ends = chunks.iter().filter(|c| c["choices"][0]["finish_reason"] == "stop");
    assert_eq!(ends.count(), 2);
    let usage = &chunks.last().unwrap()["usage"];
    assert_eq!((&usage["prompt_tokens"], &usage["total_tokens"]), (&json!(6), &json!(10)));
}

#[test]
fn a_stream_that_breaks_off_ends_all_with_an_error() {
    let mut call = stream();
    let mut out = Vec::new();
    call.translator.push_lane(0, &event("a", false), &mut out).unwrap();
    call.translator.push_lane(1, &event("b", true), &mut out).unwrap();
    let Summary { ending, .. } = call.translator.finish_lane(0, &mut out);
    assert_eq!(ending, Ending::Truncated);
    let length = out.len();
    call.translator.finish_lane(1, &mut out);
    assert_eq!(out.len(), length);
    let (chunks, is_done) = chunks(&out);
    assert!(!is_done);
    assert_eq!(chunks.last().unwrap()["error"]["code"], "upstream_truncated");
}

#[test]
fn whole_answers_make_one() {
    let mut call = call(&json!({}));
    let mut out = Vec::new();
    call.translator.whole(answer("a", true).as_bytes(), &mut out).unwrap();
    assert!(out.is_empty());
    let summary = call.translator.whole(BLOCKED.as_bytes(), &mut out).unwrap();
    assert_eq!(summary.usage.total_tokens, 0);
    let reply: Value = serde_json::from_slice(&out).unwrap();
    let told = |index: usize| {
        let choice = &reply["choices"][index];
        (
            choice["index"].clone(),
            choice["message"]["content"].clone(),
            choice["finish_reason"].clone(),
        )
    };
    assert_eq!(told(0), (json!(0), json!("a"), json!("stop")));
    assert_eq!(told(1), (json!(1), Value::Null, json!("content_filter")));
    assert_eq!(reply["usage"]["total_tokens"], 5);
}

#[test]
fn a_lane_that_there_is_not_is_refused() {
    let mut call = stream();
    assert!(call.translator.push_lane(9, b"data: {}\n\n", &mut Vec::new()).is_err());
}
