//! The list of models.
//!
//! Invariant: a page that names a following one is not the last.

use serde::Deserialize;

use crate::json::Text;

/// A page of the list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ListModelsResponse<'a> {
    /// The models.
    #[serde(default)]
    pub models: Vec<Model<'a>>,
    /// What to ask for the next page with.
    pub next_page_token: Option<Text<'a>>,
}

/// A model.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Model<'a> {
    /// The name, as `models/…`.
    pub name: Text<'a>,
    /// The name for people.
    pub display_name: Option<Text<'a>>,
    /// The most tokens of a prompt.
    pub input_token_limit: Option<u64>,
    /// The most tokens of an answer.
    pub output_token_limit: Option<u64>,
}
