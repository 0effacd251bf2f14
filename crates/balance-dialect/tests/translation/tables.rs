//! The tables of `docs/TRANSLATION.md`, as what they promise of each field.
//!
//! Invariant: a row speaks of a field only where its first cell names it, or its parent when the
//! rest of the row names it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// One row.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The heading that it stands under.
    pub(crate) heading: String,
    /// What is named in the first cell.
    fields: BTreeSet<String>,
    /// What is named anywhere.
    pub(crate) words: BTreeSet<String>,
    /// The row as it is written.
    pub(crate) text: String,
}

/// All rows of the page.
pub(crate) fn rows() -> Vec<Row> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/TRANSLATION.md");
    let page = fs::read_to_string(page).unwrap();
    let mut heading = String::new();
    let mut rows = Vec::new();
    for line in page.lines() {
        if line.starts_with('#') {
            line.trim_start_matches('#').trim_start().clone_into(&mut heading);
        }
        let Some((field, text)) = line.strip_prefix("| ").and_then(|row| row.split_once(" | "))
        else {
            continue;
        };
        rows.push(Row {
            heading: heading.clone(),
            fields: named(field),
            words: named(line),
            text: text.trim_end_matches(" |").to_owned(),
        });
    }
    rows
}

impl Row {
    /// Whether the row says what becomes of a value that does not arrive as it was written.
    pub(crate) fn names(&self, endpoint: &str, place: &[&str], value: &Value) -> bool {
        let Some((key, parents)) = place.split_last() else { return false };
        let tells = self.words.contains(*key) || self.text.starts_with("Ignored");
        let is_of_parent = tells && parents.iter().any(|parent| self.fields.contains(*parent));
        let is_word = value.as_str().is_some_and(|word| self.words.contains(word));
        let is_kind =
            *key == "type" && value.as_str().is_some_and(|kind| self.fields.contains(kind));
        let is_about = self.fields.contains(*key) || is_of_parent || is_kind;
        let is_words = value.as_str().is_some_and(|words| !words.is_empty() && words != "{}");
        let excuses = is_word || !is_words || !self.text.starts_with("Mapped");
        let is_of_schema = parents.contains(&"parameters") || parents.contains(&"schema");
        self.is_of(endpoint, is_of_schema) && is_about && excuses
    }

    /// Whether the row says that fields of this name are refused, or some of their values.
    pub(crate) fn refuses(&self, endpoint: &str, name: &str) -> bool {
        self.is_of(endpoint, false) && self.text.contains("efused") && self.fields.contains(name)
    }

    fn is_of(&self, endpoint: &str, is_of_schema: bool) -> bool {
        match &*self.heading {
            "Schemas" => is_of_schema,
            _ if is_of_schema => false,
            "Embeddings" => endpoint == "embeddings",
            "Responses" => endpoint == "responses",
            "Completions of a text" => endpoint == "completions",
            _ => endpoint != "embeddings",
        }
    }
}

/// What stands in backticks.
fn named(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
