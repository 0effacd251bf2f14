use serde_json::{Value, json};

use crate::translate::{self, Refusal, Stamp};

/// What Gemini is sent as `toolConfig` for a choice among the functions `a b` and `c` and the custom
/// tool `d e`.
fn sent(choice: &Value) -> Result<Value, Refusal> {
    let body = json!({
        "model": "gemini-2.5-flash", "messages": [{ "role": "user", "content": "hi" }],
        "tools": [{ "type": "function", "function": { "name": "a b" } },
                  { "type": "function", "name": "c" },
                  { "type": "custom", "custom": { "name": "d e" } }],
        "tool_choice": choice,
    });
    let call = translate::chat(body.to_string().as_bytes(), Stamp { unix_seconds: 0, nonce: 0 })?;
    let body: Value = serde_json::from_slice(call.requests[0].body.as_ref().unwrap()).unwrap();
    Ok(body["toolConfig"]["functionCallingConfig"].clone())
}

#[test]
fn each_choice_has_its_mode() {
    let any_of = |names: &[&str]| json!({ "mode": "ANY", "allowedFunctionNames": names });
    let one = |name: &str| json!({ "type": "function", "function": { "name": name } });
    let both = json!([one("a b"), { "type": "function", "name": "c" }]);
    for (choice, config) in [
        (json!("auto"), Value::Null),
        (Value::Null, Value::Null),
        (json!("none"), json!({ "mode": "NONE" })),
        (json!("required"), json!({ "mode": "ANY" })),
        (json!("any"), json!({ "mode": "ANY" })),
        (one("a b"), any_of(&["a_b"])),
        (json!({ "type": "function", "name": "c" }), any_of(&["c"])),
        (
            json!({ "type": "allowed_tools", "allowed_tools": { "mode": "required", "tools": both } }),
            any_of(&["a_b", "c"]),
        ),
        (
            json!({ "type": "allowed_tools", "allowed_tools": { "mode": "auto", "tools": both } }),
            json!({ "mode": "VALIDATED", "allowedFunctionNames": ["a_b", "c"] }),
        ),
        (
            json!({ "type": "allowed_tools", "mode": "required", "tools": [{ "name": "c" }] }),
            any_of(&["c"]),
        ),
        (json!({ "type": "custom", "custom": { "name": "d e" } }), any_of(&["d_e"])),
        (json!({ "type": "custom", "name": "d e" }), any_of(&["d_e"])),
        (
            json!({ "type": "allowed_tools", "mode": "required",
                    "tools": [{ "type": "custom", "custom": { "name": "d e" } },
                              { "type": "web_search" }] }),
            any_of(&["d_e"]),
        ),
        (
            json!({ "type": "allowed_tools", "mode": "auto", "tools": [{ "type": "web_search" }] }),
            json!({ "mode": "NONE" }),
        ),
        (json!({ "type": "web_search_preview" }), Value::Null),
    ] {
        assert_eq!(sent(&choice), Ok(config), "{choice}");
    }
}

#[test]
fn a_choice_that_is_not_known_is_refused() {
    let function = |name: &str| json!({ "type": "function", "function": { "name": name } });
    for (choice, param) in [
        (json!("sometimes"), "tool_choice"),
        (json!(5), "tool_choice"),
        (function("d"), "tool_choice.function.name"),
        (json!({ "type": "function", "name": "d" }), "tool_choice.name"),
        (json!({ "type": "function" }), "tool_choice.function"),
        (json!({ "type": "magic" }), "tool_choice.type"),
        (json!({ "type": "custom", "name": "d" }), "tool_choice.name"),
        (
            json!({ "type": "allowed_tools", "allowed_tools": {} }),
            "tool_choice.allowed_tools.tools",
        ),
        (
            json!({ "type": "allowed_tools", "allowed_tools": { "tools": [function("d")] } }),
            "tool_choice.allowed_tools.tools[0].function.name",
        ),
        (
            json!({ "type": "allowed_tools", "mode": "often", "tools": [function("c")] }),
            "tool_choice.mode",
        ),
    ] {
        let refusal = sent(&choice).unwrap_err();
        assert_eq!(refusal.param.as_deref(), Some(param), "{choice}");
    }
}

#[test]
fn strict_functions_are_obeyed_since_gemini_3() {
    for (model, strict, choice, expected) in [
        ("gemini-3-flash", true, json!("auto"), json!({ "mode": "VALIDATED" })),
        ("gemini-3-flash", false, json!("auto"), Value::Null),
        ("gemini-3-flash", true, json!("required"), json!({ "mode": "ANY" })),
        ("gemini-2.5-flash", true, json!("auto"), Value::Null),
    ] {
        let body = json!({
            "model": model, "messages": [{ "role": "user", "content": "hi" }], "tool_choice": choice,
            "tools": [{ "type": "function", "function": { "name": "a", "strict": strict } }],
        });
        let stamp = Stamp { unix_seconds: 0, nonce: 0 };
        let call = translate::chat(body.to_string().as_bytes(), stamp).unwrap();
        let sent: Value = serde_json::from_slice(call.requests[0].body.as_ref().unwrap()).unwrap();
        assert_eq!(sent["toolConfig"]["functionCallingConfig"], expected, "{model} {choice}");
    }
}
