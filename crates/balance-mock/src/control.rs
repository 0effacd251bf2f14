//! The control API under `/_mock`: script, log, keys, projects, clock. Invariant: it is never
//! logged, never scripted, and a refused command says why and changes nothing.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::credential::query_value;
use crate::google::{ErrorName, Key, Project};
use crate::log::{View, lock};
use crate::rule::Rule;
use crate::state::State;

/// What `GET /_mock` says.
pub(crate) const HELP: &str = include_str!("control.txt");

/// Carries out a command.
pub(crate) async fn serve(state: &State, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    match command(state, &head.method, &head.uri, &body) {
        Ok(text) => answer(StatusCode::OK, text),
        Err(refusal) => {
            answer(StatusCode::BAD_REQUEST, json!({ "refused": refusal }).to_string() + "\n")
        }
    }
}

fn answer(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let is_json = text.starts_with(['{', '[']);
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let kind = if is_json { "application/json" } else { "text/plain; charset=utf-8" };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn command(state: &State, method: &Method, uri: &Uri, body: &[u8]) -> Result<String, String> {
    let path = uri.path().trim_end_matches('/');
    let known = if method == Method::GET { report(state, path, uri) } else { None };
    match known {
        Some(text) => Ok(text),
        None => change(state, method, path, body).map(|()| "{\"done\":true}\n".to_owned()),
    }
}

/// What can be read.
fn report(state: &State, path: &str, uri: &Uri) -> Option<String> {
    Some(match path {
        "/_mock" => help(),
        "/_mock/script" => lines(&lock(&state.script).rules()),
        "/_mock/log" => log(state, uri),
        "/_mock/state" => lines(&lock(&state.google).levels(state.now())),
        "/_mock/cases" => {
            let mut ids: Vec<_> = lock(&state.cases).keys().cloned().collect();
            ids.sort();
            ids.join("\n") + "\n"
        }
        _ => return None,
    })
}

/// What can be changed.
fn change(state: &State, method: &Method, path: &str, body: &[u8]) -> Result<(), String> {
    match (method.as_str(), path) {
        ("POST", "/_mock/script") => push(state, body, None)?,
        ("POST", "/_mock/next") => push(state, body, Some(1))?,
        ("DELETE", "/_mock/script") => lock(&state.script).clear(),
        ("DELETE", "/_mock/log") => state.log.clear(),
        ("POST", "/_mock/reset") => reset(state),
        ("POST", "/_mock/keys") => {
            for key in one_or_many::<Key>(body)? {
                lock(&state.google).put_key(key);
            }
        }
        ("POST", "/_mock/projects") => {
            for project in one_or_many::<Project>(body)? {
                lock(&state.google).put_project(project);
            }
        }
        ("POST", "/_mock/clock") => state.advance(parse::<Advance>(body)?.advance_ms),
        _ => return Err(format!("no command {method} {path}; GET /_mock lists them")),
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: u64,
}

fn help() -> String {
    let words: Vec<_> = ErrorName::ALL.iter().map(|name| name.word()).collect();
    format!("{HELP}\nerrors by name: {}\n", words.join(", "))
}

/// Adds rules; those that do not say how often apply `times` times.
fn push(state: &State, body: &[u8], times: Option<u32>) -> Result<(), String> {
    let rules = one_or_many::<Rule>(body)?;
    for id in rules.iter().filter_map(|rule| rule.case.as_deref()) {
        if state.case(id).is_none() {
            return Err(format!("no case named {id:?} is loaded; GET /_mock/cases lists them"));
        }
    }
    for mut rule in rules {
        rule.times = rule.times.or(times);
        lock(&state.script).push(rule);
    }
    Ok(())
}

fn log(state: &State, uri: &Uri) -> String {
    let wants = |name| query_value(uri, name).is_some_and(|value| value == "1");
    let view = View { raw: wants("raw"), body: wants("body") };
    let entries = state.log.entries(0);
    let google = lock(&state.google);
    let shown: Vec<_> = entries.iter().map(|entry| entry.to_json(&google, view)).collect();
    drop(google);
    lines(&shown)
}

/// Forgets the script, the log and what was counted.
pub(crate) fn reset(state: &State) {
    lock(&state.script).clear();
    state.log.clear();
    lock(&state.google).forget_usage();
}

/// One object or an array of them.
fn one_or_many<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<T>, String> {
    let given = parse::<Value>(body)?;
    if let Value::Array(items) = given {
        return items.into_iter().map(from_value).collect();
    }
    Ok(vec![from_value(given)?])
}

fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| format!("the body cannot be read: {error}"))
}

fn lines<T: serde::Serialize>(items: &[T]) -> String {
    items.iter().map(|item| serde_json::to_string(item).unwrap_or_default() + "\n").collect()
}
