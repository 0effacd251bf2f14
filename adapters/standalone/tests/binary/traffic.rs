//! Requests through the program to the fake Gemini: what comes back, and what the log says.

use std::io::Read;

use balance_mock::{Ending, Entry, ErrorName, Mock, Rule, Setup};

use crate::process::{SOON, Server, folder};

const TOKEN: (&str, &str) = ("Authorization", "Bearer secret-token");

async fn start(more: &[(&str, &str)]) -> (Mock, Server) {
    let mock = Mock::start(Setup::good_keys(2)).await.unwrap();
    let keys = format!("{},{}", Setup::secret("good", 1), Setup::secret("good", 2));
    let url = mock.base_url();
    let own = [("API_KEYS", keys.as_str()), ("BASE_URL", url), ("ACCESS_TOKENS", "secret-token")];
    let server = Server::start(&folder(), &[&own, more].concat());
    (mock, server)
}

fn chat(stream: bool) -> String {
    format!(
        r#"{{"model":"gemini-2.5-flash","stream":{stream},"messages":[{{"role":"user","content":"A-private-question"}}]}}"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn chats_are_answered_whole_and_streamed() {
    let (_mock, server) = start(&[]).await;
    let answer = server.ask("POST /v1/chat/completions", &[TOKEN], &chat(false));
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("chat.completion"));
    let answer = server.ask("POST /v1/chat/completions", &[TOKEN], &chat(true));
    assert!(answer.contains("chat.completion.chunk") && answer.contains("data: [DONE]"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_leaves_a_line_with_its_tries_and_a_stream_another_at_its_end() {
    let (mock, server) = start(&[("STRATEGY", "round-robin"), ("LOG_FORMAT", "json")]).await;
    mock.script(Rule::error(ErrorName::QuotaDay).on_key("good-1"));
    for _ in 0..2 {
        let answer = server.ask("POST /v1/chat/completions?x=y", &[TOKEN], &chat(true));
        assert!(answer.contains("data: [DONE]"), "{answer}");
    }
    let path = "POST /v1beta/models/gemini-2.5-flash:generateContent";
    let answer = server.ask(path, &[TOKEN], r#"{"contents":[{"parts":[{"text":"Hello"}]}]}"#);
    assert!(answer.contains("finishReason"), "{answer}");
    let output = server.stop();
    let lines: Vec<serde_json::Value> =
        output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let tells = |message: &str| lines.iter().filter(|line| line["message"] == message).count();
    assert_eq!((tells("request"), tells("stream ended")), (3, 2), "{output}");
    let whole = lines.iter().filter(|line| line["total_tokens"].as_u64() > Some(0));
    assert_eq!(whole.filter(|line| line["ending"] == "finished").count(), 3, "{output}");
    let request = lines.iter().find(|line| line["message"] == "request").unwrap();
    assert_eq!((&request["method"], &request["status"]), (&"POST".into(), &200.into()));
    assert!(
        lines
            .iter()
            .all(|line| line["message"] != "request" || line["model"] == "gemini-2.5-flash")
    );
    assert!(output.contains("AIzaSyM......0000001 ") && output.contains("AIzaSyM......0000002 ok"));
    let ended = lines.iter().find(|line| line["message"] == "stream ended").unwrap();
    assert_eq!(ended["ending"], "finished");
    // Two streams end in any order.
    let is_begun =
        |line: &&serde_json::Value| line["message"] == "request" && line["id"] == ended["id"];
    assert_eq!(lines.iter().filter(is_begun).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_private_is_logged_at_any_level() {
    let (mock, server) = start(&[("LOG_LEVEL", "trace")]).await;
    mock.next(Rule::error(ErrorName::Suspended));
    mock.next(Rule { cut: Some(100), ..Rule::default() });
    for stream in [false, true, true] {
        server.ask("POST /v1/chat/completions?key=secret-key", &[TOKEN], &chat(stream));
    }
    let output = server.stop();
    let keys = [Setup::secret("good", 1), Setup::secret("good", 2)];
    for private in ["secret-token", "secret-key", "A-private-question", &keys[0], &keys[1]] {
        assert!(!output.contains(private), "{private}: {output}");
    }
    assert!(output.contains("request"), "{output}");
}

/// Waits until the fake has seen its caller go.
async fn wait_until_gone(mock: &Mock) {
    let gone = |log: &[Entry]| log.iter().any(|entry| matches!(entry.ending, Ending::Gone { .. }));
    assert!(gone(&mock.wait_for(SOON, gone).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_hangs_up_during_a_stream_cancels_upstream() {
    let (mock, server) = start(&[]).await;
    mock.script(Rule { pace_ms: Some(300), ..Rule::default() });
    let mut stream = server.open("POST /v1/chat/completions", &[TOKEN], &chat(true));
    stream.read_exact(&mut [0; 15]).unwrap();
    drop(stream);
    wait_until_gone(&mock).await;
    let output = server.stop();
    assert!(output.contains("the caller left"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_hangs_up_before_the_reply_cancels_upstream() {
    let (mock, server) = start(&[]).await;
    mock.script(Rule { delay_ms: Some(60_000), ..Rule::default() });
    let stream = server.open("POST /v1/chat/completions", &[TOKEN], &chat(false));
    mock.wait_for(SOON, |log| !log.is_empty()).await;
    drop(stream);
    wait_until_gone(&mock).await;
    let output = server.stop();
    assert!(output.contains("the caller left before the reply"), "{output}");
}

#[test]
fn a_head_that_is_too_large_is_refused() {
    let server = Server::start(&folder(), &[]);
    let answer = server.ask("GET /health", &[("x-bomb", &"x".repeat(100_000))], "");
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let many: Vec<_> = (0..200).map(|_| ("x-bomb", "x")).collect();
    assert!(server.ask("GET /health", &many, "").starts_with("HTTP/1.1 431 "));
}
