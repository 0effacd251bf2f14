//! True quotas over HTTP.

use std::time::Duration;

use balance_mock::{Limits, Mock, Setup};

use crate::raw::Ask;

async fn with(limits: Limits) -> Mock {
    let setup = Setup::empty()
        .project("shared", limits)
        .key("good", 1, "shared", None)
        .key("good", 2, "shared", None)
        .key("good", 3, "another", None);
    Mock::start(setup).await.unwrap()
}

#[tokio::test]
async fn keys_of_a_project_share_its_minute() {
    let mock = with(Limits { rpm: Some(2), ..Limits::default() }).await;
    assert_eq!(Ask::generate("1").to(&mock).await.status, 200);
    assert_eq!(Ask::stream("2").to(&mock).await.status, 200);
    let refused = Ask::generate("3").to(&mock).await;
    assert_eq!(refused.status, 429);
    assert!(!refused.headers.contains_key("retry-after"), "Google sends none");
    let details = refused.json()["error"]["details"].clone();
    assert_eq!(details[1]["violations"][0]["quotaValue"], "2");
    assert!(details[2]["retryDelay"].as_str().unwrap().ends_with('s'));
    let body = serde_json::json!({ "contents": [{ "parts": [{ "text": "4" }] }] });
    let path = "/v1beta/models/gemini-2.5-flash:generateContent";
    assert_eq!(Ask::post(path, &body).key("good", 2).to(&mock).await.status, 429);
    assert_eq!(Ask::post(path, &body).key("good", 3).to(&mock).await.status, 200);
    mock.advance(Duration::from_secs(60));
    assert_eq!(Ask::generate("5").to(&mock).await.status, 200);
}

#[tokio::test]
async fn tokens_of_the_prompt_are_counted_and_counting_them_is_free() {
    let mock = with(Limits { tpm: Some(10), ..Limits::default() }).await;
    let body = serde_json::json!({ "contents": [{ "parts": [{ "text": "12345678" }] }] });
    let count = "/v1beta/models/gemini-2.5-flash:countTokens";
    for _ in 0..20 {
        assert_eq!(Ask::post(count, &body).good_key().to(&mock).await.json()["totalTokens"], 2);
    }
    let statuses = [
        Ask::generate("12345678901234567890").to(&mock).await.status,
        Ask::generate("12345678901234567890").to(&mock).await.status,
        Ask::generate("1").to(&mock).await.status,
    ];
    assert_eq!(statuses, [200, 200, 429]);
}

#[tokio::test]
async fn the_ready_made_limited_key_allows_two_requests_a_minute() {
    let mock = Mock::start(Setup::default()).await.unwrap();
    let path = "/v1beta/models/gemini-2.5-flash:generateContent";
    let body = serde_json::json!({ "contents": [{ "parts": [{ "text": "hi" }] }] });
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(Ask::post(path, &body).key("limited", 1).to(&mock).await.status);
    }
    assert_eq!(statuses, [200, 200, 429]);
    mock.reset();
    assert_eq!(Ask::post(path, &body).key("limited", 1).to(&mock).await.status, 200);
}
