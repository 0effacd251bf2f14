//! Why an answer ended.
//!
//! Invariant: every reason that Google gives, known or new, becomes one of OpenAI's, or says that
//! there is no answer.

use crate::gemini::generate::answer::Candidate;
use crate::openai::completion::FinishReason;

/// What a reason of Gemini means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The model was done. Reasons that are not known count as this.
    Done,
    /// The limit of tokens was reached.
    Limit,
    /// Google blocked the answer.
    Blocked,
    /// The model made nothing of a picture that it was asked for.
    NoImage,
    /// The model failed; what it had said until then is an answer all the same.
    Failed,
}

impl End {
    /// The end of an answer that came whole; one without a reason counts if there is anything in it.
    pub(crate) fn of(candidate: &Candidate<'_>) -> Self {
        candidate.finish_reason.as_ref().map_or(Self::Failed, |reason| Self::read(&reason.0))
    }

    /// Reads a reason, by its name or by its number in Google's integer encoding.
    pub(crate) fn read(reason: &str) -> Self {
        match reason {
            "MAX_TOKENS" | "CONTINUATION" | "2" => Self::Limit,
            "SAFETY"
            | "RECITATION"
            | "LANGUAGE"
            | "BLOCKLIST"
            | "PROHIBITED_CONTENT"
            | "SPII"
            | "IMAGE_SAFETY"
            | "IMAGE_PROHIBITED_CONTENT"
            | "IMAGE_RECITATION"
            | "ESCALATION"
            | "MODEL_ARMOR"
            | "3"
            | "4"
            | "6"
            | "7"
            | "8"
            | "9" => Self::Blocked,
            "NO_IMAGE" | "IMAGE_OTHER" => Self::NoImage,
            "OTHER"
            | "MALFORMED_FUNCTION_CALL"
            | "MALFORMED_RESPONSE"
            | "UNEXPECTED_TOOL_CALL"
            | "TOO_MANY_TOOL_CALLS"
            | "MISSING_THOUGHT_SIGNATURE"
            | "5"
            | "10" => Self::Failed,
            _ => Self::Done,
        }
    }

    /// OpenAI's reason for an answer that had calls, or anything at all, in it; none when the
    /// model failed and gave no answer.
    pub(crate) fn reason(self, content: Content) -> Option<FinishReason> {
        match (self, content) {
            (Self::Limit, _) => Some(FinishReason::Length),
            (Self::Blocked, _) | (Self::NoImage, Content::None) => {
                Some(FinishReason::ContentFilter)
            }
            (Self::Failed, Content::None) => None,
            (_, Content::Calls) => Some(FinishReason::ToolCalls),
            (Self::Done | Self::NoImage | Self::Failed, _) => Some(FinishReason::Stop),
        }
    }
}

/// What an answer has in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Content {
    /// Nothing that a client would see.
    #[default]
    None,
    /// Text or pictures.
    Words,
    /// Calls, perhaps beside text.
    Calls,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_word() {
        use FinishReason::{ContentFilter, Length, Stop, ToolCalls};
        for (reason, content, expected) in [
            ("STOP", Content::Words, Some(Stop)),
            ("STOP", Content::None, Some(Stop)),
            ("STOP", Content::Calls, Some(ToolCalls)),
            ("1", Content::Words, Some(Stop)),
            ("MAX_TOKENS", Content::Words, Some(Length)),
            ("MAX_TOKENS", Content::Calls, Some(Length)),
            ("SAFETY", Content::None, Some(ContentFilter)),
            ("RECITATION", Content::Words, Some(ContentFilter)),
            ("IMAGE_SAFETY", Content::None, Some(ContentFilter)),
            ("NO_IMAGE", Content::None, Some(ContentFilter)),
            ("NO_IMAGE", Content::Words, Some(Stop)),
            ("OTHER", Content::Words, Some(Stop)),
            ("OTHER", Content::None, None),
            ("MALFORMED_FUNCTION_CALL", Content::None, None),
            ("MALFORMED_FUNCTION_CALL", Content::Calls, Some(ToolCalls)),
            ("UNEXPECTED_TOOL_CALL", Content::None, None),
            ("FINISH_REASON_UNSPECIFIED", Content::Words, Some(Stop)),
            ("SOMETHING_NEW", Content::Words, Some(Stop)),
        ] {
            assert_eq!(End::read(reason).reason(content), expected, "{reason} {content:?}");
        }
    }
}
