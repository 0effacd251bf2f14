//! Request bodies, read into types with refusals that name the field.
//!
//! Invariant: every body is either read or refused; bytes of the body appear in a refusal only as
//! field names.

use serde::Deserialize;
use serde_json::error::Category;

use super::refusal::Refusal;
use crate::json::place::path_at;

/// Reads a whole JSON body.
///
/// # Errors
/// A [`Refusal`]: `invalid_json` for bytes that are no JSON, else the field with what it lacks.
pub(crate) fn decode<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    let text = str::from_utf8(body).map_err(|error| {
        Refusal::invalid_json(format_args!("it is not UTF-8 at byte {}", error.valid_up_to()))
    })?;
    crate::json::read_str(text).map_err(|error| refusal(text, &error))
}

fn refusal(body: &str, error: &serde_json::Error) -> Refusal {
    let text = error.to_string();
    if error.classify() != Category::Data {
        return Refusal::invalid_json(text);
    }
    // Serde gives its reasons as text alone; the place after " at line " is known from the path.
    let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
    let bracket = match reason.strip_prefix("invalid type: ").map(name_got) {
        Some("an array") => Some(b'['),
        Some("an object") => Some(b'{'),
        Some(_) | None => None,
    };
    let path = &path_at(body, offset(body, error), bracket);
    if let Some(field) = quoted_after(reason, "missing field ") {
        return Refusal::missing(join(path, field));
    }
    if let Some(field) = quoted_after(reason, "duplicate field ") {
        return Refusal::invalid_value(join(path, field), "it stands twice in its object");
    }
    let param = if path == "." { "the request body" } else { path };
    let kinds = reason.strip_prefix("invalid type: ").and_then(|r| r.rsplit_once(", expected "));
    let refusal = match kinds {
        Some((got, expected)) => {
            let (expected, got) = (name_expected(expected), name_got(got));
            Refusal::invalid_type(param, format_args!("expected {expected}, got {got}"))
        }
        None => Refusal::invalid_value(param, "it is not of the kind that this field takes"),
    };
    Refusal { param: refusal.param.filter(|_| path != "."), ..refusal }
}

/// How many bytes of a body had been read; a column is a count of bytes.
fn offset(body: &str, error: &serde_json::Error) -> usize {
    let lines = body.split_inclusive('\n').take(error.line().saturating_sub(1));
    lines.map(str::len).sum::<usize>() + error.column()
}

/// The name between back-ticks after a prefix.
fn quoted_after<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    text.strip_prefix(prefix)?.strip_prefix('`')?.strip_suffix('`')
}

fn join(path: &str, field: &str) -> String {
    if path == "." { field.to_owned() } else { format!("{path}.{field}") }
}

/// What serde expected, in the words of JSON.
fn name_expected(expected: &str) -> &str {
    match expected {
        "a sequence" => "an array",
        "f64" => "a number",
        expected => expected,
    }
}

/// What serde found, without its value, which may be long or secret.
fn name_got(got: &str) -> &'static str {
    match got.split([' ', ',']).next() {
        Some("string") => "a string",
        Some("integer") => "an integer",
        Some("floating") => "a number",
        Some("boolean") => "a boolean",
        Some("sequence") => "an array",
        Some("map") => "an object",
        Some("null") => "null",
        _ => "something else",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai::chat::ChatRequest;

    #[track_caller]
    fn refused(body: &str, code: &str, param: Option<&str>, message: &str) {
        let refusal = decode::<ChatRequest<'_>>(body.as_bytes()).unwrap_err();
        assert_eq!((refusal.code, refusal.param.as_deref()), (code, param), "{refusal:?}");
        assert!(refusal.message.contains(message), "{}", refusal.message);
    }

    fn with_message(message: &str) -> String {
        format!(r#"{{"model":"m","messages":[{{"role":"user"}},{message}]}}"#)
    }

    #[test]
    fn a_body_that_is_no_json_is_refused_with_the_place() {
        refused("{", "invalid_json", None, "EOF while parsing");
        refused("", "invalid_json", None, "EOF while parsing");
        refused("{\"model\":", "invalid_json", None, "line 1 column 9");
        refused("{\"model\":\"m\",\"messages\":[]} x", "invalid_json", None, "trailing characters");
        refused("{\"model\":\"\\ud800\"}", "invalid_json", None, "hex escape");
        let deep = format!("{{\"model\":{}", "[".repeat(100_000));
        refused(&deep, "invalid_type", Some("model"), "expected a string, got an array");
    }

    #[test]
    fn a_body_that_is_no_utf8_is_refused_with_the_place() {
        let refusal = decode::<ChatRequest<'_>>(b"{\"model\":\"\xff\"}").unwrap_err();
        assert_eq!(refusal.code, "invalid_json");
        assert!(refusal.message.contains("not UTF-8 at byte 10"), "{}", refusal.message);
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named_by_its_path() {
        let at = |param| Some(param);
        refused("[]", "invalid_type", None, "expected an object, got an array");
        refused("5", "invalid_type", None, "expected an object, got an integer");
        refused(r#"{"messages":[],"model":5}"#, "invalid_type", at("model"), "expected a string");
        refused(r#"{"messages":{},"model":"m"}"#, "invalid_type", at("messages"), "an array");
        refused(
            r#"{"model":"m","messages":[["user"]]}"#,
            "invalid_type",
            at("messages[0]"),
            "expected an object, got an array",
        );
        refused(
            &with_message(r#"{"role":"user","content":5}"#),
            "invalid_type",
            at("messages[1].content"),
            "expected a string or an array, got an integer",
        );
        refused(
            &with_message(r#"{"role":"user","content":[{"type":true}]}"#),
            "invalid_type",
            at("messages[1].content[0].type"),
            "expected a string, got a boolean",
        );
        refused(
            &with_message(
                r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":null}}]}"#,
            ),
            "invalid_type",
            at("messages[1].content[0].image_url.url"),
            "got null",
        );
        refused(
            r#"{"model":"m","messages":[],"temperature":"hot"}"#,
            "invalid_type",
            at("temperature"),
            "expected a number, got a string",
        );
        refused(
            r#"{"model":"m","messages":[],"max_tokens":1.5}"#,
            "invalid_type",
            at("max_tokens"),
            "expected an integer, got a number",
        );
    }

    #[test]
    fn a_missing_field_is_named_by_its_path() {
        refused("{}", "missing_required_parameter", Some("model"), "'model'");
        refused(r#"{"model":"m"}"#, "missing_required_parameter", Some("messages"), "'messages'");
        refused(
            &with_message("{}"),
            "missing_required_parameter",
            Some("messages[1].role"),
            "'messages[1].role'",
        );
    }

    #[test]
    fn a_field_that_stands_twice_is_refused() {
        refused(r#"{"model":"m","model":"n"}"#, "invalid_value", Some("model"), "twice");
    }

    #[test]
    fn long_values_are_not_repeated_in_the_refusal() {
        let body = format!(r#"{{"model":"m","messages":"{}"}}"#, "A".repeat(1 << 20));
        let refusal = decode::<ChatRequest<'_>>(body.as_bytes()).unwrap_err();
        assert!(refusal.message.len() < 200);
    }

    #[test]
    fn unknown_fields_are_skipped() {
        let body = r#"{"model":"m","messages":[],"metadata":{"a":[1,{}]},"user":5}"#;
        assert!(decode::<ChatRequest<'_>>(body.as_bytes()).is_ok());
    }
}
