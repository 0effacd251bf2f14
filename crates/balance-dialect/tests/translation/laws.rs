//! What holds for every request and every answer.

use std::collections::BTreeSet;
use std::fs;

use balance_dialect::summary::Summary;
use balance_dialect::translate::Call;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::golden::{endpoint, examples};
use super::{call, outcome::Outcome};

/// The client's bytes for a stream that arrives in these pieces.
fn streamed<'a>(mut call: Call, pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<u8>, Summary) {
    let mut out = Vec::new();
    for piece in pieces {
        if call.translator.push(piece, &mut out).is_err() {
            break;
        }
    }
    let summary = call.translator.finish(&mut out);
    (out, summary)
}

/// A chat request of these messages.
fn chat(messages: &[Value], stream: bool) -> String {
    json!({ "model": "gemini-3-flash", "messages": messages, "stream": stream }).to_string()
}

/// The names of the calls that a client is told of.
fn calls_answered(answer: &Value, messages: &[Value], stream: bool) -> Vec<String> {
    let mut call = call("chat", chat(messages, stream).as_bytes()).unwrap();
    let mut out = Vec::new();
    let outcome = if stream {
        let event = format!("data: {answer}\n\n");
        Outcome::of_stream(&streamed(call, [event.as_bytes()].into_iter()).0)
    } else {
        call.translator.whole(answer.to_string().as_bytes(), &mut out).unwrap();
        Outcome::of_whole(&out)
    };
    outcome.choices[&0].calls.iter().map(|call| call.id.clone()).collect()
}

/// The streamed examples: endpoint, request, upstream's bytes.
fn streams() -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let streams = examples().into_iter().filter_map(|example| {
        let upstream = fs::read(example.join("upstream.sse")).ok()?;
        let request = fs::read(example.join("request.json")).unwrap();
        Some((endpoint(&example).to_owned(), request, upstream))
    });
    streams.collect()
}

#[test]
fn a_stream_cut_in_two_gives_the_same_bytes() {
    for (endpoint, request, upstream) in streams() {
        let whole = streamed(call(&endpoint, &request).unwrap(), [&upstream[..]].into_iter());
        for at in 0..upstream.len() {
            let (head, tail) = upstream.split_at(at);
            let cut = streamed(call(&endpoint, &request).unwrap(), [head, tail].into_iter());
            assert!(cut == whole, "cut at {at} of {}", String::from_utf8_lossy(&upstream));
        }
    }
}

#[test]
fn a_stream_cut_in_three_gives_the_same_bytes() {
    let request = br#"{"model":"m","messages":[{"role":"user","content":"q"}],"stream":true}"#;
    let upstream = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"é\"},\
                    {\"functionCall\":{\"name\":\"f\"}}]},\"finishReason\":\"STOP\"}]}\r\n\r\n\
                    data: {\"usageMetadata\":{}}\n\n";
    let whole = streamed(call("chat", request).unwrap(), [upstream.as_bytes()].into_iter());
    for first in 0..upstream.len() {
        for second in first..upstream.len() {
            let pieces = [0..first, first..second, second..upstream.len()];
            let pieces = pieces.into_iter().map(|range| &upstream.as_bytes()[range]);
            let cut = streamed(call("chat", request).unwrap(), pieces);
            assert!(cut == whole, "cut at {first} and {second}");
        }
    }
}

proptest! {
    #[test]
    fn a_stream_cut_anyhow_gives_the_same_bytes(sizes in prop::collection::vec(1_usize..40, 1..20)) {
        for (endpoint, request, upstream) in streams() {
            let whole = streamed(call(&endpoint, &request).unwrap(), [&upstream[..]].into_iter());
            let mut rest = &upstream[..];
            let pieces = sizes.iter().cycle().map_while(|size| {
                let (piece, after) = rest.split_at(rest.len().min(*size));
                rest = after;
                (!piece.is_empty()).then_some(piece)
            });
            prop_assert_eq!(&streamed(call(&endpoint, &request).unwrap(), pieces), &whole);
        }
    }

    #[test]
    fn no_request_panics(body in json_of(&REQUEST_WORDS)) {
        let text = body.to_string();
        for endpoint in ["chat", "completions", "responses", "embeddings"] {
            if let Err(refusal) = call(endpoint, text.as_bytes()) {
                prop_assert!(!refusal.message.is_empty());
            }
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for (endpoint, request) in [
            ("chat", json!({ "model": "m", "messages": [{ "role": "user", "content": "q" }] })),
            ("responses", json!({ "model": "m", "input": "q" })),
            ("embeddings", json!({ "model": "m", "input": "q" })),
        ] {
            prop_assert!(call(endpoint, &bytes).is_err());
            let mut call = call(endpoint, request.to_string().as_bytes()).unwrap();
            prop_assert!(call.translator.whole(&bytes, &mut Vec::new()).is_err());
            let _ = streamed(call, [&bytes[..]].into_iter());
        }
    }

    #[test]
    fn signatures_come_back_through_clients_that_drop_them(
        given in prop_oneof!["[a-z0-9_.]{0,12}", Just("same".to_owned())],
        signature in prop_oneof!["[A-Za-z0-9+/]{4}{1,20}", "[A-Za-z0-9+/]{3,40}={0,2}", any::<String>()],
        parallel in 1_usize..4,
        stream in any::<bool>(),
    ) {
        prop_assume!(!signature.is_empty());
        let mut parts: Vec<Value> = (0..parallel)
            .map(|_| json!({ "functionCall": { "id": given, "name": "f", "args": {} } }))
            .collect();
        parts[0]["thoughtSignature"] = signature.as_str().into();
        let answer = json!({ "candidates": [{ "content": { "parts": parts }, "finishReason": "STOP" }] });
        let mut messages = vec![json!({ "role": "user", "content": "q" })];
        let mut ids = Vec::new();
        for _ in 0..2 {
            for id in calls_answered(&answer, &messages, stream) {
                let function = json!({ "name": "f", "arguments": "{}" });
                let call = json!({ "id": id, "type": "function", "function": function });
                match messages.last_mut() {
                    Some(last) if last["role"] == "assistant" => {
                        last["tool_calls"].as_array_mut().unwrap().push(call);
                    }
                    _ => messages.push(json!({ "role": "assistant", "tool_calls": [call] })),
                }
                ids.push(id);
            }
            for id in &ids[ids.len() - parallel..] {
                messages.push(json!({ "role": "tool", "tool_call_id": id, "content": "r" }));
            }
            let sent = call("chat", chat(&messages, false).as_bytes()).unwrap();
            let sent: Value = serde_json::from_slice(sent.requests[0].body.as_ref().unwrap()).unwrap();
            let turns = sent["contents"].as_array().unwrap();
            let said = &turns[turns.len() - 2]["parts"];
            prop_assert_eq!(&said[0]["thoughtSignature"], &signature);
            prop_assert!(said.as_array().unwrap().iter().skip(1).all(|part| part.get("thoughtSignature").is_none()));
        }
        let safe = |id: &String| id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        prop_assert!(ids.iter().all(safe));
        let bare: BTreeSet<&str> = ids.iter().map(|id| id.split("__sig").next().unwrap()).collect();
        prop_assert_eq!(bare.len(), ids.len(), "names of calls are used once: {:?}", ids);
    }

    #[test]
    fn whole_and_streamed_answers_agree(
        candidates in prop::collection::vec(candidate(), 1..3),
        usage in json_of(&["promptTokenCount"]).prop_map(|_| json!({ "promptTokenCount": 3,
            "candidatesTokenCount": 5, "thoughtsTokenCount": 2, "totalTokenCount": 10 })),
    ) {
        let candidates: Vec<Value> = candidates.into_iter().enumerate().map(|(index, mut each)| {
            each["index"] = json!(index);
            each
        }).collect();
        let answer = json!({ "candidates": candidates, "usageMetadata": usage }).to_string();
        let request = |stream: bool| json!({ "model": "gemini-2.5-flash", "stream": stream,
            "messages": [{ "role": "user", "content": "q" }],
            "stream_options": stream.then(|| json!({ "include_usage": true })) }).to_string();
        let mut out = Vec::new();
        let whole = call("chat", request(false).as_bytes()).unwrap().translator
            .whole(answer.as_bytes(), &mut out);
        let event = format!("data: {answer}\r\n\r\n");
        let (bytes, _) = streamed(call("chat", request(true).as_bytes()).unwrap(), [event.as_bytes()].into_iter());
        let streamed = Outcome::of_stream(&bytes);
        if whole.is_err() {
            prop_assert!(streamed.error.is_some() && !streamed.is_done);
        } else {
            prop_assert_eq!(streamed, Outcome::of_whole(&out));
        }
    }
}

/// The words of requests, so that chance meets them.
const REQUEST_WORDS: [&str; 40] = [
    "model",
    "messages",
    "role",
    "content",
    "user",
    "system",
    "assistant",
    "tool",
    "type",
    "text",
    "image_url",
    "url",
    "data:image/png;base64,AA",
    "tool_calls",
    "id",
    "function",
    "name",
    "arguments",
    "{}",
    "tool_call_id",
    "tools",
    "parameters",
    "tool_choice",
    "required",
    "stream",
    "stream_options",
    "n",
    "stop",
    "response_format",
    "json_schema",
    "schema",
    "properties",
    "$ref",
    "#/properties/a",
    "allOf",
    "input",
    "call_id",
    "function_call",
    "reasoning",
    "google",
];

/// Any JSON with these words as strings and names.
pub(crate) fn json_of(words: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let word = move || prop::sample::select(words).prop_map(str::to_owned);
    let leaf = prop_oneof![
        4 => word().prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    let tree = leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => prop::collection::vec((word(), inner), 0..6)
                .prop_map(|fields| Value::Object(Map::from_iter(fields))),
        ]
    });
    // The fields without which no request is read far.
    tree.prop_map(|mut tree| {
        if let Value::Object(fields) = &mut tree {
            fields.entry("model").or_insert_with(|| "gemini-3-flash".into());
            let message = json!({ "role": "user", "content": "q" });
            fields.entry("messages").or_insert_with(|| json!([message]));
            fields.entry("input").or_insert_with(|| json!([message]));
            fields.entry("prompt").or_insert_with(|| "q".into());
        }
        tree
    })
}

/// A candidate of any parts and any end.
fn candidate() -> impl Strategy<Value = Value> {
    let part = prop_oneof![
        any::<String>().prop_map(|text| json!({ "text": text })),
        any::<String>().prop_map(|text| json!({ "text": text, "thought": true })),
        any::<String>().prop_map(|text| json!({ "text": "", "thoughtSignature": text })),
        (any::<String>(), any::<Option<i32>>()).prop_map(|(text, number)| {
            json!({ "functionCall": { "name": "f", "args": { text: number } },
                    "thoughtSignature": "sig" })
        }),
        Just(json!({ "functionCall": { "id": "same", "name": "f" } })),
        Just(json!({ "inlineData": { "mimeType": "image/png", "data": "AAAA" } })),
        any::<String>()
            .prop_map(|code| json!({ "executableCode": { "language": "PYTHON", "code": code } })),
        any::<String>().prop_map(|output| {
            json!({ "codeExecutionResult": { "outcome": "OUTCOME_OK", "output": output } })
        }),
        Just(json!({ "inlineData": { "mimeType": "audio/L16;rate=24000", "data": "AQID" } })),
        Just(json!({})),
    ];
    let reason = prop::sample::select(vec![
        "STOP",
        "MAX_TOKENS",
        "SAFETY",
        "OTHER",
        "MALFORMED_FUNCTION_CALL",
        "NO_IMAGE",
        "NEW",
    ]);
    (prop::collection::vec(part, 0..6), reason).prop_map(
        |(parts, reason)| json!({ "content": { "parts": parts }, "finishReason": reason }),
    )
}
