//! Bodies that cannot be used: refused in the caller's dialect, naming the field.

use serde_json::json;

use crate::rig::{MAX_BODY_BYTES, Rig, request};

/// A route, a body, and the `param` of OpenAI's error; none where no field can be named.
const REFUSED: &[(&str, &str, Option<&str>)] = &[
    ("/v1/chat/completions", "", None),
    ("/v1/chat/completions", "{", None),
    ("/v1/chat/completions", "[1, 2", None),
    ("/v1/chat/completions", "null", None),
    ("/v1/chat/completions", "\"text\"", None),
    ("/v1/chat/completions", r#"{"model":"m","messages":[{"role":"user","content":"Hi"}]}x"#, None),
    ("/v1/chat/completions", r#"{"messages":[{"role":"user","content":"Hi"}]}"#, Some("model")),
    (
        "/v1/chat/completions",
        r#"{"model":null,"messages":[{"role":"user","content":"Hi"}]}"#,
        Some("model"),
    ),
    (
        "/v1/chat/completions",
        r#"{"model":"","messages":[{"role":"user","content":"Hi"}]}"#,
        Some("model"),
    ),
    (
        "/v1/chat/completions",
        r#"{"model":"a/../b","messages":[{"role":"user","content":"Hi"}]}"#,
        Some("model"),
    ),
    (
        "/v1/chat/completions",
        r#"{"model":"a\r\nb","messages":[{"role":"user","content":"Hi"}]}"#,
        Some("model"),
    ),
    (
        "/v1/chat/completions",
        r#"{"model":"a?key=b","messages":[{"role":"user","content":"Hi"}]}"#,
        Some("model"),
    ),
    ("/v1/chat/completions", r#"{"model":"m","messages":[]}"#, Some("messages")),
    ("/v1/chat/completions", r#"{"model":"m","messages":{}}"#, Some("messages")),
    ("/v1/chat/completions", r#"{"model":"m","messages":[7]}"#, Some("messages[0]")),
    (
        "/v1/chat/completions",
        r#"{"model":"m","messages":[{"content":"Hi"}]}"#,
        Some("messages[0].role"),
    ),
    (
        "/v1/chat/completions",
        r#"{"model":"m","messages":[{"role":"user","content":7}]}"#,
        Some("messages[0].content"),
    ),
    (
        "/v1/chat/completions",
        r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]}]}"#,
        Some("messages[0].content[0].image_url.url"),
    ),
    (
        "/v1/chat/completions",
        r#"{"model":"m","stream":"yes","messages":[{"role":"user","content":"Hi"}]}"#,
        Some("stream"),
    ),
    (
        "/v1/chat/completions",
        r#"{"model":"m","max_tokens":-1,"messages":[{"role":"user","content":"Hi"}]}"#,
        Some("max_tokens"),
    ),
    (
        "/v1/chat/completions",
        r#"{"model":"m","tools":[{"type":"function"}],"messages":[{"role":"user","content":"Hi"}]}"#,
        Some("tools[0].function"),
    ),
    (
        "/v1/chat/completions",
        r##"{"model":"m","messages":[{"role":"robot","content":"Hi"}]}"##,
        Some("messages[0].role"),
    ),
    (
        "/v1/chat/completions",
        r##"{"model":"m","messages":[{"role":"user","content":[{"type":"smell","smell":"rose"}]}]}"##,
        Some("messages[0].content[0].type"),
    ),
    (
        "/v1/chat/completions",
        r##"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,PGh0bWw+"}}]}]}"##,
        Some("messages[0].content[0].image_url.url"),
    ),
    (
        "/v1/chat/completions",
        r##"{"model":"m","messages":[{"role":"user","content":"Hi"},{"role":"tool","tool_call_id":"none","content":"x"}]}"##,
        Some("messages[1].tool_call_id"),
    ),
    (
        "/v1/chat/completions",
        r##"{"model":"m","messages":[{"role":"user","content":"Hi"},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f"}}]},{"role":"tool","tool_call_id":"a","content":"x"}]}"##,
        Some("messages[1].tool_calls[0].function.arguments"),
    ),
    (
        "/v1/chat/completions",
        r##"{"model":"m","messages":[{"role":"user","content":"Hi"},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"x=1"}}]},{"role":"tool","tool_call_id":"a","content":"x"}]}"##,
        Some("messages[1].tool_calls[0].function.arguments"),
    ),
    (
        "/v1/chat/completions",
        r##"{"model":"m","messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"$ref":"#/$defs/none"}}}}}]}"##,
        Some("tools[0].function.parameters.properties.a.$ref"),
    ),
    (
        "/v1/chat/completions",
        r##"{"model":"m","messages":[{"role":"user","content":"Hi"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"objet"}}}}"##,
        Some("response_format.json_schema.schema.type"),
    ),
    ("/v1/completions", r#"{"model":"m"}"#, Some("prompt")),
    ("/v1/completions", r#"{"model":"m","prompt":[1,2]}"#, Some("prompt")),
    ("/v1/completions", r#"{"model":"m","prompt":"a","best_of":3}"#, Some("best_of")),
    ("/v1/embeddings", "{", None),
    ("/v1/embeddings", r#"{"input":"Hi"}"#, Some("model")),
    ("/v1/embeddings", r#"{"model":"m"}"#, Some("input")),
    ("/v1/embeddings", r#"{"model":"m","input":[]}"#, Some("input")),
    ("/v1/embeddings", r#"{"model":"m","input":{}}"#, Some("input")),
    ("/v1/responses", "{", None),
    ("/v1/responses", r#"{"input":"Hi"}"#, Some("model")),
    ("/v1/responses", r#"{"model":"m","input":7}"#, Some("input")),
];

#[tokio::test]
async fn what_cannot_be_translated_is_refused_and_the_field_is_named() {
    let rig = Rig::start().await;
    for (route, body, param) in REFUSED {
        let answer = rig.answer(request(&format!("POST {route}"), "", body).as_bytes()).await;
        assert_eq!(answer.status, 400, "{route} {body}: {answer:?}");
        let error = &answer.json()["error"];
        assert_eq!(error["type"], "invalid_request_error", "{route} {body}: {answer:?}");
        assert!(error["message"].as_str().is_some_and(|text| text.len() > 10), "{answer:?}");
        assert_eq!(error["param"], json!(param), "{route} {body}: {answer:?}");
    }
    rig.is_unharmed().await;
}

#[tokio::test]
async fn text_that_is_no_utf_8_is_refused() {
    let rig = Rig::start().await;
    for route in ["/v1/chat/completions", "/v1/embeddings", "/v1/responses"] {
        let body = b"{\"model\":\"m\",\"input\":\"\xff\",\"messages\":[{\"role\":\"user\",\"content\":\"\xff\xfe\"}]}";
        let headers = format!("content-length: {}\r\n", body.len());
        let head =
            request(&format!("POST {route}"), &headers, "").replace("content-length: 0\r\n", "");
        let answer = rig.answer(&[head.as_bytes(), body].concat()).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert_eq!(answer.json()["error"]["type"], "invalid_request_error", "{answer:?}");
    }
    rig.is_unharmed().await;
}

#[tokio::test]
async fn deep_nesting_is_refused_or_passed_and_breaks_nothing() {
    let rig = Rig::start().await;
    let deep = "[".repeat(450) + &"]".repeat(450);
    let body = format!(r#"{{"model":"m","messages":{deep}}}"#);
    let answer = rig.answer(request("POST /v1/chat/completions", "", &body).as_bytes()).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    rig.is_unharmed().await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_in_the_dialect_of_the_route() {
    let rig = Rig::start().await;
    let large = "x".repeat(MAX_BODY_BYTES + 1);
    let openai = rig.answer(request("POST /v1/chat/completions", "", &large).as_bytes()).await;
    assert_eq!(openai.status, 413, "{openai:?}");
    assert_eq!(openai.json()["error"]["code"], "request_too_large");
    let google =
        rig.answer(request("POST /v1beta/models/m:generateContent", "", &large).as_bytes()).await;
    assert_eq!(google.status, 413, "{google:?}");
    assert_eq!(google.json()["error"]["code"], 413);
    rig.is_unharmed().await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_it_is_sent() {
    let rig = Rig::start().await;
    let head = request("POST /v1/chat/completions", "", "")
        .replace("content-length: 0", "content-length: 5000000000");
    let answer = rig.answer(head.as_bytes()).await;
    assert_eq!(answer.status, 413, "{answer:?}");
    rig.is_unharmed().await;
}

#[tokio::test]
async fn a_body_without_length_is_refused_once_it_is_over_the_limit() {
    let rig = Rig::start().await;
    let head = request("POST /v1/chat/completions", "transfer-encoding: chunked\r\n", "")
        .replace("content-length: 0\r\n", "");
    let chunk = format!("{:x}\r\n{}\r\n", 400, "x".repeat(400));
    // It never ends: only the limit can end it.
    let answer = rig.answer((head + &chunk.repeat(3)).as_bytes()).await;
    assert_eq!(answer.status, 413, "{answer:?}");
    rig.is_unharmed().await;
}
