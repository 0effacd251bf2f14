//! Percentiles of many measurements and medians of a few.
//!
//! Invariant: every result is one of the values measured, never an interpolation.

use std::time::Duration;

/// The value below which this share of the values lies (nearest rank); zero where there are none.
/// `share` is between 0 and 1; the values get sorted.
pub fn percentile(values: &mut [Duration], share: f64) -> Duration {
    values.sort_unstable();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rank between 0 and the number of values"
    )]
    let rank = (share * values.len() as f64).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// The middle value; of an even number the lower of the two middle ones. `None` where there are none.
/// The values get sorted.
pub fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let mut values: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&mut values, 0.5), Duration::from_millis(100));
        assert_eq!(percentile(&mut values, 0.99), Duration::from_millis(198));
        assert_eq!(percentile(&mut values, 1.0), Duration::from_millis(200));
        assert_eq!(percentile(&mut [], 0.5), Duration::ZERO);
    }

    #[test]
    fn one_wild_round_does_not_move_the_median() {
        assert_eq!(median(&mut [3.0, 900.0, 2.0]), Some(3.0));
        assert_eq!(median(&mut [4.0, 1.0]), Some(1.0));
        assert_eq!(median(&mut []), None);
    }
}
