//! What belongs to one key is asked of that key, whichever server is asked: without a store.

use balance_core::key::KeyId;
use balance_mock::{Limits, Setup};
use balance_testkit::scenario::Received;
use http::Method;
use serde_json::{Value, json};

use crate::fleet::{Fleet, question};

const KEYS: usize = 8;

fn json_of(reply: &Received) -> Value {
    serde_json::from_slice(&reply.body)
        .unwrap_or_else(|_| panic!("{}: {}", reply.status, String::from_utf8_lossy(&reply.body)))
}

/// The keys that the questions to the model came with.
fn keys_of(fleet: &Fleet) -> Vec<String> {
    let mut keys: Vec<_> = fleet.questions().iter().filter_map(|entry| entry.secret()).collect();
    keys.dedup();
    keys
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_used_through_its_key_by_every_server() {
    let fleet = Fleet::start(KEYS, Limits::default(), &[]).await;
    for round in 0..6 {
        fleet.mock.clear_log();
        let start = [
            ("x-goog-upload-protocol", "resumable"),
            ("x-goog-upload-command", "start"),
            ("x-goog-upload-header-content-type", "text/plain"),
            ("x-goog-upload-header-content-length", "5"),
        ];
        let body = json!({ "file": { "display_name": "greeting" } }).to_string();
        let path = "/upload/v1beta/files";
        let started = fleet.ask(round, Method::POST, path, &start, body).await;
        let link = started.headers["x-goog-upload-url"].to_str().unwrap();
        let link = &link[link.find("/upload/").unwrap()..];
        // The bytes go to another server, by the link alone.
        let finish = [("x-goog-upload-command", "upload, finalize"), ("x-goog-upload-offset", "0")];
        let made = fleet.ask(round + 1, Method::POST, link, &finish, "Hello").await;
        let file = &json_of(&made)["file"];
        let (name, uri) = (file["name"].as_str().unwrap(), file["uri"].as_str().unwrap());
        let part = json!({ "fileData": { "fileUri": uri, "mimeType": "text/plain" } });
        let body = json!({ "contents": [{ "role": "user", "parts": [part] }] });
        for place in 0..3 {
            let reply = fleet.generate(place, &body).await;
            assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
            let read = fleet.ask(place, Method::GET, &format!("/v1beta/{name}"), &[], "").await;
            assert_eq!(read.status, 200, "{name}");
        }
        assert_eq!(keys_of(&fleet).len(), 1, "one key for all three");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_is_used_and_deleted_through_its_key_by_every_server() {
    let fleet = Fleet::start(KEYS, Limits::default(), &[]).await;
    let json = [("content-type", "application/json")];
    for round in 0..6 {
        fleet.mock.clear_log();
        let text = "All work and no play makes Jack a dull boy. ".repeat(400);
        let body =
            json!({ "model": "models/gemini-2.5-flash", "contents": question(&text)["contents"] });
        let path = "/v1beta/cachedContents";
        let made = fleet.ask(round, Method::POST, path, &json, body.to_string()).await;
        let name = json_of(&made)["name"].as_str().unwrap().to_owned();
        assert!(name.starts_with("cachedContents/") && name.contains("-gb"), "{name}");
        let mut body = question("Go on.");
        body["cachedContent"] = name.clone().into();
        for place in 0..3 {
            let reply = fleet.generate(place, &body).await;
            assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
            let path = format!("/v1beta/{name}");
            let read = fleet.ask(place, Method::GET, &path, &[], "").await;
            assert_eq!(json_of(&read)["name"], name.as_str());
        }
        assert_eq!(keys_of(&fleet).len(), 1, "one key for all three");
        let sent = fleet.questions();
        assert!(sent.iter().all(|entry| !String::from_utf8_lossy(&entry.body).contains("-gb")));
        let path = format!("/v1beta/{name}");
        assert_eq!(fleet.ask(round + 2, Method::DELETE, &path, &[], "").await.status, 200);
        assert_eq!(fleet.ask(round, Method::GET, &path, &[], "").await.status, 403, "it is gone");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_of_twenty_turns_stays_on_its_key_while_that_has_room() {
    let fleet = Fleet::start(KEYS, Limits::default(), &[]).await;
    let mut contents = Vec::new();
    for turn in 0..20 {
        let text = format!("This is turn {turn} of our talk.");
        contents.push(json!({ "role": "user", "parts": [{ "text": text }] }));
        let reply = fleet.generate(turn, &json!({ "contents": contents })).await;
        contents.push(json_of(&reply)["candidates"][0]["content"].clone());
    }
    assert_eq!(keys_of(&fleet).len(), 1);
    // Others go elsewhere.
    for number in 0..40 {
        fleet.generate(number, &question(&format!("Another talk, number {number}."))).await;
    }
    let mut keys = keys_of(&fleet);
    keys.sort_unstable();
    keys.dedup();
    assert!(keys.len() >= KEYS / 2, "{}", keys.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_used_up_is_waited_for_and_no_other_is_asked_for_its_file() {
    let limits = Limits { rpm: Some(1), ..Limits::default() };
    let settings = [("DEFAULT_RPM", "1"), ("QUEUE_SECONDS", "0")];
    let fleet = Fleet::start(KEYS, limits, &settings).await;
    let key = key_id(1);
    let uri = format!("{}/v1beta/files/gb{key}-000000000001", fleet.mock.base_url());
    let part = json!({ "fileData": { "fileUri": uri, "mimeType": "text/plain" } });
    let body = json!({ "contents": [{ "role": "user", "parts": [part] }] });
    // Nobody made this file, so Google says so; what counts is which key it is looked for with.
    assert_eq!(fleet.generate(0, &body).await.status, 403);
    let again = fleet.generate(0, &body).await;
    assert_eq!(again.status, 429, "{}", String::from_utf8_lossy(&again.body));
    let after: u64 = again.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((50..=61).contains(&after), "{after}");
    assert!(String::from_utf8_lossy(&again.body).contains("with one key only"));
    assert_eq!(fleet.generate(0, &question("Hi")).await.status, 200, "others are served");
    let sent = fleet.questions();
    let of_file =
        sent.iter().filter(|entry| String::from_utf8_lossy(&entry.body).contains("fileUri"));
    let keys: Vec<_> = of_file.filter_map(|entry| entry.secret()).collect();
    assert_eq!(keys, [Setup::secret("good", 1)]);
}

/// The name that our files have for a key.
fn key_id(number: usize) -> KeyId {
    KeyId::of(&Setup::secret("good", number))
}
