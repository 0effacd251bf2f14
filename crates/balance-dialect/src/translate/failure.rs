//! The errors that end a stream, in OpenAI's words.
//!
//! Invariant: no API key is repeated, though Google's messages may quote one.

mod field;
mod table;

pub use self::table::{ErrorClass, error_class};

use super::malformed::Malformed;
use crate::gemini::error::ErrorBody;
use crate::openai::error::ErrorObject;

/// An error that Gemini reported after its answer had begun.
pub(crate) fn of_upstream(error: &ErrorBody, tell: impl FnOnce(&ErrorObject<'_>)) {
    let ErrorClass { kind, code, param } =
        error_class(error.code.unwrap_or_default(), &error.message, error.field());
    let message = match masked(&error.message) {
        message if message.is_empty() => "Gemini broke off its answer; try again.".to_owned(),
        message => message,
    };
    tell(&ErrorObject { message: &message, kind, param, code: Some(code) });
}

/// A stream that ended before Gemini said so.
pub(crate) fn truncated(tell: impl FnOnce(&ErrorObject<'_>)) {
    tell(&ErrorObject {
        message: "The answer broke off before its end; try again.",
        kind: "server_error",
        param: None,
        code: Some("upstream_truncated"),
    });
}

/// A stream that cannot be read on.
pub(crate) fn malformed(malformed: &Malformed, tell: impl FnOnce(&ErrorObject<'_>)) {
    let message = format!("The answer cannot be read on: {malformed}; try again.");
    let code = Some(Malformed::CODE);
    tell(&ErrorObject { message: &message, kind: "server_error", param: None, code });
}

/// The text with every API key in it cut to its first letters.
fn masked(text: &str) -> String {
    const START: &str = "AIza";
    let mut pieces = text.split(START);
    let mut masked = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let is_key = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        masked.push_str(START);
        masked.push('…');
        masked.push_str(piece.trim_start_matches(is_key));
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_messages_are_masked() {
        let key = "AIzaSyTESTKEY0000000000000000000000000000";
        let text = format!("Consumer 'api_key:{key}' has been suspended, {key}.");
        let expected = "Consumer 'api_key:AIza…' has been suspended, AIza….";
        assert_eq!(masked(&text), expected);
        assert_eq!(masked("Plain."), "Plain.");
    }

    #[test]
    fn the_status_decides_the_words() {
        for (code, kind, word) in [
            (Some(429), "requests", "rate_limit_exceeded"),
            (Some(503), "server_error", "overloaded"),
            (Some(499), "server_error", "internal_error"),
            (None, "server_error", "internal_error"),
        ] {
            let error = ErrorBody { code, ..ErrorBody::default() };
            of_upstream(&error, |told| {
                assert_eq!((told.kind, told.code), (kind, Some(word)));
                assert!(!told.message.is_empty());
            });
        }
    }
}
