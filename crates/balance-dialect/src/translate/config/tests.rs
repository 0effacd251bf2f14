use serde_json::{Value, json};

use crate::translate::{self, Refusal, Stamp};

/// What Gemini is sent for a chat with these fields.
fn sent_by(model: &str, fields: &Value) -> Result<Value, Refusal> {
    let mut body = json!({ "model": model, "messages": [{ "role": "user", "content": "hi" }] });
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let call = translate::chat(body.to_string().as_bytes(), Stamp { unix_seconds: 0, nonce: 0 })?;
    Ok(serde_json::from_slice(call.requests[0].body.as_ref().unwrap()).unwrap())
}

fn config(fields: &Value) -> Value {
    sent_by("gemini-2.5-flash", fields).unwrap()["generationConfig"].take()
}

#[test]
fn each_field_has_its_place() {
    for (fields, expected) in [
        (json!({}), Value::Null),
        (json!({ "temperature": 0, "top_p": 1 }), json!({ "temperature": 0.0, "topP": 1.0 })),
        (json!({ "temperature": null, "n": null, "stop": null }), Value::Null),
        (json!({ "max_tokens": 5 }), json!({ "maxOutputTokens": 5 })),
        (json!({ "max_tokens": 5, "max_completion_tokens": 7 }), json!({ "maxOutputTokens": 7 })),
        (json!({ "top_k": 40 }), json!({ "topK": 40 })),
        (json!({ "top_k": -1 }), Value::Null),
        (json!({ "seed": -3 }), json!({ "seed": -3 })),
        (json!({ "seed": 2_147_483_648_u64 }), json!({ "seed": 0 })),
        (json!({ "stop": "a" }), json!({ "stopSequences": ["a"] })),
        (json!({ "stop": ["a", "", "b"] }), json!({ "stopSequences": ["a", "b"] })),
        (json!({ "n": 1 }), Value::Null),
        (json!({ "n": 3 }), json!({ "candidateCount": 3 })),
        (json!({ "presence_penalty": 1, "frequency_penalty": 1, "logit_bias": {} }), Value::Null),
        (
            json!({ "logprobs": true, "top_logprobs": 3 }),
            json!({ "responseLogprobs": true, "logprobs": 3 }),
        ),
        (json!({ "logprobs": true, "top_logprobs": 0 }), json!({ "responseLogprobs": true })),
        (json!({ "logprobs": false }), Value::Null),
        (json!({ "response_format": { "type": "text" } }), Value::Null),
        (
            json!({ "response_format": { "type": "json_object" } }),
            json!({ "responseMimeType": "application/json" }),
        ),
        (
            json!({ "response_format": { "type": "json_schema",
                    "json_schema": { "name": "n", "strict": true, "schema": { "const": 1 } } } }),
            json!({ "responseMimeType": "application/json",
                    "responseJsonSchema": { "type": "integer", "enum": [1] } }),
        ),
    ] {
        assert_eq!(config(&fields), expected, "{fields}");
    }
}

#[test]
fn a_value_out_of_range_is_refused() {
    for (fields, param) in [
        (json!({ "temperature": 2.1 }), "temperature"),
        (json!({ "temperature": -0.1 }), "temperature"),
        (json!({ "top_p": 1.1 }), "top_p"),
        (json!({ "max_tokens": 0 }), "max_tokens"),
        (json!({ "max_completion_tokens": -1 }), "max_completion_tokens"),
        (json!({ "n": 0 }), "n"),
        (json!({ "presence_penalty": 2.1 }), "presence_penalty"),
        (json!({ "frequency_penalty": -2.1 }), "frequency_penalty"),
        (json!({ "logprobs": true, "top_logprobs": 21 }), "top_logprobs"),
        (json!({ "top_logprobs": 2 }), "top_logprobs"),
        (json!({ "n": 9 }), "n"),
        (json!({ "stop": ["a", "b", "c", "d", "e", "f"] }), "stop"),
        (json!({ "top_logprobs": 3 }), "top_logprobs"),
        (json!({ "stream_options": {} }), "stream_options"),
        (json!({ "functions": [{ "name": "f" }, { "name": "f" }] }), "functions[1].name"),
        (
            json!({ "functions": [{ "name": "f" }], "function_call": { "name": "g" } }),
            "function_call.name",
        ),
        (json!({ "reasoning_effort": "lots" }), "reasoning_effort"),
        (json!({ "reasoning": { "effort": "lots" } }), "reasoning.effort"),
        (json!({ "response_format": { "type": "xml" } }), "response_format.type"),
        (json!({ "response_format": {} }), "response_format.type"),
        (json!({ "response_format": { "type": "json_schema" } }), "response_format.json_schema"),
        (json!({ "tools": [{ "type": "magic" }] }), "tools[0].type"),
        (json!({ "tools": [{ "type": "function" }] }), "tools[0].function"),
        (json!({ "tools": [{ "type": "function", "function": {} }] }), "tools[0].function.name"),
        (
            json!({ "tools": [{ "type": "function", "function": { "name": "" } }] }),
            "tools[0].function.name",
        ),
        (json!({ "tools": [{ "name": "a" }, { "name": "a" }] }), "tools[1].name"),
    ] {
        let refusal = sent_by("gemini-2.5-flash", &fields).unwrap_err();
        assert_eq!(refusal.param.as_deref(), Some(param), "{fields}");
        assert!(refusal.message.contains(param), "{}", refusal.message);
    }
}

#[test]
fn gemini_2_is_not_asked_for_json_beside_functions() {
    let fields =
        json!({ "response_format": { "type": "json_object" }, "tools": [{ "name": "a" }] });
    let mime_type = |model: &str| {
        sent_by(model, &fields).unwrap()["generationConfig"]["responseMimeType"].take()
    };
    assert_eq!(mime_type("gemini-2.5-flash"), Value::Null);
    assert_eq!(mime_type("gemini-3-flash-preview"), "application/json");
}

#[test]
fn google_s_own_words_win() {
    let thinking = json!({ "thinking_budget": 5, "include_thoughts": true });
    let google = json!({ "thinking_config": thinking, "cached_content": "cachedContents/x",
        "safety_settings": [{ "category": "C", "threshold": "OFF" }] });
    for fields in [
        json!({ "extra_body": { "google": google }, "reasoning_effort": "high" }),
        json!({ "google": google, "reasoning_effort": "high" }),
    ] {
        let sent = sent_by("gemini-2.5-flash", &fields).unwrap();
        let expected = json!({ "includeThoughts": true, "thinkingBudget": 5 });
        assert_eq!(sent["generationConfig"]["thinkingConfig"], expected);
        assert_eq!(sent["cachedContent"], "cachedContents/x");
        assert_eq!(sent["safetySettings"], google["safety_settings"]);
    }
    let settings = json!([{ "category": "C", "threshold": "OFF" }]);
    for name in ["safety_settings", "safetySettings"] {
        let sent = sent_by("gemini-2.5-flash", &json!({ name: settings })).unwrap();
        assert_eq!(sent["safetySettings"], settings);
    }
}

#[test]
fn thinking_is_read_from_every_dialect() {
    for (fields, expected) in [
        (
            json!({ "reasoning_effort": "low" }),
            json!({ "includeThoughts": true, "thinkingBudget": 1024 }),
        ),
        (
            json!({ "reasoning": { "max_tokens": 99, "exclude": true } }),
            json!({ "includeThoughts": false, "thinkingBudget": 99 }),
        ),
        (
            json!({ "reasoning": { "enabled": false } }),
            json!({ "includeThoughts": false, "thinkingBudget": 0 }),
        ),
        (
            json!({ "thinking": { "type": "enabled", "budget_tokens": 2000 } }),
            json!({ "includeThoughts": true, "thinkingBudget": 2000 }),
        ),
        (
            json!({ "thinking": { "type": "disabled" } }),
            json!({ "includeThoughts": false, "thinkingBudget": 0 }),
        ),
        (json!({ "thinking": { "type": "adaptive" } }), json!({ "includeThoughts": true })),
        (
            json!({ "google": { "thinkingConfig": { "thinkingLevel": "low" } } }),
            json!({ "thinkingLevel": "low" }),
        ),
    ] {
        assert_eq!(config(&fields)["thinkingConfig"], expected, "{fields}");
    }
}

#[test]
fn a_family_is_told_only_what_it_takes() {
    let fields = json!({ "presence_penalty": 2, "frequency_penalty": -1, "logprobs": true });
    for (model, expected) in [
        (
            "gemini-2.0-flash",
            json!({ "presencePenalty": 1.999, "frequencyPenalty": -1.0, "responseLogprobs": true }),
        ),
        ("gemini-2.5-flash", json!({ "responseLogprobs": true })),
        ("gemini-3-flash", Value::Null),
        ("gemma-4-31b-it", Value::Null),
    ] {
        assert_eq!(sent_by(model, &fields).unwrap()["generationConfig"], expected, "{model}");
    }
}

#[test]
fn models_without_json_schema_get_the_subset() {
    let schema = json!({ "type": "object", "properties": { "a": { "const": "x" } },
                         "additionalProperties": false });
    let function = json!({ "type": "function", "function": { "name": "f", "parameters": schema } });
    let format = json!({ "type": "json_schema", "json_schema": { "name": "n", "schema": schema } });
    let fields = json!({ "tools": [function], "response_format": format });
    let sent = sent_by("gemma-4-31b-it", &fields).unwrap();
    let subset = json!({ "type": "object",
                         "properties": { "a": { "type": "string", "enum": ["x"] } } });
    let declared = &sent["tools"][0]["functionDeclarations"][0];
    assert_eq!(declared, &json!({ "name": "f", "parameters": subset }));
    assert_eq!(sent["generationConfig"]["responseSchema"], subset);
    assert_eq!(sent["generationConfig"].get("responseJsonSchema"), None);
}

#[test]
fn thinking_is_switched_as_open_models_clients_say_it() {
    for (fields, expected) in [
        (
            json!({ "enable_thinking": false, "thinking_budget": 9 }),
            json!({ "includeThoughts": false, "thinkingBudget": 0 }),
        ),
        (json!({ "enable_thinking": true }), json!({ "includeThoughts": true })),
        (
            json!({ "thinking_budget": 900 }),
            json!({ "includeThoughts": true, "thinkingBudget": 900 }),
        ),
    ] {
        assert_eq!(config(&fields)["thinkingConfig"], expected, "{fields}");
    }
}
