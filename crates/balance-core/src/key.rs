//! Gemini keys, and the name of a key that is safe to print.
//!
//! Invariant: a [`Key`] can be sent in a header as it is, and its [`KeyId`] follows from its text
//! alone, on every instance and after every restart.

use std::{
    fmt,
    num::{NonZeroU32, ParseIntError},
    str::FromStr,
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::{digest::digest, secret::Secret};

/// The name of a key: the first eight bytes of the SHA-256 of its text. Shown as 16 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(u64);

impl KeyId {
    /// The name of the key with this text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(digest(text))
    }

    /// The key with this name.
    #[must_use]
    pub const fn from_u64(name: u64) -> Self {
        Self(name)
    }

    /// The name as a number.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for KeyId {
    type Err = ParseIntError;

    /// Reads what `Display` writes.
    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Written as it is shown.
impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom("wanted 16 hex digits"))
    }
}

/// What Google grants the project of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Free of charge, with small quotas.
    #[default]
    Free,
    /// Billed.
    Paid,
}

/// A Gemini key and what the operator says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub id: KeyId,
    /// Its text.
    pub secret: Secret,
    /// Its share of the traffic beside the others, for the strategies that look at it.
    pub weight: NonZeroU32,
    /// The project it belongs to, where known: keys of one project share its quota.
    pub project: Option<Arc<str>>,
    /// Whether it may be used.
    pub enabled: bool,
    /// What its project is granted.
    pub tier: Tier,
}

impl Key {
    /// Reads the text of one key; spaces around it do not matter. Keys have had several shapes and
    /// will have others, so any text that can stand in a list and in a header is one.
    ///
    /// # Errors
    /// Says what no key has.
    pub fn parse(text: &str) -> Result<Self, NotAKey> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NotAKey::Empty);
        }
        if let Some(place) = text.bytes().position(|byte| !byte.is_ascii_graphic() || byte == b',')
        {
            return Err(NotAKey::Character { place: place + 1 });
        }
        Ok(Self {
            id: KeyId::of(text),
            secret: Secret::new(text),
            weight: NonZeroU32::MIN,
            project: None,
            enabled: true,
            tier: Tier::Free,
        })
    }
}

/// Why a text is no key. Never quotes the text, which may be a secret with a slip in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAKey {
    /// Nothing but spaces.
    #[error("the key is empty")]
    Empty,
    /// A character that no key has.
    #[error(
        "character {place} of the key is a space, a comma, a control character or no ASCII: \
         check that it was copied whole, and that keys are separated"
    )]
    Character {
        /// Counted in bytes, from 1.
        place: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_first_eight_bytes_of_the_digest() {
        // echo -n abc | sha256sum
        assert_eq!(KeyId::of("abc").to_string(), "ba7816bf8f01cfea");
        assert_eq!(format!("{:?}", KeyId::of("abc")), "ba7816bf8f01cfea");
        assert_eq!(KeyId::of("abc").as_u64(), 0xba78_16bf_8f01_cfea);
    }

    #[test]
    fn keys_of_every_shape_are_read() {
        for text in ["AIzaSyABCDEFGHIJKLMNOPQRSTUVWXYZ0123456", "AQ.Ab8-_x.y", "IQ.new", "k"] {
            let key = Key::parse(&format!("  {text}\t\r\n")).unwrap();
            assert_eq!(key.secret.expose(), text);
            assert_eq!(key.id, KeyId::of(text));
            assert!(key.enabled && key.project.is_none() && key.weight.get() == 1);
        }
    }

    #[test]
    fn what_cannot_stand_in_a_list_or_a_header_is_no_key() {
        let rows = [
            ("", NotAKey::Empty),
            (" \t ", NotAKey::Empty),
            ("two keys", NotAKey::Character { place: 4 }),
            ("a,b", NotAKey::Character { place: 2 }),
            ("a\nb", NotAKey::Character { place: 2 }),
            ("a\u{7f}", NotAKey::Character { place: 2 }),
            ("ключ", NotAKey::Character { place: 1 }),
            ("key\u{0}", NotAKey::Character { place: 4 }),
        ];
        for (text, error) in rows {
            assert_eq!(Key::parse(text), Err(error), "{text:?}");
            assert!(!error.to_string().contains("two keys"));
        }
    }
}
