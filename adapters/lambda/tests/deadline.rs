//! The end that the platform puts to an invocation: the caller is told before, and no key is left
//! behind.

#![cfg(test)]

use std::{
    process::Command,
    time::{Duration, Instant},
};

use balance_mock::{Mock, Rule, Setup};
use balance_testkit::{
    client::{Manner, ask},
    lambda_api::{Before, Function, LambdaApi},
    scenario::Received,
    server::Server,
};
use bytes::Bytes;
use http::Request;

/// The time of each invocation.
const TIME: Duration = Duration::from_secs(3);

const CHAT: &str = r#"{"model":"gemini-2.5-flash","messages":[{"role":"user","content":"Hi"}]}"#;
const STREAM: &str =
    r#"{"model":"gemini-2.5-flash","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;

struct Stage {
    mock: Mock,
    api: LambdaApi,
    _function: Server,
}

impl Stage {
    async fn with_one_key(streams: bool) -> Self {
        let mock = Mock::start(Setup::good_keys(1)).await.unwrap();
        let before = Before::FunctionUrl;
        let api = LambdaApi::start(Function { before, streams, time: TIME }).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_bootstrap"));
        command.env_clear().envs(api.environment()).env("BASE_URL", mock.base_url());
        command.env("API_KEYS", Setup::secret("good", 1)).env("ACCESS_TOKENS", "token");
        command.env("LAMBDA_STREAM", streams.to_string());
        let _function = Server::attend(command).unwrap();
        Self { mock, api, _function }
    }

    async fn post(&self, body: &'static str) -> Received {
        let request = Request::post("/v1/chat/completions").header("authorization", "Bearer token");
        let request = request.header("content-type", "application/json");
        let request = request.body(Bytes::from_static(body.as_bytes())).unwrap();
        ask(self.api.address(), request, Manner::default()).await.unwrap()
    }

    /// The only key is not counted as busy any more.
    async fn goes_on(&self) {
        self.mock.clear_script();
        let answer = self.post(CHAT).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_has_not_begun_becomes_a_504_in_the_callers_dialect() {
    for streams in [true, false] {
        let stage = Stage::with_one_key(streams).await;
        stage.mock.next(Rule { delay_ms: Some(60_000), ..Rule::default() });
        let start = Instant::now();
        let answer = stage.post(CHAT).await;
        assert!(start.elapsed() < TIME, "the platform was faster");
        assert_eq!(answer.status, 504, "{}", answer.text());
        assert_eq!(answer.json()["error"]["code"], "timeout", "{}", answer.text());
        stage.goes_on().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_has_begun_ends_with_an_error_event() {
    for streams in [true, false] {
        let stage = Stage::with_one_key(streams).await;
        stage.mock.next(Rule { silence: Some(600), ..Rule::default() });
        let start = Instant::now();
        let answer = stage.post(STREAM).await;
        assert!(start.elapsed() < TIME, "the platform was faster");
        assert_eq!((answer.status, answer.is_done()), (200, false), "{}", answer.text());
        let last = answer.events().pop().unwrap();
        let message = last["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains("the platform"), "{message}");
        stage.goes_on().await;
    }
}
