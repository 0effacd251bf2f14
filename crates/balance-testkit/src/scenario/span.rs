//! Spans of time as scenarios write them: `45s`, `250ms`, `18h`.
//!
//! Invariant: a span without a unit is refused.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error};

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span(pub Duration);

impl Span {
    /// Whether a test should not wait for it.
    #[must_use]
    pub fn is_long(self) -> bool {
        self.0 > Duration::from_millis(500)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).map(Self).ok_or_else(|| {
            D::Error::custom(format!("{text:?} is no span of time: write 250ms, 45s, 10min or 18h"))
        })
    }
}

fn parse(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "min" => Some(Duration::from_secs(number * 60)),
        "h" => Some(Duration::from_secs(number * 3600)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_numbers_with_a_unit() {
        assert_eq!(parse("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(parse("45s"), Some(Duration::from_secs(45)));
        assert_eq!(parse("10min"), Some(Duration::from_secs(600)));
        assert_eq!(parse("18h"), Some(Duration::from_secs(18 * 3600)));
        for wrong in ["", "45", "s", "1.5s", "-1s", "1 s", "1d"] {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
    }
}
