//! The named errors against recorded and reported ones. The recorded cases live in a folder named
//! `shared` beside a checkout; where there is none, the rows below them still hold.

use std::path::{Path, PathBuf};

use super::*;
use crate::cases::Case;
use crate::reply::{Form, Reply};

fn shared() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = here.ancestors().map(|above| above.join("shared/cases")).find(|path| path.is_dir());
    if found.is_none() {
        eprintln!("no shared/cases beside this checkout: error bodies are not compared");
    }
    found
}

fn place(project: u64, name: &'static str, method: &'static str) -> Place<'static> {
    Place { key: "AIzaSyTESTKEY", project, name, method }
}

#[test]
fn named_errors_equal_the_recorded_bodies() {
    let Some(folder) = shared() else { return };
    let flash = place(0, "gemini-2.5-flash", "generateContent");
    let stream = place(123_456_789_012, "gemini-2.5-flash", "streamGenerateContent");
    let image = place(0, "gemini-2.5-flash-preview-image", "generateContent");
    let typo = place(0, "gemini-3.6-flahs", "generateContent");
    let off = place(12_345_678, "", "generateContent");
    for (id, error, place) in [
        ("rig--auth-rejection-keeps-transport-shape--00", ErrorName::KeyInvalid, flash),
        (
            "rig--list-models-rejected-key-reports-api-error-with-context--00",
            ErrorName::KeyInvalid,
            flash,
        ),
        ("reported-in-issues--403-leaked--00", ErrorName::Leaked, flash),
        ("reported-in-issues--403-service-blocked--00", ErrorName::ServiceBlocked, stream),
        ("reported-in-issues--429-bare-check-quota--00", ErrorName::QuotaBare, flash),
        ("reported-in-issues--429-free-per-day--00", ErrorName::QuotaDay, flash),
        ("reported-in-issues--429-help-only-no-retryinfo--00", ErrorName::QuotaHelpOnly, flash),
        (
            "reported-in-issues--429-three-violations-minute-and-day-limit0--00",
            ErrorName::QuotaZero,
            image,
        ),
        ("reported-in-issues--503-high-demand--00", ErrorName::HighDemand, flash),
        ("pydantic-ai--test-model-name-suggestion-google--00", ErrorName::ModelNotFound, typo),
        (
            "ruby_llm--exai-gemini-2-5-flash-handles-context-length-exceeded-errors--01",
            ErrorName::TooManyTokens,
            flash,
        ),
        (
            "vertexai-sdk-test---unary-failure-generativelanguage-api-not-enabled--00",
            ErrorName::ServiceDisabled,
            off,
        ),
    ] {
        let text = std::fs::read(folder.join(format!("{id}.json"))).unwrap();
        let case: Case = serde_json::from_slice(&text).unwrap();
        let recorded: Value = serde_json::from_slice(&case.response.bytes()).unwrap();
        assert_eq!(error.at(&place).to_json(), recorded, "{id}");
        assert_eq!(error.at(&place).status, case.response.status, "{id}");
    }
}

#[test]
fn an_error_of_an_array_stream_is_wrapped_as_reported() {
    let Some(folder) = shared() else { return };
    let text =
        std::fs::read(folder.join("reported-in-issues--400-array-wrapped--00.json")).unwrap();
    let case: Case = serde_json::from_slice(&text).unwrap();
    let error = ErrorName::InvalidArgument.at(&Place::default());
    let [body] = &Reply::error(&error, Form::Array).pieces[..] else { panic!("one piece") };
    assert_eq!(
        serde_json::from_slice::<Value>(body).unwrap(),
        serde_json::from_slice::<Value>(&case.response.bytes()).unwrap()
    );
}

#[test]
fn a_true_day_quota_has_the_shape_of_the_reported_one() {
    let Some(folder) = shared() else { return };
    let text = std::fs::read(folder.join("reported-in-issues--429-free-per-day--00.json")).unwrap();
    let case: Case = serde_json::from_slice(&text).unwrap();
    let recorded: Value = serde_json::from_slice(&case.response.bytes()).unwrap();
    let mut google = crate::google::Google::default();
    let limits = crate::google::Limits { rpd: Some(20), ..Default::default() };
    let project = google.put_project(crate::google::Project { limits, ..Default::default() });
    // 28.877 s into a minute, so that 31.123 s of it are left.
    let now = crate::google::Timestamp::from_millis(1_790_000_008_877);
    let mut admit =
        || google.admit(project, crate::google::Metric::Generate, "gemini-2.5-flash", 1, now);
    assert!((0..20).all(|_| admit().is_ok()));
    let body = admit().unwrap_err().to_json().to_string();
    assert_eq!(body.replace("31.123s", "31.123456789s"), recorded.to_string());
}

#[test]
fn every_error_renders_in_full() {
    let place = place(42, "gemini-2.5-flash", "generateContent");
    for name in ErrorName::ALL {
        let error = name.at(&place);
        assert!((400..600).contains(&error.status), "{}", name.word());
        assert!(!error.message.contains('{'), "{}: {}", name.word(), error.message);
        assert_eq!(ErrorName::find(name.word()), Some(*name));
        let body = String::from_utf8(error.to_body()).unwrap();
        assert_eq!(body.starts_with("<!DOCTYPE html>"), error.is_html(), "{}", name.word());
        if !error.is_html() {
            let json: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(json["error"]["code"], error.status);
        }
    }
    let suspended = ErrorName::Suspended.at(&place);
    assert!(suspended.message.contains("'api_key:AIzaSyTESTKEY'"), "{}", suspended.message);
    assert_eq!(suspended.details[0]["metadata"]["consumer"], "projects/42");
    let blocked = ErrorName::IpBlocked.at(&place);
    assert_eq!(
        blocked.details[0]["metadata"]["methodName"],
        "google.ai.generativelanguage.v1beta.GenerativeService.GenerateContent"
    );
}
