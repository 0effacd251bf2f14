//! Examples in `fixtures/translate`: what a request becomes, and what its answer becomes.
//!
//! A folder is named after its endpoint and what it shows. `request.json` becomes `gemini.json`;
//! `upstream.json` or `upstream.sse` becomes `reply.json` or `reply.sse`. With `UPDATE=1` in the
//! environment the files that are made are written instead of compared: look at the difference.

use std::fs;
use std::path::{Path, PathBuf};

use balance_dialect::translate;
use serde_json::{Value, json};

use super::call;

/// The examples, each by its folder.
pub(crate) fn examples() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/translate");
    let mut examples: Vec<PathBuf> =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    examples.sort();
    examples
}

/// The endpoint in the name of an example.
pub(crate) fn endpoint(example: &Path) -> &str {
    example.file_name().unwrap().to_str().unwrap().split('-').next().unwrap()
}

#[test]
fn every_example_is_translated_as_written() {
    let examples = examples();
    assert!(examples.len() >= 20, "only {} examples", examples.len());
    for example in examples {
        let body = fs::read(example.join("request.json")).unwrap();
        let mut call = call(endpoint(&example), &body).unwrap();
        check(&example.join("gemini.json"), &sent(&call));
        let mut out = Vec::new();
        if call.stream {
            let upstream = fs::read(example.join("upstream.sse")).unwrap();
            // What an example that breaks off ends with, its reply shows.
            let _ = call.translator.push(&upstream, &mut out);
            call.translator.finish(&mut out);
            check(&example.join("reply.sse"), &String::from_utf8(out).unwrap());
        } else {
            let upstream = fs::read(example.join("upstream.json")).unwrap();
            call.translator.whole(&upstream, &mut out).unwrap();
            let reply: Value = serde_json::from_slice(&out).unwrap();
            check(&example.join("reply.json"), &pretty(&reply));
        }
    }
}

/// The path and the body that are sent, as one file.
fn sent(call: &translate::Call) -> String {
    let [request] = &call.requests[..] else { panic!("examples make one request") };
    let body: Value = serde_json::from_slice(request.body.as_ref().unwrap()).unwrap();
    pretty(&json!({ "path": request.path, "body": body }))
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}

#[track_caller]
fn check(path: &Path, made: &str) {
    if std::env::var_os("UPDATE").is_some_and(|update| update == "1") {
        fs::write(path, made).unwrap();
        return;
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert!(written == made, "{} differs; made:\n{made}", path.display());
}
