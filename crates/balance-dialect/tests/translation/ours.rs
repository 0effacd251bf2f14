//! What we make of a pair's input, beside what the pair expects.
//!
//! Invariant: inputs are changed only as told here: a model of Gemini takes the place of models that
//! are none, and answers of Google's own `OpenAI` endpoint are told as the native answers they stand for.

use serde_json::{Value, json};

use super::call;
use super::difference::{Difference, entry};

/// What a pair is judged by.
pub(crate) enum Comparison {
    /// Both outputs.
    Made { ours: Value, theirs: Value },
    /// What does not hold of our output that the pair expects of it.
    Expected(Vec<Difference>),
    /// This project makes no such output.
    Elsewhere,
}

/// Makes of the input what its direction asks for.
pub(crate) fn compare(direction: &str, pair: &Value) -> Comparison {
    let input = &pair["input"];
    let ours = match direction {
        "openai.chat request -> gemini request" if input.get("usageMetadata").is_some() => {
            let events = answer_events(&format!("data: {input}\n\n"));
            let chunks = events.as_array().unwrap().iter().filter(|e| e.get("choices").is_some());
            chunks.cloned().collect()
        }
        "openai.chat request -> gemini request" => sent("chat", input),
        "openai.responses request -> gemini request"
        | "openai.responses request -> openai-compat request for gemini" => {
            sent("responses", input)
        }
        "gemini request -> openai.chat request" => sent("chat", &asked(input)),
        "gemini response -> openai.chat response" => whole("chat", input),
        "gemini stream -> openai.chat stream" => {
            understood(answer_events(input["sse"].as_str().unwrap()))
        }
        "openai-compat response of gemini -> responses" => whole("responses", &native(input)),
        "gemini request -> gemini request (native, after gateway)" => input.clone(), // byte for byte
        "gemini request -> extracted messages" => return Comparison::Elsewhere,
        direction if direction.starts_with("json schema ->") => declared(input),
        direction if direction.contains("openai-compat response") => whole("chat", &native(input)),
        direction => panic!("pairs of a new direction, {direction}: say here what they ask for"),
    };
    if direction == "gemini request -> openai.chat request" {
        return Comparison::Made {
            ours: ours["contents"].clone(),
            theirs: camel(&input["contents"]),
        };
    }
    match pair["expected_paths"].as_array() {
        Some(paths) => {
            Comparison::Expected(paths.iter().filter_map(|path| fails(path, &ours)).collect())
        }
        None => Comparison::Made { ours, theirs: expected(direction, &pair["expected"]) },
    }
}

/// What a pair expects, in the shape that ours has.
fn expected(direction: &str, expected: &Value) -> Value {
    let body = ["request", "response"].iter().find_map(|field| expected.get(field));
    let body = body.unwrap_or(expected);
    match direction {
        "openai.responses request -> openai-compat request for gemini" => sent("chat", body),
        "gemini stream -> openai.chat stream" => understood(events(body["sse"].as_str().unwrap())),
        "openai-compat response of gemini -> messages" => json!({
            "choices": [{ "message": { "role": body["role"], "content": body["content"][0]["text"] },
                "finish_reason": body["stop_reason"].as_str().map(|_| "length"), "index": 0 }],
            "model": body["model"],
            "usage": { "prompt_tokens": body["usage"]["input_tokens"],
                "completion_tokens": body["usage"]["output_tokens"] },
        }),
        _ => body.clone(),
    }
}

/// The request to Gemini, or why there is none.
fn sent(endpoint: &str, body: &Value) -> Value {
    let mut body = body.clone();
    if !body["model"].as_str().is_some_and(|model| model.contains("gemini")) {
        body["model"] = "gemini-2.5-flash".into();
    }
    match call(endpoint, body.to_string().as_bytes()) {
        Ok(call) => serde_json::from_slice(call.requests[0].body.as_ref().unwrap()).unwrap(),
        Err(refusal) => json!({ "refused": refusal.param }),
    }
}

/// A schema as it is declared to Gemini.
fn declared(schema: &Value) -> Value {
    let function = json!({ "name": "f", "parameters": schema });
    let sent = sent(
        "chat",
        &json!({ "messages": [{ "role": "user", "content": "q" }],
        "tools": [{ "type": "function", "function": function }] }),
    );
    sent["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"].clone()
}

/// The client's answer, or the error.
fn whole(endpoint: &str, answer: &Value) -> Value {
    let model = answer["modelVersion"].as_str().unwrap_or("gemini-2.5-flash");
    let question =
        json!({ "model": model, "input": "q", "messages": [{ "role": "user", "content": "q" }] });
    let mut call = call(endpoint, question.to_string().as_bytes()).unwrap();
    let mut out = Vec::new();
    match call.translator.whole(answer.to_string().as_bytes(), &mut out) {
        Ok(_) => serde_json::from_slice(&out).unwrap(),
        Err(error) => json!({ "error": error.to_string() }),
    }
}

/// The events that a client gets for a stream.
fn answer_events(upstream: &str) -> Value {
    let question = json!({ "model": "gemini-2.5-flash", "stream": true,
        "stream_options": { "include_usage": true },
        "messages": [{ "role": "user", "content": "q" }] });
    let mut call = call("chat", question.to_string().as_bytes()).unwrap();
    let mut out = Vec::new();
    call.translator.push(upstream.as_bytes(), &mut out).unwrap();
    call.translator.finish(&mut out);
    events(str::from_utf8(&out).unwrap())
}

fn events(stream: &str) -> Value {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap_or_else(|_| Value::from(data))).collect()
}

/// What a client understands of a stream's events, however they are cut.
#[expect(clippy::needless_pass_by_value, reason = "the events are read here and nowhere else")]
fn understood(events: Value) -> Value {
    let events = events.as_array().unwrap();
    let words = |field: &str| -> String {
        events.iter().filter_map(|event| event["choices"][0]["delta"][field].as_str()).collect()
    };
    let last = |field: &str| events.iter().rev().find_map(|event| event.get(field)).cloned();
    let mut usage = last("usage").unwrap_or_default();
    for details in usage.as_object_mut().into_iter().flat_map(|usage| usage.values_mut()) {
        // Zeros are what absent counts mean.
        if let Some(counts) = details.as_object_mut() {
            counts.retain(|_, count| *count != 0);
        }
    }
    json!({ "content": words("content"), "reasoning_content": words("reasoning_content"),
        "usage": usage, "is_done": events.last().is_some_and(|last| last == "[DONE]"),
        "error": last("error").map(|error| error["code"].clone()) })
}

/// The native answer that an answer of Google's own `OpenAI` endpoint stands for.
fn native(answer: &Value) -> Value {
    let choice = &answer["choices"][0];
    let parts: Vec<Value> = choice["message"]["content"]
        .as_str()
        .map(|text| json!({ "text": text }))
        .into_iter()
        .collect();
    let reason = if choice["finish_reason"] == "length" { "MAX_TOKENS" } else { "STOP" };
    let count = |field: &str| answer["usage"][field].as_u64().unwrap();
    let (prompt, said) = (count("prompt_tokens"), count("completion_tokens"));
    let total = count("total_tokens");
    json!({ "candidates": [{ "content": { "parts": parts }, "finishReason": reason, "index": 0 }],
        "usageMetadata": { "promptTokenCount": prompt, "candidatesTokenCount": said,
            "thoughtsTokenCount": total - prompt - said, "totalTokenCount": total },
        "modelVersion": answer["model"], "responseId": answer["id"] })
}

/// The chat that a native request stands for.
fn asked(request: &Value) -> Value {
    let mut messages = Vec::new();
    let mut id = Value::Null;
    for turn in camel(&request["contents"]).as_array().unwrap() {
        let mut content = Vec::new();
        for part in turn["parts"].as_array().unwrap() {
            let (call, result) = (&part["functionCall"], &part["functionResponse"]);
            if call.is_object() {
                id = call["id"].clone();
                let function =
                    json!({ "name": call["name"], "arguments": call["args"].to_string() });
                let call = json!({ "id": id, "type": "function", "function": function });
                messages.push(json!({ "role": "assistant", "tool_calls": [call] }));
            } else if result.is_object() {
                let content = result["response"].to_string();
                messages.push(json!({ "role": "tool", "tool_call_id": id, "content": content }));
            } else {
                content.push(medium(&part["inlineData"]));
            }
        }
        if !content.is_empty() {
            messages.push(json!({ "role": "user", "content": content }));
        }
    }
    json!({ "model": "gemini-3-flash", "messages": messages })
}

fn medium(blob: &Value) -> Value {
    let (kind, data) = (blob["mimeType"].as_str().unwrap(), blob["data"].as_str().unwrap());
    let url = format!("data:{kind};base64,{data}");
    match kind.split('/').next() {
        Some("image") => json!({ "type": "image_url", "image_url": { "url": url } }),
        Some("audio") => {
            json!({ "type": "input_audio", "input_audio": { "data": data, "format": "wav" } })
        }
        Some("video") => json!({ "type": "video_url", "video_url": { "url": url } }),
        _ => json!({ "type": "file", "file": { "file_data": url } }),
    }
}

/// The same JSON with names in the case that Gemini documents.
fn camel(value: &Value) -> Value {
    match value {
        Value::Array(entries) => entries.iter().map(camel).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (camel_name(name), camel(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn camel_name(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}

/// What an expectation `[path, relation, value]` finds wrong.
fn fails(expectation: &Value, ours: &Value) -> Option<Difference> {
    let path = expectation[0].as_str().unwrap();
    let names = path.trim_end_matches(".#").split('.').filter(|name| !name.is_empty());
    let found = names.map(camel_name).try_fold(ours, |value, name| entry(value, &name));
    let length = found.and_then(Value::as_array).map(Vec::len);
    let holds = match expectation[1].as_str().unwrap() {
        "absent" => found.is_none(),
        "exists" => found.is_some(),
        _ if path.ends_with('#') => length == expectation[2].as_u64().map(|length| length as usize),
        "len" => length == expectation[2].as_u64().map(|length| length as usize),
        _ => found == Some(&expectation[2]),
    };
    (!holds).then(|| Difference::at(path, format!("{found:?} where {expectation} is expected")))
}
