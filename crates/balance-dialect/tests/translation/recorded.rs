//! Recorded answers of Gemini, translated whole and as a stream in pieces of any size.
//!
//! The recordings lie in a folder `shared` beside the checkout. Where it is absent, each test says
//! so and passes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::call;
use super::cases::{Case, recorded, shared};
use super::outcome::{Choice, Outcome};
use super::schema::Schema;
use super::tables::{Row, rows};

const PIECES: [usize; 3] = [1, 7, usize::MAX];

#[test]
fn every_recorded_answer_is_the_same_whole_and_in_pieces() {
    let cases: Vec<Case> = recorded().iter().filter_map(Case::read).collect();
    let schema = Schema::read();
    let mut answers = 0;
    for case in &cases {
        let reply = case.whole().filter(|_| is_ended(&case.events));
        let whole = reply.as_deref().map(Outcome::of_whole);
        if let (Some(schema), Some(reply)) = (&schema, &reply) {
            schema.check_whole(reply, &case.name);
        }
        for size in PIECES {
            let reply = case.streamed(size);
            let streamed = Outcome::of_stream(&reply);
            if let Some(schema) = &schema {
                schema.check_stream(&reply, &case.name);
            }
            match &whole {
                Some(whole) => assert_eq!(&streamed, whole, "{} in pieces of {size}", case.name),
                None => {
                    let fails = streamed.error.is_some() && !streamed.is_done;
                    assert!(fails, "{} in pieces of {size}: {streamed:?}", case.name);
                }
            }
        }
        if let Some(whole) = &whole {
            agrees(whole, case);
            answers += 1;
        }
    }
    assert!(cases.is_empty() || answers > 0);
    println!(
        "{answers} recorded answers of {} are the same whole and in pieces, and valid",
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
fn the_documentation_names_every_field_of_a_request() {
    let Some(shared) = shared() else { return };
    let schema = fs::read(shared.join("specs/openai.schema.json")).unwrap();
    let schema: Value = serde_json::from_slice(&schema).unwrap();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/TRANSLATION.md");
    let page = fs::read_to_string(page).unwrap();
    let mut fields = BTreeSet::new();
    for request in ["CreateChatCompletionRequest", "CreateEmbeddingRequest", "CreateImageRequest"] {
        collect_fields(&schema, &schema["$defs"][request], &mut fields);
    }
    assert!(fields.len() > 40, "{fields:?}");
    let missing: Vec<&String> =
        fields.iter().filter(|field| !page.contains(&format!("`{field}`"))).collect();
    assert!(missing.is_empty(), "not in docs/TRANSLATION.md: {missing:?}");
    println!("{} fields of requests documented", fields.len());
}

#[test]
fn the_documentation_names_every_field_of_recorded_answers() {
    let answer: Vec<Row> = rows().into_iter().filter(|row| row.heading == "The answer").collect();
    // What only holds others, and what tells of no answer.
    let mut named = BTreeSet::from(["candidates", "content", "index", "error", "response"]);
    named.extend(answer.iter().flat_map(|row| row.words.iter().map(String::as_str)));
    for case in recorded().iter().filter_map(Case::read) {
        let events = case.events.iter();
        let candidates = events.clone().map(|event| &event["candidates"][0]);
        for (field, value) in events
            .chain(candidates)
            .chain(case.parts())
            .flat_map(|value| value.as_object().into_iter().flatten())
        {
            let is_named = value.is_null() || named.contains(field.as_str());
            assert!(is_named, "{}: docs/TRANSLATION.md does not tell of `{field}`", case.name);
        }
    }
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
fn agrees(outcome: &Outcome, case: &Case) {
    let name = &case.name;
    let mut expected = Choice::default();
    let mut calls = Vec::new();
    for part in case.parts() {
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
    let reason = case.last(|event| &event["candidates"][0]["finishReason"]);
    let finish = match (reason.as_str(), reason.as_u64()) {
        (Some("MAX_TOKENS"), _) | (_, Some(2)) => "length",
        _ if !calls.is_empty() => "tool_calls",
        (Some("SAFETY" | "RECITATION" | "MODEL_ARMOR"), _) | (None, None) => "content_filter",
        _ => "stop",
    };
    assert_eq!(choice.finish.as_deref(), Some(finish), "{name}: {reason}");
    let stated = |count: &str| case.last(|event| &event["usageMetadata"][count]).as_u64();
    let count = |count: &str| stated(count).unwrap_or_default();
    let usage = &outcome.usage;
    let prompt = count("promptTokenCount") + count("toolUsePromptTokenCount");
    assert_eq!(usage["prompt_tokens"], prompt, "{name}");
    if let Some(total) = stated("totalTokenCount").filter(|total| *total > 0) {
        assert_eq!(usage["total_tokens"], total, "{name}");
    }
    let details = &usage["completion_tokens_details"];
    assert_eq!(details["reasoning_tokens"], count("thoughtsTokenCount"), "{name}");
    let cached = &usage["prompt_tokens_details"]["cached_tokens"];
    assert_eq!(*cached, count("cachedContentTokenCount"), "{name}");
}
