//! The list of models, in pages.

use balance_mock::{Mock, Setup};

use crate::raw::Ask;

#[tokio::test]
async fn pages_give_every_model_once_and_the_last_has_no_token() {
    let mock = Mock::start(Setup::default()).await.unwrap();
    let list = |query: String| Ask::get(&format!("/v1beta/models{query}")).good_key();
    let all = list(String::new()).to(&mock).await.json();
    assert!(all.get("nextPageToken").is_none(), "50 hold them all");
    let all: Vec<_> = all["models"].as_array().unwrap().clone();
    assert!(all.len() > 20);
    for size in [1, 7, all.len() - 1, all.len(), all.len() + 1, 5000] {
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let page = list(format!("?pageSize={size}&pageToken={token}")).to(&mock).await.json();
            let models = page["models"].as_array().unwrap();
            assert!(models.len() <= size);
            seen.extend(models.iter().cloned());
            match page.get("nextPageToken") {
                Some(next) => token = next.as_str().unwrap().to_owned(),
                None => break,
            }
        }
        assert_eq!(seen, all, "pages of {size}");
    }
    assert_eq!(list("?pageToken=zz".into()).to(&mock).await.status, 400);
    assert_eq!(list("?pageSize=-1".into()).to(&mock).await.status, 400);
}

#[tokio::test]
async fn one_model_is_told_by_name() {
    let mock = Mock::start(Setup::default()).await.unwrap();
    let model = Ask::get("/v1beta/models/gemini-embedding-001").good_key().to(&mock).await.json();
    assert_eq!(model["name"], "models/gemini-embedding-001");
    assert_eq!(model["supportedGenerationMethods"][0], "embedContent");
    let missing = Ask::get("/v1beta/models/gemini-9").good_key().to(&mock).await;
    assert_eq!(
        (missing.status, missing.json()["error"]["status"].as_str()),
        (404, Some("NOT_FOUND"))
    );
    let dead = Ask::get("/v1beta/models").key("dead", 1).to(&mock).await;
    assert_eq!(dead.status, 403);
}
