//! The recordings in the folder `shared` beside the checkout, and how the translation tells them.
//!
//! Invariant: where the folder is absent, that is said and there are no cases.

use std::fs;
use std::path::{Path, PathBuf};

use balance_dialect::sse;
use balance_dialect::translate::Malformed;
use serde_json::{Value, json};

use super::call;

/// A recorded answer to a request for content.
pub(crate) struct Case {
    pub(crate) name: String,
    /// The events of a stream, or one for an answer that came whole.
    pub(crate) events: Vec<Value>,
}

impl Case {
    /// A recorded answer with status 200 to a request for content.
    pub(crate) fn read((name, case): &(String, Value)) -> Option<Self> {
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

    /// The client's answer to a request that asks for no stream; none where there is an error.
    pub(crate) fn whole(&self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut translator = request(false).translator;
        match translator.whole(merged(&self.events).to_string().as_bytes(), &mut out) {
            Ok(_) => Some(out),
            Err(Malformed::Empty { .. } | Malformed::Failed(_) | Malformed::Unreadable { .. }) => {
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// The client's answer to a request that asks for a stream, when upstream's bytes come in
    /// pieces of this size.
    pub(crate) fn streamed(&self, size: usize) -> Vec<u8> {
        let stream: String =
            self.events.iter().map(|event| format!("data: {event}\r\n\r\n")).collect();
        let mut out = Vec::new();
        let mut translator = request(true).translator;
        for piece in stream.as_bytes().chunks(size) {
            // What an answer that cannot be read ends with, the outcome shows.
            let _ = translator.push(piece, &mut out);
        }
        translator.finish(&mut out);
        out
    }

    /// What the last event says that says anything of it.
    pub(crate) fn last(&self, field: impl Fn(&Value) -> &Value) -> &Value {
        self.events.iter().map(field).rfind(|value| !value.is_null()).unwrap_or(&Value::Null)
    }

    /// The parts of the answer, in their order.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Value> {
        self.events.iter().flat_map(|event| {
            event["candidates"][0]["content"]["parts"].as_array().into_iter().flatten()
        })
    }
}

/// All recorded exchanges by their name, or none where the folder is absent.
pub(crate) fn recorded() -> Vec<(String, Value)> {
    let Some(shared) = shared() else { return Vec::new() };
    let paths = fs::read_dir(shared.join("cases")).unwrap().map(|entry| entry.unwrap().path());
    let cases = paths.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    let cases = cases.map(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, serde_json::from_slice(&fs::read(&path).unwrap()).unwrap())
    });
    cases.collect()
}

pub(crate) fn shared() -> Option<PathBuf> {
    let mut ancestors = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let shared = ancestors.find_map(|folder| Some(folder.join("shared")).filter(|s| s.is_dir()));
    if shared.is_none() {
        println!("no folder shared beside the checkout: nothing recorded to translate");
    }
    shared
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

fn events(stream: &str) -> Vec<Value> {
    let mut decoder = sse::Decoder::new(usize::MAX);
    decoder.push(stream.as_bytes());
    let mut events = Vec::new();
    while let Some(event) = decoder.finish() {
        events.push(serde_json::from_slice(&event.data).unwrap_or(Value::Null));
    }
    events
}
