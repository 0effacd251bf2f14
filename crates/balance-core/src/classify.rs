//! Judges what an upstream failure means.
//!
//! Invariant: pure, and total over any answer however odd. What a caller can make Google repeat in
//! an error text never decides against a key: machine-readable reasons come first, and texts count
//! only where Google writes them itself.

mod quota;
mod reason;
mod text;

use std::{fmt, time::Duration};

use balance_dialect::gemini::error::{Detail, ErrorBody, retry_after_in_message};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};

use crate::{
    fault::{Blame, Fault, KeyFault, ProjectFault},
    host::FetchError,
    secret::{Secret, scrub},
};

/// Judges an answer with an error status. `key` is the one that was sent; it is removed from
/// whatever the answer says, as are all others.
#[must_use]
pub fn classify(status: StatusCode, headers: &HeaderMap, body: &Bytes, key: &Secret) -> Fault {
    let error = ErrorBody::parse(body).unwrap_or_default();
    let header = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let in_header = header.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    Fault {
        blame: blame(status.as_u16(), &error, in_header),
        status,
        message: message(&error, status, key),
        body: match scrub(body, std::slice::from_ref(key)) {
            std::borrow::Cow::Borrowed(_) => body.clone(),
            std::borrow::Cow::Owned(clean) => clean.into(),
        },
        content_type: headers.get(header::CONTENT_TYPE).cloned(),
        project_number: error.project_number().and_then(|number| number.parse().ok()),
        contradicts_itself: quota::contradicts_itself(&error),
    }
}

impl Fault {
    /// Judges an error that came inside an answer of status 200.
    #[must_use]
    pub fn from_event(error: &ErrorBody, key: &Secret) -> Self {
        let said = error.code.filter(|code| (400..600).contains(code));
        let code = said.or_else(|| error.status.as_deref().and_then(text::status_of_word));
        let status = code.and_then(|code| StatusCode::from_u16(code).ok());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let blame = blame(status.as_u16(), error, None);
        let project_number = error.project_number().and_then(|number| number.parse().ok());
        Self { blame, project_number, ..Self::own(status, message(error, status, key)) }
    }

    /// No answer came.
    #[must_use]
    pub fn lost(error: &FetchError) -> Self {
        let status = match error {
            FetchError::TimedOut(_) => StatusCode::GATEWAY_TIMEOUT,
            FetchError::Connect(_) | FetchError::Broken(_) => StatusCode::BAD_GATEWAY,
        };
        let text = error.to_string();
        let text = String::from_utf8_lossy(&scrub(text.as_bytes(), &[])).into_owned();
        Self::own(status, text)
    }

    /// An answer of status 200 with nothing in it.
    #[must_use]
    pub fn empty() -> Self {
        Self::own(StatusCode::BAD_GATEWAY, "Gemini sent an empty answer.".into())
    }

    /// An answer that ended before it was complete.
    #[must_use]
    pub fn truncated() -> Self {
        Self::own(StatusCode::BAD_GATEWAY, "Gemini's answer broke off.".into())
    }

    /// An answer that cannot be understood.
    #[must_use]
    pub fn malformed(reason: &impl fmt::Display) -> Self {
        let text = format!("Gemini's answer cannot be understood: {reason}.");
        Self::own(StatusCode::BAD_GATEWAY, text)
    }

    /// An answer without what was asked for, which another key would not give either.
    #[must_use]
    pub fn declined(reason: &impl fmt::Display) -> Self {
        let message = format!("Gemini declined: {reason}. Ask for something else.");
        Self { blame: Blame::Request, ..Self::own(StatusCode::BAD_REQUEST, message) }
    }

    /// A request that could not be written, which is this side's own mistake.
    #[must_use]
    pub fn ours(reason: &str) -> Self {
        let message = format!("A mistake in Gemini Balance: {reason}. Please report it.");
        Self { blame: Blame::Gateway, ..Self::own(StatusCode::INTERNAL_SERVER_ERROR, message) }
    }

    /// A failure that only this side has words for.
    const fn own(status: StatusCode, message: String) -> Self {
        let blame = Blame::Service { retry_after: None };
        Self {
            blame,
            status,
            message,
            body: Bytes::new(),
            content_type: None,
            project_number: None,
            contradicts_itself: false,
        }
    }
}

/// Whose an error is: by its reason, then by its text, then by its status.
fn blame(status: u16, error: &ErrorBody, in_header: Option<Duration>) -> Blame {
    // Google cuts the fraction off in `RetryInfo`, which comes a moment too early.
    let retry_after = error.retry_delay().max(retry_after_in_message(&error.message)).or(in_header);
    let message = error.message.to_ascii_lowercase();
    let by_reason = error.reason().and_then(|reason| reason::blame(reason, &message));
    if let Some(blame) = by_reason {
        // A resource of another project is no fault of this one.
        let is_policy = blame == Blame::Project(ProjectFault::Policy);
        return if is_policy && error.mentions_resource() { Blame::Request } else { blame };
    }
    if has_field_violations(error) || status == 403 && error.mentions_resource() {
        return Blame::Request;
    }
    if let Some(blame) = text::blame(status, &message) {
        return blame;
    }
    if status == 429 || quota::is_named(error) {
        return quota::blame(error, &message, retry_after);
    }
    match status {
        401 => Blame::Key(KeyFault::Unauthorized),
        402 => Blame::Project(ProjectFault::Billing),
        403 => Blame::Project(ProjectFault::Forbidden),
        409 if is_aborted(error) => Blame::Service { retry_after },
        408 | 499 => Blame::Service { retry_after },
        400..=498 | 501 => Blame::Request,
        _ => Blame::Service { retry_after },
    }
}

fn has_field_violations(error: &ErrorBody) -> bool {
    error.details.iter().any(|detail| matches!(detail, Detail::BadRequest { .. }))
}

fn is_aborted(error: &ErrorBody) -> bool {
    error.status.as_deref().is_some_and(|word| word.eq_ignore_ascii_case("aborted"))
}

/// What the error says, without keys.
fn message(error: &ErrorBody, status: StatusCode, key: &Secret) -> String {
    if error.message.is_empty() {
        return format!("Gemini answered {status} and did not say why.");
    }
    let clean = scrub(error.message.as_bytes(), std::slice::from_ref(key));
    String::from_utf8_lossy(&clean).into_owned()
}

#[cfg(test)]
mod tests;
