//! The elements of a JSON array of objects, split from bytes that arrive in any pieces.
//!
//! Invariant: however the bytes are cut, [`Decoder`] gives the same elements.
//!
//! Gemini streams this way when it is not asked for server-sent events:
//! `[{…}\n,\r\n{…}\n]`. An error before the first element may come as an object without an array;
//! it is given as the only element.

use crate::{backlog::Backlog, nesting::Nesting};

#[cfg(test)]
mod tests;

/// Why a stream cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An element had more bytes than the decoder was told to hold.
    #[error(
        "an element of the array is longer than {limit} bytes; raise the limit or stop reading"
    )]
    TooLong {
        /// The limit that was passed, in bytes.
        limit: usize,
    },
    /// A byte stands between the elements that has no place there.
    #[error(
        "byte {byte:#04x} has no place between the objects of an array; this is another format"
    )]
    Unexpected {
        /// The byte.
        byte: u8,
    },
}

/// Splits a byte stream into the elements of an array.
///
/// Call [`push`](Self::push) with what arrived, then [`next`](Self::next) until it gives `None`.
/// An element that the end of the input cuts off is never given.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    backlog: Backlog,
    place: Place,
    /// How deep the element at the front of `backlog` stands open, after `searched` bytes of it.
    nesting: Nesting,
    searched: usize,
    /// Set by the first error, after which nothing more is read.
    failure: Option<Error>,
}

/// Where in the array the unread bytes start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    BeforeArray,
    BeforeFirst,
    InElement,
    /// In an object that stands without an array.
    InLoneObject,
    AfterElement,
    AfterComma,
    AfterArray,
}

impl Decoder {
    /// A decoder for a new stream; `limit` is the number of bytes one element may have.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            backlog: Backlog::default(),
            place: Place::BeforeArray,
            nesting: Nesting::default(),
            searched: 0,
            failure: None,
        }
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failure.is_none() {
            self.backlog.push(bytes);
        }
    }

    /// The next complete element, or `None` when more bytes are needed or the array is closed.
    ///
    /// # Errors
    /// [`Error`] when the bytes are no array of objects or an element exceeds the limit; the
    /// decoder then stays in this state.
    #[expect(clippy::should_implement_trait, reason = "`None` means not yet, not never")]
    pub fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let element = self.advance();
        self.failure = element.as_ref().err().copied();
        element
    }

    /// Whether the array, or the lone object, is complete.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.place == Place::AfterArray
    }

    /// What must be written between the bytes so far and one more element; `None` where none can
    /// follow: inside an element, after the end, and after an error.
    #[must_use]
    pub fn separator(&self) -> Option<&'static str> {
        match self.place {
            _ if self.failure.is_some() => None,
            Place::BeforeArray => Some("["),
            Place::BeforeFirst | Place::AfterComma => Some(""),
            Place::AfterElement => Some(",\r\n"),
            Place::InElement | Place::InLoneObject | Place::AfterArray => None,
        }
    }

    fn advance(&mut self) -> Result<Option<Vec<u8>>, Error> {
        loop {
            if matches!(self.place, Place::InElement | Place::InLoneObject) {
                return self.element();
            }
            let Some(&byte) = self.backlog.unread().first() else { return Ok(None) };
            self.place = match (self.place, byte) {
                (place, b' ' | b'\t' | b'\n' | b'\r') => place,
                (Place::BeforeArray, b'[') => Place::BeforeFirst,
                (Place::BeforeArray, b'{') => Place::InLoneObject,
                (Place::BeforeFirst | Place::AfterComma, b'{') => Place::InElement,
                (Place::AfterElement, b',') => Place::AfterComma,
                (Place::BeforeFirst | Place::AfterElement, b']') => Place::AfterArray,
                _ => return Err(Error::Unexpected { byte }),
            };
            if byte != b'{' {
                self.backlog.skip(1);
            }
        }
    }

    /// Takes the element that starts at the front, once it is complete.
    fn element(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let unread = self.backlog.unread();
        let unsearched = unread.get(self.searched..).unwrap_or_default();
        let close = self.nesting.read_to_close(unsearched);
        self.searched += close.unwrap_or(unsearched.len());
        if self.searched > self.limit {
            return Err(Error::TooLong { limit: self.limit });
        }
        if close.is_none() {
            return Ok(None);
        }
        let element = unread.get(..self.searched).unwrap_or_default().to_vec();
        self.backlog.skip(self.searched);
        self.searched = 0;
        let is_lone = self.place == Place::InLoneObject;
        self.place = if is_lone { Place::AfterArray } else { Place::AfterElement };
        Ok(Some(element))
    }
}
