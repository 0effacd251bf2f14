//! Which quota a 429 speaks of.
//!
//! Invariant: of several quotas the worst counts: all of the model, then the day, then the minute.
//! The quota's id decides, not the wait that Google asks for, which is a few seconds for a day too.

use std::time::Duration;

use balance_dialect::gemini::error::{Detail, ErrorBody};

use crate::fault::{Blame, Limits, Quota};

/// Whether an error is a quota's, whatever its status.
pub(super) fn is_named(error: &ErrorBody) -> bool {
    matches!(error.reason(), Some("RATE_LIMIT_EXCEEDED" | "RESOURCE_QUOTA_EXCEEDED"))
}

/// Whose a 429 is. `message` is the error's, in lower case.
pub(super) fn blame(error: &ErrorBody, message: &str, retry_after: Option<Duration>) -> Blame {
    let violations = violations(error);
    let word = error.status.as_deref().unwrap_or_default();
    if is_unavailable(&violations, message) {
        return Blame::Quota(Quota::Unavailable);
    }
    let limits = limits(&violations);
    let by_text = violations.is_empty() && (names_a_quota(message) || is_named(error));
    let of_the_day = violations.iter().any(|violation| violation.window == Window::Day)
        || by_text && Window::of(message) == Window::Day
        || word == "quota_exceeded";
    if of_the_day {
        Blame::Quota(Quota::Day { limits })
    } else if !violations.is_empty() || by_text || word == "rate_limit_exceeded" {
        Blame::Quota(Quota::Minute { retry_after, limits })
    } else {
        Blame::Capacity { retry_after }
    }
}

/// Whether an error names two limits for one quota.
pub(super) fn contradicts_itself(error: &ErrorBody) -> bool {
    let violations = violations(error);
    let same = |one: &Violation, other: &Violation| {
        one.window == other.window && one.counts_tokens == other.counts_tokens
    };
    violations.iter().enumerate().any(|(place, one)| {
        let others = violations.iter().skip(place + 1).filter(|other| same(one, other));
        others.filter_map(|other| other.limit).any(|limit| one.limit.is_some_and(|l| l != limit))
    })
}

/// One quota that was exceeded.
#[derive(Debug)]
struct Violation {
    window: Window,
    counts_tokens: bool,
    limit: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Window {
    Minute,
    Day,
}

impl Window {
    /// Read from a quota's id, or from an error's text. What names no window comes back soon.
    fn of(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        if text.contains("perday") || text.contains("per day") { Self::Day } else { Self::Minute }
    }
}

/// All quotas that the details name: in `QuotaFailure`, or as older errors do in `ErrorInfo`.
fn violations(error: &ErrorBody) -> Vec<Violation> {
    let violation = |id: &str, metric: &str, limit| Violation {
        window: Window::of(id),
        counts_tokens: [id, metric].iter().any(|text| text.to_ascii_lowercase().contains("token")),
        limit,
    };
    let failed =
        error.quota_violations().map(|v| violation(&v.quota_id, &v.quota_metric, v.quota_value));
    let named = error.details.iter().filter_map(|detail| {
        let Detail::ErrorInfo { metadata, .. } = detail else { return None };
        let limit = metadata.get("quota_limit_value").and_then(|value| value.parse().ok());
        let metric = metadata.get("quota_metric").map_or("", String::as_str);
        Some(violation(metadata.get("quota_limit")?, metric, limit))
    });
    failed.chain(named).collect()
}

/// Whether the project has none of the model: a limit of zero, or every kind of quota exceeded with
/// no limit named.
fn is_unavailable(violations: &[Violation], message: &str) -> bool {
    let any = |window, counts_tokens| {
        violations.iter().any(|v| v.window == window && v.counts_tokens == counts_tokens)
    };
    let every_kind = any(Window::Minute, false)
        && any(Window::Day, false)
        && violations.iter().any(|violation| violation.counts_tokens);
    let no_limit_named = violations.iter().all(|violation| violation.limit.is_none());
    violations.iter().any(|violation| violation.limit == Some(0))
        || every_kind && no_limit_named
        || says_limit_zero(message)
}

/// Whether the text names a limit of zero: `limit: 0`, and not `limit: 0.5` or `limit: 05`.
fn says_limit_zero(message: &str) -> bool {
    let mut after = message.split("limit: 0").skip(1);
    after.any(|rest| {
        let rest = rest.trim_start_matches('.');
        !rest.starts_with(|next: char| next.is_ascii_digit())
    })
}

fn names_a_quota(message: &str) -> bool {
    ["quota exceeded for", "exceeded your current quota"].iter().any(|text| message.contains(text))
}

/// The limits named; of two for the same thing the smaller.
fn limits(violations: &[Violation]) -> Limits {
    let limit = |window, counts_tokens| {
        let same =
            violations.iter().filter(|v| v.window == window && v.counts_tokens == counts_tokens);
        same.filter_map(|violation| violation.limit).min()
    };
    Limits {
        requests_per_minute: limit(Window::Minute, false),
        tokens_per_minute: limit(Window::Minute, true),
        requests_per_day: limit(Window::Day, false),
        tokens_per_day: limit(Window::Day, true),
    }
}
