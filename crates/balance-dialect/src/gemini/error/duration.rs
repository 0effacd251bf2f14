//! Durations as Google writes them: `45.837906927s` in a detail, `1m2.5s` in a message.
//!
//! Invariant: what is longer than protobuf allows, negative or garbled is refused, never rounded
//! into something else.

use std::time::Duration;

use serde_json::Value;

/// The longest duration that protobuf knows, about 10 000 years
/// (<https://github.com/protocolbuffers/protobuf/blob/main/src/google/protobuf/duration.proto>).
const LONGEST: Duration = Duration::from_secs(315_576_000_000);

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// The wait that an error message asks for: `Please retry in 48.939935699s.`
#[must_use]
pub fn retry_after_in_message(message: &str) -> Option<Duration> {
    const SIGN: &str = "retry in ";
    // Lower-casing ASCII keeps every byte where it was, so that positions fit both texts.
    let start = message.to_ascii_lowercase().find(SIGN)? + SIGN.len();
    leading(message.get(start..)?).map(|(duration, _)| duration)
}

/// A duration in a JSON field: `"12s"`, or a number of seconds.
pub(super) fn from_value(value: &Value) -> Option<Duration> {
    let Some(text) = value.as_str() else {
        return value.as_u64().map(Duration::from_secs).filter(|duration| *duration <= LONGEST);
    };
    let (duration, rest) = leading(text.trim())?;
    rest.is_empty().then_some(duration)
}

/// A duration in protobuf's JSON: seconds with as many decimals as needed.
pub(super) fn protobuf_text(duration: Duration) -> String {
    let nanos = duration.subsec_nanos();
    if nanos == 0 {
        return format!("{}s", duration.as_secs());
    }
    let decimals = format!("{nanos:09}");
    format!("{}.{}s", duration.as_secs(), decimals.trim_end_matches('0'))
}

/// The duration that a text starts with, as the sum of its numbers with units, and what follows.
fn leading(text: &str) -> Option<(Duration, &str)> {
    let mut total = None;
    let mut rest = text;
    while let Some((nanos, after)) = leading_term(rest) {
        total = Some(total.unwrap_or(0_u128).checked_add(nanos)?);
        rest = after;
    }
    let total = total?;
    let seconds = u64::try_from(total / NANOS_PER_SECOND).ok()?;
    let nanos = u32::try_from(total % NANOS_PER_SECOND).ok()?;
    let duration = Duration::new(seconds, nanos);
    (duration <= LONGEST).then_some((duration, rest))
}

/// One number with its unit, in nanoseconds, and what follows.
fn leading_term(text: &str) -> Option<(u128, &str)> {
    let (whole, rest) = split_while(text, |c| c.is_ascii_digit());
    let (decimals, rest) = match rest.strip_prefix('.') {
        Some(rest) => split_while(rest, |c| c.is_ascii_digit()),
        None => ("", rest),
    };
    let (unit, rest) = split_while(rest, char::is_alphabetic);
    let unit: u128 = match unit {
        "h" => 3600 * NANOS_PER_SECOND,
        "m" => 60 * NANOS_PER_SECOND,
        "s" => NANOS_PER_SECOND,
        "ms" => 1_000_000,
        "us" | "µs" | "μs" => 1_000,
        "ns" => 1,
        _ => return None,
    };
    let whole: u128 = whole.parse().ok()?;
    let mut nanos = whole.checked_mul(unit)?;
    let mut decimal = unit;
    for digit in decimals.chars().filter_map(|c| c.to_digit(10)) {
        decimal /= 10;
        nanos = nanos.checked_add(u128::from(digit) * decimal)?;
    }
    Some((nanos, rest))
}

fn split_while(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    text.split_at(end)
}
