//! Watches native answers that pass byte for byte, and ends broken ones honestly.
//!
//! Invariant: watching changes nothing, fails on nothing, and tells the same however the bytes
//! are cut.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::{
    framing::{Framing, Lost, Splitter},
    gemini::error,
    glance::{Carries, Glance, StatedUsage},
    summary::{Ending, Summary, Usage},
};

#[cfg(test)]
mod tests;

/// The bytes one event may have before the rest of the stream is no longer judged. Generated
/// images come whole in one event.
const EVENT_LIMIT: usize = 64 * 1024 * 1024;

/// The bytes that are kept of the end of a whole body, where Gemini puts the usage.
const TAIL_LIMIT: usize = 64 * 1024;

/// Sums up a whole body that is there already, as an observer would, but without a look at its
/// content where the usage can be found and no error can be.
#[must_use]
pub fn sum_up(body: &[u8]) -> Summary {
    if !may_tell_error(body)
        && let Some(stated) = StatedUsage::near_end(body)
    {
        let mut usage = Usage::default();
        stated.update(&mut usage);
        return Summary { usage, ending: Ending::Finished };
    }
    let mut observer = Observer::new(Framing::Whole);
    observer.observe(body);
    observer.finish()
}

/// Whether an error may be told in a body.
pub(crate) fn may_tell_error(body: &[u8]) -> bool {
    ERROR.find(body).is_some()
}

/// The name of what reports an error.
static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"error\""));

/// Follows one answer and sums it up.
#[derive(Debug)]
pub struct Observer {
    framing: Framing,
    splitter: Splitter,
    lost: Option<Lost>,
    usage: Usage,
    is_over: bool,
    /// Whether the last byte stood inside an event of server-sent events.
    ended_inside_event: bool,
    error: Option<error::ErrorBody>,
}

impl Observer {
    /// An observer of an answer whose events are laid out in this way.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        let limit = match framing {
            Framing::Sse | Framing::Array => EVENT_LIMIT,
            Framing::Whole => TAIL_LIMIT,
        };
        Self {
            framing,
            splitter: Splitter::new(framing, limit),
            lost: None,
            usage: Usage::default(),
            is_over: false,
            ended_inside_event: false,
            error: None,
        }
    }

    /// Takes the next bytes of the answer, as they pass.
    pub fn observe(&mut self, bytes: &[u8]) {
        if self.lost.is_some() {
            return;
        }
        self.splitter.push(bytes);
        loop {
            match self.splitter.next() {
                Ok(Some(event)) => self.note(&event),
                Ok(None) => break,
                Err(lost) => {
                    self.lost = Some(lost);
                    break;
                }
            }
        }
    }

    /// Sums up the answer after its last byte.
    ///
    /// A whole body counts as finished unless it is an error: its length tells whether it is
    /// complete. So does a stream with an event too large to be looked into.
    pub fn finish(&mut self) -> Summary {
        if let Splitter::Sse(events) = &self.splitter {
            self.ended_inside_event = events.is_inside_event();
        }
        while let Some(event) = self.splitter.finish() {
            // What the end cut off may have said more than the events before it.
            self.is_over &= Glance::at(&event).is_some();
            self.note(&event);
        }
        let is_finished = match (&self.splitter, self.lost) {
            (_, Some(Lost::TooLong)) | (Splitter::Whole(_), _) => true,
            (Splitter::Array(array), _) => self.is_over && array.is_closed(),
            (Splitter::Sse(_), _) => self.is_over,
        };
        let ending = match &self.error {
            Some(error) => Ending::Failed(error.clone()),
            None if is_finished => Ending::Finished,
            None => Ending::Truncated,
        };
        Summary { usage: self.usage, ending }
    }

    /// Writes what must follow the bytes so far for a stream that broke to end with an error that
    /// its reader understands, in the stream's own layout.
    ///
    /// An event of server-sent events that is cut in its middle is ended first, so that the error
    /// is an event of its own. Nothing is written where nothing can follow: to a whole body, to a
    /// closed array, and inside an element of one, as completing a half element could turn, say,
    /// half of a tool call into one that looks whole. The connection should then be cut.
    pub fn interrupt(&self, code: u16, message: &str, out: &mut Vec<u8>) {
        let (before, after) = match &self.splitter {
            Splitter::Sse(events) if self.ended_inside_event || events.is_inside_event() => {
                ("\r\n\r\ndata: ", "\r\n\r\n")
            }
            Splitter::Sse(_) => ("data: ", "\r\n\r\n"),
            Splitter::Array(array) => match array.separator() {
                Some(separator) => (separator, "]"),
                None => return,
            },
            Splitter::Whole(_) => return,
        };
        out.extend_from_slice(before.as_bytes());
        error::write(code, error::status_word(code), message, None, out);
        out.extend_from_slice(after.as_bytes());
    }

    fn note(&mut self, event: &[u8]) {
        let Some(glance) = Glance::at(event) else {
            // The last bytes of a body too long to be held.
            if let (Framing::Whole, Some(usage)) = (self.framing, StatedUsage::near_end(event)) {
                usage.update(&mut self.usage);
            }
            return;
        };
        glance.usage.update(&mut self.usage);
        match glance.carries {
            Carries::Nothing | Carries::Content => {}
            Carries::End | Carries::BareEnd => self.is_over = true,
            Carries::Error(error) => self.error = Some(error),
        }
    }
}
