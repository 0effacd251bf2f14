//! The answers of `POST /v1/chat/completions`: whole, and in chunks.
//!
//! Invariant: every field that OpenAI's schema requires is there, null where it has nothing to say,
//! since strictly typed clients demand it.

mod extra;
mod media;
mod usage;

use std::borrow::Cow;

use serde::Serialize;

pub use self::extra::{ExtraContent, GoogleContent, OtherPart};
pub use self::media::{Audio, DataUrl, Image, ImageKind, ImageUrl};
pub use self::usage::{CompletionTokens, PromptTokens, Usage};
use super::logprobs::Logprobs;
use crate::json::Said;

/// A whole answer.
#[derive(Debug, Serialize)]
pub struct Completion<'a> {
    /// What all chunks of a stream share too.
    #[serde(flatten)]
    pub head: Head<'a>,
    /// The answers.
    pub choices: Vec<Choice<'a>>,
    /// The tokens used.
    pub usage: Usage,
    /// How soon and at what price the answer was made, when Gemini tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<ServiceTier>,
}

/// How soon and at what price an answer is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceTier {
    /// As usual.
    Default,
    /// When there is room, cheaper.
    Flex,
    /// Before others, dearer.
    Priority,
}

/// One event of a stream, but for the [`Head`] that all of them share.
#[derive(Debug, Serialize)]
pub struct Chunk<'a> {
    /// What is new; empty in the chunk that only has the usage.
    pub choices: &'a [ChunkChoice<'a>],
    /// The tokens used, null until the last chunk; left out unless the client asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Option<Usage>>,
    /// How soon and at what price the answer was made; only the chunk with the usage has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<ServiceTier>,
}

/// What names an answer.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Head<'a> {
    /// The answer's name.
    pub id: &'a str,
    /// `chat.completion` or `chat.completion.chunk`.
    pub object: &'static str,
    /// When it was asked for, in seconds since 1970.
    pub created: u64,
    /// The model as the client asked for it.
    pub model: &'a str,
    /// The version of the model that answers, when Gemini tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_fingerprint: Option<&'a str>,
}

/// One of the answers.
#[derive(Debug, Serialize)]
pub struct Choice<'a> {
    /// Which of the answers this is.
    pub index: u32,
    /// What the model says.
    pub message: Message<'a>,
    /// How likely its tokens were; null when that was not asked for.
    pub logprobs: Option<Logprobs<'a>>,
    /// Why the answer ended.
    pub finish_reason: FinishReason,
}

/// What the model says.
#[derive(Debug, Default, Serialize)]
pub struct Message<'a> {
    /// Always `assistant`.
    pub role: Role,
    /// The text; null when there are only calls.
    pub content: Option<Said<'a>>,
    /// Why there is no text, when Google blocked it; what a model declines by itself is text.
    pub refusal: Option<Cow<'a, str>>,
    /// The sources of the text.
    pub annotations: Vec<Annotation<'a>>,
    /// The thoughts, when they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<Said<'a>>,
    /// The calls.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall<'a>>,
    /// The one call, for clients that know no tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function_call: Option<FunctionCall<'a>>,
    /// The pictures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Image<'a>>,
    /// The sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<Audio<'a>>,
    /// What must come back with the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_content: Option<ExtraContent<'a>>,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The model.
    #[default]
    Assistant,
}

/// What is new of one of the answers.
#[derive(Debug, Serialize)]
pub struct ChunkChoice<'a> {
    /// Which of the answers this is.
    pub index: u32,
    /// What is new.
    pub delta: Delta<'a>,
    /// How likely the new tokens were; null when that was not asked for.
    pub logprobs: Option<Logprobs<'a>>,
    /// Why the answer ended; null before the end.
    pub finish_reason: Option<FinishReason>,
}

/// What is new in a message.
#[derive(Debug, Default, Serialize)]
pub struct Delta<'a> {
    /// Stands in the first chunk of an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// More text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Said<'a>>,
    /// Why there is no text, when Google blocked it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<&'a str>,
    /// More thoughts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<Said<'a>>,
    /// A call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<[ToolCall<'a>; 1]>,
    /// The one call, for clients that know no tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function_call: Option<FunctionCall<'a>>,
    /// Sources of the text so far.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<Annotation<'a>>,
    /// A picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<[Image<'a>; 1]>,
    /// More of the sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<Audio<'a>>,
    /// What must come back with the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_content: Option<ExtraContent<'a>>,
}

/// A call of a function of the client.
#[derive(Debug, Clone, Serialize)]
pub struct ToolCall<'a> {
    /// The call's place among the calls of the answer; only chunks have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// The name that the result has to refer to.
    pub id: Cow<'a, str>,
    /// What is called.
    #[serde(flatten)]
    pub called: Called<'a>,
    /// What must come back with the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_content: Option<ExtraContent<'a>>,
}

/// What kind of tool is called, and with what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Called<'a> {
    /// A function of the client.
    Function {
        /// It.
        function: FunctionCall<'a>,
    },
    /// A custom tool of the client.
    Custom {
        /// It.
        custom: CustomCall<'a>,
    },
}

/// A custom tool with what it is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomCall<'a> {
    /// The tool's name as the client declared it.
    pub name: &'a str,
    /// The text.
    pub input: Cow<'a, str>,
}

/// A function with its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FunctionCall<'a> {
    /// The function's name as the client declared it.
    pub name: &'a str,
    /// The arguments, JSON in a string.
    pub arguments: Cow<'a, str>,
}

/// A source of the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Annotation<'a> {
    /// Always `url_citation`.
    #[serde(rename = "type")]
    pub kind: AnnotationKind,
    /// Where it is, and what it is the source of.
    pub url_citation: UrlCitation<'a>,
}

/// How a source is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AnnotationKind {
    /// By its address.
    UrlCitation,
}

/// The address of a source, and what it is the source of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UrlCitation<'a> {
    /// The first character that rests on the source, counted from 0.
    pub start_index: usize,
    /// The character after the last one; the same as the first when no words are named.
    pub end_index: usize,
    /// The address.
    pub url: Cow<'a, str>,
    /// The title of the page.
    pub title: Cow<'a, str>,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model was done, or met a stop text.
    Stop,
    /// The limit of tokens was reached.
    Length,
    /// The model waits for the results of its calls.
    ToolCalls,
    /// The same for clients that know no tools.
    FunctionCall,
    /// Google blocked the prompt or the answer.
    ContentFilter,
}
