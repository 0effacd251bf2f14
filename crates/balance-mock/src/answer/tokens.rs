//! Token counts: four characters a token, rounded up, and 258 for a picture or a file. Invariant:
//! `countTokens` and the `promptTokenCount` of a generated answer agree on the same contents.

use serde_json::{Value, json};

use super::prompt::field;

const MEDIA: u64 = 258;

/// Tokens of a text.
pub(crate) fn estimate(text: &str) -> u64 {
    of_chars(text.chars().count())
}

/// Tokens of so many characters.
pub(super) fn of_chars(chars: usize) -> u64 {
    (chars as u64).div_ceil(4)
}

/// Input tokens of a whole request: contents, system instruction and tools; at least one.
pub(crate) fn of_request(body: &Value) -> u64 {
    let contents = field(body, "contents", "contents").map_or(0, of_contents);
    let system = field(body, "systemInstruction", "system_instruction").map_or(0, of_contents);
    let tools = field(body, "tools", "tools").map_or(0, |tools| estimate(&tools.to_string()));
    (contents + system + tools).max(1)
}

/// Tokens of contents however they are wrapped: a list, one content, parts, one part, a string.
pub(super) fn of_contents(value: &Value) -> u64 {
    if let Some(items) = value.as_array() {
        return items.iter().map(of_contents).sum();
    }
    if let Some(text) = value.as_str() {
        return estimate(text);
    }
    if let Some(inner) = value.get("parts").or_else(|| value.get("content")) {
        return of_contents(inner);
    }
    if let Some(text) = value.get("text").and_then(Value::as_str) {
        return estimate(text);
    }
    let media = field(value, "inlineData", "inline_data")
        .or_else(|| field(value, "fileData", "file_data"))
        .is_some();
    match value.as_object() {
        Some(_) if media => MEDIA,
        Some(fields) if !fields.is_empty() => estimate(&value.to_string()),
        _ => 0,
    }
}

/// The answer of `countTokens`, whose body holds contents or a whole `generateContentRequest`.
pub(crate) fn count_tokens_answer(body: &Value) -> Value {
    let request = field(body, "generateContentRequest", "generate_content_request").unwrap_or(body);
    let total = of_request(request);
    json!({ "totalTokens": total, "promptTokensDetails": details(total) })
}

/// `promptTokensDetails`.
pub(super) fn details(count: u64) -> Value {
    json!([{ "modality": "TEXT", "tokenCount": count }])
}
