//! The one table from Gemini's errors to OpenAI's: type, code and param.
//!
//! Invariant: the first row that fits decides, else the kind of the status; so an error is told in
//! the same words before an answer and in the middle of it.

use super::field::param_of;

/// How OpenAI's clients are told of an error of Gemini.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorClass {
    /// The class of the error, such as `invalid_request_error` or `server_error`.
    pub kind: &'static str,
    /// A stable word for programs, such as `model_not_found`.
    pub code: &'static str,
    /// The field of the request that is at fault, as far as Gemini's words tell.
    pub param: Option<&'static str>,
}

/// The class of an error with this HTTP status and message, about this field of Gemini's if it
/// names one.
#[must_use]
pub fn error_class(status: u16, message: &str, field: Option<&str>) -> ErrorClass {
    let message = message.to_ascii_lowercase();
    let fits =
        |row: &&Row| row.status == status && row.words.iter().all(|words| message.contains(words));
    let row = ROWS.iter().find(fits);
    match row {
        Some(Row { kind, code, param, .. }) => ErrorClass { kind, code, param: *param },
        None if matches!(status, 400..=498) => {
            let param = field.and_then(param_of);
            ErrorClass { kind: "invalid_request_error", code: "invalid_argument", param }
        }
        None => ErrorClass { kind: "server_error", code: "internal_error", param: None },
    }
}

struct Row {
    status: u16,
    /// Words that all stand in the message, in lower case.
    words: &'static [&'static str],
    kind: &'static str,
    code: &'static str,
    param: Option<&'static str>,
}

/// A request at fault, in these words of Gemini's.
const fn bad(
    words: &'static [&'static str],
    code: &'static str,
    param: Option<&'static str>,
) -> Row {
    Row { status: 400, words, kind: "invalid_request_error", code, param }
}

/// Any error with this status.
const fn with(status: u16, kind: &'static str, code: &'static str) -> Row {
    Row { status, words: &[], kind, code, param: None }
}

const UNSUPPORTED: &str = "unsupported_parameter";

#[rustfmt::skip]
const ROWS: [Row; 27] = [
    bad(&["token count", "exceeds"], "context_length_exceeded", Some("messages")),
    bad(&["multiple candidates"], UNSUPPORTED, Some("n")),
    bad(&["penalty is not enabled"], UNSUPPORTED, Some("presence_penalty")),
    bad(&["logprobs is not enabled"], UNSUPPORTED, Some("logprobs")),
    bad(&["thinking level"], "unsupported_value", Some("reasoning_effort")),
    bad(&["thinking budget"], "unsupported_value", Some("reasoning_effort")),
    bad(&["thinking is not enabled"], UNSUPPORTED, Some("reasoning_effort")),
    bad(&["only works in thinking mode"], "unsupported_value", Some("reasoning_effort")),
    bad(&["process input image"], "image_parse_error", Some("messages")),
    bad(&["image is not valid"], "image_parse_error", Some("messages")),
    bad(&["cannot fetch content"], "invalid_image_url", Some("messages")),
    bad(&["thought_signature"], "invalid_argument", Some("messages")),
    bad(&["thought signature"], "invalid_argument", Some("messages")),
    bad(&["function response parts"], "invalid_argument", Some("messages")),
    bad(&["function call turn"], "invalid_argument", Some("messages")),
    bad(&["too many states"], "invalid_argument", Some("response_format")),
    bad(&["no picture was made"], "content_policy_violation", Some("prompt")),
    bad(&["function calling is not enabled"], UNSUPPORTED, Some("tools")),
    with(403, "invalid_request_error", "not_found"),
    Row { status: 404, words: &["models/"], kind: "invalid_request_error",
          code: "model_not_found", param: Some("model") },
    with(404, "invalid_request_error", "not_found"),
    with(408, "server_error", "timeout"),
    with(413, "invalid_request_error", "request_too_large"),
    with(429, "requests", "rate_limit_exceeded"),
    with(502, "server_error", "bad_gateway"),
    with(503, "server_error", "overloaded"),
    with(504, "server_error", "timeout"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_decide_before_the_status() {
        for (status, message, code, param) in [
            (
                400,
                "The input token count (9) exceeds the maximum",
                "context_length_exceeded",
                Some("messages"),
            ),
            (400, "Multiple candidates is not enabled for this model", UNSUPPORTED, Some("n")),
            (400, "Penalty is not enabled for models/x", UNSUPPORTED, Some("presence_penalty")),
            (400, "Unable to process input image.", "image_parse_error", Some("messages")),
            (400, "Please use a valid role", "invalid_argument", None),
            (404, "models/x is not found for API version v1beta", "model_not_found", Some("model")),
            (404, "File x", "not_found", None),
            (403, "You do not have permission to access the File x", "not_found", None),
            (429, "", "rate_limit_exceeded", None),
            (503, "The model is overloaded.", "overloaded", None),
            (500, "Multiple candidates", "internal_error", None),
            (499, "", "internal_error", None),
            (416, "", "invalid_argument", None),
            (0, "", "internal_error", None),
        ] {
            let class = error_class(status, message, None);
            assert_eq!((class.code, class.param), (code, param), "{status} {message}");
            let is_ours = matches!(status, 0 | 499..);
            assert_eq!(class.kind == "server_error", is_ours, "{status} {message}");
        }
    }

    #[test]
    fn a_field_that_google_names_is_told_where_the_words_tell_none() {
        let field = Some("generation_config.top_k");
        assert_eq!(error_class(400, "Unable to submit it.", field).param, Some("top_k"));
        assert_eq!(
            error_class(400, "Thinking budget is too large", field).param,
            Some("reasoning_effort")
        );
        assert_eq!(error_class(503, "", field).param, None);
    }
}
