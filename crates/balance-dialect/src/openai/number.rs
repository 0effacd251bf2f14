//! Whole numbers as clients write them.
//!
//! Invariant: `100` and `100.0` are the same number; `100.5` is not a whole number.

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// A whole number; values beyond 64 bits are the nearest that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Integer(pub i64);

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_i64(IntegerVisitor)
    }
}

struct IntegerVisitor;

impl Visitor<'_> for IntegerVisitor {
    type Value = Integer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Integer, E> {
        Ok(Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Integer, E> {
        Ok(Integer(i64::try_from(value).unwrap_or(i64::MAX)))
    }

    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, as documented")]
    fn visit_f64<E: Error>(self, value: f64) -> Result<Integer, E> {
        if value.fract() == 0.0 {
            Ok(Integer(value as i64))
        } else {
            Err(E::invalid_type(Unexpected::Float(value), &self))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_however_they_are_written() {
        let read = |json: &str| serde_json::from_str::<Integer>(json).ok();
        assert_eq!(read("100"), Some(Integer(100)));
        assert_eq!(read("-1"), Some(Integer(-1)));
        assert_eq!(read("100.0"), Some(Integer(100)));
        assert_eq!(read("1e30"), Some(Integer(i64::MAX)));
        assert_eq!(read("18446744073709551615"), Some(Integer(i64::MAX)));
        assert_eq!(read("100.5"), None);
        assert_eq!(read("\"100\""), None);
    }
}
