//! Lengths that contradict each other, and what stands behind a request on its connection.

use balance_testkit::scenario::TOKEN;

use crate::rig::Rig;

fn post(framing: &str, body: &str) -> String {
    format!(
        "POST /v1beta/models/gemini-2.5-flash:generateContent HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {TOKEN}\r\n\
         {framing}\r\n{body}"
    )
}

#[tokio::test]
async fn lengths_that_contradict_each_other_are_refused() {
    let rig = Rig::start().await;
    for (framing, body) in [
        ("content-length: 2\r\ncontent-length: 3\r\n", "{}x"),
        ("content-length: 2, 3\r\n", "{}x"),
        ("content-length: two\r\n", "{}"),
        ("content-length: -2\r\n", "{}"),
        ("content-length: +2\r\n", "{}"),
        ("content-length: 99999999999999999999\r\n", "{}"),
        ("transfer-encoding: chunked, gzip\r\n", "2\r\n{}\r\n0\r\n\r\n"),
        ("transfer-encoding: chunky\r\n", "2\r\n{}\r\n0\r\n\r\n"),
    ] {
        let answers = rig.answers(post(framing, body).as_bytes()).await;
        let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        assert!(matches!(statuses[..], [400]), "{framing:?}: {statuses:?}");
    }
    rig.is_unharmed().await;
}

/// RFC 9112 §6.3: the chunks count, and what stands behind them is not believed to be a request.
#[tokio::test]
async fn a_length_beside_chunks_does_not_count_and_ends_the_connection() {
    let rig = Rig::start().await;
    let hello = r#"{"contents":[{"parts":[{"text":"Hi"}]}]}"#;
    let chunks = format!("{:x}\r\n{hello}\r\n0\r\n\r\n", hello.len());
    let smuggled = "GET /health HTTP/1.1\r\nhost: a\r\n\r\n";
    for framing in [
        "content-length: 5\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 5\r\n",
    ] {
        rig.mock.clear_log();
        let answers = rig.answers(post(framing, &(chunks.clone() + smuggled)).as_bytes()).await;
        let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [200], "{framing:?}");
        let log = rig.mock.log();
        assert_eq!((log.len(), &log[0].body[..]), (1, hello.as_bytes()));
        let headers = &log[0].headers;
        assert!(
            headers.contains_key("content-length") && !headers.contains_key("transfer-encoding")
        );
    }
    rig.serves_on().await;
}

#[tokio::test]
async fn chunks_that_are_none_are_refused() {
    let rig = Rig::start().await;
    for body in
        ["zz\r\n{}\r\n0\r\n\r\n", "ffffffffffffffffff\r\n{}", "2\r\n{}XX0\r\n\r\n", "-2\r\n{}\r\n"]
    {
        let answers = rig.answers(post("transfer-encoding: chunked\r\n", body).as_bytes()).await;
        let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        assert!(matches!(statuses[..], [400]), "{body:?}: {statuses:?}");
    }
    rig.is_unharmed().await;
}

#[tokio::test]
async fn garbage_behind_a_request_is_refused_and_the_request_is_answered() {
    let rig = Rig::start().await;
    for garbage in [
        "GARBAGE\r\n\r\n",
        "\x00\x01\x02\x03\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n",
    ] {
        let text = format!("GET /health HTTP/1.1\r\nhost: a\r\n\r\n{garbage}");
        let statuses: Vec<_> =
            rig.answers(text.as_bytes()).await.iter().map(|answer| answer.status).collect();
        assert!(matches!(statuses[..], [200, 400..=499]), "{garbage:?}: {statuses:?}");
    }
    rig.is_unharmed().await;
}

#[tokio::test]
async fn requests_one_behind_the_other_are_answered_in_order() {
    let rig = Rig::start().await;
    let ask = |path: &str, close: &str| format!("GET {path} HTTP/1.1\r\nhost: a\r\n{close}\r\n");
    let text = ask("/health", "") + &ask("/nothing", "") + &ask("/", "connection: close\r\n");
    let statuses: Vec<_> =
        rig.answers(text.as_bytes()).await.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 404, 200]);
    rig.is_unharmed().await;
}
