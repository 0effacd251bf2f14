//! OpenAI's own schema of the answers.
//!
//! Invariant: an answer that breaks it is named with every place that does.

use std::fs;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::cases::shared;

/// Judges answers of the chat API.
pub(crate) struct Schema {
    whole: Validator,
    chunk: Validator,
    error: Validator,
    pictures: Validator,
}

impl Schema {
    /// The published schema; none where the folder with it is absent.
    pub(crate) fn read() -> Option<Self> {
        let text = fs::read(shared()?.join("specs/openai.schema.json")).unwrap();
        let all: Value = serde_json::from_slice(&text).unwrap();
        let of = |name: &str| {
            let schema = json!({ "$ref": format!("#/$defs/{name}"), "$defs": all["$defs"] });
            jsonschema::validator_for(&schema).unwrap()
        };
        Some(Self {
            whole: of("CreateChatCompletionResponse"),
            chunk: of("CreateChatCompletionStreamResponse"),
            error: of("ErrorResponse"),
            pictures: of("ImagesResponse"),
        })
    }

    /// Checks a whole answer.
    #[track_caller]
    pub(crate) fn check_whole(&self, reply: &[u8], name: &str) {
        check(&self.whole, &serde_json::from_slice(reply).unwrap(), name);
    }

    /// Checks an answer of pictures.
    #[track_caller]
    pub(crate) fn check_pictures(&self, reply: &[u8], name: &str) {
        check(&self.pictures, &serde_json::from_slice(reply).unwrap(), name);
    }

    /// Checks every event of a stream.
    #[track_caller]
    pub(crate) fn check_stream(&self, reply: &[u8], name: &str) {
        for line in str::from_utf8(reply).unwrap().lines() {
            let Some(data) = line.strip_prefix("data: ").filter(|data| *data != "[DONE]") else {
                continue;
            };
            let event: Value = serde_json::from_str(data).unwrap();
            let schema = if event.get("error").is_some() { &self.error } else { &self.chunk };
            check(schema, &event, name);
        }
    }
}

#[track_caller]
fn check(schema: &Validator, value: &Value, name: &str) {
    let errors: Vec<String> = schema
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{name} breaks the schema: {errors:#?} in {value:#}");
}

#[test]
fn the_schema_tells_answers_from_what_is_none() {
    let Some(schema) = Schema::read() else { return };
    assert!(!schema.whole.is_valid(&json!({ "object": "chat.completion" })));
    assert!(!schema.chunk.is_valid(&json!({ "object": "chat.completion" })));
    assert!(!schema.error.is_valid(&json!({ "error": "failed" })));
}
