//! Errors that only their text tells apart, and the words that stand for a status.
//!
//! Invariant: an error 400 may repeat what a caller wrote, so there only a beginning counts, which
//! is always Google's own.

use crate::fault::{Blame, KeyFault, ProjectFault, Quota};

/// How Google's own texts begin where the status is 400.
const BEGINNINGS: &[(&str, Blame)] = &[
    ("api key not valid", Blame::Key(KeyFault::Invalid)),
    ("api key expired", Blame::Key(KeyFault::Expired)),
    ("api key not found", Blame::Key(KeyFault::Invalid)),
    ("multiple authentication credentials", Blame::Gateway),
    ("user location is not supported", Blame::Egress),
    ("gemini api free tier is not available", Blame::Project(ProjectFault::Country)),
];

/// What they hold where the status is 401, 402, 403 or 429.
const PHRASES: &[(&str, Blame)] = &[
    ("reported as leaked", Blame::Key(KeyFault::Leaked)),
    ("has been suspended", Blame::Project(ProjectFault::Suspended)),
    ("has been denied access", Blame::Project(ProjectFault::Denied)),
    ("project has been deleted", Blame::Project(ProjectFault::Invalid)),
    ("prepayment credits are depleted", Blame::Project(ProjectFault::Billing)),
    ("monthly spending cap", Blame::Project(ProjectFault::SpendingCap)),
    ("free tier is not available", Blame::Project(ProjectFault::Country)),
    ("has not been used in project", Blame::Project(ProjectFault::ServiceDisabled)),
    ("api key not valid", Blame::Key(KeyFault::Invalid)),
    ("api key expired", Blame::Key(KeyFault::Expired)),
    ("api key not found", Blame::Key(KeyFault::Invalid)),
    ("requests to this api", Blame::Key(KeyFault::Restricted)),
    ("api keys are not supported by this api", Blame::Request),
    ("allow unregistered callers", Blame::Gateway),
    ("multiple authentication credentials", Blame::Gateway),
    ("user location is not supported", Blame::Egress),
];

/// Whose an error with this text is; `None` if the text does not tell. `message` is in lower case.
pub(super) fn blame(status: u16, message: &str) -> Option<Blame> {
    let find = |list: &[(&str, Blame)], fits: &dyn Fn(&str) -> bool| {
        list.iter().find(|(phrase, _)| fits(phrase)).map(|(_, blame)| *blame)
    };
    match status {
        400 => find(BEGINNINGS, &|phrase| message.starts_with(phrase)),
        401..=403 | 429 => find(PHRASES, &|phrase| message.contains(phrase)),
        404 if message.contains("no longer available to new users") => {
            Some(Blame::Quota(Quota::Unavailable))
        }
        _ => None,
    }
}

/// The HTTP status of an error that names none: of Google's canonical words
/// (<https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto>), and of those of
/// the Interactions API.
pub(super) fn status_of_word(word: &str) -> Option<u16> {
    Some(match word.to_ascii_lowercase().as_str() {
        "invalid_argument"
        | "failed_precondition"
        | "out_of_range"
        | "invalid_request"
        | "parameter_unknown" => 400,
        "unauthenticated" | "authentication" => 401,
        "payment_required" => 402,
        "permission_denied" => 403,
        "not_found" | "model_not_found" => 404,
        "already_exists" | "aborted" => 409,
        "resource_exhausted" | "rate_limit_exceeded" | "quota_exceeded" | "too_many_requests" => {
            429
        }
        "cancelled" => 499,
        "unimplemented" => 501,
        "unavailable" | "service_unavailable" => 503,
        "deadline_exceeded" => 504,
        "unknown" | "internal" | "data_loss" | "api_error" => 500,
        // What the model may not say, or said wrongly: the request's matter on every key.
        "safety"
        | "recitation"
        | "language"
        | "prohibited_content"
        | "spii"
        | "blocklist"
        | "content_blocked"
        | "malformed_function_call"
        | "malformed_tool_call"
        | "unexpected_tool_call"
        | "no_image"
        | "too_many_tool_calls"
        | "missing_thought_signature" => 400,
        word if word.starts_with("image_") => 400,
        _ => return None,
    })
}
