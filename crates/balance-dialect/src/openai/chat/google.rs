//! Google's extensions of a chat request.
//!
//! Invariant: names are accepted in snake case and in camel case.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::tool::Tool;
use crate::json::Text;
use crate::openai::number::Integer;

/// What SDKs send beside OpenAI's fields.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct ExtraBody<'a> {
    /// Google's part of it.
    pub google: Option<Google<'a>>,
}

/// Google's extensions of the chat request.
#[derive(Debug, Default)]
pub struct Google<'a> {
    /// How the model thinks; it wins over `reasoning_effort`.
    pub thinking_config: Option<ThinkingConfig<'a>>,
    /// Gemini's safety settings, passed on as they are.
    pub safety_settings: Option<&'a RawValue>,
    /// A context cached before, `cachedContents/…`.
    pub cached_content: Option<Text<'a>>,
    /// More tools.
    pub tools: Option<Vec<Tool<'a>>>,
    /// All other fields, by their names, as they are.
    pub more: Vec<(Text<'a>, &'a RawValue)>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Google<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(GoogleVisitor)
    }
}

struct GoogleVisitor;

impl<'de> Visitor<'de> for GoogleVisitor {
    type Value = Google<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Google<'de>, A::Error> {
        let mut google = Google::default();
        while let Some(name) = fields.next_key::<Text<'de>>()? {
            match &*name {
                "thinking_config" | "thinkingConfig" => {
                    google.thinking_config = fields.next_value()?;
                }
                "safety_settings" | "safetySettings" => {
                    google.safety_settings = fields.next_value()?;
                }
                "cached_content" | "cachedContent" => {
                    google.cached_content = fields.next_value()?
                }
                "tools" => google.tools = fields.next_value()?,
                _ => google.more.push((name, fields.next_value()?)),
            }
        }
        Ok(google)
    }
}

/// How the model thinks, in Gemini's words.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
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
