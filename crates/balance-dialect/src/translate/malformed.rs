//! Why an answer of Gemini cannot be translated.
//!
//! Invariant: nothing of the answer's text is repeated, so that the reason can be logged.

use thiserror::Error;

use crate::gemini::error::ErrorBody;
use crate::sse::TooLong;

/// An answer that is none.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Malformed {
    /// The bytes are not what Gemini answers.
    #[error("the upstream answer is not JSON of the expected shape (line {line}, column {column})")]
    Unreadable {
        /// Where reading failed: the line, counted from 1.
        line: usize,
        /// The place in the line, counted from 1.
        column: usize,
    },
    /// An event is too long to be held.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// Gemini gave no answer, and no reason that a client could be told.
    #[error("the upstream answer is empty ({})", reason.as_deref().unwrap_or("without a reason"))]
    Empty {
        /// The reason in Gemini's words, such as `MALFORMED_FUNCTION_CALL`.
        reason: Option<String>,
    },
    /// Gemini made no picture.
    #[error("no picture was made ({})", reason.as_deref().unwrap_or("without a reason"))]
    Declined {
        /// The reason in Gemini's words, such as `IMAGE_SAFETY`.
        reason: Option<String>,
    },
    /// The answer is an error in spite of its status.
    #[error("the upstream answer is an error ({})", .0.status.as_deref().unwrap_or("without a status"))]
    Failed(Box<ErrorBody>),
    /// The answer to a request that was not for a stream came as one.
    #[error("a stream came where none was asked for")]
    Unexpected,
}

impl Malformed {
    /// The stable word for it, as clients are told.
    pub const CODE: &'static str = "upstream_malformed_response";
}

impl From<&serde_json::Error> for Malformed {
    fn from(error: &serde_json::Error) -> Self {
        Self::Unreadable { line: error.line(), column: error.column() }
    }
}
