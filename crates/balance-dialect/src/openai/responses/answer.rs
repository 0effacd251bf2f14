//! The answer of `POST /v1/responses`.
//!
//! Invariant: an item is complete in itself, so that a client can send it back as it is.

use serde::Serialize;

use super::Echo;
use crate::openai::completion::ServiceTier;
use crate::openai::logprobs;

/// A whole answer, or its state so far.
#[derive(Debug, Serialize)]
pub struct Response<'a> {
    /// The answer's name.
    pub id: &'a str,
    /// Always `response`.
    pub object: &'static str,
    /// When it was asked for, in seconds since 1970.
    pub created_at: u64,
    /// How far it is.
    pub status: Status,
    /// Always false: somebody waits.
    pub background: bool,
    /// Why there is no answer.
    pub error: Option<Error<'a>>,
    /// Why the answer is not complete.
    pub incomplete_details: Option<IncompleteDetails>,
    /// The model as the client asked for it.
    pub model: &'a str,
    /// What the model says.
    pub output: &'a [Item],
    /// Always null: nothing is kept.
    pub previous_response_id: Option<()>,
    /// Always false: nothing is kept.
    pub store: bool,
    /// The tokens used; absent before the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// How soon and at what price the answer was made, when Gemini tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<ServiceTier>,
    /// What the request said.
    #[serde(flatten)]
    pub echo: &'a Echo,
}

/// How far an answer or an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// More comes.
    InProgress,
    /// All is there.
    Completed,
    /// It ended too early.
    Incomplete,
    /// There is none.
    Failed,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Error<'a> {
    /// `server_error` or `rate_limit_exceeded`.
    pub code: &'a str,
    /// For people.
    pub message: &'a str,
}

/// Why an answer is not complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct IncompleteDetails {
    /// The reason.
    pub reason: IncompleteReason,
}

/// Why an answer is not complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IncompleteReason {
    /// The limit of tokens was reached.
    MaxOutputTokens,
    /// Google blocked the prompt or the answer.
    ContentFilter,
}

/// One thing that the model says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Item {
    /// Thoughts.
    Reasoning {
        /// The item's name.
        id: String,
        /// The thoughts in short.
        summary: Vec<Summary>,
    },
    /// Words.
    Message {
        /// The item's name.
        id: String,
        /// How far it is.
        status: Status,
        /// Always `assistant`.
        role: &'static str,
        /// The words.
        content: Vec<Content>,
    },
    /// A call of a function of the client.
    FunctionCall {
        /// The item's name.
        id: String,
        /// The name that the output has to refer to.
        call_id: String,
        /// The function.
        name: String,
        /// The arguments, JSON in a string.
        arguments: String,
        /// How far it is.
        status: Status,
        /// What must come back with the call.
        #[serde(skip_serializing_if = "Option::is_none")]
        extra_content: Option<ExtraContent>,
    },
    /// A call of a custom tool of the client.
    CustomToolCall {
        /// The item's name.
        id: String,
        /// The name that the output has to refer to.
        call_id: String,
        /// The tool's name as the client declared it.
        name: String,
        /// The text that it is given.
        input: String,
        /// How far it is.
        status: Status,
        /// What must come back with the call.
        #[serde(skip_serializing_if = "Option::is_none")]
        extra_content: Option<ExtraContent>,
    },
    /// A picture.
    ImageGenerationCall {
        /// The item's name.
        id: String,
        /// How far it is.
        status: Status,
        /// Base64; null before it is there.
        result: Option<String>,
    },
}

impl Item {
    /// The item's name.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Reasoning { id, .. }
            | Self::Message { id, .. }
            | Self::FunctionCall { id, .. }
            | Self::CustomToolCall { id, .. }
            | Self::ImageGenerationCall { id, .. } => id,
        }
    }
}

/// A part of the thoughts in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Summary {
    /// Words.
    SummaryText {
        /// The words.
        text: String,
    },
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    /// Words.
    OutputText {
        /// The words.
        text: String,
        /// The sources of the words.
        annotations: Vec<Annotation>,
        /// How likely its tokens were, when that was asked for.
        logprobs: Vec<TokenLogprob>,
    },
    /// Why there are no words.
    Refusal {
        /// Google's reason.
        refusal: String,
    },
    /// A sound.
    OutputAudio {
        /// Base64.
        data: String,
        /// What is said, always empty: Gemini does not tell.
        transcript: &'static str,
    },
}

/// A token with its alternatives.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TokenLogprob {
    /// It.
    #[serde(flatten)]
    pub token: Logprob,
    /// The likeliest tokens at its place.
    pub top_logprobs: Vec<Logprob>,
}

/// A token and how likely it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Logprob {
    /// Its text.
    pub token: String,
    /// The natural logarithm of its probability.
    pub logprob: f64,
    /// Its text in UTF-8.
    pub bytes: Vec<u8>,
}

/// A source of the words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Annotation {
    /// A page.
    UrlCitation {
        /// The first character that rests on it, counted from 0.
        start_index: usize,
        /// The character after the last one; the same as the first when no words are named.
        end_index: usize,
        /// Its address.
        url: String,
        /// Its title.
        title: String,
    },
}

/// What Gemini attaches to a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExtraContent {
    /// Gemini's part of it.
    pub google: GoogleContent,
}

/// What Gemini attaches to a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GoogleContent {
    /// The proof of the thoughts behind the call; it must come back unchanged.
    pub thought_signature: String,
}

/// Tokens used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Tokens of the prompt, cached ones included.
    pub input_tokens: u64,
    /// The tokens of the prompt by kind.
    pub input_tokens_details: InputTokens,
    /// Tokens of the answer, thoughts included.
    pub output_tokens: u64,
    /// The tokens of the answer by kind.
    pub output_tokens_details: OutputTokens,
    /// The sum.
    pub total_tokens: u64,
}

/// The tokens of a prompt by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct InputTokens {
    /// Those that were cached.
    pub cached_tokens: u64,
    /// Always 0: Gemini does not count what it caches.
    pub cache_write_tokens: u64,
}

/// The tokens of an answer by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct OutputTokens {
    /// Those of the thoughts.
    pub reasoning_tokens: u64,
}

impl From<logprobs::Logprob<'_>> for Logprob {
    fn from(told: logprobs::Logprob<'_>) -> Self {
        let logprobs::Logprob { token, logprob, bytes } = told;
        Self { token: token.to_owned(), logprob, bytes: bytes.to_owned() }
    }
}

impl From<logprobs::TokenLogprob<'_>> for TokenLogprob {
    fn from(told: logprobs::TokenLogprob<'_>) -> Self {
        let top_logprobs = told.top_logprobs.into_iter().map(Into::into).collect();
        Self { token: told.token.into(), top_logprobs }
    }
}
