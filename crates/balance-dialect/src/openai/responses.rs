//! The request of `POST /v1/responses`.
//!
//! Invariant: what only has to be repeated in the answer is kept as it was written, in [`Echo`].

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use self::item::{Item, Part};
use super::chat::{ExtraBody, Google, Tool, ToolChoice};
use super::number::Integer;
use super::union::{StringOrArray, StringOrObject};
use crate::json::{OneLine, Text};

pub mod answer;
pub mod event;
mod item;

/// The body of a request.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct ResponsesRequest<'a> {
    /// The model that the client asks for.
    pub model: Text<'a>,
    /// What is said: one word of the user, or a conversation.
    pub input: StringOrArray<'a, Item<'a>>,
    /// What the model is told before the conversation.
    pub instructions: Option<Text<'a>>,
    /// Whether the answer comes as events.
    pub stream: Option<bool>,
    /// The functions that the model may call.
    pub tools: Option<Vec<Tool<'a>>>,
    /// Which of the functions the model may or must call.
    pub tool_choice: Option<StringOrObject<'a, ToolChoice<'a>>>,
    /// The form of the answer.
    pub text: Option<TextOptions<'a>>,
    /// How much the model thinks.
    pub reasoning: Option<Reasoning<'a>>,
    /// The most tokens the answer may have, thinking included.
    pub max_output_tokens: Option<Integer>,
    /// 0 to 2.
    pub temperature: Option<f64>,
    /// 0 to 1.
    pub top_p: Option<f64>,
    /// An answer that is kept, to go on from.
    #[serde(borrow)]
    pub previous_response_id: Option<&'a RawValue>,
    /// A conversation that is kept, to go on with.
    #[serde(borrow)]
    pub conversation: Option<&'a RawValue>,
    /// A prompt that is kept, to begin with.
    #[serde(borrow)]
    pub prompt: Option<&'a RawValue>,
    /// Whether the answer is made while nobody waits.
    pub background: Option<bool>,
    /// How many alternatives each log probability comes with.
    pub top_logprobs: Option<Integer>,
    /// What else the answer has, such as `message.output_text.logprobs`.
    pub include: Option<Vec<Text<'a>>>,
    /// How soon, and at what price: `auto`, `default`, `flex` or `priority`.
    pub service_tier: Option<Text<'a>>,
    /// What SDKs send beside OpenAI's fields.
    pub extra_body: Option<ExtraBody<'a>>,
    /// Google's extensions, from SDKs that send them at the top.
    pub google: Option<Google<'a>>,
}

/// The form of the answer.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct TextOptions<'a> {
    /// Text, any JSON, or JSON of a schema.
    pub format: Option<Format<'a>>,
}

/// Text, any JSON, or JSON of a schema.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct Format<'a> {
    /// `text`, `json_object` or `json_schema`.
    #[serde(rename = "type")]
    pub kind: Text<'a>,
    /// The schema of `json_schema`.
    #[serde(borrow)]
    pub schema: Option<&'a RawValue>,
}

/// How much the model thinks.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct Reasoning<'a> {
    /// `none` to `max`.
    pub effort: Option<Text<'a>>,
    /// Whether the answer has a summary of the thoughts, and how long a one.
    pub summary: Option<Text<'a>>,
    /// The older name of `summary`.
    pub generate_summary: Option<Text<'a>>,
}

/// What an answer repeats of its request.
#[derive(Debug, Deserialize, Serialize)]
#[serde(default)]
pub struct Echo {
    /// What the model was told before the conversation.
    pub instructions: Option<OneLine>,
    /// The most tokens the answer may have.
    pub max_output_tokens: Option<OneLine>,
    /// The client's own words.
    pub metadata: Option<OneLine>,
    /// Whether several functions may be called at once; Gemini always may.
    pub parallel_tool_calls: Option<OneLine>,
    /// How much the model thinks.
    pub reasoning: Option<OneLine>,
    /// How freely the model chooses its words.
    pub temperature: Option<OneLine>,
    /// The form of the answer.
    pub text: Option<OneLine>,
    /// Which function the model may or must call.
    pub tool_choice: Option<OneLine>,
    /// The functions.
    pub tools: Option<OneLine>,
    /// From how many of the likeliest words the model chooses.
    pub top_p: Option<OneLine>,
    /// What happens when the conversation is too long.
    pub truncation: Option<OneLine>,
    /// The client's own name for its user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<OneLine>,
}

impl Default for Echo {
    /// What OpenAI says of a request that says nothing.
    fn default() -> Self {
        let raw = OneLine::new;
        Self {
            instructions: None,
            max_output_tokens: None,
            metadata: raw("{}"),
            parallel_tool_calls: raw("true"),
            reasoning: raw(r#"{"effort":null,"summary":null}"#),
            temperature: raw("1.0"),
            text: raw(r#"{"format":{"type":"text"}}"#),
            tool_choice: raw("\"auto\""),
            tools: raw("[]"),
            top_p: raw("1.0"),
            truncation: raw("\"disabled\""),
            user: None,
        }
    }
}
