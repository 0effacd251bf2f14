//! `POST /v1/embeddings`.
//!
//! Invariant: an input of tokens is told from one of text, so that it can be refused by name.

use std::fmt;

use serde::de::{Error, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::number::Integer;
use super::union::StringOrArray;
use crate::json::Text;

/// The body of a request.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct EmbeddingsRequest<'a> {
    /// The model that the client asks for.
    pub model: Text<'a>,
    /// What to embed.
    pub input: StringOrArray<'a, Input<'a>>,
    /// `float` or `base64`.
    pub encoding_format: Option<Text<'a>>,
    /// How many numbers an embedding has.
    pub dimensions: Option<Integer>,
    /// What the embedding is for, such as `RETRIEVAL_QUERY`; not OpenAI's field.
    pub task_type: Option<Text<'a>>,
    /// The title of a document that is to be found; not OpenAI's field.
    pub title: Option<Text<'a>>,
}

/// One of several things to embed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input<'a> {
    /// A text.
    Text(Text<'a>),
    /// Tokens of one of OpenAI's encodings, or one of them.
    Tokens,
}

impl<'de: 'a, 'a> Deserialize<'de> for Input<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(InputVisitor)
    }
}

struct InputVisitor;

impl<'de> Visitor<'de> for InputVisitor {
    type Value = Input<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Input<'de>, E> {
        Ok(Input::Text(text.into()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Input<'de>, E> {
        Ok(Input::Text(text.to_owned().into()))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Input<'de>, E> {
        Ok(Input::Tokens)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut tokens: A) -> Result<Input<'de>, A::Error> {
        while tokens.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Input::Tokens)
    }
}

/// The answer.
#[derive(Debug, Serialize)]
pub struct EmbeddingsResponse<'a> {
    /// Always `list`.
    pub object: &'static str,
    /// The embeddings, in the order of the input.
    pub data: Vec<Embedding<'a>>,
    /// The model as the client asked for it.
    pub model: &'a str,
    /// The tokens used.
    pub usage: Usage,
}

/// An embedding.
#[derive(Debug, Serialize)]
pub struct Embedding<'a> {
    /// Always `embedding`.
    pub object: &'static str,
    /// The place of its input.
    pub index: usize,
    /// The numbers.
    pub embedding: Vector<'a>,
}

/// The numbers of an embedding.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Vector<'a> {
    /// As JSON.
    Float(&'a [f32]),
    /// As base64 of their bytes, little end first.
    Base64(String),
}

/// The tokens used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Those of the input.
    pub prompt_tokens: u64,
    /// The same.
    pub total_tokens: u64,
}
