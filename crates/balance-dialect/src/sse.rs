//! Server-sent events, decoded from bytes that arrive in any pieces, and encoded.
//!
//! Invariant: however the bytes are cut, [`Decoder`] gives the same events.
//!
//! The decoder follows the [WHATWG rules](https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream)
//! with two additions that Gemini needs: an event that the end of the stream left unterminated is
//! given, not dropped, and lines that belong to no event (Gemini may end a stream with a bare,
//! pretty-printed `{"error": …}`) are collected as [`Kind::Stray`].

use std::mem::take;

use thiserror::Error;

use self::line::{Line, Lines, Row};
use crate::nesting::Nesting;

mod line;
#[cfg(test)]
mod tests;

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Whether `data` came from `data:` lines or from lines outside of the format.
    pub kind: Kind,
    /// The value of the `event:` field, when the event had one.
    pub name: Option<String>,
    /// The values of all `data:` lines, or the stray lines as they were, joined by a line feed.
    pub data: Vec<u8>,
}

/// Where the bytes of an [`Event`] come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular event.
    Data,
    /// Lines that are no field of an event, as a raw JSON error is. A JSON value that spans
    /// several lines, blank ones included, is one stray.
    Stray,
}

/// An event had more bytes than the decoder was told to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an event of the stream is longer than {limit} bytes; raise the limit or stop reading")]
pub struct TooLong {
    /// The limit that was passed, in bytes.
    pub limit: usize,
}

/// Splits a byte stream into [`Event`]s.
///
/// Call [`push`](Self::push) with what arrived, then [`next`](Self::next) until it gives `None`;
/// at the end of the input, [`finish`](Self::finish) until it gives `None`.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    lines: Lines,
    pending: Pending,
    /// Set by the first [`TooLong`], after which nothing more is read.
    overflowed: bool,
}

impl Decoder {
    /// A decoder for a new stream; `limit` is the number of bytes one event may have.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, lines: Lines::default(), pending: Pending::default(), overflowed: false }
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.overflowed {
            self.lines.push(bytes);
        }
    }

    /// The next complete event, or `None` when more bytes are needed.
    ///
    /// # Errors
    /// [`TooLong`] when an event exceeds the limit; the decoder then stays in this state.
    #[expect(clippy::should_implement_trait, reason = "`None` means not yet, not never")]
    pub fn next(&mut self) -> Result<Option<Event>, TooLong> {
        let event = self.advance();
        self.overflowed = event.is_err();
        event
    }

    /// Ends the input and gives what it left unterminated, one event for each call.
    pub fn finish(&mut self) -> Option<Event> {
        // The first line feed ends a cut-off line, the second one its event.
        self.push(b"\n\n");
        self.next().ok()?.or_else(|| self.pending.take_stray())
    }

    /// Whether the bytes so far end inside an event or a line.
    #[must_use]
    pub fn is_inside_event(&self) -> bool {
        !self.pending.is_empty() || !self.lines.is_empty()
    }

    fn advance(&mut self) -> Result<Option<Event>, TooLong> {
        let too_long = TooLong { limit: self.limit };
        loop {
            let line = match self.lines.peek() {
                _ if self.overflowed => return Err(too_long),
                Line::Whole(line) if line.len() <= self.limit => line,
                Line::Part(length) if length <= self.limit => return Ok(None),
                Line::Whole(_) | Line::Part(_) => return Err(too_long),
            };
            let row = Row::of(line, self.pending.has_stray());
            // What a row interrupts is given first; the row is then read again.
            if let Some(event) = self.pending.interrupted_by(&row) {
                return Ok(Some(event));
            }
            if self.pending.len() + row.len() > self.limit {
                return Err(too_long);
            }
            let event = self.pending.add(&row);
            self.lines.consume();
            if event.is_some() {
                return Ok(event);
            }
        }
    }
}

/// The event that is being put together. At most one of `data` and `stray` is in use.
#[derive(Debug, Default)]
struct Pending {
    name: Option<String>,
    data: Option<Vec<u8>>,
    stray: Vec<u8>,
    /// How deep the JSON in `stray` stands open.
    nesting: Nesting,
}

impl Pending {
    fn len(&self) -> usize {
        self.data.as_ref().map_or(0, Vec::len) + self.stray.len()
    }

    fn has_stray(&self) -> bool {
        !self.stray.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.data.is_none() && self.name.is_none() && self.stray.is_empty()
    }

    /// The event that ends because `row` cannot belong to it.
    fn interrupted_by(&mut self, row: &Row<'_>) -> Option<Event> {
        match row {
            Row::Data(_) | Row::Name(_) | Row::Ignored => self.take_stray(),
            Row::Stray(_) => self.take_data(),
            Row::Blank => None,
        }
    }

    /// Takes a row in and gives the event that it completes.
    fn add(&mut self, row: &Row<'_>) -> Option<Event> {
        match *row {
            Row::Blank => self.take_data(),
            Row::Ignored => None,
            Row::Name(name) => {
                self.name = Some(String::from_utf8_lossy(name).into_owned());
                None
            }
            Row::Data(value) => {
                match &mut self.data {
                    None => self.data = Some(value.to_vec()),
                    Some(data) => {
                        data.push(b'\n');
                        data.extend_from_slice(value);
                    }
                }
                None
            }
            Row::Stray(line) => {
                if self.has_stray() {
                    self.stray.push(b'\n');
                }
                self.stray.extend_from_slice(line);
                self.nesting.read(line);
                if self.nesting.is_closed() { self.take_stray() } else { None }
            }
        }
    }

    /// Ends the event in progress; one without data is dropped, as the rules say.
    fn take_data(&mut self) -> Option<Event> {
        let name = self.name.take();
        self.data.take().map(|data| Event { kind: Kind::Data, name, data })
    }

    fn take_stray(&mut self) -> Option<Event> {
        self.nesting = Nesting::default();
        self.has_stray().then(|| Event {
            kind: Kind::Stray,
            name: None,
            data: take(&mut self.stray),
        })
    }
}

/// Writes one event: `data: …` and a blank line. Data with line ends takes several `data:` lines.
pub fn encode(data: &[u8], out: &mut Vec<u8>) {
    write_field(b"data: ", data, out);
}

/// Writes a comment, which readers ignore; it keeps an idle connection alive.
pub fn comment(text: &str, out: &mut Vec<u8>) {
    write_field(b": ", text.as_bytes(), out);
}

fn write_field(field: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.reserve(field.len() + value.len() + 2);
    let mut rest = Some(value);
    while let Some(value) = rest {
        let (line, after) = line::split_first(value);
        out.extend_from_slice(field);
        out.extend_from_slice(line);
        out.push(b'\n');
        rest = after;
    }
    out.push(b'\n');
}
