//! Recorded requests of clients, and recorded answers of Gemini, translated whole and as a stream in pieces of any size.
//!
//! The recordings lie in a folder `shared` beside the checkout. Where it is absent, each test says
//! so and passes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use balance_dialect::sse;
use balance_dialect::translate::Malformed;
use serde_json::{Value, json};

use super::call;
use super::outcome::{Choice, Outcome};

const PIECES: [usize; 3] = [1, 7, usize::MAX];

/// A recorded answer to a request for content.
struct Case {
    name: String,
    /// The events of a stream, or one for an answer that came whole.
    events: Vec<Value>,
}

#[test]
fn every_recorded_answer_is_the_same_whole_and_in_pieces() {
    let cases: Vec<Case> = recorded().iter().filter_map(Case::read).collect();
    let mut answers = 0;
    for case in &cases {
        let whole = whole(&merged(&case.events));
        let stream: String =
            case.events.iter().map(|event| format!("data: {event}\r\n\r\n")).collect();
        for size in PIECES {
            let streamed = streamed(stream.as_bytes(), size);
            match &whole {
                Some(whole) if is_ended(&case.events) => {
                    assert_eq!(&streamed, whole, "{} in pieces of {size}", case.name);
                    agrees(whole, &case.events, &case.name);
                    answers += 1;
                }
                _ => {
                    let fails = streamed.error.is_some() && !streamed.is_done;
                    assert!(fails, "{} in pieces of {size}: {streamed:?}", case.name);
                }
            }
        }
    }
    assert!(cases.is_empty() || answers > 0);
    println!(
        "{} recorded answers of {} translated whole and in pieces",
        answers / PIECES.len(),
        cases.len()
    );
}

#[test]
fn every_recorded_batch_of_embeddings_is_translated() {
    let mut batches = 0;
    for (name, case) in recorded() {
        let embeddings = case["response"]["body"]["embeddings"].as_array();
        let Some(embeddings) = embeddings.filter(|_| case["kind"] == "batchEmbedContents") else {
            continue;
        };
        let input = vec!["text"; embeddings.len()];
        let body = json!({ "model": "gemini-embedding-001", "input": input }).to_string();
        let mut call = call("embeddings", body.as_bytes()).unwrap();
        let (answer, mut out) = (case["response"]["body"].to_string(), Vec::new());
        call.translator.whole(answer.as_bytes(), &mut out).unwrap();
        let reply: Value = serde_json::from_slice(&out).unwrap();
        for (sent, read) in embeddings.iter().zip(reply["data"].as_array().unwrap()) {
            let numbers = |values: &Value| -> Vec<f32> {
                let values = values.as_array().unwrap().iter();
                values.map(|value| value.as_f64().unwrap() as f32).collect()
            };
            assert_eq!(numbers(&sent["values"]), numbers(&read["embedding"]), "{name}");
        }
        batches += 1;
    }
    println!("{batches} recorded batches of embeddings translated");
}

#[test]
fn every_recorded_request_of_a_client_is_translated() {
    let Some(shared) = shared() else { return };
    let requests = fs::read_to_string(shared.join("clients/requests.jsonl")).unwrap();
    let mut translated = 0;
    for request in requests.lines() {
        let request: Value = serde_json::from_str(request).unwrap();
        let path = request["p"].as_str().unwrap();
        let endpoint = match path {
            "/v1/chat/completions" => "chat",
            "/v1/responses" => "responses",
            "/v1/embeddings" => "embeddings",
            _ => continue,
        };
        let body = request["b"].to_string();
        let call =
            call(endpoint, body.as_bytes()).unwrap_or_else(|error| panic!("{error}: {body}"));
        assert_eq!(call.stream, request["b"]["stream"] == true);
        translated += 1;
    }
    assert!(translated > 20);
    println!("{translated} recorded requests of clients translated");
}

#[test]
fn the_documentation_names_every_field_of_a_chat() {
    let Some(shared) = shared() else { return };
    let schema = fs::read(shared.join("specs/openai.schema.json")).unwrap();
    let schema: Value = serde_json::from_slice(&schema).unwrap();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/TRANSLATION.md");
    let page = fs::read_to_string(page).unwrap();
    let mut fields = BTreeSet::new();
    collect_fields(&schema, &schema["$defs"]["CreateChatCompletionRequest"], &mut fields);
    assert!(fields.len() > 30, "{fields:?}");
    let missing: Vec<&String> =
        fields.iter().filter(|field| !page.contains(&format!("`{field}`"))).collect();
    assert!(missing.is_empty(), "not in docs/TRANSLATION.md: {missing:?}");
    println!("{} fields of a chat documented", fields.len());
}

/// The properties of a schema, with those of the schemas that it is made of.
fn collect_fields(root: &Value, schema: &Value, fields: &mut BTreeSet<String>) {
    fields.extend(
        schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()),
    );
    for part in schema["allOf"].as_array().into_iter().flatten() {
        match part["$ref"].as_str().and_then(|at| root.pointer(at.trim_start_matches('#'))) {
            Some(target) => collect_fields(root, target, fields),
            None => collect_fields(root, part, fields),
        }
    }
}

/// Whether Gemini said that the answer is over.
fn is_ended(events: &[Value]) -> bool {
    let ends = |event: &Value| {
        let reason = &event["candidates"][0]["finishReason"];
        let block = &event["promptFeedback"];
        !reason.is_null()
            || !block["blockReason"].is_null()
            || !block["blockReasonMessage"].is_null()
    };
    events.iter().any(ends)
}

/// What the client must understand, read from the recording without the translation's help.
#[track_caller]
fn agrees(outcome: &Outcome, events: &[Value], name: &str) {
    let parts = events.iter().flat_map(|event| {
        event["candidates"][0]["content"]["parts"].as_array().into_iter().flatten()
    });
    let mut expected = Choice::default();
    let mut calls = Vec::new();
    for part in parts {
        let text = part["text"].as_str().unwrap_or_default();
        if part["thought"] == true {
            expected.thoughts += text;
        } else {
            expected.text += text;
        }
        for (language, code) in [
            (&part["executableCode"]["language"], &part["executableCode"]["code"]),
            (&json!("output"), &part["codeExecutionResult"]["output"]),
        ] {
            let code = code.as_str().filter(|code| !code.is_empty());
            if let (Some(language), Some(code)) = (language.as_str(), code) {
                let code = code.trim_end_matches('\n');
                expected.text += &format!("\n```{}\n{code}\n```\n", language.to_lowercase());
            }
        }
        let call = &part["functionCall"];
        if !call["name"].is_null() {
            let args = if call["args"].is_null() { json!({}) } else { call["args"].clone() };
            calls.push((call["name"].clone(), args));
        }
    }
    let choice = &outcome.choices[&0];
    assert_eq!(choice.text, expected.text, "{name}");
    assert_eq!(choice.thoughts, expected.thoughts, "{name}");
    let made: Vec<(Value, Value)> = choice
        .calls
        .iter()
        .map(|call| (call.name.clone().into(), call.arguments.clone()))
        .collect();
    assert_eq!(made, calls, "{name}");
    let finish = choice.finish.as_deref();
    assert!(["stop", "length", "tool_calls", "content_filter"].map(Some).contains(&finish));
    if !calls.is_empty() {
        assert_ne!(finish, Some("stop"), "{name}");
    }
}

fn whole(answer: &Value) -> Option<Outcome> {
    let mut out = Vec::new();
    let mut translator = request(false).translator;
    match translator.whole(answer.to_string().as_bytes(), &mut out) {
        Ok(_) => Some(Outcome::of_whole(&out)),
        Err(Malformed::Empty { .. } | Malformed::Failed(_) | Malformed::Unreadable { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

fn streamed(bytes: &[u8], size: usize) -> Outcome {
    let mut out = Vec::new();
    let mut translator = request(true).translator;
    for piece in bytes.chunks(size) {
        // What an answer that cannot be read ends with, the outcome shows.
        let _ = translator.push(piece, &mut out);
    }
    translator.finish(&mut out);
    Outcome::of_stream(&out)
}

fn request(stream: bool) -> balance_dialect::translate::Call {
    let options = stream.then(|| json!({ "include_usage": true }));
    let body = json!({ "model": "gemini-2.5-flash", "stream": stream, "stream_options": options,
        "messages": [{ "role": "user", "content": "q" }] });
    call("chat", body.to_string().as_bytes()).unwrap()
}

/// The events of a stream as the one answer they are pieces of.
fn merged(events: &[Value]) -> Value {
    let mut merged = json!({});
    for event in events {
        for (field, value) in event.as_object().into_iter().flatten() {
            match (field.as_str(), value) {
                ("candidates", Value::Array(candidates)) => merge(&mut merged, candidates),
                ("usageMetadata", Value::Object(usage)) => {
                    for (count, value) in usage {
                        merged["usageMetadata"][count] = value.clone();
                    }
                }
                _ => merged[field] = value.clone(),
            }
        }
    }
    merged
}

/// No recording has more than one candidate in an event.
fn merge(merged: &mut Value, candidates: &[Value]) {
    assert!(candidates.len() < 2);
    let Some(candidate) = candidates.first() else {
        merged["candidates"] = json!([]);
        return;
    };
    let mut all = merged["candidates"].get(0).cloned().unwrap_or_else(|| json!({}));
    let mut parts = all["content"]["parts"].as_array().cloned().unwrap_or_default();
    parts.extend(candidate["content"]["parts"].as_array().into_iter().flatten().cloned());
    all.as_object_mut().unwrap().extend(candidate.as_object().unwrap().clone());
    all["content"] = json!({ "parts": parts });
    merged["candidates"] = json!([all]);
}

impl Case {
    /// A recorded answer with status 200 to a request for content.
    fn read((name, case): &(String, Value)) -> Option<Self> {
        let is_content = case["kind"].as_str().unwrap().ends_with("enerateContent");
        let response = &case["response"];
        if !is_content || response["status"] != 200 {
            return None;
        }
        let events = match (&response["sse"], &response["body"]) {
            (Value::String(sse), _) => events(sse),
            (_, Value::Array(events)) => events.clone(),
            (_, body) => vec![body.clone()],
        };
        Some(Self { name: name.clone(), events })
    }
}

/// All recorded exchanges by their name, or none where the folder is absent.
fn recorded() -> Vec<(String, Value)> {
    let Some(shared) = shared() else { return Vec::new() };
    let paths = fs::read_dir(shared.join("cases")).unwrap().map(|entry| entry.unwrap().path());
    let cases = paths.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    let cases = cases.map(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, serde_json::from_slice(&fs::read(&path).unwrap()).unwrap())
    });
    cases.collect()
}

fn shared() -> Option<PathBuf> {
    let mut ancestors = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let shared = ancestors.find_map(|folder| Some(folder.join("shared")).filter(|s| s.is_dir()));
    if shared.is_none() {
        println!("no folder shared beside the checkout: nothing recorded to translate");
    }
    shared
}

fn events(stream: &str) -> Vec<Value> {
    let mut decoder = sse::Decoder::new(usize::MAX);
    decoder.push(stream.as_bytes());
    let mut events = Vec::new();
    while let Some(event) = decoder.finish() {
        events.push(serde_json::from_slice(&event.data).unwrap_or(Value::Null));
    }
    events
}
