//! What a client is told where Google gives no answer.
//!
//! Invariant: the reason stands in Google's own word, so that it can be looked up.

use crate::gemini::generate::answer::{Candidate, PromptFeedback};
use crate::json::Text;
use crate::translate::finish::End;

/// Why there is no answer to a prompt.
pub(crate) fn prompt(feedback: &PromptFeedback<'_>) -> String {
    let reason = feedback.block_reason.as_ref().map(|reason| &*reason.0);
    told("Google blocked the prompt", reason, feedback.block_reason_message.as_ref())
}

/// Why an answer that ended so has nothing in it.
pub(crate) fn answer(candidate: &Candidate<'_>) -> String {
    let reason = candidate.finish_reason.as_ref().map(|reason| &*reason.0);
    let what = match End::of(candidate) {
        End::NoImage => "Gemini made no picture",
        End::Blocked | End::Done | End::Limit | End::Failed => "Google blocked the answer",
    };
    told(what, reason, candidate.finish_message.as_ref())
}

fn told(what: &str, reason: Option<&str>, message: Option<&Text<'_>>) -> String {
    let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    match message.filter(|message| !message.is_empty()) {
        Some(message) => format!("{what}{reason}: {}", &**message),
        None => format!("{what}{reason}."),
    }
}
