//! How likely the tokens of an answer were.
//!
//! Invariant: a token's bytes are those of its text, so that clients can join what stands in parts.

use serde::Serialize;

/// The likelihoods of an answer, or of a chunk of it.
#[derive(Debug, Serialize)]
pub struct Logprobs<'a> {
    /// Those of the tokens of its text.
    pub content: Vec<TokenLogprob<'a>>,
    /// Always null: refusals are not told in tokens.
    pub refusal: Option<()>,
}

/// A token with its alternatives.
#[derive(Debug, Serialize)]
pub struct TokenLogprob<'a> {
    /// It.
    #[serde(flatten)]
    pub token: Logprob<'a>,
    /// The likeliest tokens at its place.
    pub top_logprobs: Vec<Logprob<'a>>,
}

/// A token and how likely it was.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Logprob<'a> {
    /// Its text.
    pub token: &'a str,
    /// The natural logarithm of its probability.
    pub logprob: f64,
    /// Its text in UTF-8.
    pub bytes: &'a [u8],
}
