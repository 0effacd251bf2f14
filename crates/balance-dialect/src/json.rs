//! JSON text that borrows from the bytes it was read from, so that large strings are not copied.
//!
//! Invariant: reading and writing changes neither a string's characters nor a number's digits.

pub(crate) mod fields;
mod objects;
pub(crate) mod place;
mod words;
mod write;

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use memchr::memchr2;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use self::objects::Objects;
pub use self::words::{Said, Words};
use self::write::Writer;

/// Reads a value from JSON. Its structs are read from objects alone.
///
/// # Errors
/// The bytes are no JSON of this value, or no UTF-8.
pub fn read<'a, T: Deserialize<'a>>(json: &'a [u8]) -> serde_json::Result<T> {
    read_str(str::from_utf8(json).map_err(serde_json::Error::custom)?)
}

/// The same from text, as all else here does, since each type is compiled anew for every kind of
/// source, and a module for the web is to be small.
///
/// # Errors
/// The text is no JSON of this value.
pub fn read_str<'a, T: Deserialize<'a>>(json: &'a str) -> serde_json::Result<T> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let value = T::deserialize(Objects(&mut deserializer))?;
    deserializer.end()?;
    Ok(value)
}

/// Reads a decimal number, as JSON has it or with a `+` or without a digit before its point. The reader
/// of the standard library has tables of its own for this, which would be a fiftieth of a module.
#[must_use]
pub fn number(text: &str) -> Option<f64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let whole = if digits.starts_with('.') { "0" } else { "" };
    let is_signed_twice = digits.starts_with(['-', '+']);
    read(format!("{sign}{whole}{digits}").as_bytes()).ok().filter(|_| !is_signed_twice)
}

/// The place of the quote that ends the string that begins at `start`.
#[must_use]
pub fn end_of_string(body: &[u8], start: usize) -> Option<usize> {
    let mut place = start + 1;
    loop {
        place += memchr2(b'"', b'\\', body.get(place..)?)?;
        if body.get(place) == Some(&b'"') {
            return Some(place);
        }
        place += 2;
    }
}

/// A JSON string, borrowed when it was written without escapes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    /// The string with its owner.
    #[must_use]
    pub fn into_inner(self) -> Cow<'a, str> {
        self.0
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

/// Reads any string; `Option<Cow<str>>` with serde's own derive would always copy.
struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(text.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(text.to_owned().into())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Text<'de>, E> {
        Ok(text.into())
    }
}

/// Any JSON as it was written, but on one line.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct OneLine(Box<RawValue>);

impl OneLine {
    /// Takes over JSON; none for text that is no JSON.
    #[must_use]
    pub fn new(json: &str) -> Option<Self> {
        RawValue::from_string(compact(json).into_owned()).ok().map(Self)
    }

    /// The JSON.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl<'de> Deserialize<'de> for OneLine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = <&RawValue>::deserialize(deserializer)?;
        Self::new(written.get()).ok_or_else(|| D::Error::custom("no JSON"))
    }
}

/// Something written to JSON as the string that it displays as, without a copy in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown<T>(pub T);

impl<T: fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Appends `value` as JSON. What cannot be written as JSON leaves `out` as it was; no type of this
/// crate is such a value.
pub(crate) fn write(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) {
    let start = out.len();
    if value.serialize(Writer::new(out)).is_err() {
        out.truncate(start);
    }
}

/// The same JSON without the blanks between its tokens; numbers and strings stay as written.
#[must_use]
pub(crate) fn compact(json: &str) -> Cow<'_, str> {
    if !json.contains(is_blank) {
        return Cow::Borrowed(json);
    }
    let mut in_string = false;
    let mut escaped = false;
    let keep = |c: &char| {
        if in_string {
            in_string = escaped || *c != '"';
            escaped = !escaped && *c == '\\';
            return true;
        }
        in_string = *c == '"';
        !is_blank(*c)
    };
    Cow::Owned(json.chars().filter(keep).collect())
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\n' | '\r' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_without_escapes_is_borrowed() {
        let text: Text<'_> = serde_json::from_str(r#""plain""#).unwrap();
        assert!(matches!(text.into_inner(), Cow::Borrowed("plain")));
        let text: Text<'_> = serde_json::from_str(r#""a\nb""#).unwrap();
        assert!(matches!(text.into_inner(), Cow::Owned(text) if text == "a\nb"));
    }

    #[test]
    fn numbers_that_people_write_are_read() {
        for (text, read) in
            [("0.016", 0.016), ("+5", 5.0), (".5", 0.5), ("-.5e1", -5.0), ("86400", 86_400.0)]
        {
            assert_eq!(number(text), Some(read));
        }
        for text in ["", ".", "-", "+-5", "--5", "1,5", "5s", "inf", "NaN", "1e999"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn json_on_one_line_has_no_line_ends() {
        let json: OneLine = serde_json::from_str("{\n  \"a\": [1.50,\r\n \"b c\"]\n}").unwrap();
        assert_eq!(serde_json::to_string(&json).unwrap(), "{\"a\":[1.50,\"b c\"]}");
    }

    #[test]
    fn compact_drops_blanks_between_tokens_only() {
        let json = "{ \"a b\" : [ 1.50 , 2e3 ],\n\"c\\\" d\" : \"\\\\\" , \"e\": \" \" }";
        assert_eq!(compact(json), "{\"a b\":[1.50,2e3],\"c\\\" d\":\"\\\\\",\"e\":\" \"}");
        assert!(matches!(compact("{\"a\":1}"), Cow::Borrowed(_)));
    }
}
