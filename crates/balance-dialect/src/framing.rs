//! How the events of an answer are laid out in its bytes, and one way to split all layouts.
//!
//! Invariant: however the bytes are cut, the same events come out.

use std::mem::take;

use crate::{json_array, sse};

/// The layout of an answer's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events, as `?alt=sse` asks for.
    Sse,
    /// An array whose elements are the events, as streaming methods answer otherwise.
    Array,
    /// One value for the whole body.
    Whole,
}

/// Splits the bytes of an answer into the JSON of its events.
#[derive(Debug)]
pub(crate) enum Splitter {
    Sse(sse::Decoder),
    Array(json_array::Decoder),
    Whole(Tail),
}

/// Why a stream can no longer be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// An event is larger than the splitter may hold.
    TooLong,
    /// The bytes have another layout.
    Malformed,
}

impl Splitter {
    /// A splitter that holds at most `limit` bytes of an event. Of a whole body that is longer,
    /// the last bytes are held.
    pub(crate) fn new(framing: Framing, limit: usize) -> Self {
        match framing {
            Framing::Sse => Self::Sse(sse::Decoder::new(limit)),
            Framing::Array => Self::Array(json_array::Decoder::new(limit)),
            Framing::Whole => Self::Whole(Tail { bytes: Vec::new(), limit }),
        }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        match self {
            Self::Sse(decoder) => decoder.push(bytes),
            Self::Array(decoder) => decoder.push(bytes),
            Self::Whole(tail) => tail.push(bytes),
        }
    }

    /// The next complete event.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, Lost> {
        match self {
            Self::Sse(decoder) => match decoder.next() {
                Ok(event) => Ok(event.map(|event| event.data)),
                Err(sse::TooLong { .. }) => Err(Lost::TooLong),
            },
            Self::Array(decoder) => decoder.next().map_err(|error| match error {
                json_array::Error::TooLong { .. } => Lost::TooLong,
                json_array::Error::Unexpected { .. } => Lost::Malformed,
            }),
            Self::Whole(_) => Ok(None),
        }
    }

    /// Ends the input and gives what it left unfinished, one event for each call.
    pub(crate) fn finish(&mut self) -> Option<Vec<u8>> {
        match self {
            Self::Sse(decoder) => decoder.finish().map(|event| event.data),
            Self::Array(_) => None,
            Self::Whole(tail) => tail.take(),
        }
    }
}

/// The last bytes of a body.
#[derive(Debug)]
pub(crate) struct Tail {
    /// At most twice `limit`, so that each byte is moved at most once.
    bytes: Vec<u8>,
    limit: usize,
}

impl Tail {
    fn push(&mut self, bytes: &[u8]) {
        let skipped = bytes.len().saturating_sub(self.limit);
        let bytes = bytes.get(skipped..).unwrap_or_default();
        if self.bytes.len() + bytes.len() > 2 * self.limit {
            self.trim();
        }
        self.bytes.extend_from_slice(bytes);
    }

    fn trim(&mut self) {
        self.bytes.drain(..self.bytes.len().saturating_sub(self.limit));
    }

    fn take(&mut self) -> Option<Vec<u8>> {
        self.trim();
        (!self.bytes.is_empty()).then(|| take(&mut self.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::{Framing, Splitter};

    #[test]
    fn of_a_long_body_the_last_bytes_are_held() {
        let body: Vec<u8> = (0..=99).collect();
        for size in [1, 3, 7, 10, 11, 20, 99, 100] {
            let mut splitter = Splitter::new(Framing::Whole, 10);
            for piece in body.chunks(size) {
                splitter.push(piece);
            }
            assert_eq!(splitter.finish().as_deref(), Some(&body[90..]), "pieces of {size}");
            assert_eq!(splitter.finish(), None);
        }
    }
}
