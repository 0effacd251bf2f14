//! Recorded cases, served byte for byte. They live in a folder named `shared` beside a checkout;
//! where there is none, the tests say so and use a case of their own.

use std::path::{Path, PathBuf};

use balance_mock::cases::{Case, load};
use balance_mock::{Mock, Rule, Setup};
use serde_json::json;

use crate::raw::{Answer, Ask};

/// The folder of recorded cases, if the checkout has a sibling that holds them.
fn shared() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = here.ancestors().map(|above| above.join("shared/cases")).find(|path| path.is_dir());
    if found.is_none() {
        eprintln!("no shared/cases beside this checkout: recorded cases are not replayed");
    }
    found
}

fn ask(case: &Case) -> Ask {
    let path = case.request.path.replace(['<', '>'], "");
    match case.request.method.as_str() {
        "GET" => Ask::get(&path),
        "DELETE" => Ask::delete(&path),
        _ => Ask::post(&path, &case.request.body),
    }
}

fn same(case: &Case, answer: &Answer) {
    assert_eq!(answer.status, case.response.status, "{}", case.id);
    assert_eq!(answer.body, case.response.bytes(), "{}", case.id);
    if let Some(kind) = case.response.headers.get("content-type") {
        assert_eq!(answer.headers.get("content-type"), Some(kind), "{}", case.id);
    }
}

#[tokio::test]
async fn every_case_is_served_as_it_was_recorded() {
    let Some(folder) = shared() else { return };
    let mock = Mock::start(Setup::good_keys(1)).await.unwrap();
    let cases = load(&folder).unwrap();
    assert_eq!(mock.load_cases(&folder).unwrap(), cases.len());
    for case in &cases {
        mock.next(Rule::case(&case.id));
        same(case, &ask(case).to(&mock).await);
    }
    eprintln!("{} recorded cases served", cases.len());
}

#[tokio::test]
async fn cases_are_the_same_in_chunks_of_seven() {
    let Some(folder) = shared() else { return };
    let mock = Mock::start(Setup::good_keys(1)).await.unwrap();
    mock.load_cases(&folder).unwrap();
    let core = std::fs::read_to_string(folder.with_file_name("cases-core.txt")).unwrap();
    let small = |case: &std::sync::Arc<Case>| case.response.bytes().len() < 20_000;
    let cases = core.lines().filter_map(|id| mock.case(id.trim_end_matches(".json"))).filter(small);
    let mut count = 0;
    for case in cases {
        mock.next(Rule { chunk: Some(7), ..Rule::case(&case.id) });
        same(&case, &ask(&case).to(&mock).await);
        count += 1;
    }
    assert!(count > 20, "{count} cases");
}

#[tokio::test]
async fn a_case_of_ones_own_is_served_too() {
    let folder = std::env::temp_dir().join(format!("balance-mock-cases-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let case = json!({
        "id": "mine", "kind": "streamGenerateContent",
        "request": { "method": "POST", "path": "/v1beta/models/m:streamGenerateContent" },
        "response": {
            "status": 200, "headers": { "content-type": "text/event-stream", "content-length": "3" },
            "sse": "data: {\"a\": 1}\r\n\r\ndata: {}\n\n{\"error\": {}}\n",
        },
    });
    std::fs::write(folder.join("mine.json"), case.to_string()).unwrap();
    let mock = Mock::start(Setup { cases: Some(folder.clone()), ..Setup::empty() }).await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    mock.next(Rule::case("mine"));
    let answer = Ask::stream("x").to(&mock).await;
    assert_eq!(answer.text(), "data: {\"a\": 1}\r\n\r\ndata: {}\n\n{\"error\": {}}\n");
    assert_eq!(answer.chunks.len(), 3, "an event is a chunk");
}
