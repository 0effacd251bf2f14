//! Requests and answers that were right until something happened to them: whatever it was, the
//! gateway answers, never with a panic, never with a 500 of its own, and shows no secret.

#![cfg(test)]

use std::{collections::BTreeMap, time::Duration};

use balance_testkit::{
    answer::Answer,
    fake_host::FakeHost,
    in_process::Stage,
    scenario::{Asked, Names, Received, TOKEN, key},
    sent::Sent,
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

/// What edits put in: what parsers trip over.
const TOKENS: &[&str] = &[
    "null",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "1e999",
    "-0",
    "99999999999999999999",
    "0.1",
    "true",
    ",",
    ":",
    "\r\n",
    "\n",
    "\n\n",
    "data:",
    "data: [DONE]\n\n",
    "\u{0}",
    "\u{fffd}",
    "🌍",
    "..",
    "/",
    "//",
    "%",
    "%2f",
    "%0d%0a",
    "?",
    "&key=x",
    "#",
    " ",
    "error",
    "[[[[[[[[[[[[[[[[",
    "{\"error\":{\"code\":503}}",
    "\"finishReason\":\"STOP\"",
    "\"parts\":null",
    "\"text\":7",
];

/// A change of some bytes: at a place, so many bytes become others.
#[derive(Debug, Clone)]
struct Edit {
    place: usize,
    removed: usize,
    inserted: Vec<u8>,
}

fn edits(most: usize) -> impl Strategy<Value = Vec<Edit>> {
    let token = select(TOKENS).prop_map(|token| token.as_bytes().to_vec());
    let inserted = prop_oneof![4 => token, 1 => vec(any::<u8>(), 0..4)];
    let edit = (any::<usize>(), 0..12_usize, inserted);
    vec(edit.prop_map(|(place, removed, inserted)| Edit { place, removed, inserted }), 0..=most)
}

fn edited(mut bytes: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for edit in edits {
        let start = edit.place % (bytes.len() + 1);
        let end = (start + edit.removed).min(bytes.len());
        bytes.splice(start..end, edit.inserted.iter().copied());
    }
    bytes
}

/// Requests that are answered with 200 as they stand.
fn right_requests() -> Vec<(&'static str, &'static str, Value)> {
    let tool = json!({ "type": "function", "function": { "name": "f", "parameters": { "type": "object", "properties": { "x": { "type": ["string", "null"], "enum": ["a", null] } } } } });
    let messages = json!([
        { "role": "system", "content": "Be brief." },
        { "role": "user", "content": [{ "type": "text", "text": "Hi" }, { "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA" } }] },
        { "role": "assistant", "content": null, "tool_calls": [{ "id": "c1", "type": "function", "function": { "name": "f", "arguments": "{\"x\":1}" } }] },
        { "role": "tool", "tool_call_id": "c1", "content": "done" },
    ]);
    let native = json!({ "contents": [{ "role": "user", "parts": [{ "text": "Hi" }] }] });
    vec![
        (
            "POST",
            "/v1/chat/completions",
            json!({ "model": "gemini-2.5-flash", "messages": messages, "tools": [tool], "stop": ["a"], "temperature": 0.5, "n": 1 }),
        ),
        (
            "POST",
            "/v1/chat/completions",
            json!({ "model": "gemini-3.8-flash", "stream": true, "stream_options": { "include_usage": true }, "messages": messages, "response_format": { "type": "json_schema", "json_schema": { "name": "n", "schema": { "type": "object" } } } }),
        ),
        (
            "POST",
            "/v1/embeddings",
            json!({ "model": "gemini-embedding-001", "input": ["a", "b"], "encoding_format": "base64", "dimensions": 8 }),
        ),
        (
            "POST",
            "/v1/responses",
            json!({ "model": "gemini-2.5-flash", "input": [{ "role": "user", "content": "Hi" }], "stream": true }),
        ),
        ("GET", "/v1/models", Value::Null),
        ("POST", "/v1beta/models/gemini-2.5-flash:generateContent", native.clone()),
        ("POST", "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", native.clone()),
        ("POST", "/v1beta/models/gemini-2.5-flash:streamGenerateContent", native),
        ("POST", "/upload/v1beta/files?upload_id=u", json!({})),
        ("GET", "/v1beta/files/f?pageSize=3", Value::Null),
        ("POST", "/verify", Value::Null),
        ("GET", "/health", Value::Null),
    ]
}

/// What upstream answers when all is well.
fn right_answer(sent: &Sent) -> (&'static str, String) {
    let path = sent.path();
    let says = |text: &str, finish: Value| {
        json!({
            "candidates": [{ "content": { "parts": [{ "text": text }], "role": "model" }, "finishReason": finish, "index": 0 }],
            "usageMetadata": { "promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7 },
        })
    };
    let (first, last) = (says("Hel", Value::Null), says("lo", "STOP".into()));
    if path.contains("alt=sse") {
        ("text/event-stream", format!("data: {first}\r\n\r\ndata: {last}\r\n\r\n"))
    } else if path.contains(":stream") {
        ("application/json", format!("[{first}\n,\r\n{last}\n]\n"))
    } else if path.contains(":embedContent") {
        ("application/json", json!({ "embedding": { "values": [0.5] } }).to_string())
    } else if path.contains(":batchEmbedContents") {
        let count = sent.json()["requests"].as_array().map_or(0, Vec::len);
        let embeddings = vec![json!({ "values": [0.5] }); count];
        ("application/json", json!({ "embeddings": embeddings }).to_string())
    } else if path.contains("models") && !path.contains(':') {
        (
            "application/json",
            json!({ "models": [{ "name": "models/gemini-2.5-flash" }] }).to_string(),
        )
    } else {
        ("application/json", last.to_string())
    }
}

fn stage(script: impl FnMut(usize, &Sent) -> Answer + 'static) -> Stage {
    let settings = [
        ("API_KEYS", format!("{},{}", key('a'), key('b'))),
        ("ACCESS_TOKENS", TOKEN.to_owned()),
        ("BASE_URL", "http://upstream.test".to_owned()),
        ("MAX_BODY_BYTES", "5000".to_owned()),
    ];
    let settings: BTreeMap<_, _> = settings.map(|(name, value)| (name.to_owned(), value)).into();
    Stage::on(FakeHost::answering(script), &settings).unwrap()
}

/// A request that hyper would hand in; `None` if it would refuse these bytes itself.
fn request(
    method: &str,
    path: &[u8],
    header: Option<(&str, &[u8])>,
    body: Vec<u8>,
) -> Option<Request<Bytes>> {
    let path = std::str::from_utf8(path).ok().filter(|path| path.starts_with('/'))?;
    let mut request = Request::new(Bytes::from(body));
    *request.uri_mut() = path.parse::<Uri>().ok()?;
    *request.method_mut() = Method::from_bytes(method.as_bytes()).ok()?;
    let headers = request.headers_mut();
    headers.insert("authorization", HeaderValue::try_from(format!("Bearer {TOKEN}")).ok()?);
    if let Some((name, value)) = header {
        headers.insert(name.parse::<HeaderName>().ok()?, HeaderValue::from_bytes(value).ok()?);
    }
    Some(request)
}

/// What must hold of every answer.
fn is_sound(reply: &Received, sent: &[Sent]) -> Result<(), TestCaseError> {
    let shown = format!("{} {:?} {}", reply.status, reply.headers, reply.text());
    prop_assert!((200..600).contains(&reply.status), "{}", shown);
    prop_assert!(!shown.contains("A mistake in Gemini Balance"), "{}", shown);
    for secret in Names::secrets() {
        prop_assert!(!shown.contains(&secret), "{}", shown);
    }
    for sent in sent {
        let keys = sent.credentials();
        let is_ours = keys.len() == 1 && [key('a'), key('b')].contains(&keys[0]);
        prop_assert!(is_ours || sent.path().starts_with("/v1beta/models?pageSize=1"), "{:?}", keys);
    }
    Ok(())
}

const HEADERS: &[&str] = &[
    "content-type",
    "content-length",
    "transfer-encoding",
    "accept-encoding",
    "x-goog-upload-command",
    "x-goog-api-key",
    "host",
    "range",
    "connection",
    "x-forwarded-host",
    "x-forwarded-proto",
    "expect",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_request_is_answered_with_anything_but_a_500(
        which in 0..right_requests().len(),
        method in select(&["", "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "BREW"][..]),
        in_path in edits(2),
        in_body in edits(4),
        header in proptest::option::of((select(HEADERS), edits(1))),
    ) {
        let (right_method, path, body) = right_requests().swap_remove(which);
        let method = if method.is_empty() { right_method } else { method };
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let header = header.map(|(name, value)| (name, edited(b"a-value".to_vec(), &value)));
        let header = header.as_ref().map(|(name, value)| (*name, value.as_slice()));
        let path = edited(path.into(), &in_path);
        let Some(request) = request(method, &path, header, edited(body, &in_body)) else { return Ok(()) };
        let stage = stage(|_, sent| {
            let (kind, body) = right_answer(sent);
            Answer::frames(200, [body.into()]).header("content-type", kind)
        });
        let reply = stage.ask(request, &Asked::default()).map_err(TestCaseError::fail)?;
        let sent = stage.host.sent();
        // A damaged path may ask for what upstream here has no answer of the right shape to.
        let is_misfit = reply.status == 502 && !sent.is_empty();
        prop_assert!(reply.status < 500 || is_misfit, "{} {}", reply.status, reply.text());
        is_sound(&reply, &sent)?;
    }

    #[test]
    fn a_damaged_answer_becomes_an_honest_one(
        which in 0..right_requests().len(),
        status in select(&[200, 200, 200, 200, 204, 302, 400, 403, 404, 429, 503, 599][..]),
        kind in select(&["", "text/event-stream", "application/json", "text/html", "\u{7f}"][..]),
        edits in edits(4),
        size in 1..60_usize,
        fault in 0..6_u32,
        place in 0..400_usize,
    ) {
        let (method, path, body) = right_requests().swap_remove(which);
        let stage = stage(move |_, sent| {
            let (right_kind, body) = right_answer(sent);
            let body = edited(body.into_bytes(), &edits);
            let answer = Answer::frames(status, [body.into()]);
            let answer = answer.header("content-type", if kind.is_empty() { right_kind } else { kind });
            match fault {
                0 => answer.cut(size).broken_after(place),
                1 => answer.cut(size).silent_after(place),
                2 => answer.cut(size).paced(Duration::from_millis(1)),
                _ => answer.cut(size),
            }
        });
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = request(method, path.as_bytes(), None, body).ok_or_else(|| TestCaseError::fail(path))?;
        let reply = stage.ask(request, &Asked::default()).map_err(TestCaseError::fail)?;
        is_sound(&reply, &stage.host.sent())?;
        if path.ends_with("/chat/completions") {
            let stops = reply.text().matches("\"finish_reason\":\"").count();
            prop_assert!(stops <= 1, "it stops {stops} times: {}", reply.text());
            prop_assert!(!reply.is_done() || stops == 1, "done without an end: {}", reply.text());
        }
    }
}
