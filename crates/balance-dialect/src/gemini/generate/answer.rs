//! What `generateContent` answers, whole or as one event of a stream.
//!
//! Invariant: only a body that is no JSON object of this shape is an error; unknown fields and
//! enum values are accepted, since Google adds some every month.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::json::{Text, Words};

/// An answer, or one event of it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct GenerateContentResponse<'a> {
    /// The answers; none when the prompt was blocked, or in an event that has only usage.
    #[serde(default)]
    pub candidates: Vec<Candidate<'a>>,
    /// What was thought of the prompt.
    pub prompt_feedback: Option<PromptFeedback<'a>>,
    /// The tokens used so far: each event of a stream repeats and updates them.
    pub usage_metadata: Option<UsageMetadata<'a>>,
    /// The name of the answer, the same in all events of a stream.
    pub response_id: Option<Text<'a>>,
    /// The version of the model that answers.
    pub model_version: Option<Text<'a>>,
    /// Stands in place of everything else when the request failed after the answer had begun.
    #[serde(borrow)]
    pub error: Option<&'a RawValue>,
}

/// One of the answers.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Candidate<'a> {
    /// Which of the answers this is; 0 when it is absent.
    pub index: Option<u32>,
    /// What the model says; absent when it says nothing more.
    pub content: Option<Content<'a>>,
    /// Why the answer ended; absent while it goes on.
    pub finish_reason: Option<EnumName<'a>>,
    /// What Google says about the end.
    pub finish_message: Option<Text<'a>>,
    /// How likely the tokens were, when that was asked for.
    pub logprobs_result: Option<LogprobsResult<'a>>,
    /// What Google Search and other tools found for the answer.
    #[serde(borrow)]
    pub grounding_metadata: Option<&'a RawValue>,
    /// The pages that were read for the answer.
    #[serde(borrow)]
    pub url_context_metadata: Option<&'a RawValue>,
    /// Whose words the answer repeats.
    #[serde(borrow)]
    pub citation_metadata: Option<&'a RawValue>,
    /// How likely the answer does harm.
    #[serde(borrow)]
    pub safety_ratings: Option<&'a RawValue>,
    /// How likely the tokens were on average.
    #[serde(borrow)]
    pub avg_logprobs: Option<&'a RawValue>,
}

/// How likely the tokens of an answer, or of an event of it, were.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct LogprobsResult<'a> {
    /// The tokens of the answer.
    #[serde(default)]
    pub chosen_candidates: Vec<TokenLogprob<'a>>,
    /// For each of them, the likeliest tokens at its place.
    #[serde(default)]
    pub top_candidates: Vec<TopTokens<'a>>,
}

/// The likeliest tokens at one place.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct TopTokens<'a> {
    /// The tokens.
    #[serde(default)]
    pub candidates: Vec<TokenLogprob<'a>>,
}

/// A token and how likely it was.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct TokenLogprob<'a> {
    /// The token's text.
    #[serde(default)]
    pub token: Text<'a>,
    /// The natural logarithm of its probability; 0, which is certainty, may be absent.
    #[serde(default)]
    pub log_probability: f64,
}

/// What the model says.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Content<'a> {
    /// The pieces, in order.
    #[serde(default)]
    pub parts: Vec<Part<'a>>,
}

/// One piece; most have one of the contents, some have none.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Part<'a> {
    /// Words.
    pub text: Option<Words<'a>>,
    /// Whether the words are a summary of thoughts.
    pub thought: Option<bool>,
    /// The proof of the thoughts behind the part; it must come back with the next request.
    pub thought_signature: Option<Text<'a>>,
    /// A call of a function of the client.
    pub function_call: Option<FunctionCall<'a>>,
    /// A picture or sound.
    pub inline_data: Option<Blob<'a>>,
    /// Code that the model runs.
    pub executable_code: Option<ExecutableCode<'a>>,
    /// What the code gave.
    pub code_execution_result: Option<CodeExecutionResult<'a>>,
    /// A call of a tool of Google's.
    #[serde(borrow)]
    pub tool_call: Option<&'a RawValue>,
    /// What the tool gave.
    #[serde(borrow)]
    pub tool_response: Option<&'a RawValue>,
    /// What a function gave that Google called.
    #[serde(borrow)]
    pub function_response: Option<&'a RawValue>,
    /// A file that Google holds.
    #[serde(borrow)]
    pub file_data: Option<&'a RawValue>,
}

/// Code that the model runs on Google's side.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ExecutableCode<'a> {
    /// `PYTHON`.
    #[serde(default)]
    pub language: EnumName<'a>,
    /// The code.
    #[serde(default)]
    pub code: Text<'a>,
}

/// What code gave that the model ran.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct CodeExecutionResult<'a> {
    /// What it wrote, or why it failed.
    #[serde(default)]
    pub output: Text<'a>,
}

/// A call of a function of the client.
#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct FunctionCall<'a> {
    /// The call's name; only models since Gemini 3 give one.
    pub id: Option<Text<'a>>,
    /// The function. It is absent in the later pieces of streamed arguments, which have to be
    /// asked for and never are.
    pub name: Option<Text<'a>>,
    /// The arguments as the model wrote them; absent when there are none.
    #[serde(borrow)]
    pub args: Option<&'a RawValue>,
}

/// Bytes of a media type.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Blob<'a> {
    /// The media type, such as `image/png`.
    #[serde(default)]
    pub mime_type: Text<'a>,
    /// Base64.
    #[serde(default)]
    pub data: Text<'a>,
}

/// What was thought of the prompt.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct PromptFeedback<'a> {
    /// Why the prompt was blocked.
    pub block_reason: Option<EnumName<'a>>,
    /// The same for people.
    pub block_reason_message: Option<Text<'a>>,
    /// How likely the prompt does harm.
    #[serde(borrow)]
    pub safety_ratings: Option<&'a RawValue>,
}

/// Tokens used; counts that are zero may be absent.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct UsageMetadata<'a> {
    /// Tokens of the prompt, cached ones included.
    pub prompt_token_count: Option<u64>,
    /// Those of them that were cached.
    pub cached_content_token_count: Option<u64>,
    /// Tokens of the answer, thoughts excluded.
    pub candidates_token_count: Option<u64>,
    /// Tokens of what Google's own tools found for the prompt.
    pub tool_use_prompt_token_count: Option<u64>,
    /// Tokens of the thoughts.
    pub thoughts_token_count: Option<u64>,
    /// The sum.
    pub total_token_count: Option<u64>,
    /// How soon and at what price the answer was made: `standard`, `flex` or `priority`.
    pub service_tier: Option<EnumName<'a>>,
    /// The tokens of the prompt by kind.
    #[serde(default)]
    pub prompt_tokens_details: Vec<ModalityTokens<'a>>,
    /// The tokens of the answer by kind.
    #[serde(default)]
    pub candidates_tokens_details: Vec<ModalityTokens<'a>>,
}

/// Tokens of one kind.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ModalityTokens<'a> {
    /// `TEXT`, `IMAGE`, `AUDIO`, `VIDEO` or `DOCUMENT`.
    #[serde(default)]
    pub modality: EnumName<'a>,
    /// How many.
    #[serde(default)]
    pub token_count: u64,
}

/// A value of an enum: its name, or the number that stands for it in Google's integer encoding,
/// kept as digits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnumName<'a>(pub Text<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for EnumName<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EnumVisitor)
    }
}

struct EnumVisitor;

impl<'de> Visitor<'de> for EnumVisitor {
    type Value = EnumName<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name or the number of an enum value")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<EnumName<'de>, E> {
        Ok(EnumName(name.into()))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<EnumName<'de>, E> {
        Ok(EnumName(name.to_owned().into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<EnumName<'de>, E> {
        Ok(EnumName(number.to_string().into()))
    }
}
