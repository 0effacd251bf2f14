//! One streamed answer made of several: what breaks off is gone on with by another.
//!
//! Invariant: its reader gets whole events only, each piece of text once, and no call of a tool or
//! piece of media twice; what cannot be gone on with for sure is not.
//!
//! The first answer passes event by event, unchanged. When it breaks off, [`Resumption::request`] asks
//! for the rest with the text so far as a turn of the model. Of what comes then, an overlap with that
//! text is taken away, thoughts behind text are left out, and the counts are made those of one answer.

use serde_json::Value;

use crate::{
    framing::{Framing, Splitter},
    gemini::{error::ErrorBody, generate::answer::GenerateContentResponse},
    glance::{Carries, Glance},
    summary::Usage,
};

mod request;
mod rest;
mod seam;
#[cfg(test)]
mod tests;

use self::{request::Question, rest::Rest};

/// The bytes that one event may have.
const EVENT_LIMIT: usize = 64 << 20;

/// A streamed answer that may be made of several.
#[derive(Debug)]
pub struct Resumption {
    framing: Framing,
    splitter: Splitter,
    question: Question,
    /// How many events the reader has got.
    given: usize,
    /// The text that the reader has got.
    said: String,
    /// What the reader has got beside text, thoughts aside, can be neither repeated nor left out.
    is_bound: bool,
    is_over: bool,
    /// The error that ended the answer that is being read, as it came.
    error: Option<(ErrorBody, Vec<u8>)>,
    /// What the answer that is being read has taken.
    usage: Usage,
    /// What the answers before it have taken, as one.
    taken: Usage,
    /// The rest that is being read; `None` while it is the first answer.
    rest: Option<Rest>,
}

/// How one answer ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// Gemini said that it is over.
    Whole,
    /// It broke off, and can be gone on with.
    Cut(Option<ErrorBody>),
    /// It broke off, and cannot.
    Lost,
}

/// The bytes cannot be read as events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the events of the answer cannot be told apart")]
pub struct Unreadable;

impl Resumption {
    /// For the answer to the `generateContent` request with this body; `None` where the answer to it
    /// cannot be gone on with, as there are to be several.
    #[must_use]
    pub fn new(framing: Framing, body: &[u8]) -> Option<Self> {
        let question = Question::read(body)?;
        if framing == Framing::Whole {
            return None;
        }
        Some(Self {
            framing,
            splitter: Splitter::new(framing, EVENT_LIMIT),
            question,
            given: 0,
            said: String::new(),
            is_bound: false,
            is_over: false,
            error: None,
            usage: Usage::default(),
            taken: Usage::default(),
            rest: None,
        })
    }

    /// Takes the next bytes of the answer that is being read, and appends what its reader gets.
    ///
    /// # Errors
    /// [`Unreadable`], after which the answer cannot be read on.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Unreadable> {
        self.splitter.push(bytes);
        while let Some(event) = self.splitter.next().map_err(|_| Unreadable)? {
            self.event(event, out);
        }
        Ok(())
    }

    /// Ends the answer that is being read.
    pub fn end(&mut self, out: &mut Vec<u8>) -> End {
        while let Some(event) = self.splitter.finish() {
            // Half an event is none; one that only lacks its last line break is whole.
            if crate::json::read::<Value>(&event).is_ok() {
                self.event(event, out);
            }
        }
        if self.is_over {
            self.close(out);
            return End::Whole;
        }
        if !self.can_go_on() {
            self.give_up(out);
            return End::Lost;
        }
        End::Cut(self.error.as_ref().map(|(error, _)| error.clone()))
    }

    /// The body of the request for the rest, whose answer is read next.
    #[must_use]
    pub fn request(&mut self) -> Vec<u8> {
        self.splitter = Splitter::new(self.framing, EVENT_LIMIT);
        self.error = None;
        self.taken = rest::sum(self.taken, self.usage);
        self.usage = Usage::default();
        self.rest = Some(Rest::of(!self.said.is_empty(), self.taken));
        self.question.for_rest(&self.said, self.taken)
    }

    /// Gives the reader the error that was kept back, as the answer is not gone on with.
    pub fn give_up(&mut self, out: &mut Vec<u8>) {
        if let Some((_, event)) = self.error.take() {
            self.write(&event, out);
            self.close(out);
        }
    }

    /// What the answer that is being read has taken.
    #[must_use]
    pub const fn usage(&self) -> Usage {
        self.usage
    }

    fn can_go_on(&self) -> bool {
        !self.is_bound && (self.said.is_empty() || self.question.takes_up_text)
    }

    fn event(&mut self, event: Vec<u8>, out: &mut Vec<u8>) {
        let Some(glance) = Glance::at(&event) else {
            self.is_bound = true;
            return self.write(&event, out);
        };
        glance.usage.update(&mut self.usage);
        match glance.carries {
            Carries::Error(error) => {
                self.error = Some((error, event));
                return;
            }
            Carries::End | Carries::BareEnd => self.is_over = true,
            Carries::Nothing | Carries::Content => {}
        }
        let Some(mut rest) = self.rest.take() else {
            self.note(&event);
            return self.write(&event, out);
        };
        for event in rest.take(&event, &self.said, self.is_over) {
            self.note(&event);
            self.write(&event, out);
        }
        self.rest = Some(rest);
    }

    /// Remembers what an event gives its reader.
    fn note(&mut self, event: &[u8]) {
        let Ok(answer) = crate::json::read::<GenerateContentResponse<'_>>(event) else {
            self.is_bound = true;
            return;
        };
        for candidate in answer.candidates {
            self.is_bound |= candidate.index.unwrap_or(0) > 0;
            for part in candidate.content.map(|content| content.parts).unwrap_or_default() {
                match part.text {
                    Some(_) if part.thought == Some(true) => {}
                    Some(text) => self.said.push_str(&text),
                    None => self.is_bound = true,
                }
            }
        }
    }

    fn write(&mut self, event: &[u8], out: &mut Vec<u8>) {
        let (before, after): (&[u8], &[u8]) = match (self.framing, self.given) {
            (Framing::Array, 0) => (b"[", b""),
            (Framing::Array, _) => (b",\r\n", b""),
            (Framing::Sse | Framing::Whole, _) => (b"data: ", b"\r\n\r\n"),
        };
        out.extend_from_slice(before);
        match self.framing {
            // A line feed would end the line of an event.
            Framing::Sse => out.extend(event.iter().map(|b| if *b == b'\n' { b' ' } else { *b })),
            Framing::Array | Framing::Whole => out.extend_from_slice(event),
        }
        out.extend_from_slice(after);
        self.given += 1;
    }

    fn close(&self, out: &mut Vec<u8>) {
        if self.framing == Framing::Array {
            out.extend_from_slice(if self.given == 0 { b"[]" } else { b"]" });
        }
    }
}
