//! `batchEmbedContents`.
//!
//! Invariant: the answer has one embedding for each request, in their order.

use serde::{Deserialize, Serialize};

use super::generate::answer::UsageMetadata;
use super::generate::request::Content;

/// The body of a request.
#[derive(Debug, Serialize)]
pub struct BatchEmbedContentsRequest<'a> {
    /// One for each content; Gemini takes a hundred at most.
    pub requests: Vec<EmbedContentRequest<'a>>,
}

/// One content to embed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EmbedContentRequest<'a> {
    /// The model, as `models/…`; the same as in the path.
    pub model: &'a str,
    /// What to embed.
    pub content: Content<'a>,
    /// How many numbers an embedding has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_dimensionality: Option<i64>,
    /// What the embedding is for, such as `RETRIEVAL_QUERY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_type: Option<&'a str>,
    /// The title of a document that is to be found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<&'a str>,
}

/// The answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct BatchEmbedContentsResponse<'a> {
    /// One for each request, in their order.
    #[serde(default)]
    pub embeddings: Vec<ContentEmbedding>,
    /// The tokens used; most models do not say.
    pub usage_metadata: Option<UsageMetadata<'a>>,
}

/// An embedding.
#[derive(Debug, Deserialize)]
pub struct ContentEmbedding {
    /// The numbers.
    #[serde(default)]
    pub values: Vec<f32>,
}
