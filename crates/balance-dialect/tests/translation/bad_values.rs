//! Values of the wrong type or out of range: each is refused by the name of its field.
//!
//! Invariant: nothing is sent, and the refusal names the field as the client wrote it.

use balance_dialect::translate::Refusal;
use serde_json::{Value, json};

use super::call;
use super::media;

/// The least body of an endpoint.
fn least(endpoint: &str) -> Value {
    match endpoint {
        "chat" => json!({ "model": "m", "messages": [{ "role": "user", "content": "q" }] }),
        "completions" => json!({ "model": "m", "prompt": "q" }),
        "responses" => json!({ "model": "m", "input": "q" }),
        "embeddings" => json!({ "model": "m", "input": "q" }),
        "pictures" => json!({ "prompt": "q" }),
        "speech" => json!({ "input": "q" }),
        endpoint => panic!("no endpoint {endpoint}"),
    }
}

#[track_caller]
fn refused(endpoint: &str, field: &str, value: &Value) -> Refusal {
    let mut body = least(endpoint);
    body[field] = value.clone();
    let body = body.to_string();
    let made = match endpoint {
        "pictures" | "speech" => media::call(endpoint, body.as_bytes()),
        _ => call(endpoint, body.as_bytes()),
    };
    made.expect_err(&format!("{endpoint}: {field} {value}"))
}

#[test]
fn a_value_of_the_wrong_type_is_refused_by_name() {
    let (text, number, list, object) = (json!("yes"), json!(1.5), json!([1]), json!({}));
    let numbers = [&text, &list, &object];
    let integers = [&text, &number, &list, &object];
    let flags = [&text, &number, &list, &object];
    let texts = [&number, &list, &object];
    let rows: &[(&str, &[&str], &[&Value])] = &[
        ("chat", &["temperature", "top_p", "presence_penalty", "frequency_penalty"], &numbers),
        (
            "chat",
            &["max_tokens", "max_completion_tokens", "n", "seed", "top_logprobs", "top_k"],
            &integers,
        ),
        ("chat", &["stream", "logprobs", "enable_thinking"], &flags),
        ("chat", &["model", "reasoning_effort", "service_tier"], &texts),
        ("chat", &["stop"], &[&number, &object]),
        ("chat", &["messages", "tools", "modalities"], &[&text, &number, &object]),
        ("chat", &["response_format", "stream_options", "audio"], &[&text, &number, &list]),
        ("completions", &["temperature", "top_p"], &numbers),
        ("completions", &["max_tokens", "n", "best_of", "logprobs", "seed"], &integers),
        ("completions", &["stream", "echo"], &flags),
        ("responses", &["temperature", "top_p"], &numbers),
        ("responses", &["max_output_tokens", "top_logprobs"], &integers),
        ("responses", &["stream", "background"], &flags),
        ("embeddings", &["dimensions"], &integers),
        ("embeddings", &["encoding_format"], &texts),
        ("pictures", &["n"], &integers),
        ("pictures", &["prompt", "model", "size", "response_format"], &texts),
        ("speech", &["speed"], &numbers),
        ("speech", &["input", "model", "response_format", "stream_format"], &texts),
    ];
    for (endpoint, fields, values) in rows {
        for field in *fields {
            for value in *values {
                let refusal = refused(endpoint, field, value);
                let param = refusal.param.as_deref().unwrap_or_default();
                assert!(param.starts_with(field), "{endpoint}: {field} {value}: {refusal:?}");
                assert_eq!(refusal.code, "invalid_type", "{endpoint}: {field} {value}");
            }
        }
    }
}

#[test]
fn a_value_out_of_range_is_refused_by_name() {
    for (endpoint, field, value) in [
        ("chat", "temperature", json!(-1)),
        ("chat", "temperature", json!(3)),
        ("chat", "top_p", json!(3)),
        ("chat", "n", json!(0)),
        ("chat", "n", json!(-1)),
        ("chat", "n", json!(9)),
        ("chat", "max_tokens", json!(-1)),
        ("chat", "max_completion_tokens", json!(0)),
        ("chat", "messages", json!([])),
        ("chat", "model", json!("")),
        ("completions", "n", json!(0)),
        ("completions", "max_tokens", json!(-1)),
        ("completions", "temperature", json!(9)),
        ("responses", "top_p", json!(3)),
        ("responses", "max_output_tokens", json!(0)),
        ("responses", "top_logprobs", json!(21)),
        ("embeddings", "dimensions", json!(0)),
        ("embeddings", "encoding_format", json!("hex")),
        ("embeddings", "input", json!([])),
        ("pictures", "n", json!(0)),
        ("pictures", "n", json!(11)),
        ("pictures", "size", json!("big")),
        ("speech", "speed", json!(9)),
        ("speech", "response_format", json!("opus")),
    ] {
        let refusal = refused(endpoint, field, &value);
        assert_eq!(refusal.param.as_deref(), Some(field), "{endpoint}: {field} {value}");
    }
}
