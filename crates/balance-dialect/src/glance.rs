//! What one event of an answer says, read without keeping its content.
//!
//! Invariant: an event of a shape that is not known here counts as content, never as nothing and
//! never as an error, so that it is passed on as it is. An empty object is nothing.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;

pub(crate) use self::usage::StatedUsage;
use crate::gemini::error::ErrorBody;

#[cfg(test)]
mod tests;
mod usage;

/// What one event says.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Glance {
    pub(crate) carries: Carries,
    pub(crate) usage: StatedUsage,
}

/// What an event brings to its reader.
#[derive(Debug, Default, PartialEq)]
pub(crate) enum Carries {
    /// Only counts or names, as a candidate without parts.
    Nothing,
    /// A part of the answer.
    #[default]
    Content,
    /// The word that the answer is over, with its last part or with a reason why there is none.
    End,
    /// The word that the answer is over, without a part of it, and as if nothing were missing.
    BareEnd,
    /// An error in place of more content.
    Error(ErrorBody),
}

impl Glance {
    /// Looks at the JSON of one event; `None` when it is not valid JSON.
    pub(crate) fn at(event: &[u8]) -> Option<Self> {
        match event.trim_ascii_start().first()? {
            b'{' => crate::json::read(event).ok(),
            _ if event == b"[DONE]" => Some(Self { carries: Carries::End, ..Self::default() }),
            _ => {
                crate::json::read::<IgnoredAny>(event).ok()?;
                let error = ErrorBody::parse(event).map(Carries::Error);
                Some(Self { carries: error.unwrap_or_default(), ..Self::default() })
            }
        }
    }
}

/// The fields of an event that matter here.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Field {
    Candidates,
    PromptFeedback,
    #[serde(alias = "usage")]
    UsageMetadata,
    Error,
    /// The Interactions API names its events, and reports usage inside of the interaction.
    #[serde(rename = "event_type")]
    EventType,
    Interaction,
    /// Facts around an answer.
    #[serde(alias = "responseId", alias = "createTime", alias = "modelStatus", alias = "turnToken")]
    ModelVersion,
    /// What only a resource has. Its `error` tells how it fared, not that reading it failed.
    #[serde(alias = "id", alias = "object", alias = "done")]
    Name,
    #[serde(other)]
    Unknown,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    content: Option<Content>,
    finish_reason: Option<Value>,
}

#[derive(Deserialize)]
struct Content {
    parts: Option<Vec<IgnoredAny>>,
}

#[derive(Deserialize)]
struct Interaction {
    usage: Option<StatedUsage>,
}

/// The reasons that explain no answer without content: the model said that it was through, or made
/// something that nobody can use.
const NO_EXCUSE: [&str; 8] = [
    "STOP",
    "OTHER",
    "FINISH_REASON_UNSPECIFIED",
    "MALFORMED_FUNCTION_CALL",
    "MALFORMED_RESPONSE",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "MISSING_THOUGHT_SIGNATURE",
];

impl Candidate {
    fn ends_barely(&self) -> bool {
        let reason = self.finish_reason.as_ref().and_then(Value::as_str);
        reason.is_some_and(|reason| NO_EXCUSE.contains(&reason))
    }

    fn has_parts(&self) -> bool {
        let parts = self.content.as_ref().and_then(|content| content.parts.as_ref());
        parts.is_some_and(|parts| !parts.is_empty())
    }
}

/// What was met in an event, before it is weighed.
#[derive(Default)]
struct Sight {
    candidates: Option<Vec<Candidate>>,
    prompt_feedback: Option<IgnoredAny>,
    usage: StatedUsage,
    error: Option<Value>,
    event_type: Option<String>,
    /// Some field belongs to another format.
    has_others: bool,
    is_resource: bool,
}

impl<'de> Deserialize<'de> for Glance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(GlanceVisitor)
    }
}

struct GlanceVisitor;

impl<'de> Visitor<'de> for GlanceVisitor {
    type Value = Glance;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event of an answer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut event: A) -> Result<Glance, A::Error> {
        let mut sight = Sight::default();
        while let Some(field) = event.next_key()? {
            match field {
                Field::Candidates => sight.candidates = event.next_value()?,
                Field::PromptFeedback => sight.prompt_feedback = event.next_value()?,
                Field::UsageMetadata => {
                    sight.usage = event.next_value::<Option<_>>()?.unwrap_or_default();
                }
                Field::Error => {
                    sight.has_others = true;
                    sight.error = event.next_value()?;
                }
                Field::EventType => {
                    sight.has_others = true;
                    sight.event_type = event.next_value()?;
                }
                Field::Interaction => {
                    sight.has_others = true;
                    let interaction: Option<Interaction> = event.next_value()?;
                    sight.usage = interaction.and_then(|it| it.usage).unwrap_or_default();
                }
                Field::ModelVersion => {
                    event.next_value::<IgnoredAny>()?;
                }
                Field::Name => {
                    sight.has_others = true;
                    sight.is_resource = true;
                    event.next_value::<IgnoredAny>()?;
                }
                Field::Unknown => {
                    sight.has_others = true;
                    event.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(sight.weigh())
    }
}

impl Sight {
    fn weigh(mut self) -> Glance {
        let error = self.error.take().filter(|_| !self.is_resource);
        let carries = match error.and_then(ErrorBody::from_error) {
            Some(error) => Carries::Error(error),
            None => self.carries(),
        };
        Glance { carries, usage: self.usage }
    }

    fn carries(&self) -> Carries {
        let candidates = self.candidates.as_deref().unwrap_or_default();
        let is_refused = candidates.is_empty() && self.prompt_feedback.is_some();
        let has_parts = candidates.iter().any(Candidate::has_parts);
        let mut ends = candidates.iter().filter(|candidate| candidate.finish_reason.is_some());
        let is_over = candidates.iter().any(|candidate| candidate.finish_reason.is_some());
        if is_over && !has_parts && ends.all(Candidate::ends_barely) {
            Carries::BareEnd
        } else if is_refused
            || is_over
            || self.event_type.as_deref() == Some("interaction.completed")
        {
            Carries::End
        } else if has_parts {
            Carries::Content
        } else if self.candidates.is_some() || !self.has_others {
            Carries::Nothing
        } else {
            Carries::Content
        }
    }
}
