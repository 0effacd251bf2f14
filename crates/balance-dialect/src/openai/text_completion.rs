//! `POST /v1/completions`, OpenAI's API before there were chats.
//!
//! Invariant: a chunk of a stream has the shape of a whole answer.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::chat::{ExtraBody, Google, StreamOptions};
use super::completion::{FinishReason, Head, Usage};
use super::embeddings::Input;
use super::number::Integer;
use super::union::StringOrArray;
use crate::json::Text;

/// The body of a request.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct TextCompletionRequest<'a> {
    /// The model that the client asks for.
    pub model: Text<'a>,
    /// The text to go on from, or several, each for answers of its own.
    pub prompt: Option<StringOrArray<'a, Input<'a>>>,
    /// What comes after the text that is asked for.
    pub suffix: Option<Text<'a>>,
    /// Whether the answer begins with the prompt.
    pub echo: Option<bool>,
    /// Of how many answers the best is given.
    pub best_of: Option<Integer>,
    /// How many answers are wanted to each prompt.
    pub n: Option<Integer>,
    /// How many alternatives the likelihood of each token comes with.
    pub logprobs: Option<Integer>,
    /// The most tokens the answer may have, thinking included.
    pub max_tokens: Option<Integer>,
    /// 0 to 2.
    pub temperature: Option<f64>,
    /// 0 to 1.
    pub top_p: Option<f64>,
    /// Up to five texts that end the answer.
    pub stop: Option<StringOrArray<'a, Text<'a>>>,
    /// Makes sampling repeatable.
    pub seed: Option<Integer>,
    /// How much less likely words become by having been used, −2 to 2.
    pub presence_penalty: Option<f64>,
    /// The same for each time that they were used.
    pub frequency_penalty: Option<f64>,
    /// Whether the answer comes as events.
    pub stream: Option<bool>,
    /// What a stream holds beside the answer.
    pub stream_options: Option<StreamOptions>,
    /// How much the model thinks; not a field of this API, but clients of new models send it.
    pub reasoning_effort: Option<Text<'a>>,
    /// What SDKs send beside OpenAI's fields.
    pub extra_body: Option<Box<ExtraBody<'a>>>,
    /// The content of `extra_body.google`, from SDKs that send it at the top.
    pub google: Option<Box<Google<'a>>>,
}

/// A whole answer, or a chunk of one.
#[derive(Debug, Serialize)]
pub struct TextCompletion<'a> {
    /// What all chunks of a stream share.
    #[serde(flatten)]
    pub head: Head<'a>,
    /// The answers, or what is new of them.
    pub choices: &'a [TextChoice<'a>],
    /// The tokens used; in streams null until the last chunk, and left out unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Option<Usage>>,
}

/// One of the answers.
#[derive(Debug, Serialize)]
pub struct TextChoice<'a> {
    /// The text.
    pub text: Cow<'a, str>,
    /// Which of the answers this is: those to the first prompt come first.
    pub index: u32,
    /// How likely its tokens were; null when that was not asked for.
    pub logprobs: Option<TextLogprobs<'a>>,
    /// Why the answer ended; null before the end.
    pub finish_reason: Option<FinishReason>,
}

/// How likely the tokens of a text were; each list has an entry for each token.
#[derive(Debug, Default, Serialize)]
pub struct TextLogprobs<'a> {
    /// The tokens.
    pub tokens: Vec<&'a str>,
    /// The natural logarithms of their probabilities.
    pub token_logprobs: Vec<f64>,
    /// The likeliest tokens at each place.
    pub top_logprobs: Vec<BTreeMap<&'a str, f64>>,
    /// Where the tokens begin in the text, in characters.
    pub text_offset: Vec<usize>,
}
