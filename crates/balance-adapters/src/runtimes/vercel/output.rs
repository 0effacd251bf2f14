//! What `vercel build` makes of the checkout.
//!
//! Invariant: it is one function, to which every path leads as it was sent, and nothing of the checkout beside
//! it.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{BUILD, built};
use crate::runtime::Proof;

pub(crate) const ALL: &[Proof] = &[
    Proof {
        runtime: BUILD.name,
        name: "no file of the repository is deployed",
        run: || Box::pin(async { holds_one_function() }),
    },
    Proof {
        runtime: BUILD.name,
        name: "every path leads to the function as it was sent",
        run: || Box::pin(async { leads_to_the_function() }),
    },
];

/// The function's path, which is that of its source.
const FUNCTION: &str = "/adapters/vercel/src/main.rs";

/// The program that would be deployed.
pub(super) fn program() -> Result<PathBuf, String> {
    let config = function()?;
    let path = config.pointer("/filePathMap/executable").and_then(Value::as_str);
    let path = path.ok_or_else(|| format!("the function has no program: {config}"))?;
    Ok(built().join(path))
}

/// Nothing is served but what the function answers, and it takes nothing along but its program.
fn holds_one_function() -> Result<(), String> {
    let config = format!("functions{FUNCTION}.func/.vc-config.json");
    let files = files(&output())?;
    // Vercel reads these, and serves none.
    let is_expected = |file: &String| {
        *file == config
            || ["config.json", "builds.json"].contains(&&**file)
            || file.starts_with("diagnostics/")
    };
    if let Some(file) = files.iter().find(|file| !is_expected(file)) {
        return Err(format!("{file} is in what would be deployed"));
    }
    let function = function()?;
    let taken = function.get("filePathMap").and_then(Value::as_object);
    if taken.is_none_or(|files| files.len() != 1) {
        return Err(format!("the function takes more along than its program: {function}"));
    }
    if function.get("supportsResponseStreaming") != Some(&json!(true)) {
        return Err(format!("the function does not stream: {function}"));
    }
    Ok(())
}

/// The first route is for every path, and changes none: what is asked for stays what the function is told.
fn leads_to_the_function() -> Result<(), String> {
    let config = read(&output().join("config.json"))?;
    let first = config.pointer("/routes/0");
    if first == Some(&json!({ "src": "^/(.*)$", "dest": FUNCTION })) {
        return Ok(());
    }
    Err(format!("the first route is {first:?}"))
}

fn output() -> PathBuf {
    built().join(".vercel/output")
}

/// What Vercel is told of the function.
fn function() -> Result<Value, String> {
    read(&output().join(format!("functions{FUNCTION}.func/.vc-config.json")))
}

fn read(path: &Path) -> Result<Value, String> {
    let text = fs::read(path).map_err(|error| failed(path, &error))?;
    serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// All files in a folder, by their paths in it.
fn files(folder: &Path) -> Result<BTreeSet<String>, String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(&inner).map_err(|error| failed(&inner, &error))?.flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else {
                let path = path.strip_prefix(folder).unwrap_or(&path);
                found.insert(path.to_string_lossy().into_owned());
            }
        }
    }
    Ok(found)
}

fn failed(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}
