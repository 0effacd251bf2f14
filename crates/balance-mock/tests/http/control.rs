//! The control API.

use balance_mock::{Mock, Setup};
use serde_json::{Value, json};

use crate::raw::{Answer, Ask};

async fn mock() -> Mock {
    Mock::start(Setup::default()).await.unwrap()
}

fn lines(answer: &Answer) -> Vec<Value> {
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn rules_are_added_listed_used_and_forgotten() {
    let mock = mock().await;
    let rule = json!({ "error": "overloaded", "key": "good-1" });
    assert_eq!(Ask::post("/_mock/next", &rule).to(&mock).await.status, 200);
    let rules = json!([{ "status": 500 }, { "error": "leaked", "times": 2 }]);
    assert_eq!(Ask::post("/_mock/script", &rules).to(&mock).await.status, 200);
    let listed = lines(&Ask::get("/_mock/script").to(&mock).await);
    assert_eq!(listed[0], json!({ "key": "good-1", "times": 1, "error": "overloaded" }));
    assert_eq!(listed.len(), 3);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(Ask::generate("x").to(&mock).await.status);
    }
    assert_eq!(statuses, [503, 403, 403, 500]);
    Ask::delete("/_mock/script").to(&mock).await;
    assert_eq!(Ask::generate("x").to(&mock).await.status, 200);
}

#[tokio::test]
async fn a_wrong_command_is_refused_with_its_reason() {
    let mock = mock().await;
    for (ask, words) in [
        (Ask::bytes("/_mock/next", b"{"), "the body cannot be read"),
        (Ask::post("/_mock/next", &json!({ "eror": "x" })), "unknown field `eror`"),
        (Ask::post("/_mock/next", &json!({ "error": "nonsense" })), "no error named"),
        (Ask::post("/_mock/next", &json!({ "case": "nowhere" })), "no case named"),
        (Ask::get("/_mock/nothing"), "GET /_mock lists them"),
    ] {
        let answer = ask.to(&mock).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains(words), "{}", answer.text());
    }
    assert_eq!(mock.rules(), []);
}

#[tokio::test]
async fn the_log_hides_secrets_unless_it_is_asked_for_them() {
    let mock = mock().await;
    let secret = Setup::secret("good", 1);
    Ask::generate("hello").to(&mock).await;
    Ask::get(&format!("/v1beta/models?key={secret}")).to(&mock).await;
    let masked = Ask::get("/_mock/log").to(&mock).await;
    assert!(!masked.text().contains(&secret));
    let entries = lines(&masked);
    assert_eq!(entries[0]["credentials"], json!([{ "id": "good-1", "place": "x-goog-api-key" }]));
    assert_eq!(entries[1]["credentials"][0]["place"], "?key=");
    assert_eq!(entries[0]["ending"], "complete");
    assert_eq!(entries[0]["body_bytes"], 57);
    let raw = lines(&Ask::get("/_mock/log?raw=1&body=1").to(&mock).await);
    assert_eq!(raw[0]["credentials"][0]["secret"], secret);
    assert_eq!(raw[0]["headers"]["x-goog-api-key"], secret);
    assert!(raw[0]["body"].as_str().unwrap().contains("hello"));
    Ask::delete("/_mock/log").to(&mock).await;
    assert_eq!(Ask::get("/_mock/log").to(&mock).await.text(), "");
}

#[tokio::test]
async fn the_log_is_bounded() {
    let mock = Mock::start(Setup { log: 3, ..Setup::good_keys(1) }).await.unwrap();
    for number in 0..5 {
        Ask::generate(&number.to_string()).to(&mock).await;
    }
    let numbers: Vec<_> = mock.log().iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, [2, 3, 4]);
    assert_eq!(mock.log_since(4).len(), 1);
}

#[tokio::test]
async fn keys_projects_and_the_clock_can_be_changed() {
    let mock = mock().await;
    let project =
        json!({ "name": "p", "limits": { "rpm": 1 }, "models": { "gemini-2.5-pro": {} } });
    Ask::post("/_mock/projects", &project).to(&mock).await;
    let key = json!({ "secret": "mine", "name": "mine", "project": "p" });
    Ask::post("/_mock/keys", &key).to(&mock).await;
    let body = json!({ "contents": [{ "parts": [{ "text": "x" }] }] });
    let path = "/v1beta/models/gemini-2.5-flash:generateContent?key=mine";
    let ask = Ask::post(path, &body);
    assert_eq!(ask.to(&mock).await.status, 200);
    assert_eq!(ask.to(&mock).await.status, 429);
    assert_eq!(Ask::post(&path.replace("flash", "pro"), &body).to(&mock).await.status, 200);
    let state = lines(&Ask::get("/_mock/state").to(&mock).await);
    assert_eq!(state[0]["level"]["refused"], 1);
    Ask::post("/_mock/clock", &json!({ "advance_ms": 60_000 })).to(&mock).await;
    assert_eq!(ask.to(&mock).await.status, 200);
    let leaked = json!({ "secret": "mine", "project": "p", "state": "leaked" });
    Ask::post("/_mock/keys", &leaked).to(&mock).await;
    assert_eq!(ask.to(&mock).await.status, 403);
}

#[tokio::test]
async fn help_names_every_command_and_every_error() {
    let mock = mock().await;
    let help = Ask::get("/_mock").to(&mock).await.text();
    for word in ["/_mock/next", "/_mock/log", "/_mock/clock", "pace_ms", "quota-day", "deadline"] {
        assert!(help.contains(word), "{word}");
    }
}
