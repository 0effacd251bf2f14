//! How an answer should look when a script or a benchmark cares. Invariant: what is not set is
//! decided by the request.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Length, pieces and content of an answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shape {
    /// This text instead of the echo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// These parts instead of text: calls, thoughts, inline data, anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<Vec<Value>>,
    /// The echo, lengthened or cut to so many words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<usize>,
    /// Events of a stream (a text shorter than that gives fewer, one for each character).
    /// Default 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<usize>,
    /// This finish reason instead of `STOP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish: Option<String>,
    /// No finish reason at all: the stream just ends.
    #[serde(skip_serializing_if = "is_false")]
    pub no_finish: bool,
    /// A candidate without parts.
    #[serde(skip_serializing_if = "is_false")]
    pub empty: bool,
}

impl Shape {
    /// What this shape leaves open is taken from another.
    pub(crate) fn or(&self, fallback: &Self) -> Self {
        Self {
            text: self.text.clone().or_else(|| fallback.text.clone()),
            parts: self.parts.clone().or_else(|| fallback.parts.clone()),
            words: self.words.or(fallback.words),
            events: self.events.or(fallback.events),
            finish: self.finish.clone().or_else(|| fallback.finish.clone()),
            no_finish: self.no_finish || fallback.no_finish,
            empty: self.empty || fallback.empty,
        }
    }

    /// Words to write: as told, or enough to fill the events.
    pub(super) fn word_count(&self) -> Option<usize> {
        self.words.or_else(|| self.events.map(|events| events.saturating_mul(4)))
    }

    pub(super) fn pieces(&self) -> usize {
        self.events.unwrap_or(3).max(1)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_false(flag: &bool) -> bool {
    !*flag
}
