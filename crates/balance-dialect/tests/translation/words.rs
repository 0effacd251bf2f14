//! No word is lost, on the way there or back, whatever is said and however it is cut.
//!
//! Invariant: what is expected is put together from what was generated, never from what was made.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::call;
use super::outcome::Outcome;

proptest! {
    #[test]
    fn no_word_of_a_conversation_is_lost(
        said in prop::collection::vec(said(), 1..8),
        model in prop::sample::select(vec!["gemini-2.5-flash", "gemini-3-flash", "gemma-3-27b-it"]),
    ) {
        let mut messages = vec![json!({ "role": "user", "content": "q" })];
        let (mut user, mut assistant, mut system) = ("q".to_owned(), String::new(), String::new());
        let (mut calls, mut results) = (Vec::new(), Vec::new());
        for (index, said) in said.into_iter().enumerate() {
            match said {
                Said::Words { role, parts } => {
                    let words = parts.concat();
                    match role {
                        "user" => user += &words,
                        "assistant" => assistant += &words,
                        _ => system += &words,
                    }
                    messages.push(json!({ "role": role, "content": content(&parts) }));
                }
                Said::Call { arguments, result } => {
                    let id = format!("call_{index}");
                    let function = json!({ "name": "f", "arguments": arguments.to_string() });
                    let call = json!({ "id": id, "type": "function", "function": function });
                    messages.push(json!({ "role": "assistant", "tool_calls": [call] }));
                    messages.push(json!({ "role": "tool", "tool_call_id": id, "content": result }));
                    calls.push(arguments);
                    results.push(result);
                }
            }
        }
        let body = json!({ "model": model, "messages": messages }).to_string();
        let sent = call("chat", body.as_bytes()).unwrap();
        let sent: Value = serde_json::from_slice(sent.requests[0].body.as_ref().unwrap()).unwrap();
        let system_sent = words(&sent["systemInstruction"]);
        let turns = |role: &str| -> Vec<&Value> {
            sent["contents"].as_array().unwrap().iter().filter(|turn| turn["role"] == role).collect()
        };
        let user_sent: String = turns("user").into_iter().map(words).collect();
        if model.starts_with("gemma") {
            prop_assert_eq!(user_sent, system + &user); // it knows no system instruction
        } else {
            prop_assert_eq!(system_sent, system);
            prop_assert_eq!(user_sent, user);
        }
        let assistant_sent: String = turns("model").into_iter().map(words).collect();
        prop_assert_eq!(assistant_sent, assistant);
        prop_assert_eq!(fields(&sent, "functionCall", "args"), calls);
        let results: Vec<Value> = results.iter().map(|text| {
            let json = serde_json::from_str(text).ok().filter(Value::is_object);
            json.unwrap_or_else(|| json!({ "result": text }))
        }).collect();
        prop_assert_eq!(fields(&sent, "functionResponse", "response"), results);
    }

    #[test]
    fn no_word_of_an_answer_is_lost(
        events in prop::collection::vec(prop::collection::vec(part(), 0..4), 1..6),
        sizes in prop::collection::vec(1_usize..60, 1..8),
    ) {
        let parts: Vec<&Value> = events.iter().flatten().collect();
        let of = |is_thought: bool| -> String {
            let texts = parts.iter().filter(|part| (part["thought"] == true) == is_thought);
            texts.filter_map(|part| part["text"].as_str()).collect()
        };
        let calls: Vec<Value> = parts.iter().filter(|part| part["functionCall"].is_object())
            .map(|part| part["functionCall"]["args"].clone()).collect();
        prop_assume!(!of(false).is_empty() || !calls.is_empty());
        let event = |parts: &[Value], reason: Value| json!({ "candidates": [
            { "content": { "parts": parts, "role": "model" }, "finishReason": reason }] });
        let all: Vec<Value> = events.iter().flatten().cloned().collect();

        let mut out = Vec::new();
        let whole = event(&all, "STOP".into()).to_string();
        asked(false).translator.whole(whole.as_bytes(), &mut out).unwrap();
        let whole = Outcome::of_whole(&out);

        let mut stream = String::new();
        for parts in &events {
            stream += &format!("data: {}\r\n\r\n", event(parts, Value::Null));
        }
        stream += &format!("data: {}\r\n\r\n", event(&[], "STOP".into()));
        let streamed = Outcome::of_stream(&cut(stream.as_bytes(), &sizes));
        for outcome in [&whole, &streamed] {
            let choice = &outcome.choices[&0];
            prop_assert_eq!(&choice.text, &of(false));
            prop_assert_eq!(&choice.thoughts, &of(true));
            let made: Vec<Value> = choice.calls.iter().map(|call| call.arguments.clone()).collect();
            prop_assert_eq!(&made, &calls);
        }
    }

    #[test]
    fn any_json_as_an_answer_is_told_the_same_however_it_is_cut(
        events in prop::collection::vec(answer(), 1..4),
        sizes in prop::collection::vec(1_usize..60, 1..8),
    ) {
        let stream: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
        let whole = cut(stream.as_bytes(), &[stream.len()]);
        prop_assert_eq!(&cut(stream.as_bytes(), &sizes), &whole);
        let told = Outcome::of_stream(&whole);
        prop_assert!(told.is_done != told.error.is_some(), "{told:?}");
        let mut out = Vec::new();
        match asked(false).translator.whole(events[0].to_string().as_bytes(), &mut out) {
            Ok(_) => prop_assert!(Outcome::of_whole(&out).is_done),
            Err(_) => prop_assert!(out.is_empty()),
        }
    }
}

/// Something said in a conversation.
#[derive(Debug, Clone)]
enum Said {
    Words { role: &'static str, parts: Vec<String> },
    Call { arguments: Value, result: String },
}

fn said() -> impl Strategy<Value = Said> {
    let role = prop::sample::select(vec!["user", "assistant", "system", "developer"]);
    let words = (role, prop::collection::vec(any::<String>(), 1..4))
        .prop_map(|(role, parts)| Said::Words { role, parts });
    let result = prop_oneof![any::<String>(), json().prop_map(|json| json.to_string())];
    let arguments = prop::collection::vec((any::<String>(), json()), 0..3)
        .prop_map(|fields| Value::Object(Map::from_iter(fields)));
    let call = (arguments, result).prop_map(|(arguments, result)| Said::Call { arguments, result });
    prop_oneof![3 => words, 1 => call]
}

/// Any JSON, without numbers that no reader keeps exactly.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<String>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|fields| Value::Object(Map::from_iter(fields))),
        ]
    })
}

/// A part of an answer.
fn part() -> impl Strategy<Value = Value> {
    let arguments = prop::collection::vec((any::<String>(), json()), 0..3)
        .prop_map(|fields| Value::Object(Map::from_iter(fields)));
    prop_oneof![
        3 => any::<String>().prop_map(|text| json!({ "text": text })),
        1 => any::<String>().prop_map(|text| json!({ "text": text, "thought": true })),
        1 => arguments.prop_map(|args| json!({ "functionCall": { "name": "f", "args": args } })),
    ]
}

/// Any JSON in the words of answers.
fn answer() -> impl Strategy<Value = Value> {
    const WORDS: [&str; 24] = [
        "candidates",
        "content",
        "parts",
        "text",
        "thought",
        "thoughtSignature",
        "functionCall",
        "name",
        "args",
        "id",
        "inlineData",
        "mimeType",
        "data",
        "image/png",
        "executableCode",
        "code",
        "finishReason",
        "STOP",
        "index",
        "usageMetadata",
        "promptTokenCount",
        "error",
        "groundingMetadata",
        "promptFeedback",
    ];
    let word = || prop::sample::select(&WORDS[..]).prop_map(str::to_owned);
    let leaf =
        prop_oneof![word().prop_map(Value::from), any::<i64>().prop_map(Value::from), json()];
    let tree = leaf.prop_recursive(7, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((word(), inner), 0..5)
                .prop_map(|fields| Value::Object(Map::from_iter(fields))),
        ]
    });
    // Many as candidates, so that they are read far.
    (tree, any::<bool>()).prop_map(|(tree, is_part)| match is_part {
        true => {
            json!({ "candidates": [{ "content": { "parts": [tree] }, "finishReason": "STOP" }] })
        }
        false => tree,
    })
}

/// Words as a client writes them: one text, or several parts.
fn content(parts: &[String]) -> Value {
    match parts {
        [text] => text.as_str().into(),
        parts => parts.iter().map(|text| json!({ "type": "text", "text": text })).collect(),
    }
}

/// The words of a turn.
fn words(turn: &Value) -> String {
    let parts = turn["parts"].as_array().into_iter().flatten();
    parts.filter_map(|part| part["text"].as_str()).collect()
}

/// A field of every part of a kind.
fn fields(sent: &Value, kind: &str, field: &str) -> Vec<Value> {
    let turns = sent["contents"].as_array().unwrap().iter();
    let parts = turns.flat_map(|turn| turn["parts"].as_array().unwrap());
    parts.filter_map(|part| part.get(kind)).map(|part| part[field].clone()).collect()
}

fn asked(stream: bool) -> balance_dialect::translate::Call {
    let body = json!({ "model": "gemini-3-flash", "stream": stream,
        "messages": [{ "role": "user", "content": "q" }] });
    call("chat", body.to_string().as_bytes()).unwrap()
}

/// The client's bytes for a stream that comes in pieces of these sizes, in turn.
fn cut(mut stream: &[u8], sizes: &[usize]) -> Vec<u8> {
    let mut translator = asked(true).translator;
    let mut out = Vec::new();
    for size in sizes.iter().cycle() {
        if stream.is_empty() {
            break;
        }
        let (piece, rest) = stream.split_at(stream.len().min(*size));
        stream = rest;
        if translator.push(piece, &mut out).is_err() {
            break;
        }
    }
    translator.finish(&mut out);
    out
}
