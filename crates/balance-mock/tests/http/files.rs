//! Resumable uploads, files and caches, and whose they are.

use std::time::Duration;

use balance_mock::{Entry, Mock, Setup};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::raw::{Answer, Ask, read_to_end};

async fn mock() -> Mock {
    Mock::start(Setup::good_keys(2)).await.unwrap()
}

/// Starts an upload and gives the path of its URL.
async fn start(mock: &Mock, length: usize) -> String {
    let answer = Ask::post("/upload/v1beta/files", &json!({ "file": { "display_name": "a.txt" } }))
        .good_key()
        .header("x-goog-upload-protocol", "resumable")
        .header("x-goog-upload-command", "start")
        .header("x-goog-upload-header-content-length", &length.to_string())
        .header("x-goog-upload-header-content-type", "text/plain")
        .to(mock)
        .await;
    assert_eq!((answer.status, &*answer.headers["x-goog-upload-status"]), (200, "active"));
    assert!(answer.body.is_empty());
    let url = answer.headers["x-goog-upload-url"].clone();
    url.strip_prefix(mock.base_url()).expect("its own host").to_owned()
}

async fn send(mock: &Mock, path: &str, command: &str, offset: usize, bytes: &[u8]) -> Answer {
    Ask::bytes(path, bytes)
        .good_key()
        .header("x-goog-upload-command", command)
        .header("x-goog-upload-offset", &offset.to_string())
        .to(mock)
        .await
}

async fn upload(mock: &Mock, content: &[u8]) -> Value {
    let path = start(mock, content.len()).await;
    send(mock, &path, "upload, finalize", 0, content).await.json()["file"].clone()
}

#[tokio::test]
async fn an_upload_in_pieces_becomes_a_file() {
    let mock = mock().await;
    let path = start(&mock, 10).await;
    let first = send(&mock, &path, "upload", 0, b"01234").await;
    assert_eq!(first.headers["x-goog-upload-status"], "active");
    let query = send(&mock, &path, "query", 0, b"").await;
    assert_eq!(query.headers["x-goog-upload-size-received"], "5");
    let wrong = send(&mock, &path, "upload", 3, b"x").await;
    assert_eq!(wrong.status, 400, "an offset that is not where it stands");
    let last = send(&mock, &path, "upload, finalize", 5, b"56789").await;
    assert_eq!(last.headers["x-goog-upload-status"], "final");
    let file = last.json()["file"].clone();
    assert_eq!(file["sizeBytes"], "10");
    assert_eq!(file["mimeType"], "text/plain");
    assert_eq!(file["displayName"], "a.txt");
    assert_eq!(file["state"], "ACTIVE");
    let digest =
        "ODRkODk4NzdmMGQ0MDQxZWZiNmJmOTFhMTZmMDI0OGYyZmQ1NzNlNmFmMDVjMTlmOTZiZWRiOWY4ODJmNzg4Mg==";
    assert_eq!(file["sha256Hash"], digest);
    let name = file["name"].as_str().unwrap();
    let read = Ask::get(&format!("/v1beta/{name}")).good_key().to(&mock).await;
    assert_eq!(read.json(), file);
    let download = Ask::get(&format!("/v1beta/{name}:download?alt=media")).good_key();
    assert_eq!(download.to(&mock).await.text(), "0123456789");
    let part = download.header("range", "bytes=2-4").to(&mock).await;
    assert_eq!((part.status, part.text().as_str()), (206, "234"));
    assert_eq!(part.headers["content-range"], "bytes 2-4/10");
}

#[tokio::test]
async fn an_upload_can_be_cancelled_and_must_keep_its_length() {
    let mock = mock().await;
    let path = start(&mock, 10).await;
    let cancelled = send(&mock, &path, "cancel", 0, b"").await;
    assert_eq!(cancelled.headers["x-goog-upload-status"], "cancelled");
    assert_eq!(send(&mock, &path, "query", 0, b"").await.status, 404);
    let path = start(&mock, 10).await;
    let short = send(&mock, &path, "upload, finalize", 0, b"short").await;
    assert_eq!(short.status, 400);
}

#[tokio::test]
async fn a_file_belongs_to_the_project_of_its_key() {
    let mock = mock().await;
    let file = upload(&mock, b"mine").await;
    let name = file["name"].as_str().unwrap();
    for ask in [
        Ask::get(&format!("/v1beta/{name}")),
        Ask::delete(&format!("/v1beta/{name}")),
        Ask::get(&format!("/v1beta/{name}:download?alt=media")),
        Ask::get("/v1beta/files/nothing"),
    ] {
        let answer = ask.key("good", 2).to(&mock).await;
        assert_eq!(answer.status, 403);
        assert!(answer.message().starts_with("You do not have permission to access the File "));
    }
    let uri = &file["uri"];
    let parts = json!([{ "fileData": { "fileUri": uri } }, { "text": "what is it?" }]);
    let body = json!({ "contents": [{ "parts": parts }] });
    let path = "/v1beta/models/gemini-2.5-flash:generateContent";
    assert_eq!(Ask::post(path, &body).key("good", 1).to(&mock).await.status, 200);
    assert_eq!(Ask::post(path, &body).key("good", 2).to(&mock).await.status, 403);
    let foreign = start(&mock, 1).await;
    let answer =
        Ask::bytes(&foreign, b"x").key("good", 2).header("x-goog-upload-command", "upload");
    assert_eq!(answer.to(&mock).await.status, 403, "nor can another project upload to it");
    let mine = Ask::get("/v1beta/files").key("good", 1).to(&mock).await.json();
    assert_eq!(mine["files"].as_array().unwrap().len(), 1);
    assert_eq!(Ask::get("/v1beta/files").key("good", 2).to(&mock).await.json(), json!({}));
    assert_eq!(Ask::delete(&format!("/v1beta/{name}")).good_key().to(&mock).await.status, 200);
    assert_eq!(Ask::get(&format!("/v1beta/{name}")).good_key().to(&mock).await.status, 403);
}

#[tokio::test]
async fn files_come_in_pages_and_expire() {
    let mock = mock().await;
    for _ in 0..3 {
        upload(&mock, b"x").await;
    }
    let first = Ask::get("/v1beta/files?pageSize=2").good_key().to(&mock).await.json();
    assert_eq!(first["files"].as_array().unwrap().len(), 2);
    let token = first["nextPageToken"].as_str().unwrap();
    let rest = Ask::get(&format!("/v1beta/files?pageSize=2&pageToken={token}")).good_key();
    let rest = rest.to(&mock).await.json();
    assert_eq!(rest["files"].as_array().unwrap().len(), 1);
    assert!(rest.get("nextPageToken").is_none());
    mock.advance(Duration::from_secs(48 * 3600));
    assert_eq!(Ask::get("/v1beta/files").good_key().to(&mock).await.json(), json!({}));
}

#[tokio::test]
async fn the_log_tells_when_each_piece_of_an_upload_came() {
    let mock = mock().await;
    let path = start(&mock, 6).await;
    mock.clear_log();
    let mut stream = TcpStream::connect(mock.address()).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: mock\r\nconnection: close\r\ncontent-length: 6\r\n\
         x-goog-upload-command: upload, finalize\r\nx-goog-upload-offset: 0\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    for (index, piece) in [b"ab", b"cd", b"ef"].into_iter().enumerate() {
        stream.write_all(piece).await.unwrap();
        let has_come = |log: &[Entry]| log.first().is_some_and(|it| it.chunks.len() > index);
        assert!(has_come(&mock.wait_for(Duration::from_secs(5), has_come).await));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (answer, _) = read_to_end(&mut stream).await;
    assert!(answer.starts_with(b"HTTP/1.1 200 OK"));
    let entry = mock.log().remove(0);
    assert_eq!(entry.chunks.iter().map(|chunk| chunk.bytes).collect::<Vec<_>>(), [2, 2, 2]);
    assert!(entry.chunks[2].at_millis - entry.chunks[0].at_millis >= 40.0, "{:?}", entry.chunks);
    assert_eq!((entry.body_bytes, entry.body.len()), (6, 0));
    let digest = "bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721";
    assert_eq!(entry.body_sha256(), digest);
}

#[tokio::test]
async fn caches_belong_to_a_project_and_end() {
    let mock = mock().await;
    let path = "/v1beta/cachedContents";
    let body = |text: String| {
        json!({
            "model": "models/gemini-2.5-flash", "ttl": "300s",
            "contents": [{ "parts": [{ "text": text }] }],
        })
    };
    let small = Ask::post(path, &body("short".into())).good_key().to(&mock).await;
    assert_eq!(small.status, 400);
    assert!(small.message().contains("total_token_count=2, min_total_token_count=1024"));
    let cache = Ask::post(path, &body("word ".repeat(1000))).good_key().to(&mock).await.json();
    assert_eq!(cache["usageMetadata"]["totalTokenCount"], 1250);
    let name = cache["name"].as_str().unwrap();
    let read = |number| Ask::get(&format!("/v1beta/{name}")).key("good", number);
    assert_eq!(read(1).to(&mock).await.json(), cache);
    assert_eq!(read(2).to(&mock).await.status, 403);
    let ask = json!({ "contents": [{ "parts": [{ "text": "x" }] }], "cachedContent": name });
    let generate = "/v1beta/models/gemini-2.5-flash:generateContent";
    assert_eq!(Ask::post(generate, &ask).key("good", 1).to(&mock).await.status, 200);
    let foreign = Ask::post(generate, &ask).key("good", 2).to(&mock).await;
    assert_eq!(foreign.message(), "CachedContent not found (or permission denied)");
    let list = Ask::get(path).good_key().to(&mock).await.json();
    assert_eq!(list["cachedContents"].as_array().unwrap().len(), 1);
    mock.advance(Duration::from_secs(300));
    assert_eq!(read(1).to(&mock).await.status, 403);
}
