use serde_json::{Value, json};

use crate::openai::error::ErrorObject;
use crate::summary::Ending;
use crate::translate::{self, Call, Malformed, Refusal, Stamp};

fn call(fields: &Value) -> Result<Call, Refusal> {
    let mut body = json!({ "model": "gemini-3-flash-preview", "input": "hi" });
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    translate::responses(body.to_string().as_bytes(), Stamp { unix_seconds: 5, nonce: 0 })
}

fn sent(fields: &Value) -> Value {
    let call = call(fields).unwrap();
    serde_json::from_slice(call.requests[0].body.as_ref().unwrap()).unwrap()
}

fn answer(parts: &Value, reason: &str) -> Value {
    json!({ "candidates": [{ "content": { "parts": parts }, "finishReason": reason }],
            "usageMetadata": { "promptTokenCount": 3, "candidatesTokenCount": 4 } })
}

fn whole(answer: &Value) -> Result<Value, Malformed> {
    let mut out = Vec::new();
    let mut translator = call(&json!({})).unwrap().translator;
    translator.whole(answer.to_string().as_bytes(), &mut out)?;
    Ok(serde_json::from_slice(&out).unwrap())
}

/// The events of a stream of these answers; each is named as its type says, and numbered.
fn events(answers: &[Value]) -> (Vec<Value>, Ending) {
    let mut out = Vec::new();
    let mut translator = call(&json!({ "stream": true })).unwrap().translator;
    for answer in answers {
        translator.push(format!("data: {answer}\r\n\r\n").as_bytes(), &mut out).unwrap();
    }
    let ending = translator.finish(&mut out).ending;
    (read(&out), ending)
}

fn read(out: &[u8]) -> Vec<Value> {
    let text = str::from_utf8(out).unwrap();
    let events = text.split_terminator("\n\n").enumerate().map(|(number, event)| {
        let (name, data) = event.split_once('\n').unwrap();
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(name.strip_prefix("event: "), data["type"].as_str());
        assert_eq!(data["sequence_number"], number);
        data
    });
    events.collect()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[test]
fn items_become_turns() {
    let input = json!([
        { "type": "message", "role": "developer", "content": "d" },
        { "role": "user", "content": [{ "type": "input_text", "text": "q" },
            { "type": "input_image", "image_url": "data:image/png;base64,iVBORw0K", "detail": "auto" }] },
        { "type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x" },
        { "type": "message", "role": "assistant", "id": "msg_1", "status": "completed",
          "content": [{ "type": "output_text", "text": "a", "annotations": [] }] },
        { "type": "function_call", "call_id": "c1", "name": "f", "arguments": "{\"x\":1}",
          "extra_content": { "google": { "thought_signature": "sig" } } },
        { "type": "function_call", "call_id": "c2", "name": "f", "arguments": "{}" },
        { "type": "function_call_output", "call_id": "c2", "output": "two" },
        { "type": "function_call_output", "call_id": "c1",
          "output": [{ "type": "input_text", "text": "one" }] },
    ]);
    let sent = sent(&json!({ "instructions": "i", "input": input }));
    assert_eq!(sent["systemInstruction"]["parts"], json!([{ "text": "i" }, { "text": "d" }]));
    let response = |id: &str, text: &str| json!({ "functionResponse": { "id": id, "name": "f", "response": { "result": text } } });
    let expected = json!([
        { "role": "user", "parts": [{ "text": "q" },
            { "inlineData": { "mimeType": "image/png", "data": "iVBORw0K" } }] },
        { "role": "model", "parts": [{ "text": "a" },
            { "functionCall": { "id": "c1", "name": "f", "args": { "x": 1 } }, "thoughtSignature": "sig" },
            { "functionCall": { "id": "c2", "name": "f", "args": {} } }] },
        { "role": "user", "parts": [response("c1", "one"), response("c2", "two")] },
    ]);
    assert_eq!(sent["contents"], expected);
}

#[test]
fn options_have_their_place() {
    let sent = sent(&json!({
        "max_output_tokens": 9, "temperature": 1, "top_p": 0.5, "store": true, "user": "u",
        "reasoning": { "effort": "low", "summary": "auto" },
        "text": { "format": { "type": "json_schema", "name": "n", "schema": { "type": "string" } },
                  "verbosity": "low" },
        "tools": [{ "type": "function", "name": "f", "strict": true }], "tool_choice": "required",
    }));
    let expected = json!({ "maxOutputTokens": 9, "temperature": 1.0, "topP": 0.5,
        "responseMimeType": "application/json", "responseJsonSchema": { "type": "string" },
        "thinkingConfig": { "includeThoughts": true, "thinkingLevel": "LOW" } });
    assert_eq!(sent["generationConfig"], expected);
    assert_eq!(sent["tools"], json!([{ "functionDeclarations": [{ "name": "f" }] }]));
    assert_eq!(sent["toolConfig"]["functionCallingConfig"]["mode"], "ANY");
}

#[test]
fn thoughts_are_shown_to_those_who_ask_for_their_summary() {
    let config = |reasoning: Value| {
        sent(&json!({ "reasoning": reasoning }))["generationConfig"]["thinkingConfig"].take()
    };
    assert_eq!(config(json!({ "effort": "high" }))["includeThoughts"], false);
    assert_eq!(config(json!({ "summary": "auto" })), json!({ "includeThoughts": true }));
    assert_eq!(sent(&json!({})).get("generationConfig"), None);
}

#[test]
fn what_needs_a_store_is_refused() {
    for (fields, param) in [
        (json!({ "previous_response_id": "resp_1" }), "previous_response_id"),
        (json!({ "conversation": { "id": "conv_1" } }), "conversation"),
        (json!({ "prompt": { "id": "pmpt_1" } }), "prompt"),
        (json!({ "background": true }), "background"),
    ] {
        let refusal = call(&fields).unwrap_err();
        assert_eq!(
            (refusal.code, refusal.param.as_deref()),
            ("unsupported_parameter", Some(param))
        );
    }
    let harmless =
        json!({ "previous_response_id": null, "conversation": null, "background": false });
    assert!(call(&harmless).is_ok());
}

#[test]
fn what_is_not_translated_is_refused_by_its_path() {
    for (fields, param) in [
        (json!({ "input": [] }), "input"),
        (json!({ "input": "" }), "input"),
        (json!({ "input": 5 }), "input"),
        (json!({ "input": [{ "type": "item_reference", "id": "x" }] }), "input[0].type"),
        (json!({ "input": [{ "role": "king", "content": "a" }] }), "input[0].role"),
        (json!({ "input": [{ "content": "a" }] }), "input[0].role"),
        (
            json!({ "input": [{ "role": "user", "content": [{ "type": "video" }] }] }),
            "input[0].content[0].type",
        ),
        (
            json!({ "input": [{ "type": "function_call", "name": "f", "arguments": "" }] }),
            "input[0].call_id",
        ),
        (
            json!({ "input": [{ "type": "function_call_output", "call_id": "c", "output": "x" }] }),
            "input[0].call_id",
        ),
        (json!({ "tools": [{ "type": "file_search" }] }), "tools[0].type"),
        (json!({ "text": { "format": { "type": "json_schema" } } }), "text.format.schema"),
        (json!({ "text": { "format": { "type": "xml" } } }), "text.format.type"),
        (json!({ "max_output_tokens": 0 }), "max_output_tokens"),
        (json!({ "reasoning": { "effort": "lots" } }), "reasoning.effort"),
    ] {
        let refusal = call(&fields).unwrap_err();
        assert_eq!(refusal.param.as_deref(), Some(param), "{fields}");
    }
}

#[test]
fn an_answer_is_made_of_items() {
    let parts = json!([{ "text": "hm", "thought": true }, { "text": "a" }, { "text": "b" },
        { "functionCall": { "name": "f", "args": { "x": 1.50 } } }, { "text": "c" },
        { "inlineData": { "mimeType": "image/png", "data": "AAAA" } }]);
    let response = whole(&answer(&parts, "STOP")).unwrap();
    assert_eq!(response["status"], "completed");
    assert_eq!(response["created_at"], 5);
    assert_eq!(response["usage"]["total_tokens"], 7);
    let output = response["output"].as_array().unwrap();
    let kinds: Vec<&Value> = output.iter().map(|item| &item["type"]).collect();
    assert_eq!(
        kinds,
        ["reasoning", "message", "function_call", "message", "image_generation_call"]
    );
    assert_eq!(output[0]["summary"][0]["text"], "hm");
    assert_eq!(output[1]["content"][0]["text"], "ab");
    assert_eq!(output[2]["arguments"], "{\"x\":1.5}");
    assert_eq!(output[4]["result"], "AAAA");
}

#[test]
fn the_end_decides_the_status() {
    let text = json!([{ "text": "a" }]);
    for (reason, status, why) in [
        ("STOP", "completed", Value::Null),
        ("MAX_TOKENS", "incomplete", json!({ "reason": "max_output_tokens" })),
        ("SAFETY", "incomplete", json!({ "reason": "content_filter" })),
    ] {
        let answer = answer(&text, reason);
        let response = whole(&answer).unwrap();
        assert_eq!((&response["status"], &response["incomplete_details"]), (&json!(status), &why));
        let (events, _) = events(&[answer]);
        let last = events.last().unwrap();
        assert_eq!(last["type"], format!("response.{status}"));
        assert_eq!(last["response"], response);
    }
    let blocked = json!({ "promptFeedback": { "blockReason": "SAFETY" } });
    assert_eq!(whole(&blocked).unwrap()["incomplete_details"]["reason"], "content_filter");
    let malformed = whole(&answer(&json!([]), "MALFORMED_FUNCTION_CALL")).unwrap_err();
    assert_eq!(malformed, Malformed::Empty { reason: Some("MALFORMED_FUNCTION_CALL".into()) });
    assert_eq!(whole(&json!({})).unwrap_err(), Malformed::Empty { reason: None });
}

#[test]
fn events_tell_the_same_items() {
    let thought =
        json!({ "candidates": [{ "content": { "parts": [{ "text": "hm", "thought": true }] } }] });
    let text =
        |text: &str| json!({ "candidates": [{ "content": { "parts": [{ "text": text }] } }] });
    let call = answer(&json!([{ "functionCall": { "name": "f" } }]), "STOP");
    let (events, ending) = events(&[thought, text("a"), text("b"), call]);
    assert_eq!(ending, Ending::Finished);
    assert_eq!(
        kinds(&events),
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.reasoning_summary_part.added",
            "response.reasoning_summary_text.delta",
            "response.reasoning_summary_text.done",
            "response.reasoning_summary_part.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    assert_eq!(events[0]["response"]["status"], "in_progress");
    assert_eq!(events[8]["item"]["content"], json!([]));
    assert_eq!(
        events[11],
        json!({ "type": "response.output_text.delta", "sequence_number": 11,
        "item_id": events[8]["item"]["id"], "output_index": 1, "content_index": 0, "delta": "b",
        "logprobs": [] })
    );
    assert_eq!(events[12]["text"], "ab");
    assert_eq!(events[17]["arguments"], "{}");
    let done: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "response.output_item.done")
        .map(|event| &event["item"])
        .collect();
    let output: Vec<&Value> = events[19]["response"]["output"].as_array().unwrap().iter().collect();
    assert_eq!(done, output);
}

#[test]
fn a_stream_that_breaks_fails() {
    let begun = json!({ "candidates": [{ "content": { "parts": [{ "text": "a" }] } }] });
    let (truncated, ending) = events(std::slice::from_ref(&begun));
    assert_eq!(ending, Ending::Truncated);
    let error = json!({ "error": { "code": 503, "message": "Busy.", "status": "UNAVAILABLE" } });
    let (failed, ending) = events(&[begun, error]);
    assert!(matches!(ending, Ending::Failed(_)));
    for (events, message) in [(truncated, "The answer broke off"), (failed, "Busy.")] {
        let [.., error, last] = &events[..] else { panic!("too short") };
        assert_eq!(error["type"], "error");
        assert!(error["message"].as_str().unwrap().starts_with(message));
        assert_eq!(error["param"], Value::Null);
        assert_eq!(last["type"], "response.failed");
        assert_eq!(last["response"]["status"], "failed");
        assert_eq!(last["response"]["error"]["code"], "server_error");
        assert_eq!(last["response"]["output"][0]["status"], "incomplete");
    }
}

#[test]
fn an_interruption_before_the_first_word_is_told_too() {
    let mut translator = call(&json!({ "stream": true })).unwrap().translator;
    let error = ErrorObject { message: "Lost.", kind: "server_error", param: None, code: None };
    let mut out = Vec::new();
    translator.interrupt(&error, &mut out);
    let told = read(&out);
    assert_eq!(
        kinds(&told),
        ["response.created", "response.in_progress", "error", "response.failed"]
    );
    let before = out.len();
    translator.interrupt(&error, &mut out);
    assert_eq!(translator.finish(&mut out).ending, Ending::Truncated);
    assert_eq!(out.len(), before);
}

#[test]
fn a_blocked_answer_says_why() {
    let blocked = json!({ "promptFeedback": { "blockReason": "SAFETY" } });
    let refused = |why: &str| json!([{ "type": "refusal", "refusal": why }]);
    let response = whole(&blocked).unwrap();
    let why = "Google blocked the prompt (SAFETY).";
    assert_eq!(response["output"][0]["content"], refused(why));
    let (events, _) = events(&[blocked]);
    let told = kinds(&events);
    assert_eq!(
        told[2..],
        [
            "response.output_item.added",
            "response.content_part.added",
            "response.refusal.delta",
            "response.refusal.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.incomplete",
        ]
    );
    assert_eq!((&events[4]["delta"], &events[5]["refusal"]), (&json!(why), &json!(why)));
    assert_eq!(events[8]["response"]["output"], response["output"]);
    let answered = whole(&answer(&json!([{ "text": "a" }]), "SAFETY")).unwrap();
    assert_eq!(answered["output"].as_array().unwrap().len(), 1);
}

#[test]
fn likelihoods_stand_with_their_words() {
    let fields = json!({ "model": "gemini-2.0-flash", "top_logprobs": 2,
                         "include": ["message.output_text.logprobs"] });
    let config = sent(&fields)["generationConfig"].take();
    assert_eq!(config, json!({ "responseLogprobs": true, "logprobs": 2 }));
    let told = |token: &str| {
        json!({ "chosenCandidates": [{ "token": token, "logProbability": -0.5 }],
                "topCandidates": [{ "candidates": [{ "token": token, "logProbability": -0.5 }] }] })
    };
    let event = |text: &str, reason: Value| {
        json!({ "candidates": [{ "content": { "parts": [{ "text": text }] },
            "logprobsResult": told(text), "finishReason": reason }] })
    };
    let (events, _) = events(&[event("a", Value::Null), event("b", json!("STOP"))]);
    let logprob =
        |token: &str| json!({ "token": token, "logprob": -0.5, "bytes": token.as_bytes() });
    let expected = |token: &str| {
        let mut told = logprob(token);
        told["top_logprobs"] = json!([logprob(token)]);
        told
    };
    assert_eq!(events[4]["logprobs"], json!([expected("a")]));
    let last = events.last().unwrap();
    let content = &last["response"]["output"][0]["content"][0];
    assert_eq!(content["logprobs"], json!([expected("a"), expected("b")]));
}

#[test]
fn each_message_has_its_own_sources() {
    let support = |part: usize, from: usize, to: usize| {
        json!({ "segment": { "partIndex": part, "startIndex": from, "endIndex": to },
                "groundingChunkIndices": [0] })
    };
    let mut answer = answer(
        &json!([{ "text": "éabc" }, { "functionCall": { "name": "f" } }, { "text": "de" }]),
        "STOP",
    );
    answer["candidates"][0]["groundingMetadata"] = json!({
        "groundingChunks": [{ "web": { "uri": "u", "title": "t" } }],
        "groundingSupports": [support(0, 0, 2), support(0, 5, 7)] });
    let response = whole(&answer).unwrap();
    let place = |item: usize| {
        let annotation = &response["output"][item]["content"][0]["annotations"][0];
        (annotation["start_index"].as_u64().unwrap(), annotation["end_index"].as_u64().unwrap())
    };
    assert_eq!((place(0), place(2)), ((0, 1), (0, 2)));
    let (events, _) = events(&[answer]);
    assert_eq!(events.last().unwrap()["response"]["output"].as_array().unwrap().len(), 3);
    let added = kinds(&events).iter().filter(|kind| kind.ends_with("annotation.added")).count();
    assert_eq!(added, 1);
    let told = events.last().unwrap()["response"]["output"].clone();
    assert_eq!(told[0]["content"], response["output"][0]["content"]);
}

#[test]
fn a_sound_is_a_part_of_a_message() {
    let sound = |data: &str| json!({ "inlineData": { "mimeType": "audio/L16", "data": data } });
    let answer = answer(&json!([sound("AQI="), sound("AwQ=")]), "STOP");
    let response = whole(&answer).unwrap();
    let content = json!([{ "type": "output_audio", "data": "AQIDBA==", "transcript": "" }]);
    assert_eq!(response["output"][0]["content"], content);
    let (events, _) = events(&[answer]);
    let deltas: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "response.audio.delta")
        .map(|event| &event["delta"])
        .collect();
    assert_eq!(deltas, ["AQI=", "AwQ="]);
    assert_eq!(events.last().unwrap()["response"]["output"][0]["content"], content);
}

#[test]
fn the_tier_is_asked_for_and_told() {
    assert_eq!(sent(&json!({ "service_tier": "flex" }))["serviceTier"], "flex");
    let refusal = call(&json!({ "service_tier": "gold" })).unwrap_err();
    assert_eq!(refusal.param.as_deref(), Some("service_tier"));
    let mut answer = answer(&json!([{ "text": "a" }]), "STOP");
    answer["usageMetadata"]["serviceTier"] = "FLEX".into();
    assert_eq!(whole(&answer).unwrap()["service_tier"], "flex");
}
