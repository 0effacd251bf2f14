//! The request of `POST /v1/chat/completions`.
//!
//! Invariant: strings borrow from the body, so a picture inlined in it is read without a copy.
//! Fields that the gateway does not know are skipped: they refuse nothing and take no memory.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

pub use self::google::{ExtraBody, Google, ThinkingConfig};
pub use self::message::{
    CustomCall, ExtraContent, FilePart, FunctionCall, GoogleContent, ImageUrl, InputAudio, Message,
    OtherPart, Part, ReasoningDetail, ToolCall,
};
pub use self::tool::{
    AllowedTools, Custom, Function, Grammar, InputFormat, NamedFunction, NamedTool, Tool,
    ToolChoice,
};
use super::number::Integer;
use super::union::{StringOrArray, StringOrObject};
use crate::json::Text;

mod google;
mod message;
mod tool;

/// The body of a chat request.
#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct ChatRequest<'a> {
    /// The model that the client asks for.
    pub model: Text<'a>,
    /// The conversation so far, oldest message first.
    pub messages: Vec<Message<'a>>,
    /// Whether the answer comes as events.
    pub stream: Option<bool>,
    /// What a stream holds beside the answer.
    pub stream_options: Option<StreamOptions>,
    /// 0 to 2.
    pub temperature: Option<f64>,
    /// 0 to 1.
    pub top_p: Option<f64>,
    /// How many of the likeliest tokens are considered; not OpenAI's, but many clients send it.
    pub top_k: Option<Integer>,
    /// Makes sampling repeatable.
    pub seed: Option<Integer>,
    /// Up to five texts that end the answer.
    pub stop: Option<StringOrArray<'a, Text<'a>>>,
    /// The most tokens the answer may have, thinking included.
    pub max_completion_tokens: Option<Integer>,
    /// The older name of `max_completion_tokens`, which wins over it.
    pub max_tokens: Option<Integer>,
    /// How much less likely words become by having been used, −2 to 2.
    pub presence_penalty: Option<f64>,
    /// The same for each time that they were used.
    pub frequency_penalty: Option<f64>,
    /// How many answers are wanted.
    pub n: Option<Integer>,
    /// Whether log probabilities are wanted.
    pub logprobs: Option<bool>,
    /// How many alternatives each log probability comes with.
    pub top_logprobs: Option<Integer>,
    /// Text, any JSON, or JSON of a schema.
    pub response_format: Option<ResponseFormat<'a>>,
    /// The functions that the model may call.
    pub tools: Option<Vec<Tool<'a>>>,
    /// Which of the functions the model may or must call.
    pub tool_choice: Option<StringOrObject<'a, ToolChoice<'a>>>,
    /// Asks for Google Search; there is nothing in it that Gemini could be told.
    pub web_search_options: Option<IgnoredAny>,
    /// How soon, and at what price: `auto`, `default`, `flex` or `priority`.
    pub service_tier: Option<Text<'a>>,
    /// What `tools` was called before; read when there are no tools.
    pub functions: Option<Vec<Function<'a>>>,
    /// What `tool_choice` was called before; read with `functions`.
    pub function_call: Option<StringOrObject<'a, NamedFunction<'a>>>,
    /// How much the model thinks: `none` to `max`.
    pub reasoning_effort: Option<Text<'a>>,
    /// How much the model thinks, as OpenRouter's clients say it.
    pub reasoning: Option<Reasoning<'a>>,
    /// How much the model thinks, as Anthropic's clients say it.
    pub thinking: Option<Thinking<'a>>,
    /// Whether the model thinks, as clients of many open models say it.
    pub enable_thinking: Option<bool>,
    /// The tokens that thinking may take, from the same clients.
    pub thinking_budget: Option<Integer>,
    /// What the answer is made of: `text`, `audio`, `image`.
    pub modalities: Option<Vec<Text<'a>>>,
    /// How a spoken answer sounds.
    pub audio: Option<SpokenAnswer<'a>>,
    /// Gemini's safety settings, passed on as they are.
    #[serde(borrow, alias = "safetySettings")]
    pub safety_settings: Option<&'a RawValue>,
    /// What SDKs send beside OpenAI's fields.
    pub extra_body: Option<Box<ExtraBody<'a>>>,
    /// The content of `extra_body.google`, from SDKs that send it at the top.
    pub google: Option<Box<Google<'a>>>,
    /// The shape and size of pictures, as OpenRouter's clients say it.
    #[serde(borrow)]
    pub image_config: Option<&'a RawValue>,
}

/// What a stream holds beside the answer.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object")]
pub struct StreamOptions {
    /// Whether a last event tells the tokens used.
    pub include_usage: Option<bool>,
}

/// The form of the answer.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct ResponseFormat<'a> {
    /// `text`, `json_object` or `json_schema`.
    #[serde(rename = "type")]
    pub kind: Text<'a>,
    /// The schema of `json_schema`.
    pub json_schema: Option<JsonSchema<'a>>,
}

/// A schema with its name.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct JsonSchema<'a> {
    /// The schema.
    #[serde(borrow)]
    pub schema: Option<&'a RawValue>,
}

/// How a spoken answer sounds.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct SpokenAnswer<'a> {
    /// The voice's name.
    pub voice: Option<StringOrObject<'a, IgnoredAny>>,
    /// `pcm16` or `wav`.
    pub format: Option<Text<'a>>,
}

/// How much the model thinks, as OpenRouter's clients and the Responses API say it.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct Reasoning<'a> {
    /// `none` to `max`.
    pub effort: Option<Text<'a>>,
    /// The tokens that thinking may take.
    pub max_tokens: Option<Integer>,
    /// Whether the model thinks at all.
    pub enabled: Option<bool>,
    /// Whether the thoughts are left out of the answer.
    pub exclude: Option<bool>,
}

/// How much the model thinks, as Anthropic's clients say it.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct Thinking<'a> {
    /// `enabled`, `adaptive` or `disabled`.
    #[serde(rename = "type")]
    pub kind: Option<Text<'a>>,
    /// The tokens that thinking may take.
    pub budget_tokens: Option<Integer>,
}
