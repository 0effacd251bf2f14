//! The 429 of a true quota, worded as recorded. Invariant: `RetryInfo` holds the whole seconds of
//! the wait that the message gives with its fraction, as Google does.

use super::errors::{ApiError, SERVICE, quota_failure, quota_help, retry_info, violation};
use super::quota::{Dimension, Violation};
use super::window::MINUTE;
use super::{Metric, Tier, Timestamp};

/// The error for a request that these limits forbid.
pub(super) fn quota_error(
    tier: Tier,
    metric: Metric,
    model: &str,
    violations: &[Violation],
    now: Timestamp,
) -> ApiError {
    let mut message = String::from(
        "You exceeded your current quota, please check your plan and billing details. For more \
         information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. \
         To monitor your current usage, head to: https://ai.dev/rate-limit. ",
    );
    let mut rendered = Vec::new();
    for found in violations {
        let name = metric_name(tier, metric, found.dimension);
        message.push_str(&format!(
            "\n* Quota exceeded for metric: {SERVICE}/{name}, limit: {}, model: {model}",
            found.limit
        ));
        let value = (found.limit > 0).then(|| found.limit.to_string());
        let id = quota_id(tier, metric, found.dimension);
        rendered.push(violation(name, &id, model, value.as_deref()));
    }
    let wait = wait_millis(violations, now);
    message.push_str(&format!("\nPlease retry in {}s.", fraction(wait)));
    let retry = format!("{}s", wait / 1000);
    ApiError {
        details: vec![quota_help(), quota_failure(rendered), retry_info(&retry)],
        ..ApiError::plain(429, "RESOURCE_EXHAUSTED", message)
    }
}

/// What Google advises to wait: until the minute has room. A day quota alone gets seconds as
/// well, misleadingly; here the rest of the clock minute, so that the value is never constant.
fn wait_millis(violations: &[Violation], now: Timestamp) -> u64 {
    violations
        .iter()
        .filter(|found| found.dimension != Dimension::RequestsPerDay)
        .filter_map(|found| found.room_in_millis)
        .max()
        .unwrap_or_else(|| MINUTE - now.as_millis() % MINUTE)
}

/// Seconds with their fraction, no trailing zeros: `12.944`, `7`.
fn fraction(millis: u64) -> String {
    let text = format!("{}.{:03}", millis / 1000, millis % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn metric_name(tier: Tier, metric: Metric, dimension: Dimension) -> &'static str {
    let tokens = dimension == Dimension::TokensPerMinute;
    match (metric, tier, tokens) {
        (Metric::Generate, Tier::Free, false) => "generate_content_free_tier_requests",
        (Metric::Generate, Tier::Free, true) => "generate_content_free_tier_input_token_count",
        (Metric::Generate, Tier::Paid, false) => "generate_content_paid_tier_requests",
        (Metric::Generate, Tier::Paid, true) => "generate_content_paid_tier_input_token_count",
        (Metric::Embed, Tier::Free, false) => "embed_content_free_tier_requests",
        (Metric::Embed, Tier::Free, true) => "embed_content_free_tier_input_token_count",
        (Metric::Embed, Tier::Paid, false) => "embed_content_paid_tier_requests",
        (Metric::Embed, Tier::Paid, true) => "embed_content_paid_tier_input_token_count",
    }
}

fn quota_id(tier: Tier, metric: Metric, dimension: Dimension) -> String {
    let (requests, content) = match metric {
        Metric::Generate => ("GenerateRequests", "GenerateContent"),
        Metric::Embed => ("EmbedContentRequests", "EmbedContent"),
    };
    match (tier, dimension) {
        (Tier::Free, Dimension::TokensPerMinute) => {
            format!("{content}InputTokensPerModelPerMinute-FreeTier")
        }
        (Tier::Paid, Dimension::TokensPerMinute) => {
            format!("{content}PaidTierInputTokensPerModelPerMinute")
        }
        (Tier::Free, Dimension::RequestsPerMinute) => {
            format!("{requests}PerMinutePerProjectPerModel-FreeTier")
        }
        (Tier::Paid, Dimension::RequestsPerMinute) => {
            format!("{requests}PerMinutePerProjectPerModel")
        }
        (Tier::Free, Dimension::RequestsPerDay) => {
            format!("{requests}PerDayPerProjectPerModel-FreeTier")
        }
        (Tier::Paid, Dimension::RequestsPerDay) => {
            format!("{requests}PerDayPerProjectPerModel")
        }
    }
}
