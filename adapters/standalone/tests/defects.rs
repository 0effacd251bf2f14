//! Mistakes that gateways of this kind make, each as a test of the opposite.
//!
//! Most of them are scenarios (`scenarios/`); here are those that need many requests, many keys,
//! raw bytes, or a look at the program's log.

#![cfg(test)]

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    time::Duration,
};

use balance_core::{host::Clock, time::Timestamp};
use balance_mock::{Mock, Rule, Setup, Shape, Strangers};
use balance_testkit::{
    answer::Answer,
    client::{self, Manner},
    fake_host::FakeHost,
    in_process::Stage,
    scenario::{Asked, Names, Received, Span, TOKEN, Usual, key},
    sent::Sent,
    server::Server,
};
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

fn names() -> Names {
    Names { door: "http://door.test".into(), upstream: "http://upstream.test".into() }
}

/// A gateway over these keys whose upstream answers by this function.
fn stage(
    keys: &str,
    strategy: &str,
    script: impl FnMut(usize, &Sent) -> Answer + 'static,
) -> Stage {
    let settings = [
        ("API_KEYS", keys),
        ("ACCESS_TOKENS", TOKEN),
        ("STRATEGY", strategy),
        ("BASE_URL", "http://upstream.test"),
    ];
    let settings: BTreeMap<_, _> = settings.map(|(name, value)| (name.into(), value.into())).into();
    Stage::on(FakeHost::answering(script), &settings).unwrap()
}

fn says(text: &str) -> Value {
    let content = json!({ "parts": [{ "text": text }], "role": "model" });
    json!({ "candidates": [{ "content": content, "finishReason": "STOP", "index": 0 }] })
}

fn generate(stage: &Stage) -> Received {
    let asked = Asked { ask: Some(Usual::Generate), ..Asked::default() };
    let request = asked.request(&names(), &Received::default()).unwrap();
    stage.ask(request, &asked).unwrap()
}

/// A question that nobody asked before: a conversation of its own, which has no key to stay on.
fn generate_another(stage: &Stage, number: usize) -> Received {
    let body = json!({ "contents": [{ "parts": [{ "text": format!("What is {number}?") }] }] });
    let asked = Asked { ask: Some(Usual::Generate), body: Some(body), ..Asked::default() };
    let request = asked.request(&names(), &Received::default()).unwrap();
    stage.ask(request, &asked).unwrap()
}

/// How often each key was asked.
fn shares(stage: &Stage) -> HashMap<String, usize> {
    let mut shares = HashMap::new();
    for sent in stage.host.sent() {
        *shares.entry(sent.credentials().remove(0)).or_default() += 1;
    }
    shares
}

fn many_keys(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("AIzaSyMany_{number:0>28}")).collect()
}

#[test]
fn every_strategy_gives_every_key_its_share() {
    let keys = [key('a'), key('b'), key('c')];
    for strategy in ["balanced", "round-robin", "least-used", "random", "weighted"] {
        let stage = stage(&keys.join(","), strategy, |_, _| Answer::json(200, &says("Hi")));
        for number in 0..300 {
            assert_eq!(generate_another(&stage, number).status, 200);
        }
        let shares = shares(&stage);
        for key in &keys {
            let share = shares.get(key).copied().unwrap_or_default();
            assert!((60..=140).contains(&share), "{strategy}: {share} of 300");
        }
    }
}

#[test]
fn a_pool_of_thousands_of_keys_is_walked_through() {
    let keys = many_keys(8000);
    let dead = keys[..7990].to_vec();
    let error = json!({ "error": { "code": 400, "message": "API key not valid. Please pass a valid API key.", "status": "INVALID_ARGUMENT" } });
    let stage = stage(&keys.join(","), "round-robin", move |_, sent| {
        let key = sent.credentials().remove(0);
        if dead.contains(&key) { Answer::json(400, &error) } else { Answer::json(200, &says("Hi")) }
    });
    // Each request finds thirty dead keys at most; none of them is asked again.
    let replies: Vec<_> = (0..266).map(|_| generate(&stage).status).collect();
    assert!(replies.iter().all(|status| *status == 503), "the tries of one request are bounded");
    assert_eq!(shares(&stage).values().max(), Some(&1));
    assert!((0..20).all(|_| generate(&stage).status == 200), "the living keys are left, and serve");
}

#[test]
fn failures_that_are_no_keys_fault_never_take_a_key_out() {
    let faults = [
        (500, "INTERNAL", "Internal error encountered."),
        (503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
        (400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
        (404, "NOT_FOUND", "models/x is not found for API version v1beta."),
        (429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
        (400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
    ];
    for (code, word, message) in faults {
        let error = json!({ "error": { "code": code, "message": message, "status": word } });
        let stage = stage(&key('a'), "balanced", move |_, _| Answer::json(code, &error));
        for _ in 0..20 {
            assert_eq!(generate(&stage).status, code, "{message}");
            stage.host.time().advance(Duration::from_secs(70));
        }
        assert_eq!(stage.host.sent().len(), 20, "the key is asked each time: {message}");
    }
}

#[test]
fn a_key_that_rested_is_asked_again_at_its_time_and_success_clears_it() {
    let quota = json!({ "error": { "code": 429, "message": "Please retry in 30s.", "status": "RESOURCE_EXHAUSTED", "details": [
        { "@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{ "quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier" }] },
        { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "30s" },
    ] } });
    let stage = stage(&key('a'), "balanced", move |number, _| {
        if number % 2 == 0 { Answer::json(429, &quota) } else { Answer::json(200, &says("Hi")) }
    });
    for _ in 0..10 {
        assert_eq!(generate(&stage).status, 429);
        stage.host.time().advance(Duration::from_secs(30));
        assert_eq!(generate(&stage).status, 200);
    }
}

#[test]
fn a_retry_after_is_never_too_early() {
    let start = FakeHost::scripted([]).now();
    for delay in ["0.000000001s", "12.944s", "48.939935699s", "59s"] {
        let quota = json!({ "error": { "code": 429, "message": "Quota.", "status": "RESOURCE_EXHAUSTED", "details": [
            { "@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{ "quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier" }] },
            { "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay },
        ] } });
        let stage = stage(&key('a'), "balanced", move |number, _| {
            if number == 0 { Answer::json(429, &quota) } else { Answer::json(200, &says("Hi")) }
        });
        let wait = generate(&stage).headers["retry-after"].to_str().unwrap().parse().unwrap();
        stage.host.time().advance(Duration::from_secs(wait));
        assert_eq!(generate(&stage).status, 200, "{delay}: {wait} s");
        let late = stage.host.now().since(start).as_secs_f64()
            - delay.trim_end_matches('s').parse::<f64>().unwrap();
        assert!(late < 1.0, "{delay}: {wait} s is {late} s more than Google asked for");
    }
}

#[test]
fn the_bytes_of_an_upload_pass_as_they_come_whatever_they_are() {
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let stage = stage(&key('a'), "balanced", |_, _| Answer::json(200, &json!({ "file": {} })));
    let mut request =
        Request::post("/upload/v1beta/files?upload_id=u").body(Bytes::from(bytes.clone())).unwrap();
    let headers = request.headers_mut();
    headers.insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
    headers.insert("x-goog-upload-command", "upload, finalize".parse().unwrap());
    headers.insert("content-type", "application/octet-stream".parse().unwrap());
    let in_pieces = Asked { cut: Some(1000), ..Asked::default() };
    assert_eq!(stage.ask(request, &in_pieces).unwrap().status, 200);
    let sent = stage.host.sent().remove(0);
    assert_eq!(sent.body, bytes);
    assert_eq!(sent.frames, 100, "it was not gathered first");
    assert_eq!(sent.headers["content-type"], "application/octet-stream");
}

#[test]
fn an_answer_of_any_bytes_passes_as_it_is() {
    let bytes: Vec<u8> = (0..=255).rev().cycle().take(50_000).collect();
    let body = bytes.clone();
    let stage = stage(&key('a'), "balanced", move |_, _| {
        Answer::frames(200, [body.clone().into()]).header("content-type", "video/mp4").cut(777)
    });
    let mut request =
        Request::get("/download/v1beta/files/f:download?alt=media").body(Bytes::new()).unwrap();
    request.headers_mut().insert("x-goog-api-key", TOKEN.parse().unwrap());
    let reply = stage.ask(request, &Asked::default()).unwrap();
    assert!(reply.body == bytes && reply.headers["content-type"] == "video/mp4");
}

#[test]
fn no_key_stands_in_an_address_that_is_asked() {
    let stage = stage(&key('a'), "balanced", |_, _| Answer::json(200, &says("Hi")));
    for usual in [Usual::Chat, Usual::ChatStream, Usual::Generate, Usual::Stream, Usual::Array] {
        let asked = Asked { ask: Some(usual), ..Asked::default() };
        let request = asked.request(&names(), &Received::default()).unwrap();
        stage.ask(request, &asked).unwrap();
    }
    let sent = stage.host.sent();
    assert!(sent.len() >= 5);
    for sent in sent {
        assert_eq!(sent.uri.host(), Some("upstream.test"), "only BASE_URL is asked");
        assert!(!sent.uri.to_string().contains(&key('a')) && !sent.path().contains("key="));
    }
}

#[test]
fn the_deadline_bounds_all_tries_together() {
    let keys = many_keys(20).join(",");
    let stage = stage(&keys, "balanced", |_, _| Answer::sse([]).after(Duration::from_secs(10_000)));
    let asked = Asked { ask: Some(Usual::Stream), ..Asked::default() };
    let request = asked.request(&names(), &Received::default()).unwrap();
    let reply = stage.ask(request, &asked).unwrap();
    assert_eq!(reply.status, 504);
    assert!(reply.took <= Duration::from_secs(300), "{:?}", reply.took);
    let first: Timestamp = stage.host.sent()[0].at;
    assert!(stage.host.now().since(first) <= Duration::from_secs(300));
    let patient = Span(Duration::from_secs(45));
    assert!(reply.took >= patient.0, "one try alone takes the time-out of the first byte");
}

/// What a person asks and what a model answers is nobody else's business.
#[tokio::test]
async fn questions_and_answers_do_not_stand_in_the_log() {
    let setup = Setup { strangers: Strangers::Admit, ..Setup::empty() };
    let mock = Mock::start(setup).await.unwrap();
    let answer = Shape { text: Some("a-private-answer".into()), ..Shape::default() };
    mock.script(Rule::answer(answer));
    let settings = [
        ("BASE_URL", mock.base_url().to_owned()),
        ("API_KEYS", key('a')),
        ("ACCESS_TOKENS", TOKEN.to_owned()),
        ("LOG_LEVEL", "trace".to_owned()),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value)).into();
    let server = Server::start(Path::new(env!("CARGO_BIN_EXE_gemini-balance")), &settings).unwrap();
    let question = json!([{ "role": "user", "content": "a-private-question" }]);
    for stream in [false, true] {
        let body = json!({ "model": "gemini-2.5-flash", "stream": stream, "messages": question });
        let asked = Asked { ask: Some(Usual::Chat), body: Some(body), ..Asked::default() };
        let request = asked.request(&names(), &Received::default()).unwrap();
        let reply = client::ask(server.address(), request, Manner::default()).await.unwrap();
        assert_eq!(reply.said(), "a-private-answer");
    }
    let written = server.stop();
    assert!(written.contains("gemini-2.5-flash"), "there is a log: {written}");
    assert!(!written.contains("a-private"), "{written}");
}

#[tokio::test]
async fn there_is_no_password_that_everybody_knows() {
    let settings: BTreeMap<_, _> = [("API_KEYS".to_owned(), key('a'))].into();
    let program = Path::new(env!("CARGO_BIN_EXE_gemini-balance"));
    let starts = [(); 2].map(|()| Server::start(program, &settings).unwrap());
    let asked = |token: &str| Asked {
        path: Some("/v1beta/models".into()),
        headers: [("authorization".to_owned(), format!("Bearer {token}"))].into(),
        ..Asked::default()
    };
    for known in ["sk-123456", "123456", "123", "admin", "password", "your-token", "sk-"] {
        let request = asked(known).request(&names(), &Received::default()).unwrap();
        let reply = client::ask(starts[0].address(), request, Manner::default()).await.unwrap();
        assert_eq!(reply.status, 401, "{known}");
    }
    let tokens = starts.map(|server| {
        let written = server.stop();
        let token =
            written.lines().find_map(|line| line.trim().strip_prefix("gb-").map(str::to_owned));
        token.unwrap_or_else(|| panic!("no token is made: {written}"))
    });
    assert_ne!(tokens[0], tokens[1], "every start makes its own");
    assert!(tokens[0].len() >= 32);
}
