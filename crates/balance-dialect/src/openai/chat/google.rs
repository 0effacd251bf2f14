//! Google's extensions of a chat request.
//!
//! Invariant: names are accepted in snake case and in camel case.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::tool::Tool;
use crate::json::Text;
use crate::openai::number::Integer;
use crate::openai::object::object;

/// What SDKs send beside OpenAI's fields.
#[derive(Debug, Deserialize)]
#[serde(remote = "Self", bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct ExtraBody<'a> {
    /// Google's part of it.
    pub google: Option<Google<'a>>,
}

/// Google's extensions of the chat request.
#[derive(Debug, Deserialize)]
#[serde(remote = "Self", bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct Google<'a> {
    /// How the model thinks; it wins over `reasoning_effort`.
    #[serde(alias = "thinkingConfig")]
    pub thinking_config: Option<ThinkingConfig<'a>>,
    /// Gemini's safety settings, passed on as they are.
    #[serde(borrow, alias = "safetySettings")]
    pub safety_settings: Option<&'a RawValue>,
    /// A context cached before, `cachedContents/…`.
    #[serde(alias = "cachedContent")]
    pub cached_content: Option<Text<'a>>,
    /// More tools.
    pub tools: Option<Vec<Tool<'a>>>,
}

/// How the model thinks, in Gemini's words.
#[derive(Debug, Deserialize)]
#[serde(remote = "Self", bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct ThinkingConfig<'a> {
    /// Whether the answer has the thoughts.
    #[serde(alias = "includeThoughts")]
    pub include_thoughts: Option<bool>,
    /// The tokens that thinking may take; −1 lets the model decide.
    #[serde(alias = "thinkingBudget")]
    pub thinking_budget: Option<Integer>,
    /// `minimal`, `low`, `medium` or `high`.
    #[serde(alias = "thinkingLevel")]
    pub thinking_level: Option<Text<'a>>,
}

object!(ExtraBody<'a>, Google<'a>, ThinkingConfig<'a>);
