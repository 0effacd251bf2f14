//! What is made of answers that are no conversation: pictures, sounds and transcripts.
//!
//! Invariant: each comes as a whole, in the media type that it says.

use super::Malformed;
use super::pictures::Pictures;
use super::spoken::Spoken;
use super::transcript::Transcript;
use crate::summary::Summary;

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
            Self::Pictures(_) => "application/json",
            Self::Spoken(spoken) => spoken.content_type(),
            Self::Transcript(transcript) => transcript.content_type(),
        }
    }

    /// See [`Translator::takes_addresses`](super::Translator::takes_addresses).
    pub(super) fn takes_addresses(&self) -> bool {
        matches!(self, Self::Pictures(pictures) if pictures.want_addresses())
    }
}
