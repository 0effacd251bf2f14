//! Answers: the same streamed and whole, and fitting what was asked.

use serde_json::{Value, json};

use super::*;

fn answer(model: &str, body: &Value, shape: &Shape) -> Answer {
    Answer::new(&Prompt { model, body }, shape, "id".into())
}

fn parts(value: &Value) -> Vec<Value> {
    value["candidates"][0]["content"]["parts"].as_array().cloned().unwrap_or_default()
}

#[test]
fn streamed_and_whole_say_the_same_whatever_the_shape() {
    let thinking = json!({ "thinkingConfig": { "includeThoughts": true } });
    let body = json!({
        "contents": [{ "parts": [{ "text": "naïve 日本" }] }], "generationConfig": thinking,
    });
    for shape in [
        Shape::default(),
        Shape { events: Some(9), ..Shape::default() },
        Shape { words: Some(100), events: Some(1), ..Shape::default() },
        Shape { text: Some("🎈".into()), ..Shape::default() },
        Shape { empty: true, ..Shape::default() },
        Shape { parts: Some(vec![json!({ "text": "a" }), json!({ "b": 1 })]), ..Shape::default() },
    ] {
        let answer = answer("gemini-2.5-flash", &body, &shape);
        let (whole, events) = (answer.whole(), answer.events());
        let text = |thought: bool, parts: &[Value]| -> String {
            let wanted = parts.iter().filter(|part| part.get("thought").is_some() == thought);
            wanted.filter_map(|part| part["text"].as_str()).collect()
        };
        let streamed: Vec<_> = events.iter().flat_map(parts).collect();
        for thought in [true, false] {
            assert_eq!(text(thought, &streamed), text(thought, &parts(&whole)), "{shape:?}");
        }
        assert!(text(true, &streamed).contains("naïve"));
        let last = events.last().unwrap();
        assert_eq!(last["usageMetadata"], whole["usageMetadata"], "{shape:?}");
        assert_eq!(last["candidates"][0]["finishReason"], "STOP");
    }
}

#[test]
fn only_thinking_models_show_thoughts_and_sign_calls() {
    let body = json!({
        "contents": [{ "parts": [{ "text": "x" }] }],
        "generation_config": { "thinking_config": { "include_thoughts": true } },
        "tools": [{ "function_declarations": [{ "name": "f" }] }],
        "tool_config": { "function_calling_config": { "mode": "any" } },
    });
    let shape = Shape::default();
    let (thinking, plain) = (
        answer("gemini-3.8-flash", &body, &shape).whole(),
        answer("gemma-4-31b-it", &body, &shape).whole(),
    );
    assert_eq!(parts(&thinking).len(), 2);
    assert!(parts(&thinking)[1]["thoughtSignature"].is_string());
    assert!(thinking["usageMetadata"]["thoughtsTokenCount"].as_u64() > Some(0));
    assert_eq!(parts(&plain), [json!({ "functionCall": { "name": "f", "args": {} } })]);
    assert_eq!(plain["candidates"][0]["finishMessage"], "Model generated function call(s).");
}

#[test]
fn schemas_of_both_kinds_are_satisfied() {
    for (schema, expected) in [
        (json!({ "type": "STRING", "enum": ["no", "yes"] }), json!("no")),
        (json!({ "type": "string", "format": "date-time" }), json!("2026-01-02T03:04:05Z")),
        (json!({ "type": "string", "minLength": 5, "maxLength": 5 }), json!("hi...")),
        (json!({ "type": "string", "maxLength": 1 }), json!("h")),
        (json!({ "type": ["null", "number"], "maximum": 2.5 }), json!(2.5)),
        (json!({ "type": "integer", "exclusiveMinimum": 9 }), json!(10)),
        (
            json!({ "type": "ARRAY", "minItems": "2", "items": { "type": "BOOLEAN" } }),
            json!([true, true]),
        ),
        (json!({ "prefixItems": [{ "const": 1 }, { "type": "null" }] }), json!([1, null])),
        (json!({ "type": "array", "prefixItems": [{ "const": 1 }] }), json!([1])),
        (
            json!({ "anyOf": [{ "type": "null" }, { "properties": { "a": {} } }] }),
            json!({ "a": "hi" }),
        ),
        (
            json!({ "$ref": "#/$defs/N", "$defs": { "N": { "type": "object", "properties": {
                "v": { "type": "integer" } } } } }),
            json!({ "v": 7 }),
        ),
        (json!({}), json!("hi")),
    ] {
        assert_eq!(schema::sample(&schema, "hi"), expected, "{schema}");
    }
}

#[test]
fn a_schema_that_refers_to_itself_comes_to_an_end() {
    let node = json!({
        "$ref": "#/$defs/N",
        "$defs": { "N": {
            "type": "object",
            "properties": { "next": { "$ref": "#/$defs/N" }, "v": { "type": "integer" } },
            "required": ["v"],
        } },
    });
    let value = schema::sample(&node, "hi");
    assert_eq!(value["next"]["v"], 7);
    let forever = json!({
        "$ref": "#/$defs/N",
        "$defs": { "N": {
            "type": "object", "properties": { "n": { "$ref": "#/$defs/N" } }, "required": ["n"],
        } },
    });
    assert!(schema::sample(&forever, "hi").to_string().len() < 1000);
}

#[test]
fn tokens_are_counted_alike_for_one_request_in_different_spellings() {
    let camel = json!({
        "contents": [{ "role": "user", "parts": [{ "text": "12345" }, { "inlineData": { "data": "" } }] }],
        "systemInstruction": { "parts": [{ "text": "1234" }] },
    });
    let snake = json!({
        "contents": { "parts": [{ "text": "12345" }, { "inline_data": { "data": "" } }] },
        "system_instruction": { "parts": { "text": "1234" } },
    });
    assert_eq!((of_request(&camel), of_request(&snake)), (2 + 258 + 1, 261));
    let wrapped = json!({ "generateContentRequest": camel });
    assert_eq!(count_tokens_answer(&wrapped)["totalTokens"], 261);
    assert_eq!(of_request(&Value::Null), 1);
}
