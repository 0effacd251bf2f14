//! Request lines and headers that are wrong, or that two readers could read in two ways.

use balance_testkit::scenario::TOKEN;

use crate::rig::{Rig, request};

/// Paths that are refused with 400.
const PATHS: &[&str] = &[
    "//v1beta/models",
    "/v1beta//models",
    "/v1beta/../v1beta/models",
    "/v1beta/./models",
    "/v1beta/models/..",
    "/v1beta/%2e%2e/models",
    "/v1beta/.%2e/models",
    "/v1beta/models/a%2fb:generateContent",
    "/v1beta/models/a%2Fb:generateContent",
    "/v1beta/models/a%5cb:generateContent",
    "/v1beta/models/a%0d%0ahost:%20b:generateContent",
    "/v1beta/models/a%0a:generateContent",
    "/v1beta/models/a%00:generateContent",
    "/v1beta/models/a%:generateContent",
    "/v1beta/models/a%4:generateContent",
    "/v1beta/models/a%gg:generateContent",
    "/v1beta/models/a%ff%fe:generateContent",
    "/v1beta/models/%c0%ae%c0%ae:generateContent",
    "/v1//chat/completions",
    "/v1/chat/../chat/completions",
    "/v1/chat%2fcompletions/x",
];

#[tokio::test]
async fn path_tricks_are_refused() {
    let rig = Rig::start().await;
    for path in PATHS {
        let answer = rig.answer(request(&format!("POST {path}"), "", "{}").as_bytes()).await;
        assert_eq!(answer.status, 400, "{path}: {answer:?}");
        assert!(answer.json()["error"]["message"].is_string(), "{path}: {answer:?}");
    }
    rig.is_unharmed().await;
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let rig = Rig::start().await;
    let rows: &[&[u8]] = &[
        b"\r\n\r\nGARBAGE\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /health\r\n\r\n",
        b"GET /health HTTP/9.9\r\nhost: a\r\n\r\n",
        b"G\x00T /health HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /he alth HTTP/1.1\r\nhost: a\r\n\r\n",
        b"POST /v1beta/models/a\r\nx: y:generateContent HTTP/1.1\r\nhost: a\r\n\r\n",
        b"POST /v1beta/models/a\nb:generateContent HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /health HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /health HTTP/1.1\r\nhost : a\r\n\r\n",
        b"GET /health HTTP/1.1\r\n: a\r\n\r\n",
        b"GET /health HTTP/1.1\r\nx: a\x00b\r\n\r\n",
        b"GET /health HTTP/1.1\r\nx: a\rb\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a hello of TLS \r\n\r\n",
    ];
    for row in rows {
        let text = String::from_utf8_lossy(row);
        let answers = rig.answers(row).await;
        let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        assert!(matches!(statuses[..], [400..=499]), "{text:?}: {statuses:?}");
    }
    rig.is_unharmed().await;
}

#[tokio::test]
async fn header_bombs_are_refused() {
    let rig = Rig::start().await;
    let rows = [
        ("one large header", format!("x-bomb: {}\r\n", "x".repeat(70_000))),
        ("many headers", "x-bomb: x\r\n".repeat(5_000)),
        ("many names", (0..2_000).map(|n| format!("x-{n}: x\r\n")).collect()),
        ("a large credential", format!("x-goog-api-key: {}\r\n", "k,".repeat(40_000))),
    ];
    for (name, headers) in rows {
        let answer = rig.answer(request("GET /v1beta/models", &headers, "").as_bytes()).await;
        assert!(matches!(answer.status, 400..=499), "{name}: {answer:?}");
    }
    let path = format!("GET /v1beta/models?{}", "a=b&".repeat(20_000));
    let answer = rig.answer(request(&path, "", "").as_bytes()).await;
    assert!(matches!(answer.status, 400..=499), "a long query: {}", answer.head);
    rig.is_unharmed().await;
}

#[tokio::test]
async fn headers_of_odd_characters_are_not_believed() {
    let rig = Rig::start().await;
    for header in [
        "authorization: Bearer \u{fc}\u{1f30d}",
        "x-goog-api-key: \u{e9}",
        "authorization: Bearer",
        "authorization: \t",
    ] {
        let text = format!(
            "GET /v1beta/models HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{header}\r\n\r\n"
        );
        let answer = rig.answer(text.as_bytes()).await;
        assert_eq!(answer.status, 401, "{header}: {answer:?}");
    }
    rig.is_unharmed().await;
}

#[tokio::test]
async fn a_server_named_in_the_request_line_is_not_asked() {
    let rig = Rig::start().await;
    let tunnel = rig
        .answer(
            b"CONNECT evil.test:443 HTTP/1.1\r\nhost: evil.test:443\r\nconnection: close\r\n\r\n",
        )
        .await;
    assert!(matches!(tunnel.status, 400..=499), "{tunnel:?}");
    let token = format!("authorization: Bearer {TOKEN}");
    let proxied = format!(
        "GET http://evil.test/nothing HTTP/1.1\r\nhost: evil.test\r\nconnection: close\r\n{token}\r\n\r\n"
    );
    assert_eq!(rig.answer(proxied.as_bytes()).await.status, 404);
    rig.is_unharmed().await;
    let passed = proxied.replace("/nothing", "/v1beta/models");
    assert_eq!(rig.answer(passed.as_bytes()).await.status, 200);
    assert_eq!(rig.mock.log().len(), 1, "the fake was asked, where BASE_URL points");
}

#[tokio::test]
async fn odd_methods_are_refused() {
    let rig = Rig::start().await;
    for (line, status) in [
        ("BREW /v1/chat/completions", 405),
        ("TRACE /", 405),
        ("GET /v1/chat/completions", 405),
        ("POST /health", 405),
        ("POST *", 400),
    ] {
        let answer = rig.answer(request(line, "", "").as_bytes()).await;
        assert!(
            answer.status == status || line == "POST *" && answer.status == 404,
            "{line}: {answer:?}"
        );
    }
    rig.is_unharmed().await;
}
