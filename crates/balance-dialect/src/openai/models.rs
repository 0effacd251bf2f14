//! `GET /v1/models`.
//!
//! Invariant: an id is what chats and embeddings take as `model`.

use serde::Serialize;

/// The list of models.
#[derive(Debug, Serialize)]
pub struct ModelList {
    /// Always `list`.
    pub object: &'static str,
    /// The models.
    pub data: Vec<Model>,
}

/// A model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Model {
    /// The name.
    pub id: String,
    /// Always `model`.
    pub object: &'static str,
    /// When it was made, in seconds since 1970; 0, since Google does not say.
    pub created: u64,
    /// Always `google`.
    pub owned_by: &'static str,
    /// The name for people; not OpenAI's field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The most tokens of a prompt; not OpenAI's field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_length: Option<u64>,
    /// The most tokens of an answer; not OpenAI's field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u64>,
}
