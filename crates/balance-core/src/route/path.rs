//! Percent-decoding of a path that is to be read by us and by Google alike.
//!
//! Invariant: whatever is accepted splits into the same segments encoded and decoded.

use std::{borrow::Cow, fmt};

use memchr::{memchr_iter, memchr2};
use percent_encoding::percent_decode_str;

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadPath {
    /// `//`, or a segment `.` or `..`.
    Segment,
    /// A `%` without two hex digits behind it, or bytes that are no UTF-8.
    Escape,
    /// A slash or backslash, encoded.
    Slash,
    /// A control character, encoded.
    Control,
}

impl fmt::Display for BadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Segment => "the path has an empty or dotted segment",
            Self::Escape => "the path has a broken percent-encoding",
            Self::Slash => "the path has an encoded slash or backslash",
            Self::Control => "the path has an encoded control character",
        })
    }
}

/// The path without percent-encoding.
///
/// # Errors
/// Why it cannot be read in one way only.
pub(super) fn decode(path: &str) -> Result<Cow<'_, str>, BadPath> {
    if is_plain(path) {
        return Ok(Cow::Borrowed(path));
    }
    let decoded = if path.contains('%') {
        escapes_are_whole(path)?;
        percent_decode_str(path).decode_utf8().map_err(|_| BadPath::Escape)?
    } else {
        Cow::Borrowed(path)
    };
    if decoded.chars().any(char::is_control) {
        return Err(BadPath::Control);
    }
    let slashes = |text: &str| memchr_iter(b'/', text.as_bytes()).count();
    if decoded.contains('\\') || slashes(&decoded) != slashes(path) {
        return Err(BadPath::Slash);
    }
    let inner = decoded.strip_prefix('/').unwrap_or(&decoded);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    let dubious = |segment: &str| matches!(segment, "" | "." | "..");
    if !inner.is_empty() && inner.split('/').any(dubious) || decoded.starts_with("//") {
        return Err(BadPath::Segment);
    }
    Ok(decoded)
}

/// Whether nothing in a path is encoded or dubious, as in nearly every one.
fn is_plain(path: &str) -> bool {
    let bytes = path.as_bytes();
    let behind = |slash: usize| bytes.get(slash + 1);
    let is_dubious = |slash| matches!(behind(slash), Some(b'/' | b'.'));
    path.is_ascii()
        && memchr2(b'%', b'\\', bytes).is_none()
        && !memchr_iter(b'/', bytes).any(is_dubious)
}

fn escapes_are_whole(path: &str) -> Result<(), BadPath> {
    let mut escapes = path.split('%').skip(1);
    let whole = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|b| b.is_ascii_hexdigit());
    escapes.all(whole).then_some(()).ok_or(BadPath::Escape)
}
