//! Strings that go from one JSON document into another as they were written.
//!
//! Invariant: whoever looks at one sees its text, which is made then, and once; whoever only hands it
//! on pays for neither reading its escapes nor writing them again.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::OnceLock;

use memchr::memchr_iter;
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::Text;

/// A string as it was written.
#[derive(Debug)]
pub struct Words<'a> {
    json: &'a RawValue,
    /// The text of one with escapes, once somebody has looked at it.
    text: OnceLock<Box<str>>,
    has_escapes: bool,
}

impl<'a> Words<'a> {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.between_quotes().is_empty()
    }

    fn between_quotes(&self) -> &'a str {
        let json = self.json.get();
        json.get(1..json.len() - 1).unwrap_or_default()
    }
}

impl Deref for Words<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        if !self.has_escapes {
            return self.between_quotes();
        }
        let read = || super::read_str(self.json.get()).unwrap_or_default();
        self.text.get_or_init(read)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Words<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?;
        let bytes = json.get().as_bytes();
        if bytes.first() != Some(&b'"') {
            return Err(D::Error::invalid_type(Unexpected::Other("other JSON"), &"a string"));
        }
        let mut escapes = memchr_iter(b'\\', bytes).peekable();
        let has_escapes = escapes.peek().is_some();
        // Half of a surrogate pair is well written, and still no text.
        if escapes.any(|place| bytes.get(place + 1) == Some(&b'u')) {
            super::read_str::<Text<'_>>(json.get()).map_err(D::Error::custom)?;
        }
        Ok(Self { json, text: OnceLock::new(), has_escapes })
    }
}

impl Serialize for Words<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

/// What is said: words as they came, or text that was made of several.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Said<'a> {
    /// As they came.
    Words(&'a Words<'a>),
    /// Made, or put together.
    Text(Cow<'a, str>),
}

impl<'a> Said<'a> {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Words(words) => words.is_empty(),
            Self::Text(text) => text.is_empty(),
        }
    }

    /// Adds to it.
    pub fn push(&mut self, more: &str) {
        let mut text = std::mem::take(self).into_text();
        text.to_mut().push_str(more);
        *self = Self::Text(text);
    }

    /// The text.
    #[must_use]
    pub fn into_text(self) -> Cow<'a, str> {
        match self {
            Self::Words(words) => Cow::Borrowed(words),
            Self::Text(text) => text,
        }
    }
}

impl Default for Said<'_> {
    fn default() -> Self {
        Self::Text(Cow::Borrowed(""))
    }
}

impl<'a, T: Into<Cow<'a, str>>> From<T> for Said<'a> {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

impl Deref for Said<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Words(words) => words,
            Self::Text(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> serde_json::Result<Words<'_>> {
        serde_json::from_str(json)
    }

    #[test]
    fn what_nobody_changes_is_written_as_it_was() {
        for (json, text) in [
            (r#""""#, ""),
            (r#""plain é""#, "plain é"),
            (r#" "a\u00e9\/\n\ud83d\ude00" "#, "aé/\n😀"),
        ] {
            let words = read(json).unwrap();
            assert_eq!(serde_json::to_string(&Said::Words(&words)).unwrap(), json.trim());
            assert_eq!((&*words, words.is_empty()), (text, text.is_empty()));
            let mut said = Said::Words(&words);
            said.push("\"");
            assert_eq!((&*said, said.is_empty()), (&*format!("{text}\""), false));
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for json in [
            "1",
            "null",
            "[]",
            "{\"a\":1}",
            "\"\\ud800\"",
            "\"\\ud800\\n\"",
            "\"\\x\"",
            "\"\n\"",
            "\"a",
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
