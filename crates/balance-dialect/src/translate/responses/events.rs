//! The numbered events of a streamed answer.
//!
//! Invariant: numbers rise by one; an answer that is not streamed has no events.

use super::Mode;
use crate::json;
use crate::openai::responses::event::Event;

/// Writes events.
#[derive(Debug)]
pub(super) struct Events {
    pub(super) mode: Mode,
    written: u64,
}

impl Events {
    pub(super) fn new(mode: Mode) -> Self {
        Self { mode, written: 0 }
    }

    /// Writes an event with its number.
    pub(super) fn write(&mut self, event: Event<'_>, out: &mut Vec<u8>) {
        if self.mode == Mode::Whole {
            return;
        }
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(event.kind.as_bytes());
        out.extend_from_slice(b"\ndata: ");
        json::write(&Event { sequence_number: self.written, ..event }, out);
        out.extend_from_slice(b"\n\n");
        self.written += 1;
    }
}
