//! Each fault, as a client sees it.

use std::io::ErrorKind;
use std::io::Read;
use std::time::{Duration, Instant};

use balance_mock::{Ending, ErrorEvent, ErrorForm, ErrorName, Mock, Rule, Setup, Shape};
use flate2::read::GzDecoder;
use serde_json::json;
use tokio::io::AsyncReadExt;

use crate::raw::Ask;

async fn mock() -> Mock {
    Mock::start(Setup::default()).await.unwrap()
}

#[tokio::test]
async fn named_errors_and_free_ones_replace_the_answer() {
    let mock = mock().await;
    mock.next(Rule::error(ErrorName::Suspended));
    let answer = Ask::generate("x").to(&mock).await;
    assert_eq!(answer.status, 403);
    assert!(answer.message().contains(&Setup::secret("good", 1)), "Google prints the key");
    mock.next(Rule::error(ErrorName::BadGateway));
    let answer = Ask::generate("x").to(&mock).await;
    assert_eq!(
        (answer.status, &*answer.headers["content-type"]),
        (502, "text/html; charset=UTF-8")
    );
    let headers = [("x-a".to_owned(), "b".to_owned())].into();
    mock.next(Rule { headers, ..Rule::status(418, json!("short and stout")) });
    let answer = Ask::generate("x").to(&mock).await;
    assert_eq!((answer.status, answer.text().as_str()), (418, "short and stout"));
    assert_eq!(answer.headers["x-a"], "b");
    assert_eq!(Ask::generate("x").to(&mock).await.status, 200, "all were for one request");
}

#[tokio::test]
async fn rules_of_a_key_leave_other_keys_alone() {
    let mock = mock().await;
    mock.script(Rule::error(ErrorName::QuotaDay).on_key("good-2").on_model("gemini-2.5-flash"));
    let body = json!({ "contents": [{ "parts": [{ "text": "x" }] }] });
    let path = "/v1beta/models/gemini-2.5-flash:generateContent";
    assert_eq!(Ask::generate("x").to(&mock).await.status, 200);
    assert_eq!(Ask::post(path, &body).key("good", 2).to(&mock).await.status, 429);
    let other = Ask::post(&path.replace("2.5", "3.5"), &body).key("good", 2).to(&mock).await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn a_delay_comes_before_the_head_and_a_pace_between_events() {
    let mock = mock().await;
    mock.next(Rule { delay_ms: Some(60), ..Rule::default() });
    let start = Instant::now();
    Ask::generate("x").to(&mock).await;
    assert!(start.elapsed() >= Duration::from_millis(60));
    mock.next(Rule {
        pace_ms: Some(20),
        ..Rule::answer(Shape { events: Some(6), ..Shape::default() })
    });
    let start = Instant::now();
    assert_eq!(Ask::stream("x").to(&mock).await.events().len(), 6);
    let time = start.elapsed();
    assert!((100..3000).contains(&time.as_millis()), "five gaps of 20 ms took {time:?}");
}

#[tokio::test]
async fn a_cut_ends_the_connection_after_so_many_bytes() {
    let mock = mock().await;
    let whole = Ask::generate("x").to(&mock).await;
    for cut in [0, 1, 100] {
        mock.next(Rule { cut: Some(cut), ..Rule::default() });
        let answer = Ask::generate("x").to(&mock).await;
        assert_eq!(answer.body, whole.body[..usize::try_from(cut).unwrap()]);
        assert!(!answer.complete && answer.error.is_none(), "{answer:?}");
        mock.next(Rule { cut: Some(cut), ..Rule::default() });
        let stream = Ask::stream("x").to(&mock).await;
        assert_eq!((stream.body.len() as u64, stream.complete), (cut, false));
    }
    let endings: Vec<_> = mock.log().iter().map(|entry| (entry.sent, entry.ending)).collect();
    assert_eq!(endings[5], (100, Ending::Cut));
}

#[tokio::test]
async fn a_reset_comes_before_the_head_or_where_the_cut_is() {
    let mock = mock().await;
    mock.next(Rule { reset: true, ..Rule::default() });
    let mut stream = Ask::generate("x").sent(&mock).await;
    let error = stream.read(&mut [0; 10]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    mock.next(Rule { reset: true, cut: Some(50), ..Rule::default() });
    let answer = Ask::stream("x").to(&mock).await;
    assert_eq!(answer.body.len(), 50);
    assert_eq!(answer.error, Some(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn chunks_change_the_pieces_and_not_the_bytes() {
    let mock = mock().await;
    let whole = Ask::stream("x").to(&mock).await;
    for size in [1, 7, 64] {
        mock.next(Rule { chunk: Some(size), ..Rule::default() });
        let answer = Ask::stream("x").to(&mock).await;
        assert!(answer.chunks.iter().all(|chunk| *chunk <= size));
        assert_eq!(answer.body.len(), whole.body.len());
        assert!(answer.complete);
    }
}

#[tokio::test]
async fn silence_keeps_the_connection_open() {
    let mock = mock().await;
    for silence in [0, 30] {
        mock.next(Rule { silence: Some(silence), ..Rule::default() });
        let mut stream = Ask::stream("x").sent(&mock).await;
        let mut arrived = Vec::new();
        let reading = stream.read_to_end(&mut arrived);
        assert!(tokio::time::timeout(Duration::from_millis(250), reading).await.is_err());
        let text = String::from_utf8(arrived).unwrap();
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "the head is there: {text}");
        assert_eq!(text.contains("data: "), silence > 0, "{text}");
    }
}

#[tokio::test]
async fn an_event_can_be_malformed() {
    let mock = mock().await;
    mock.next(Rule { malformed_event: Some(1), ..Rule::default() });
    let text = Ask::stream("x").to(&mock).await.text();
    let events: Vec<_> = text.split("\r\n\r\n").filter(|event| !event.is_empty()).collect();
    assert_eq!(events.len(), 3);
    let is_json = |event: &&str| {
        serde_json::from_str::<serde_json::Value>(event.strip_prefix("data: ").unwrap()).is_ok()
    };
    assert_eq!(events.iter().map(is_json).collect::<Vec<_>>(), [true, false, true]);
}

#[tokio::test]
async fn an_error_can_stand_in_a_stream_as_an_event_or_raw() {
    let mock = mock().await;
    let event = |after, form| ErrorEvent { after, error: ErrorName::Overloaded, form };
    let rule = |after, form| Rule { error_event: Some(event(after, form)), ..Rule::default() };
    for after in [0, 2] {
        mock.next(rule(after, ErrorForm::Sse));
        let answer = Ask::stream("x").to(&mock).await;
        let events = answer.events();
        assert_eq!((answer.status, events.len(), answer.complete), (200, after + 1, true));
        assert_eq!(events[after]["error"]["status"], "UNAVAILABLE");
        mock.next(rule(after, ErrorForm::Raw));
        let text = Ask::stream("x").to(&mock).await.text();
        let (events, tail) = text.split_at(text.find("{\n  \"error\"").unwrap());
        assert_eq!(events.matches("data: ").count(), after);
        assert_eq!(serde_json::from_str::<serde_json::Value>(tail).unwrap()["error"]["code"], 503);
    }
    mock.next(rule(1, ErrorForm::Sse));
    let array = Ask::array("x").to(&mock).await.json();
    assert_eq!(array[1]["error"]["code"], 503);
    assert_eq!(array.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn answers_can_be_empty_and_streams_end_without_a_reason() {
    let mock = mock().await;
    mock.next(Rule::answer(Shape { empty: true, ..Shape::default() }));
    let answer = Ask::generate("x").to(&mock).await.json();
    assert_eq!(answer["candidates"][0]["content"], json!({ "role": "model" }));
    assert_eq!(answer["candidates"][0]["finishReason"], "STOP");
    mock.next(Rule::answer(Shape { no_finish: true, ..Shape::default() }));
    let stream = Ask::stream("x").to(&mock).await;
    assert!(stream.complete && !stream.text().contains("finishReason"));
}

#[tokio::test]
async fn a_content_length_can_lie() {
    let mock = mock().await;
    let whole = Ask::generate("x").to(&mock).await;
    mock.next(Rule { content_length: Some(10_000), ..Rule::default() });
    let long = Ask::generate("x").to(&mock).await;
    assert_eq!(long.headers["content-length"], "10000");
    assert!(!long.complete && long.body.len() == whole.body.len());
    mock.next(Rule { content_length: Some(10), ..Rule::default() });
    let short = Ask::generate("x").to(&mock).await;
    assert_eq!(short.headers["content-length"], "10");
    assert_eq!(short.body, whole.body[..10]);
}

#[tokio::test]
async fn bodies_can_be_compressed_and_each_event_is_readable_at_once() {
    let mock = mock().await;
    let plain = Ask::stream("x").to(&mock).await.events();
    mock.next(Rule { gzip: true, ..Rule::default() });
    let answer = Ask::stream("x").to(&mock).await;
    assert_eq!(answer.headers["content-encoding"], "gzip");
    let mut text = String::new();
    GzDecoder::new(&answer.body[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text.matches("data: ").count(), plain.len());
    let mut start = vec![0; 300];
    let first = &answer.body[..answer.chunks[0]];
    let count = GzDecoder::new(first).read(&mut start).unwrap();
    assert!(std::str::from_utf8(&start[..count]).unwrap().starts_with("data: {\"candidates\""));
}
