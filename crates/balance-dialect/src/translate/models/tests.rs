use serde_json::{Value, json};

use crate::preset::Naming;
use crate::translate::{self, Malformed};

fn page(names: &[&str], token: Option<&str>) -> Vec<u8> {
    let models: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
    json!({ "models": models, "nextPageToken": token }).to_string().into_bytes()
}

#[test]
fn pages_make_one_list() {
    let call = translate::models(&Naming::default());
    assert_eq!(call.requests[0].path, "/v1beta/models?pageSize=1000");
    assert_eq!(call.requests[0].body, None);
    let (mut translator, mut out) = (call.translator, Vec::new());
    translator.whole(&page(&["models/a"], Some("x/+=")), &mut out).unwrap();
    assert!(out.is_empty());
    let next = translator.next_page().unwrap();
    assert_eq!(next.path, "/v1beta/models?pageSize=1000&pageToken=x%2F%2B%3D");
    translator.whole(&page(&["models/b", "c"], None), &mut out).unwrap();
    assert_eq!(translator.next_page(), None);
    let list: Value = serde_json::from_slice(&out).unwrap();
    let ids: Vec<&Value> = list["data"].as_array().unwrap().iter().map(|m| &m["id"]).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    assert_eq!(list["object"], "list");
}

#[test]
fn names_with_suffixes_are_listed_and_hidden_models_are_not() {
    let search = ["gemini-2.5-flash"].into_iter().collect();
    let hidden = ["gemini-1*"].into_iter().collect();
    let naming = Naming { search, hidden, ..Naming::default() };
    let (mut translator, mut out) = (translate::models(&naming).translator, Vec::new());
    let flash =
        json!({ "name": "models/gemini-2.5-flash", "displayName": "Flash", "inputTokenLimit": 9 });
    let old = json!({ "name": "models/gemini-1.5-pro" });
    let page = json!({ "models": [flash, old] }).to_string();
    translator.whole(page.as_bytes(), &mut out).unwrap();
    let list: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
    assert_eq!(list["data"][1]["id"], "gemini-2.5-flash-search");
    assert_eq!(list["data"][1]["display_name"], "Flash (search)");
    assert_eq!(list["data"][1]["context_length"], 9);

    let mut call = translate::model(&naming, "models/gemini-2.5-flash-search").unwrap();
    assert_eq!(call.requests[0].path, "/v1beta/models/gemini-2.5-flash");
    let mut out = Vec::new();
    call.translator.whole(flash.to_string().as_bytes(), &mut out).unwrap();
    let model: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(model["id"], "gemini-2.5-flash-search");
    assert_eq!(translate::model(&naming, "gemini-1.5-pro").unwrap_err().code, "model_not_found");
}

#[test]
fn a_model_tells_its_limits() {
    let mut call = translate::model(&Naming::default(), "models/gemini-2.5-flash").unwrap();
    assert_eq!(call.requests[0].path, "/v1beta/models/gemini-2.5-flash");
    let body = json!({ "name": "models/gemini-2.5-flash", "displayName": "Flash",
        "inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536, "version": "1" });
    let mut out = Vec::new();
    call.translator.whole(body.to_string().as_bytes(), &mut out).unwrap();
    let model: Value = serde_json::from_slice(&out).unwrap();
    let expected = json!({ "id": "gemini-2.5-flash", "object": "model", "created": 0,
        "owned_by": "google", "display_name": "Flash", "context_length": 1_048_576,
        "max_output_tokens": 65_536 });
    assert_eq!(model, expected);
}

#[test]
fn a_name_that_could_change_the_path_is_refused() {
    assert_eq!(
        translate::model(&Naming::default(), "../x").unwrap_err().param.as_deref(),
        Some("model")
    );
}

#[test]
fn what_is_no_page_is_malformed() {
    let mut out = Vec::new();
    let error =
        translate::models(&Naming::default()).translator.whole(b"<html>", &mut out).unwrap_err();
    assert!(matches!(error, Malformed::Unreadable { .. }));
    assert!(out.is_empty());
}
