//! The events of a streamed answer of `POST /v1/responses`.
//!
//! Invariant: the `type` of an event is also the name that it is sent under.

use serde::Serialize;

use super::answer::{Annotation, Content, Item, Response, Summary, TokenLogprob};

/// An event; `kind` says which fields it has.
#[derive(Debug, Default, Serialize)]
pub struct Event<'a> {
    /// What happened, such as `response.output_text.delta`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The event's place in the stream, from 0.
    pub sequence_number: u64,
    /// The answer as a whole, in a new state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Response<'a>>,
    /// The item that something happened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_id: Option<&'a str>,
    /// Its place in the output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_index: Option<usize>,
    /// The part of a message that something happened to; always the only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_index: Option<usize>,
    /// The part of the thoughts that something happened to; always the only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary_index: Option<usize>,
    /// An item that begins or is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<&'a Item>,
    /// A part that begins or is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<Part<'a>>,
    /// The place of a source among those of its words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotation_index: Option<usize>,
    /// A source of the words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotation: Option<&'a Annotation>,
    /// More words, or all arguments of a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delta: Option<&'a str>,
    /// All words of a part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<&'a str>,
    /// The function of a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// All arguments of a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<&'a str>,
    /// All text that a custom tool is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<&'a str>,
    /// Why there are no words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<&'a str>,
    /// How likely the words of a message were; empty unless that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<&'a [TokenLogprob]>,
    /// What went wrong.
    #[serde(flatten)]
    pub error: Option<Error<'a>>,
}

/// A part that begins or is complete.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
pub enum Part<'a> {
    /// Of a message.
    Content(&'a Content),
    /// Of the thoughts.
    Summary(&'a Summary),
}

/// What went wrong.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Error<'a> {
    /// A stable word for programs.
    pub code: Option<&'a str>,
    /// For people.
    pub message: &'a str,
    /// The field of the request that is at fault.
    pub param: Option<&'a str>,
}
