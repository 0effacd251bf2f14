//! What an answer has that OpenAI has no word for.
//!
//! Invariant: everything stands as Gemini told it, under its own names.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::json::OneLine;

/// What a provider attaches to messages and calls.
#[derive(Debug, Clone, Serialize)]
pub struct ExtraContent<'a> {
    /// Gemini's part of it.
    pub google: GoogleContent<'a>,
}

impl<'a> ExtraContent<'a> {
    /// Carries a signature to the client and, with luck, back.
    #[must_use]
    pub fn signed(thought_signature: &'a str) -> Self {
        let thought_signature = Some(thought_signature);
        Self { google: GoogleContent { thought_signature, ..GoogleContent::default() } }
    }
}

/// What Gemini attaches to messages and calls.
#[derive(Debug, Clone, Default, Serialize)]
pub struct GoogleContent<'a> {
    /// The proof of the thoughts behind the part; it must come back unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thought_signature: Option<&'a str>,
    /// What Google Search found and was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grounding_metadata: Option<OneLine>,
    /// The pages that were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_context_metadata: Option<OneLine>,
    /// Whose words the answer repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub citation_metadata: Option<OneLine>,
    /// How likely the answer, or a prompt that was blocked, does harm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safety_ratings: Option<OneLine>,
    /// How likely the tokens were on average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avg_logprobs: Option<OneLine>,
    /// Parts of the answer that no field of OpenAI's holds, such as the steps of Google's own
    /// tools; those should come back unchanged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<OtherPart>,
}

impl GoogleContent<'_> {
    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            thought_signature,
            grounding_metadata,
            url_context_metadata,
            citation_metadata,
            safety_ratings,
            avg_logprobs,
            parts,
        } = self;
        let told = [
            grounding_metadata,
            url_context_metadata,
            citation_metadata,
            safety_ratings,
            avg_logprobs,
        ];
        thought_signature.is_none() && told.iter().all(|told| told.is_none()) && parts.is_empty()
    }
}

/// A part of an answer as Gemini writes it.
#[derive(Debug, Clone)]
pub struct OtherPart {
    /// The field that holds its content, such as `toolCall`.
    pub kind: &'static str,
    /// The content.
    pub data: OneLine,
    /// The proof of the thoughts behind it.
    pub thought_signature: Option<String>,
}

impl Serialize for OtherPart {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut part = serializer.serialize_map(None)?;
        part.serialize_entry(self.kind, &self.data)?;
        if let Some(signature) = &self.thought_signature {
            part.serialize_entry("thoughtSignature", signature)?;
        }
        part.end()
    }
}
