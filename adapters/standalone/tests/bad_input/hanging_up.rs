//! Callers that leave before they have their answer, or before they have asked.

use std::time::Duration;

use balance_mock::{Ending, Rule};
use balance_testkit::scenario::TOKEN;
use tokio::{io::AsyncReadExt, time::sleep};

use crate::rig::{Rig, request};

const GENERATE: &str = "POST /v1beta/models/gemini-2.5-flash:generateContent";
const STREAM: &str = "POST /v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse";
const HELLO: &str = r#"{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}"#;
const CHAT: &str =
    r#"{"model":"gemini-2.5-flash","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;

/// Upstream would wait this long if nobody told it.
const LONG: u64 = 60_000;
/// It is told much sooner.
const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_caller_that_leaves_before_the_answer_cancels_upstream() {
    let rig = Rig::start().await;
    for (line, body) in [(GENERATE, HELLO), (STREAM, HELLO), ("POST /v1/chat/completions", CHAT)] {
        rig.mock.clear_log();
        rig.mock.next(Rule { delay_ms: Some(LONG), ..Rule::default() });
        let stream = rig.open(request(line, "", body).as_bytes()).await;
        assert_eq!(rig.mock.wait_for(SOON, |log| log.len() == 1).await.len(), 1);
        drop(stream);
        let log = rig.mock.wait_for(SOON, |log| log[0].ending != Ending::Open).await;
        assert_eq!(log[0].ending, Ending::Gone { at: 0 }, "{line}");
    }
    rig.serves_on().await;
}

#[tokio::test]
async fn a_caller_that_leaves_during_a_stream_cancels_upstream() {
    let rig = Rig::start().await;
    for (line, body) in [(STREAM, HELLO), ("POST /v1/chat/completions", CHAT)] {
        rig.mock.clear_log();
        rig.mock.next(Rule { pace_ms: Some(LONG), ..Rule::default() });
        let mut stream = rig.open(request(line, "", body).as_bytes()).await;
        let mut read = Vec::new();
        while !String::from_utf8_lossy(&read).contains("data: ") {
            assert!(stream.read_buf(&mut read).await.unwrap() > 0);
        }
        drop(stream);
        let log = rig.mock.wait_for(SOON, |log| log[0].ending != Ending::Open).await;
        assert!(
            matches!(log[0].ending, Ending::Gone { at } if at > 0),
            "{line}: {:?}",
            log[0].ending
        );
    }
    rig.serves_on().await;
}

#[tokio::test]
async fn a_caller_that_leaves_within_its_question_asks_nothing() {
    let rig = Rig::start().await;
    let whole = request(GENERATE, "", HELLO);
    for length in [4, 40, 120, whole.len() - 40, whole.len() - 1] {
        drop(rig.open(&whole.as_bytes()[..length]).await);
    }
    sleep(Duration::from_millis(300)).await;
    rig.is_unharmed().await;
}

#[tokio::test]
async fn a_caller_that_leaves_within_an_upload_breaks_it_off_upstream() {
    let rig = Rig::start().await;
    let head = format!(
        "POST /upload/v1beta/files?upload_id=u HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {TOKEN}\r\n\
         x-goog-upload-command: upload, finalize\r\ncontent-length: 100000\r\n\r\n"
    );
    let stream = rig.open((head + &"x".repeat(5000)).as_bytes()).await;
    let log = rig.mock.wait_for(SOON, |log| log.len() == 1 && log[0].body_bytes > 0).await;
    assert_eq!(log.len(), 1, "an upload is passed on as it arrives");
    drop(stream);
    let log = rig.mock.wait_for(SOON, |log| log[0].ending != Ending::Open).await;
    assert!(matches!(log[0].ending, Ending::Gone { .. }), "{:?}", log[0].ending);
    rig.serves_on().await;
}
