//! Judges the head of a `200` answer before any of it reaches the caller, while another key can
//! still be tried unseen.
//!
//! Invariant: however the bytes are cut, the verdict is the same.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::{
    framing::{Framing, Splitter},
    gemini::error::ErrorBody,
    glance::{Carries, Glance},
    observe::may_tell_error,
};

#[cfg(test)]
mod tests;

/// The bytes that are read before an answer is passed on unjudged.
const LIMIT: usize = 256 * 1024;

/// What the head of an answer shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It has a part of an answer or the reason why there is none, or it is of a kind that is not judged here.
    Content,
    /// It is an error in spite of its status.
    Failed(ErrorBody),
    /// It ended with neither, or said that it was over without a reason for having no content.
    Empty,
}

/// Reads an answer until it shows what it is. The reader keeps the bytes.
#[derive(Debug)]
pub struct Opening {
    framing: Framing,
    splitter: Splitter,
    /// How many more bytes are read.
    left: usize,
    /// A byte that is not white space was read.
    begun: bool,
}

impl Opening {
    /// For an answer whose events are laid out in this way.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        Self { framing, splitter: Splitter::new(framing, LIMIT), left: LIMIT, begun: false }
    }

    /// Takes the next bytes; `None` when more are needed. The first verdict stands.
    ///
    /// Events with only counts, or with a candidate that has no parts, decide nothing. An event of
    /// another format than generated content counts as content, unless it is an error.
    pub fn push(&mut self, bytes: &[u8]) -> Option<Verdict> {
        let (bytes, _) = bytes.split_at_checked(self.left).unwrap_or((bytes, &[]));
        self.left -= bytes.len();
        if self.framing == Framing::Whole && !self.begins_as_json(bytes) {
            return Some(Verdict::Content);
        }
        self.splitter.push(bytes);
        loop {
            let event = match self.splitter.next() {
                Ok(Some(event)) => event,
                Ok(None) if self.left > 0 => return None,
                Ok(None) | Err(_) => return Some(Verdict::Content),
            };
            let carries = Glance::at(&event).map_or(Carries::Content, |glance| glance.carries);
            if let Some(verdict) = Verdict::of(carries) {
                return Some(verdict);
            }
        }
    }

    /// The verdict on an answer that ended before [`push`](Self::push) gave one.
    pub fn finish(&mut self) -> Verdict {
        std::iter::from_fn(|| self.splitter.finish())
            .filter_map(|event| Verdict::of(Glance::at(&event)?.carries))
            .next()
            .unwrap_or(Verdict::Empty)
    }

    /// Whether the body can be JSON, by its first byte that is not white space.
    fn begins_as_json(&mut self, bytes: &[u8]) -> bool {
        let first = if self.begun { None } else { bytes.trim_ascii_start().first() };
        self.begun |= first.is_some();
        first.is_none_or(|first| matches!(first, b'{' | b'['))
    }
}

impl Verdict {
    /// The verdict on an answer that is there as a whole.
    #[must_use]
    pub fn on_whole(body: &[u8]) -> Self {
        if has_parts(body) && !may_tell_error(body) {
            return Self::Content;
        }
        let mut opening = Opening::new(Framing::Whole);
        opening.push(body).unwrap_or_else(|| opening.finish())
    }

    fn of(carries: Carries) -> Option<Self> {
        match carries {
            Carries::Nothing => None,
            Carries::Content | Carries::End => Some(Self::Content),
            Carries::BareEnd => Some(Self::Empty),
            Carries::Error(error) => Some(Self::Failed(error)),
        }
    }
}

/// Whether an object has a list of parts with something in it, by its bytes alone: a name inside of a
/// string has other quotes.
fn has_parts(body: &[u8]) -> bool {
    let Some(place) = PARTS.find(body) else { return false };
    let mut behind =
        body.iter().skip(place + NAME.len()).filter(|byte| !byte.is_ascii_whitespace());
    let is_list = b":[{".iter().all(|mark| behind.next() == Some(mark));
    is_list && body.trim_ascii_end().ends_with(b"}")
}

const NAME: &[u8] = b"\"parts\"";

/// Prepared once: that takes longer than to search an answer.
static PARTS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(NAME));
