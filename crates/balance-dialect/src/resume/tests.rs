use serde_json::{Value, json};

use super::*;

const PIECES: [&str; 5] = [
    "The quick ",
    "brown fox jumps ",
    "over the lazy \"dog\",\n",
    "über 好的 and then ",
    "it sleeps.",
];

/// How a model takes up what it is shown.
#[derive(Debug, Clone, Copy)]
enum Manner {
    Exactly,
    /// It says the last so many bytes again.
    Again(usize),
    /// It begins anew.
    FromTheStart,
}

fn question() -> Vec<u8> {
    json!({ "contents": [{ "role": "user", "parts": [{ "text": "Tell" }] }] }).to_string().into()
}

/// The events of the answer to a request: thoughts, then what is left of the text.
fn answer(request: &[u8], manner: Manner) -> Vec<Value> {
    let request: Value = serde_json::from_slice(request).unwrap();
    let said = request.pointer("/contents/1/parts/0/text").and_then(Value::as_str).unwrap_or("");
    let whole = PIECES.concat();
    assert!(whole.starts_with(said), "{said:?} was never said");
    let mut from = match manner {
        Manner::Exactly => said.len(),
        Manner::Again(bytes) => said.len().saturating_sub(bytes),
        Manner::FromTheStart => 0,
    };
    while !whole.is_char_boundary(from) {
        from -= 1;
    }
    let prompt = 10 + said.len();
    let mut events = vec![
        json!({ "candidates": [{ "content": { "parts": [{ "text": "Hm.", "thought": true }] } }],
                "usageMetadata": { "promptTokenCount": prompt, "thoughtsTokenCount": 5, "totalTokenCount": prompt + 5 } }),
    ];
    let left: Vec<char> = whole[from..].chars().collect();
    let pieces: Vec<String> = left.chunks(7).map(|piece| piece.iter().collect()).collect();
    let mut bytes = 0;
    for (place, piece) in pieces.iter().enumerate() {
        bytes += piece.len();
        let mut candidate = json!({ "content": { "parts": [{ "text": piece }], "role": "model" } });
        if place + 1 == pieces.len() {
            candidate["finishReason"] = "STOP".into();
        }
        events.push(json!({ "candidates": [candidate], "usageMetadata": {
            "promptTokenCount": prompt, "thoughtsTokenCount": 5,
            "candidatesTokenCount": bytes, "totalTokenCount": prompt + 5 + bytes } }));
    }
    if pieces.is_empty() {
        events.push(json!({ "candidates": [{ "finishReason": "STOP" }] }));
    }
    events
}

fn wire(framing: Framing, events: &[Value]) -> Vec<u8> {
    match framing {
        Framing::Sse => {
            events.iter().map(|event| format!("data: {event}\r\n\r\n")).collect::<String>().into()
        }
        Framing::Array | Framing::Whole => {
            json!(events).to_string().replace("},{\"candidates", "}\n,\r\n{\"candidates").into()
        }
    }
}

fn read(framing: Framing, bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    match framing {
        Framing::Sse => text
            .split_terminator("\r\n\r\n")
            .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
            .collect(),
        Framing::Array | Framing::Whole => serde_json::from_str(text).unwrap(),
    }
}

fn said(events: &[Value]) -> String {
    let parts = events.iter().filter_map(|event| event.pointer("/candidates/0/content/parts"));
    let parts = parts.flat_map(|parts| parts.as_array().unwrap());
    parts
        .filter(|part| part["thought"] != true)
        .map(|part| part["text"].as_str().unwrap())
        .collect()
}

/// Reads an answer whose bytes end at each of the cuts in turn, and then a whole one.
fn resumed(framing: Framing, cuts: &[usize], manner: Manner) -> Vec<Value> {
    let mut resumption = Resumption::new(framing, &question()).unwrap();
    let (mut request, mut out) = (question(), Vec::new());
    for cut in cuts {
        let bytes = wire(framing, &answer(&request, manner));
        let bytes = &bytes[..(*cut).min(bytes.len())];
        for piece in bytes.chunks(13) {
            resumption.push(piece, &mut out).unwrap();
        }
        match resumption.end(&mut out) {
            End::Whole => return read(framing, &out),
            End::Cut(None) => request = resumption.request(),
            other @ (End::Cut(_) | End::Lost) => panic!("{other:?} at {cuts:?}"),
        }
    }
    resumption.push(&wire(framing, &answer(&request, manner)), &mut out).unwrap();
    assert_eq!(resumption.end(&mut out), End::Whole, "{cuts:?}");
    read(framing, &out)
}

fn check(events: &[Value], context: &str) {
    let whole = PIECES.concat();
    assert_eq!(said(events), whole, "{context}");
    let ends = events.iter().filter(|event| event["candidates"][0]["finishReason"] == "STOP");
    assert_eq!(ends.count(), 1, "{context}");
    let counts: Vec<_> = events.iter().filter_map(|event| event.get("usageMetadata")).collect();
    assert!(counts.iter().all(|usage| usage["promptTokenCount"] == 10), "{context}");
    for usage in counts {
        let count = |name: &str| usage.get(name).and_then(Value::as_u64).unwrap_or(0);
        let sum =
            count("promptTokenCount") + count("candidatesTokenCount") + count("thoughtsTokenCount");
        assert_eq!(count("totalTokenCount"), sum, "{context}");
    }
}

#[test]
fn a_cut_at_any_byte_is_not_to_be_seen_in_the_text() {
    for framing in [Framing::Sse, Framing::Array] {
        let length = wire(framing, &answer(&question(), Manner::Exactly)).len();
        for manner in [Manner::Exactly, Manner::Again(18), Manner::Again(40), Manner::FromTheStart]
        {
            for cut in 0..=length {
                let events = resumed(framing, &[cut], manner);
                // A prompt is counted as the first answer counted it, if that came to it.
                let begun = said(&events).is_empty()
                    || events[0]["usageMetadata"]["promptTokenCount"] == 10;
                assert!(begun, "{framing:?} {manner:?} {cut}");
                check(&events, &format!("{framing:?} {manner:?} cut at {cut}"));
            }
        }
    }
}

#[test]
fn several_cuts_are_not_to_be_seen_either() {
    for framing in [Framing::Sse, Framing::Array] {
        for first in (0..900).step_by(113) {
            for second in (0..900).step_by(97) {
                let cuts = [first, second, second / 2];
                for manner in [Manner::Exactly, Manner::FromTheStart] {
                    check(
                        &resumed(framing, &cuts, manner),
                        &format!("{framing:?} {manner:?} {cuts:?}"),
                    );
                }
            }
        }
    }
}

#[test]
fn thoughts_are_shown_until_there_is_text() {
    let thoughts = |events: &[Value]| {
        let text = json!(events).to_string();
        text.matches("Hm.").count()
    };
    let head = wire(Framing::Sse, &answer(&question(), Manner::Exactly)[..1]).len();
    assert_eq!(thoughts(&resumed(Framing::Sse, &[head], Manner::Exactly)), 2);
    assert_eq!(thoughts(&resumed(Framing::Sse, &[head + 400], Manner::Exactly)), 1);
}

fn cut_after(event: &Value) -> (End, String) {
    let mut resumption = Resumption::new(Framing::Sse, &question()).unwrap();
    let mut out = Vec::new();
    let text = json!({ "candidates": [{ "content": { "parts": [{ "text": "Hel" }] } }] });
    resumption.push(&wire(Framing::Sse, &[text, event.clone()]), &mut out).unwrap();
    (resumption.end(&mut out), String::from_utf8(out).unwrap())
}

#[test]
fn what_can_neither_be_repeated_nor_left_out_is_not_gone_on_with() {
    let parts = [
        json!({ "functionCall": { "name": "pay", "args": {} } }),
        json!({ "inlineData": { "mimeType": "image/png", "data": "AA==" } }),
        json!({ "executableCode": { "code": "1" } }),
        json!({ "somethingNew": 1 }),
    ];
    for part in parts {
        let event = json!({ "candidates": [{ "content": { "parts": [part] } }] });
        assert_eq!(cut_after(&event).0, End::Lost, "{event}");
    }
    let second =
        json!({ "candidates": [{ "index": 1, "content": { "parts": [{ "text": "x" }] } }] });
    assert_eq!(cut_after(&second).0, End::Lost);
    let body =
        json!({ "contents": [], "generationConfig": { "responseMimeType": "application/json" } });
    let mut resumption = Resumption::new(Framing::Sse, body.to_string().as_bytes()).unwrap();
    assert_eq!(resumption.end(&mut Vec::new()), End::Cut(None), "nothing was said yet");
    let text = json!({ "candidates": [{ "content": { "parts": [{ "text": "{" }] } }] });
    resumption.push(&wire(Framing::Sse, &[text]), &mut Vec::new()).unwrap();
    assert_eq!(resumption.end(&mut Vec::new()), End::Lost);
}

#[test]
fn a_tool_is_called_by_the_rest_alone() {
    let mut resumption = Resumption::new(Framing::Sse, &question()).unwrap();
    let mut out = Vec::new();
    let event = |part: Value| json!({ "candidates": [{ "content": { "parts": [part] } }] });
    let call = event(json!({ "functionCall": { "name": "pay", "args": {} } }));
    let first = wire(Framing::Sse, &[event(json!({ "text": "I pay now: " })), call.clone()]);
    // The call itself is cut.
    resumption.push(&first[..first.len() - 9], &mut out).unwrap();
    assert_eq!(resumption.end(&mut out), End::Cut(None));
    assert!(!resumption.request().is_empty());
    let end = json!({ "candidates": [{ "finishReason": "STOP" }] });
    let rest = [event(json!({ "text": "I pay" })), event(json!({ "text": " now: " })), call, end];
    resumption.push(&wire(Framing::Sse, &rest), &mut out).unwrap();
    assert_eq!(resumption.end(&mut out), End::Whole);
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.matches("functionCall").count(), 1);
    assert_eq!(text.matches("now").count(), 1, "{text}");
}

#[test]
fn an_error_inside_is_kept_back_until_nothing_goes_on() {
    let error =
        json!({ "error": { "code": 503, "message": "Overloaded.", "status": "UNAVAILABLE" } });
    let (end, text) = cut_after(&error);
    let End::Cut(Some(said)) = end else { panic!("{end:?}") };
    assert_eq!(said.code, Some(503));
    assert!(!text.contains("Overloaded"));
    for framing in [Framing::Sse, Framing::Array] {
        let mut resumption = Resumption::new(framing, &question()).unwrap();
        let mut out = Vec::new();
        resumption.push(&wire(framing, std::slice::from_ref(&error)), &mut out).unwrap();
        resumption.end(&mut out);
        resumption.give_up(&mut out);
        assert_eq!(read(framing, &out), std::slice::from_ref(&error));
    }
}

#[test]
fn whole_answers_and_several_at_once_are_not_for_this() {
    assert!(Resumption::new(Framing::Whole, &question()).is_none());
    assert!(Resumption::new(Framing::Sse, b"{}").is_none());
}
