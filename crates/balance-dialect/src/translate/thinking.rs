//! How much the model thinks, from any of the ways that clients say it.
//!
//! Invariant: a model is told only what its family accepts; Google's own words win over the others.

use super::model::{Family, Level, Thinking};
use super::path::Path;
use super::refusal::{Refusal, quoted};
use crate::gemini::generate::request::ThinkingConfig;
use crate::openai::chat;
use crate::openai::number::Integer;

#[cfg(test)]
mod tests;

/// What a client wishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) amount: Amount,
    /// Whether the answer has the thoughts.
    pub(crate) shows_thoughts: bool,
}

/// How much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    /// What the model thinks right.
    Auto,
    /// As little as the model can.
    None,
    /// An effort, by its name.
    Effort(Level),
    /// In tokens; −1 lets the model decide.
    Tokens(i64),
}

/// The wish of an effort's name.
///
/// # Errors
/// A [`Refusal`] of names that are not known.
pub(crate) fn of_effort(effort: &str, path: Path<'_>) -> Result<Wish, Refusal> {
    let Some(amount) = amount_of_effort(effort) else {
        let reason = format!(
            "{} must be 'none', 'minimal', 'low', 'medium', 'high', 'xhigh' or 'max'",
            quoted(effort)
        );
        return Err(Refusal::invalid_value(path, reason));
    };
    Ok(Wish { amount, shows_thoughts: amount != Amount::None })
}

/// How much an effort is, by its name; none for names that are not known.
pub(crate) fn amount_of_effort(effort: &str) -> Option<Amount> {
    Some(match effort {
        "none" => Amount::None,
        "auto" => Amount::Auto,
        "minimal" => Amount::Effort(Level::Minimal),
        "low" => Amount::Effort(Level::Low),
        "medium" => Amount::Effort(Level::Medium),
        "high" => Amount::Effort(Level::High),
        "xhigh" | "max" => Amount::Effort(Level::ExtraHigh),
        _ => return None,
    })
}

/// The wish of `reasoning`, as OpenRouter's clients say it.
///
/// # Errors
/// A [`Refusal`] of an effort that is not known.
pub(crate) fn of_reasoning(reasoning: &chat::Reasoning<'_>) -> Result<Wish, Refusal> {
    let path = Path::root("reasoning");
    let wish = match (&reasoning.effort, reasoning.max_tokens) {
        _ if reasoning.enabled == Some(false) => Wish::NONE,
        (Some(effort), _) => of_effort(effort, path.field("effort"))?,
        (None, Some(tokens)) => Wish::tokens(tokens.0),
        (None, None) => Wish::AUTO,
    };
    let is_hidden = reasoning.exclude == Some(true);
    Ok(Wish { shows_thoughts: wish.shows_thoughts && !is_hidden, ..wish })
}

/// The wish of `thinking`, as Anthropic's clients say it.
pub(crate) fn of_thinking(thinking: &chat::Thinking<'_>) -> Wish {
    match (thinking.kind.as_deref(), thinking.budget_tokens) {
        (Some("disabled"), _) => Wish::NONE,
        (_, Some(tokens)) => Wish::tokens(tokens.0),
        (_, None) => Wish::AUTO,
    }
}

/// The wish of `enable_thinking` and `thinking_budget`, as clients of many open models say it.
pub(crate) fn of_switch(is_on: Option<bool>, budget: Option<Integer>) -> Wish {
    match (is_on, budget) {
        (Some(false), _) => Wish::NONE,
        (_, Some(Integer(tokens))) => Wish::tokens(tokens),
        (_, None) => Wish::AUTO,
    }
}

impl Wish {
    pub(crate) const AUTO: Self = Self { amount: Amount::Auto, shows_thoughts: true };
    const NONE: Self = Self { amount: Amount::None, shows_thoughts: false };

    fn tokens(tokens: i64) -> Self {
        Self { amount: Amount::Tokens(tokens), shows_thoughts: tokens != 0 }
    }

    /// The wish in the words that the family accepts; none when it accepts none.
    pub(crate) fn config(self, family: &Family) -> Option<ThinkingConfig<'static>> {
        let mut config = ThinkingConfig {
            include_thoughts: Some(self.shows_thoughts),
            ..ThinkingConfig::default()
        };
        match &family.thinking {
            Thinking::None => return None,
            Thinking::Budget { range, can_be_off } => {
                let tokens = match self.amount {
                    Amount::Auto | Amount::Tokens(..=-1) => -1,
                    Amount::None | Amount::Tokens(0) if *can_be_off => 0,
                    Amount::None | Amount::Tokens(0) => *range.start(),
                    Amount::Tokens(tokens) => tokens.clamp(*range.start(), *range.end()),
                    Amount::Effort(level) => budget_of(level).clamp(*range.start(), *range.end()),
                };
                config.thinking_budget = (self.amount != Amount::Auto).then_some(tokens);
            }
            Thinking::Levels(levels) => {
                config.thinking_level = self.level(levels).map(Level::name);
            }
        }
        Some(config)
    }

    /// The level nearest to the wish; none leaves it to the model.
    fn level(self, levels: &[Level]) -> Option<Level> {
        let wanted = match self.amount {
            Amount::Auto | Amount::Tokens(..=-1) => return None,
            Amount::None | Amount::Tokens(0) => Level::Minimal,
            Amount::Tokens(..2048) => Level::Low,
            Amount::Tokens(..16_384) => Level::Medium,
            Amount::Tokens(_) => Level::High,
            Amount::Effort(level) => level,
        };
        let up = levels.iter().find(|level| **level >= wanted);
        let down = levels.iter().rev().find(|level| **level <= wanted);
        // Little stays little where there is no such level, and much stays much.
        let nearest = if wanted <= Level::Low { down.or(up) } else { up.or(down) };
        nearest.copied()
    }
}

/// The tokens that Google's own OpenAI endpoint gives each effort; the most for more than that.
fn budget_of(level: Level) -> i64 {
    match level {
        Level::Minimal | Level::Low => 1024,
        Level::Medium => 8192,
        Level::High => 24_576,
        Level::ExtraHigh => i64::MAX,
    }
}

/// Google's own words, as they are.
pub(crate) fn of_google<'a>(config: &'a chat::ThinkingConfig<'a>) -> ThinkingConfig<'a> {
    ThinkingConfig {
        include_thoughts: config.include_thoughts,
        thinking_budget: config.thinking_budget.map(|tokens| tokens.0),
        thinking_level: config.thinking_level.as_deref(),
    }
}
