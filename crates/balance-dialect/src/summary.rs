//! What an answer turned out to be, once its last byte has passed.
//!
//! Invariant: counts are the last that Gemini stated for each field, never sums, since every event
//! of a stream repeats the counts so far.

use crate::gemini::error::ErrorBody;

/// What is known of an answer at its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The tokens it took.
    pub usage: Usage,
    /// How it ended.
    pub ending: Ending,
}

/// How an answer ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// Gemini said that the answer is over, or that it gives none to this prompt.
    Finished,
    /// The bytes ended before Gemini said so.
    Truncated,
    /// Gemini reported an error, perhaps after a part of the answer.
    Failed(ErrorBody),
}

impl Ending {
    /// It in a stable word, for a log.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Truncated => "truncated",
            Self::Failed(_) => "failed",
        }
    }
}

/// Tokens as Gemini counts them; zero when it did not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens of the prompt, cached ones included.
    pub prompt_tokens: u64,
    /// Tokens of the prompt that came from a cache.
    pub cached_tokens: u64,
    /// Tokens of the answer, without thoughts.
    pub candidates_tokens: u64,
    /// Tokens spent on thinking.
    pub thoughts_tokens: u64,
    /// Tokens of tool results that were put into the prompt.
    pub tool_use_tokens: u64,
    /// All tokens, as Gemini sums them.
    pub total_tokens: u64,
}

impl Summary {
    /// What several answers that make one turned out to be; none when one of them is not known.
    /// The first that did not end well tells how all ended.
    #[must_use]
    pub fn of_all(all: Vec<Option<Self>>) -> Option<Self> {
        all.into_iter().reduce(|sum, more| Some(sum?.with(more?))).flatten()
    }

    fn with(mut self, other: Self) -> Self {
        self.usage += other.usage;
        let ending = if self.ending == Ending::Finished { other.ending } else { self.ending };
        Self { ending, ..self }
    }
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        for (sum, more) in [
            (&mut self.prompt_tokens, other.prompt_tokens),
            (&mut self.cached_tokens, other.cached_tokens),
            (&mut self.candidates_tokens, other.candidates_tokens),
            (&mut self.thoughts_tokens, other.thoughts_tokens),
            (&mut self.tool_use_tokens, other.tool_use_tokens),
            (&mut self.total_tokens, other.total_tokens),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}
