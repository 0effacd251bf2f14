//! The events that each service makes of a request, and what it makes of the function's answer.
//!
//! Invariant: fields are those of the services' own documentation, and no service gets a field of
//! another.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, request};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::answer_stream::{Answered, Stream, says};

/// The stage of the APIs, where they have one.
const STAGE: &str = "prod";

/// What stands before a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Its own URL.
    FunctionUrl,
    /// An HTTP API of API Gateway, payload format 2.0, with a stage in its paths.
    HttpApi,
    /// A REST API of API Gateway, payload format 1.0, with a stage in its paths.
    RestApi,
    /// An application load balancer.
    LoadBalancer,
    /// Netlify.
    Netlify,
}

impl Before {
    /// The largest body of a request or, not streamed, of an answer.
    pub(super) const fn largest(self) -> usize {
        match self {
            Self::LoadBalancer => 1_000_000,
            Self::FunctionUrl | Self::HttpApi | Self::RestApi | Self::Netlify => 6_291_456,
        }
    }

    /// What callers put before each path.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::HttpApi | Self::RestApi => "/prod",
            Self::FunctionUrl | Self::LoadBalancer | Self::Netlify => "",
        }
    }
}

/// The event of a request.
pub(super) fn of(before: Before, head: &request::Parts, body: &Bytes) -> Value {
    let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut event = match before {
        Before::FunctionUrl => version_2(head, path, "$default"),
        Before::HttpApi => version_2(head, &decoded(&format!("/{STAGE}{path}")), STAGE),
        Before::RestApi => json!({
            "version": "1.0",
            "resource": "/{proxy+}",
            "path": decoded(path),
            "httpMethod": head.method.as_str(),
            "headers": last_of_each(&head.headers),
            "multiValueHeaders": all_of_each(&head.headers),
            "queryStringParameters": last(&pairs(query, decoded)),
            "multiValueQueryStringParameters": all(&pairs(query, decoded)),
            "requestContext": { "stage": STAGE, "path": format!("/{STAGE}{path}"), "httpMethod": head.method.as_str(), "resourcePath": "/{proxy+}", "requestId": "r" },
            "pathParameters": { "proxy": path.trim_start_matches('/') },
            "stageVariables": null,
        }),
        Before::LoadBalancer => json!({
            "requestContext": { "elb": { "targetGroupArn": "arn:aws:elasticloadbalancing:test" } },
            "httpMethod": head.method.as_str(),
            "path": path,
            "multiValueQueryStringParameters": all(&pairs(query, str::to_owned)),
            "multiValueHeaders": all_of_each(&head.headers),
        }),
        Before::Netlify => json!({
            "path": path,
            "httpMethod": head.method.as_str(),
            "headers": last_of_each(&head.headers),
            "multiValueHeaders": all_of_each(&head.headers),
            "queryStringParameters": last(&pairs(query, decoded)),
            "multiValueQueryStringParameters": all(&pairs(query, decoded)),
            "rawUrl": format!("https://test.netlify.app{path}?{query}"),
            "rawQuery": query,
            "route": null,
        }),
    };
    put_body(&mut event, head, body);
    event
}

fn version_2(head: &request::Parts, path: &str, stage: &str) -> Value {
    let mut headers = head.headers.clone();
    let cookies = headers.remove(http::header::COOKIE);
    let joined = all_of_each(&headers).into_iter().map(|(name, values)| (name, values.join(",")));
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": head.uri.query().unwrap_or_default(),
        "headers": joined.collect::<BTreeMap<_, _>>(),
        "requestContext": {
            "stage": stage,
            "http": { "method": head.method.as_str(), "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1" },
            "requestId": "r",
            "timeEpoch": 0,
        },
    });
    if let (Some(cookies), Some(fields)) = (cookies, event.as_object_mut()) {
        let text = String::from_utf8_lossy(cookies.as_bytes()).into_owned();
        fields.insert("cookies".into(), text.split("; ").collect());
    }
    event
}

/// Text goes as it is, all else as base64; what is text is told by its type.
fn put_body(event: &mut Value, head: &request::Parts, body: &Bytes) {
    let kind = head.headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_text = kind.is_some_and(|kind| kind.starts_with("text/") || kind.contains("json"));
    let Some(fields) = event.as_object_mut() else { return };
    let text = str::from_utf8(body).ok().filter(|_| is_text);
    fields.insert("isBase64Encoded".into(), (text.is_none() && !body.is_empty()).into());
    let body = match text {
        _ if body.is_empty() => Value::Null,
        Some(text) => text.into(),
        None => STANDARD.encode(body).into(),
    };
    fields.insert("body".into(), body);
}

/// The caller's answer, of a function's that is there as a whole.
pub(super) fn answered(before: Before, bytes: &[u8]) -> Answered {
    let broken = || says(StatusCode::BAD_GATEWAY, "Internal Server Error");
    if bytes.len() > before.largest() {
        return broken();
    }
    let Ok(answer) = serde_json::from_slice::<Value>(bytes) else { return broken() };
    let text = answer.get("body").and_then(Value::as_str).unwrap_or_default();
    let body = match answer.get("isBase64Encoded") {
        Some(Value::Bool(true)) => STANDARD.decode(text).unwrap_or_default(),
        _ => text.as_bytes().to_vec(),
    };
    let Some(head) = head(before, &answer) else { return broken() };
    head.map(|()| Stream::whole(body))
}

/// The head that a function's answer tells; `None` if a service would not understand it.
pub(super) fn head(before: Before, answer: &Value) -> Option<Response<()>> {
    let mut head = Response::new(());
    let status = u16::try_from(answer.get("statusCode")?.as_u64()?).ok()?;
    *head.status_mut() = StatusCode::from_u16(status).ok()?;
    let mut put = |name: &str, value: &Value| {
        let (Ok(name), Some(value)) = (name.parse::<HeaderName>(), value.as_str()) else { return };
        if let Ok(value) = HeaderValue::from_str(value) {
            head.headers_mut().append(name, value);
        }
    };
    let fields = |name: &str| answer.get(name).and_then(Value::as_object).into_iter().flatten();
    let is_version_2 = matches!(before, Before::FunctionUrl | Before::HttpApi);
    if before != Before::LoadBalancer {
        fields("headers").for_each(|(name, value)| put(name, value));
    }
    if is_version_2 {
        let cookies = answer.get("cookies").and_then(Value::as_array).into_iter().flatten();
        cookies.for_each(|cookie| put("set-cookie", cookie));
    } else {
        for (name, values) in fields("multiValueHeaders") {
            values.as_array().into_iter().flatten().for_each(|value| put(name, value));
        }
    }
    for hop in ["connection", "content-length", "transfer-encoding", "keep-alive"] {
        head.headers_mut().remove(hop);
    }
    Some(head)
}

fn all_of_each(headers: &HeaderMap) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::<_, Vec<String>>::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        all.entry(name.as_str().to_owned()).or_default().push(value);
    }
    all
}

fn last_of_each(headers: &HeaderMap) -> BTreeMap<String, String> {
    let each = all_of_each(headers).into_iter();
    each.filter_map(|(name, mut values)| Some((name, values.pop()?))).collect()
}

fn pairs(query: &str, read: impl Fn(&str) -> String) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (read(name), read(value)))
        .collect()
}

fn all(pairs: &[(String, String)]) -> Value {
    let mut all = serde_json::Map::new();
    for (name, value) in pairs {
        let values = all.entry(name.clone()).or_insert_with(|| json!([]));
        if let Some(values) = values.as_array_mut() {
            values.push(value.clone().into());
        }
    }
    if all.is_empty() { Value::Null } else { all.into() }
}

fn last(pairs: &[(String, String)]) -> Value {
    let last: serde_json::Map<_, _> =
        pairs.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    if last.is_empty() { Value::Null } else { last.into() }
}
