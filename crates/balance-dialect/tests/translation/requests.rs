//! Requests of real clients: every value of them arrives, or the documentation says why not.
//!
//! Invariant: words that a client wrote are never excused by a row that calls their field mapped.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use balance_dialect::translate::remote;
use serde_json::Value;

use super::call;
use super::cases::{recorded, shared};
use super::golden::{endpoint as endpoint_of, examples};
use super::tables::{Row, rows};

/// A recorded request.
pub(crate) struct Asked {
    name: String,
    endpoint: &'static str,
    body: Value,
}

impl Asked {
    fn example(folder: &Path) -> Self {
        let endpoint = ["chat", "responses", "embeddings"];
        let endpoint = endpoint.into_iter().find(|name| *name == endpoint_of(folder)).unwrap();
        let body = serde_json::from_slice(&fs::read(folder.join("request.json")).unwrap()).unwrap();
        Self { name: folder.display().to_string(), endpoint, body }
    }
}

/// What became of the values of all requests.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Requests that were translated, by endpoint.
    pub(crate) translated: BTreeMap<&'static str, usize>,
    /// Requests that were refused, with the row that says so.
    pub(crate) refused: Vec<(String, Row)>,
    /// Native requests, lists of models and the like, which are not translated.
    pub(crate) native: usize,
    /// Values that arrived as they were written.
    pub(crate) arrived: usize,
    /// Values that did not, and that no table names.
    lost: Vec<String>,
    /// Values that did not, by their places, with the row that says why and their number.
    pub(crate) named: BTreeMap<String, (Row, usize)>,
}

/// Judges every recorded request.
pub(crate) fn judged() -> Outcome {
    let (asked, native) = asked();
    Outcome { native, ..judge(asked) }
}

fn judge(all: Vec<Asked>) -> Outcome {
    let rows = rows();
    let mut outcome = Outcome::default();
    for asked in all {
        let body = with_files(&asked);
        let call = match call(asked.endpoint, body.to_string().as_bytes()) {
            Ok(call) => call,
            Err(refusal) => {
                let place = refusal.param.as_deref().unwrap_or_default();
                // The deepest name that a table knows.
                let row = place
                    .rsplit(['.', '[', ']'])
                    .find_map(|name| rows.iter().find(|row| row.refuses(asked.endpoint, name)));
                let row = row.unwrap_or_else(|| panic!("{}: no table refuses {place}", asked.name));
                outcome.refused.push((asked.name, row.clone()));
                continue;
            }
        };
        assert_eq!(call.stream, asked.body["stream"] == true, "{}", asked.name);
        *outcome.translated.entry(asked.endpoint).or_default() += 1;
        let mut sent = Sent { model: call.model, values: Vec::new() };
        for request in &call.requests {
            let body: Value = serde_json::from_slice(request.body.as_ref().unwrap()).unwrap();
            collect(&body, &mut sent.values);
        }
        walk(&body, &mut Vec::new(), &mut |place, value| {
            if sent.has(value) {
                outcome.arrived += 1;
                return;
            }
            let row = rows.iter().find(|row| row.names(asked.endpoint, place, value));
            let place = place.join(".");
            match row {
                Some(row) => outcome.named.entry(place).or_insert_with(|| (row.clone(), 0)).1 += 1,
                None => outcome.lost.push(format!("{}: {place}: {value}", asked.name)),
            }
        });
    }
    outcome
}

/// All recorded requests that are to be translated, and the number of those that are not.
fn asked() -> (Vec<Asked>, usize) {
    let (mut all, mut native) = (Vec::new(), 0);
    let Some(shared) = shared() else { return (all, native) };
    let lines = fs::read_to_string(shared.join("clients/requests.jsonl")).unwrap();
    for (number, line) in lines.lines().enumerate() {
        let request: Value = serde_json::from_str(line).unwrap();
        let endpoint = match request["p"].as_str().unwrap() {
            "/v1/chat/completions" => "chat",
            "/v1/responses" => "responses",
            "/v1/embeddings" => "embeddings",
            _ => {
                native += 1;
                continue;
            }
        };
        let name = format!("request {} of the clients", number + 1);
        all.push(Asked { name, endpoint, body: request["b"].clone() });
    }
    for (name, case) in recorded() {
        let endpoint = match case["kind"].as_str().unwrap() {
            "openai.chat" => "chat",
            "openai.responses" => "responses",
            _ => continue,
        };
        // Some cases have an answer alone.
        if case["request"]["body"].is_object() {
            all.push(Asked { name, endpoint, body: case["request"]["body"].clone() });
        }
    }
    (all, native)
}

/// The request as it is translated: with a file in place of each address that the gateway fetches.
fn with_files(asked: &Asked) -> Value {
    let body = asked.body.to_string().into_bytes();
    let found = match asked.endpoint {
        "chat" => remote::in_chat(&body),
        "responses" => remote::in_responses(&body),
        _ => Vec::new(),
    };
    let files = found.iter().map(|file| (file, "video/mp4", &b"what lies there"[..]));
    serde_json::from_slice(&remote::inline(&body, files)).unwrap()
}

/// What is sent to Gemini for a request.
struct Sent {
    model: String,
    values: Vec<Value>,
}

impl Sent {
    /// Whether a value of the client is in it, as it was written or as what it says.
    fn has(&self, value: &Value) -> bool {
        let Value::String(text) = value else {
            let is_number = |sent: &Value| value.is_number() && sent.as_f64() == value.as_f64();
            return self.values.iter().any(|sent| sent == value || is_number(sent));
        };
        let is_in = |text: &str| {
            !text.is_empty()
                && self
                    .values
                    .iter()
                    .any(|sent| sent.as_str().is_some_and(|sent| sent.contains(text)))
        };
        let url: String = text.split_whitespace().collect();
        let url = url.replace("data:image/jpg;", "data:image/jpeg;");
        let data = url.strip_prefix("data:").and_then(|url| url.split_once(";base64,"));
        let model = text.rsplit('/').next().unwrap_or_default();
        let json = serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
        is_in(text)
            || self.model == model
            || data.is_some_and(|(kind, data)| is_in(kind) && is_in(data))
            || json.is_some_and(|json| self.values.contains(&json))
    }
}

/// Every value within a value, and the value itself.
fn collect(value: &Value, found: &mut Vec<Value>) {
    found.push(value.clone());
    match value {
        Value::Array(entries) => entries.iter().for_each(|entry| collect(entry, found)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Tells every leaf with the names down to it; an empty list or object is a leaf.
#[expect(clippy::wildcard_enum_match_arm, reason = "all that is left is a leaf")]
fn walk<'v>(value: &'v Value, place: &mut Vec<&'v str>, tell: &mut impl FnMut(&[&str], &Value)) {
    match value {
        Value::Array(entries) if !entries.is_empty() => {
            entries.iter().for_each(|entry| walk(entry, place, tell));
        }
        Value::Object(fields) if !fields.is_empty() => {
            for (name, field) in fields {
                place.push(name);
                walk(field, place, tell);
                place.pop();
            }
        }
        leaf => tell(place, leaf),
    }
}

#[test]
fn every_recorded_request_arrives_or_the_documentation_says_why_not() {
    let outcome = judged();
    let translated: usize = outcome.translated.values().sum();
    let named: usize = outcome.named.values().map(|(_, times)| times).sum();
    assert!(outcome.lost.is_empty(), "no table names {:#?}", outcome.lost);
    assert!(outcome.native == 0 || translated > 50, "{translated} requests are too few");
    println!(
        "{translated} requests of clients translated: {} values arrived, {named} are named by a table; \
         {} refused as a table says; {} native ones pass as they are",
        outcome.arrived,
        outcome.refused.len(),
        outcome.native
    );
}

#[test]
fn every_request_of_our_examples_arrives_or_the_documentation_says_why_not() {
    let outcome = judge(examples().iter().map(|example| Asked::example(example)).collect());
    assert!(outcome.lost.is_empty(), "no table names {:#?}", outcome.lost);
}
