//! Signs of life for callers who wait behind the head of an event stream.
//!
//! Invariant: a sign adds no word to the answer, in the eyes of every client that its dialect has.

use std::time::Duration;

use bytes::Bytes;

use crate::{
    call::{Answer, Call, Via},
    feed::Piece,
};

/// How often a caller who waits is shown that the line is alive: "every 15 seconds or so", as the
/// standard of event streams advises (WHATWG HTML, §9.2.7).
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A comment, which readers of OpenAI's streams pass over.
const COMMENT: &[u8] = b": waiting\n\n";

/// An answer of no words. Google's own client for Python takes every line of a stream for JSON, so
/// that a comment would break it.
const NO_WORDS: &[u8] = b"data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"\"}],\
    \"role\": \"model\"},\"index\": 0}]}\r\n\r\n";

/// What a caller who waits is shown, and how often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sign {
    pub(crate) every: Duration,
    text: &'static [u8],
}

impl Sign {
    /// The sign for the caller of an event stream; none for others.
    pub(crate) fn of<I>(call: &Call<I>) -> Option<Self> {
        let text = match &call.via {
            Via::Stream => COMMENT,
            Via::Watch(Answer::Streamed) => NO_WORDS,
            Via::Pass | Via::Watch(Answer::Whole) | Via::Whole => return None,
        };
        call.is_event_stream().then_some(Self { every: KEEP_ALIVE, text })
    }

    /// The sign as it is shown.
    pub(crate) fn shown(self) -> Piece {
        Piece::Aside(Bytes::from_static(self.text))
    }
}
