use serde_json::{Value, json};

use crate::translate::{self, Refusal, Stamp};

const LOST: &str = "skip_thought_signature_validator";

fn sent(model: &str, messages: &Value) -> Result<Value, Refusal> {
    let body = json!({ "model": model, "messages": messages }).to_string();
    let call = translate::chat(body.as_bytes(), Stamp { unix_seconds: 0, nonce: 0 })?;
    Ok(serde_json::from_slice(call.requests[0].body.as_ref().unwrap()).unwrap())
}

#[track_caller]
fn becomes(model: &str, messages: &Value, contents: &Value) {
    assert_eq!(&sent(model, messages).unwrap()["contents"], contents);
}

fn user(text: &str) -> Value {
    json!({ "role": "user", "content": text })
}

fn assistant(text: &str) -> Value {
    json!({ "role": "assistant", "content": text })
}

fn calls(ids: &[&str]) -> Value {
    let calls: Vec<Value> = ids
        .iter()
        .map(|id| json!({ "id": id, "type": "function", "function": { "name": format!("f{id}"), "arguments": "{}" } }))
        .collect();
    json!({ "role": "assistant", "content": null, "tool_calls": calls })
}

fn tool(id: &str, content: &str) -> Value {
    json!({ "role": "tool", "tool_call_id": id, "content": content })
}

fn said(role: &str, text: &str) -> Value {
    json!({ "role": role, "parts": [{ "text": text }] })
}

fn called(ids: &[&str]) -> Value {
    let parts: Vec<Value> = ids
        .iter()
        .map(|id| json!({ "functionCall": { "name": format!("f{id}"), "args": {} } }))
        .collect();
    json!({ "role": "model", "parts": parts })
}

fn results(results: &[(&str, &str)]) -> Value {
    let parts: Vec<Value> = results
        .iter()
        .map(|(id, text)| {
            json!({ "functionResponse": { "name": format!("f{id}"), "response": { "result": text } } })
        })
        .collect();
    json!({ "role": "user", "parts": parts })
}

const OLD: &str = "gemini-2.5-flash";
const NEW: &str = "gemini-3-flash-preview";

#[test]
fn the_operator_is_heard_wherever_it_speaks() {
    let messages = json!([
        { "role": "system", "content": "a" }, user("b"), assistant("c"),
        { "role": "developer", "content": [{ "type": "text", "text": "d" }] }, user("e"),
        { "role": "system", "content": "f" },
    ]);
    let sent = sent(OLD, &messages).unwrap();
    let parts = json!([{ "text": "a" }, { "text": "d" }, { "text": "f" }]);
    assert_eq!(sent["systemInstruction"], json!({ "parts": parts }));
    assert_eq!(sent["contents"], json!([said("user", "b"), said("model", "c"), said("user", "e")]));
}

#[test]
fn the_operator_alone_speaks_as_the_user() {
    let sent = sent(OLD, &json!([{ "role": "system", "content": "a" }])).unwrap();
    assert_eq!(sent["contents"], json!([said("user", "a")]));
    assert_eq!(sent["systemInstruction"], Value::Null);
}

#[test]
fn models_without_a_system_instruction_hear_the_operator_first() {
    let messages = json!([{ "role": "system", "content": "a" }, user("b")]);
    let parts = json!([{ "text": "a" }, { "text": "b" }]);
    becomes("gemma-3-27b-it", &messages, &json!([{ "role": "user", "parts": parts }]));
    let messages = json!([{ "role": "system", "content": "a" }, assistant("b")]);
    becomes("gemma-3-27b-it", &messages, &json!([said("user", "a"), said("model", "b")]));
}

#[test]
fn messages_of_one_side_make_one_turn() {
    let messages = json!([user("a"), user(""), user("b"), assistant("c"), assistant("d")]);
    let turn = |role: &str, one: &str, two: &str| json!({ "role": role, "parts": [{ "text": one }, { "text": two }] });
    becomes(OLD, &messages, &json!([turn("user", "a", "b"), turn("model", "c", "d")]));
}

#[test]
fn results_stand_in_the_order_of_the_calls() {
    let messages = json!([user("q"), calls(&["1", "2"]), tool("2", "two"), tool("1", "one")]);
    let contents =
        json!([said("user", "q"), called(&["1", "2"]), results(&[("1", "one"), ("2", "two")])]);
    becomes(OLD, &messages, &contents);
}

#[test]
fn results_that_come_late_stand_behind_their_calls_and_alone() {
    let messages = json!([user("q"), calls(&["1"]), user("wait"), tool("1", "one"), user("go")]);
    let both = json!({ "role": "user", "parts": [{ "text": "wait" }, { "text": "go" }] });
    let contents = json!([said("user", "q"), called(&["1"]), results(&[("1", "one")]), both]);
    becomes(OLD, &messages, &contents);
}

#[test]
fn a_missing_result_is_made_up() {
    let messages = json!([user("q"), calls(&["1", "2"]), tool("2", "two"), user("go")]);
    let sent = sent(OLD, &messages).unwrap();
    let expected = json!([
        { "functionResponse": { "name": "f1", "response": { "error": "no result" } } },
        { "functionResponse": { "name": "f2", "response": { "result": "two" } } },
    ]);
    assert_eq!(sent["contents"][2]["parts"], expected);
}

#[test]
fn calls_that_hang_at_the_end_are_dropped() {
    becomes(OLD, &json!([user("q"), calls(&["1"])]), &json!([said("user", "q")]));
    let messages = json!([user("q"), assistant("prefill")]);
    becomes(OLD, &messages, &json!([said("user", "q"), said("model", "prefill")]));
}

#[test]
fn a_result_needs_its_call() {
    let text = |id: &str| {
        let messages = json!([user("q"), calls(&["1"]), tool("1", "one"), tool(id, "x")]);
        sent(OLD, &messages).unwrap_err()
    };
    for id in ["2", "1", ""] {
        assert_eq!(text(id).param.as_deref(), Some("messages[3].tool_call_id"), "{id}");
    }
    let refusal = sent(OLD, &json!([tool("1", "x")])).unwrap_err();
    assert_eq!(refusal.param.as_deref(), Some("messages[0].tool_call_id"));
    let refusal = sent(OLD, &json!([user("q"), { "role": "tool", "content": "x" }])).unwrap_err();
    assert_eq!(refusal.code, "missing_required_parameter");
}

#[test]
fn names_that_calls_share_belong_to_the_latest_of_them() {
    let messages = json!([
        user("q"),
        calls(&["", ""]),
        tool("", "a"),
        tool("", "b"),
        calls(&[""]),
        tool("", "c"),
        user("go"),
    ]);
    let contents = json!([
        said("user", "q"),
        called(&["", ""]),
        results(&[("", "a"), ("", "b")]),
        called(&[""]),
        results(&[("", "c")]),
        said("user", "go"),
    ]);
    becomes(OLD, &messages, &contents);
}

#[test]
fn the_older_api_names_calls_by_their_function() {
    let messages = json!([
        user("q"),
        { "role": "assistant", "content": null, "function_call": { "name": "f1", "arguments": "{}" } },
        { "role": "function", "name": "f1", "content": "one" },
    ]);
    becomes(OLD, &messages, &json!([said("user", "q"), called(&["1"]), results(&[("1", "one")])]));
}

#[test]
fn text_and_calls_stand_together() {
    let mut message = calls(&["1"]);
    message["content"] = json!("thinking…");
    let sent = sent(OLD, &json!([user("q"), message, tool("1", "one")])).unwrap();
    let expected = json!([{ "text": "thinking…" }, called(&["1"])["parts"][0]]);
    assert_eq!(sent["contents"][1]["parts"], expected);
}

#[test]
fn a_conversation_never_begins_with_a_call() {
    let messages = json!([calls(&["1"]), tool("1", "one")]);
    let contents = json!([said("user", " "), called(&["1"]), results(&[("1", "one")])]);
    becomes(OLD, &messages, &contents);
}

#[test]
fn since_gemini_3_calls_have_ids_and_signatures() {
    let mut signed = calls(&["1", "2"]);
    signed["tool_calls"][0]["extra_content"] = json!({ "google": { "thought_signature": "sig" } });
    let messages = json!([
        user("q"),
        signed,
        tool("1", "one"),
        tool("2", "two"),
        calls(&["3", "4"]),
        tool("3", "x"),
        tool("4", "y")
    ]);
    let sent = sent(NEW, &messages).unwrap();
    let call = |id: &str| json!({ "id": id, "name": format!("f{id}"), "args": {} });
    let first = &sent["contents"][1]["parts"];
    assert_eq!(first[0], json!({ "functionCall": call("1"), "thoughtSignature": "sig" }));
    assert_eq!(first[1], json!({ "functionCall": call("2") }));
    let second = &sent["contents"][3]["parts"];
    assert_eq!(second[0], json!({ "functionCall": call("3"), "thoughtSignature": LOST }));
    assert_eq!(second[1], json!({ "functionCall": call("4") }));
    assert_eq!(sent["contents"][4]["parts"][0]["functionResponse"]["id"], "3");
}

#[test]
fn only_calls_since_the_user_spoke_need_a_signature() {
    let messages = json!([
        user("q"),
        calls(&["1"]),
        tool("1", "one"),
        user("r"),
        calls(&["2"]),
        tool("2", "two")
    ]);
    let signature = |model: &str, turn: usize| {
        sent(model, &messages).unwrap()["contents"][turn]["parts"][0]["thoughtSignature"].take()
    };
    assert_eq!(signature(NEW, 1), Value::Null);
    assert_eq!(signature(NEW, 4), LOST);
    assert_eq!(signature(OLD, 4), Value::Null);
    assert_eq!(signature("gemini-3.1-flash-image", 4), Value::Null);
}

#[test]
fn signatures_come_back_from_where_clients_keep_them() {
    let signature = json!({ "thought_signature": "sig" });
    let mut by_provider = calls(&["1"]);
    by_provider["tool_calls"][0]["provider_specific_fields"] = signature.clone();
    let mut by_message = calls(&["1"]);
    by_message["extra_content"] = json!({ "google": signature });
    let mut by_detail = calls(&["1"]);
    by_detail["reasoning_details"] = json!([
        { "type": "reasoning.text", "text": "hm" },
        { "type": "reasoning.encrypted", "id": "1", "data": "other", "format": "openai-responses-v1" },
        { "type": "reasoning.encrypted", "id": "1", "data": "sig", "format": "google-gemini-v1" },
    ]);
    let mut by_list = calls(&["1"]);
    by_list["provider_specific_fields"] = json!({ "thought_signatures": ["sig"] });
    for message in [by_provider, by_message, by_detail, by_list] {
        let sent = sent(NEW, &json!([user("q"), message, tool("1", "one")])).unwrap();
        assert_eq!(sent["contents"][1]["parts"][0]["thoughtSignature"], "sig");
    }
    let mut text = assistant("a");
    text["extra_content"] = json!({ "google": signature });
    let sent = sent(NEW, &json!([user("q"), text, user("r")])).unwrap();
    assert_eq!(sent["contents"][1]["parts"], json!([{ "text": "a", "thoughtSignature": "sig" }]));
}

#[test]
fn a_signature_comes_back_in_the_name_of_its_call() {
    let first_part = |mut message: Value, id: &str, extra: Option<&str>| {
        message["tool_calls"][0]["id"] = id.into();
        if let Some(extra) = extra {
            let google = json!({ "google": { "thought_signature": extra } });
            message["tool_calls"][0]["extra_content"] = google;
        }
        let sent = sent(NEW, &json!([user("q"), message, tool(id, "one")])).unwrap();
        let name = sent["contents"][2]["parts"][0]["functionResponse"]["id"].clone();
        let part = sent["contents"][1]["parts"][0].clone();
        assert_eq!(part["functionCall"]["id"], name);
        (name, part["thoughtSignature"].clone())
    };
    for (id, extra, signature) in [
        ("a1__sigs7_CvoB-_4", None, "CvoB+/4="),
        ("a1__sigs7_CvoB-_4", Some(""), "CvoB+/4="),
        ("a1__sigs7_CvoB-_4", Some("kept"), "kept"),
        ("a1__sigs7_CvoB", None, LOST),
    ] {
        let found = first_part(calls(&["1"]), id, extra);
        assert_eq!(found, ("a1".into(), signature.into()), "{id} {extra:?}");
    }
}

#[test]
fn results_become_objects() {
    for (content, response) in [
        (json!("21C"), json!({ "result": "21C" })),
        (json!("{\"t\": 21}"), json!({ "t": 21 })),
        (json!(" {\"t\": 21} "), json!({ "t": 21 })),
        (json!("[1, 2]"), json!({ "result": "[1, 2]" })),
        (json!("{\"$ref\": \"x\"}"), json!({ "result": "{\"$ref\": \"x\"}" })),
        (json!("{broken"), json!({ "result": "{broken" })),
        (json!(""), json!({ "result": "" })),
        (Value::Null, json!({ "result": "" })),
        (
            json!([{ "type": "text", "text": "a" }, { "type": "text", "text": "b" }]),
            json!({ "result": "ab" }),
        ),
    ] {
        let mut result = tool("1", "");
        result["content"] = content.clone();
        let sent = sent(OLD, &json!([user("q"), calls(&["1"]), result])).unwrap();
        let sent = &sent["contents"][2]["parts"][0]["functionResponse"]["response"];
        assert_eq!(sent, &response, "{content}");
    }
}

#[test]
fn pictures_of_a_result_go_where_the_model_takes_them() {
    let mut result = tool("1", "");
    result["content"] = json!([{ "type": "text", "text": "a" },
        { "type": "image_url", "image_url": { "url": "data:image/png;base64,iVBORw0K" } }]);
    let messages = json!([user("q"), calls(&["1"]), result]);
    let image = json!({ "inlineData": { "mimeType": "image/png", "data": "iVBORw0K" } });
    let new = sent(NEW, &messages).unwrap();
    assert_eq!(new["contents"][2]["parts"][0]["functionResponse"]["parts"], json!([image]));
    let old = sent(OLD, &messages).unwrap();
    assert_eq!(old["contents"][3], json!({ "role": "user", "parts": [image] }));
}

#[test]
fn arguments_become_an_object_and_keep_their_digits() {
    let arguments = |text: &str| {
        let mut call = calls(&["1"]);
        call["tool_calls"][0]["function"]["arguments"] = json!(text);
        let body = json!({ "model": OLD, "messages": [user("q"), call, tool("1", "one")] });
        let stamp = Stamp { unix_seconds: 0, nonce: 0 };
        let call = translate::chat(body.to_string().as_bytes(), stamp)?;
        Ok::<_, Refusal>(String::from_utf8(call.requests[0].body.clone().unwrap()).unwrap())
    };
    assert!(arguments("{\"n\": 1.50e0}").unwrap().contains("\"args\":{\"n\": 1.50e0}"));
    assert!(arguments("").unwrap().contains("\"args\":{}"));
    assert!(arguments("[1]").unwrap().contains("\"args\":{\"value\":[1]}"));
    let refusal = arguments("{broken").unwrap_err();
    assert_eq!(refusal.param.as_deref(), Some("messages[1].tool_calls[0].function.arguments"));
}

#[test]
fn what_is_no_conversation_is_refused() {
    for (messages, param) in [
        (json!([]), "messages"),
        (json!([user("")]), "messages"),
        (json!([{ "role": "king", "content": "a" }]), "messages[0].role"),
        (
            json!([{ "role": "user", "content": [{ "type": "text" }] }]),
            "messages[0].content[0].text",
        ),
        (
            json!([{ "role": "user", "content": [{ "type": "video" }] }]),
            "messages[0].content[0].type",
        ),
        (
            json!([{ "role": "user", "content": [{ "type": "image_url", "image_url": { "url": "http://a/b.png" } }] }]),
            "messages[0].content[0].image_url.url",
        ),
        (
            json!([user("q"), { "role": "assistant", "tool_calls": [{ "id": "1" }] }]),
            "messages[1].tool_calls[0].function",
        ),
    ] {
        let refusal = sent(OLD, &messages).unwrap_err();
        assert_eq!(refusal.param.as_deref(), Some(param), "{messages}");
    }
}

#[test]
fn the_steps_of_google_s_own_tools_come_back_where_gemini_wants_them() {
    let step = json!({ "toolCall": { "id": "1", "toolType": "GOOGLE_SEARCH_WEB" },
                       "thoughtSignature": "s" });
    let given = json!({ "toolResponse": { "id": "1", "response": {} } });
    let media = json!({ "toolCall": { "id": "2", "toolType": "MEDIA_PROCESSING" } });
    let mut called = calls(&["a"]);
    called["extra_content"] = json!({ "google": { "parts": [step, given, media] } });
    let messages = json!([user("q"), called, tool("a", "r")]);
    let parts = |model: &str, tools: Value| {
        let body = json!({ "model": model, "messages": messages, "tools": tools }).to_string();
        let call = translate::chat(body.as_bytes(), Stamp { unix_seconds: 0, nonce: 0 }).unwrap();
        let sent: Value = serde_json::from_slice(call.requests[0].body.as_ref().unwrap()).unwrap();
        sent["contents"][1]["parts"].as_array().unwrap().clone()
    };
    let function = json!({ "type": "function", "function": { "name": "fa" } });
    let both = json!([{ "googleSearch": {} }, function]);
    let told = parts("gemini-3-flash", both.clone());
    assert_eq!((told.len(), &told[0], &told[1]), (3, &step, &given));
    assert_eq!(parts("gemini-2.5-flash", both).len(), 1);
    assert_eq!(parts("gemini-3-flash", json!([function])).len(), 1);
}
