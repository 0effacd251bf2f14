//! The tokens that an answer took.
//!
//! Invariant: every count is there, 0 where there is nothing to count.

use serde::Serialize;

/// Tokens used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Tokens of the prompt, cached ones included.
    pub prompt_tokens: u64,
    /// Tokens of the answer, thoughts included.
    pub completion_tokens: u64,
    /// The sum.
    pub total_tokens: u64,
    /// The tokens of the prompt by kind.
    pub prompt_tokens_details: PromptTokens,
    /// The tokens of the answer by kind.
    pub completion_tokens_details: CompletionTokens,
}

/// The tokens of a prompt by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PromptTokens {
    /// Those that were cached.
    pub cached_tokens: u64,
    /// Those of sounds.
    pub audio_tokens: u64,
}

/// The tokens of an answer by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CompletionTokens {
    /// Those of the thoughts.
    pub reasoning_tokens: u64,
    /// Those of sounds.
    pub audio_tokens: u64,
    /// Always 0.
    pub accepted_prediction_tokens: u64,
    /// Always 0.
    pub rejected_prediction_tokens: u64,
}
