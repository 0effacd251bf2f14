//! What is made of answers that are no conversation: pictures, sounds and transcripts.
//!
//! Invariant: each comes as a whole, in the media type that it says.

use serde::Serialize;

use super::Malformed;
use super::pictures::Pictures;
use super::spoken::Spoken;
use super::transcript::Transcript;
use crate::json;
use crate::summary::Summary;

/// How a thing is delivered. Gemini makes it as a whole, so the events come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// As it is.
    Bytes,
    /// In events, for clients that read no other answer.
    Events,
}

impl Delivery {
    /// The media type of what is of this type as it is.
    pub(super) const fn content_type(self, as_it_is: &'static str) -> &'static str {
        match self {
            Self::Bytes => as_it_is,
            Self::Events => "text/event-stream",
        }
    }
}

/// Writes an event.
pub(super) fn write_event(event: &impl Serialize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    json::write(event, out);
    out.extend_from_slice(b"\n\n");
}

/// The thing in the making.
#[derive(Debug)]
pub(super) enum Made {
    Pictures(Pictures),
    Spoken(Spoken),
    Transcript(Transcript),
}

impl Made {
    /// See [`Translator::whole`](super::Translator::whole).
    pub(super) fn whole(&mut self, body: &[u8], out: &mut Vec<u8>) -> Result<Summary, Malformed> {
        match self {
            Self::Pictures(pictures) => pictures.whole(body, out),
            Self::Spoken(spoken) => spoken.whole(body, out),
            Self::Transcript(transcript) => transcript.whole(body, out),
        }
    }

    /// See [`Translator::content_type`](super::Translator::content_type).
    pub(super) const fn content_type(&self) -> &'static str {
        match self {
            Self::Pictures(pictures) => pictures.content_type(),
            Self::Spoken(spoken) => spoken.content_type(),
            Self::Transcript(transcript) => transcript.content_type(),
        }
    }

    /// See [`Translator::takes_addresses`](super::Translator::takes_addresses).
    pub(super) fn takes_addresses(&self) -> bool {
        matches!(self, Self::Pictures(pictures) if pictures.want_addresses())
    }
}
