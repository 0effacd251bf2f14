//! An answer of Gemini on its way into a client's dialect, whole or as a stream.
//!
//! Invariant: however the bytes of a stream are cut, the same bytes come out; and a stream that
//! Gemini did not finish ends with an error, never as if it were complete.

use super::failure;
use super::malformed::Malformed;
use super::usage::Tokens;
use crate::gemini::error::ErrorBody;
use crate::gemini::generate::answer::GenerateContentResponse;
use crate::openai::error::ErrorObject;
use crate::sse::{Decoder, Event};
use crate::summary::{Ending, Summary};

/// The most bytes that one event may have; a picture of 4K takes some 30 MB.
const EVENT_LIMIT: usize = 128 << 20;

/// There is nothing in an answer that a client could be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoAnswer;

/// An answer in a client's dialect.
pub(crate) trait Reply {
    /// Writes what an event adds.
    fn event(&mut self, answer: &GenerateContentResponse<'_>, out: &mut Vec<u8>);

    /// Whether Gemini said that the answer is over.
    fn is_complete(&self) -> bool;

    /// Writes the end of a complete answer.
    ///
    /// # Errors
    /// [`NoAnswer`] when there is none; nothing is written then.
    fn end(&mut self, tokens: &Tokens, out: &mut Vec<u8>) -> Result<(), NoAnswer>;

    /// Writes an error as the end of a stream.
    fn fail(&mut self, error: &ErrorObject<'_>, out: &mut Vec<u8>);

    /// Writes a whole answer.
    ///
    /// # Errors
    /// [`NoAnswer`] when there is none; nothing is written then.
    fn whole(
        &mut self,
        answer: &GenerateContentResponse<'_>,
        tokens: &Tokens,
        out: &mut Vec<u8>,
    ) -> Result<(), NoAnswer>;
}

/// A reply with the bytes that are being read for it.
#[derive(Debug)]
pub(crate) struct Feed<R> {
    reply: R,
    decoder: Decoder,
    tokens: Tokens,
    /// Gemini's word for the end of the answer.
    reason: Option<String>,
    /// Set once the end is written; what comes after is not read.
    ending: Option<Ending>,
}

impl<R: Reply> Feed<R> {
    pub(crate) fn new(reply: R) -> Self {
        let decoder = Decoder::new(EVENT_LIMIT);
        Self { reply, decoder, tokens: Tokens::default(), reason: None, ending: None }
    }

    /// See [`Translator::push`](super::Translator::push).
    pub(crate) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        if self.ending.is_none() {
            self.decoder.push(bytes);
        }
        while self.ending.is_none() {
            let read = match self.decoder.next() {
                Ok(Some(event)) => self.event(&event, out),
                Ok(None) => break,
                Err(too_long) => Err(too_long.into()),
            };
            if let Err(malformed) = read {
                self.break_off(&malformed, out);
                return Err(malformed);
            }
        }
        Ok(())
    }

    /// See [`Translator::finish`](super::Translator::finish).
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) -> Summary {
        while self.ending.is_none() {
            let Some(event) = self.decoder.finish() else { break };
            if self.event(&event, out).is_err() {
                // The stream was cut within the event.
                failure::truncated(|error| self.interrupt(error, out));
            }
        }
        if self.ending.is_none() {
            self.end(out);
        }
        self.summary()
    }

    /// See [`Translator::interrupt`](super::Translator::interrupt).
    pub(crate) fn interrupt(&mut self, error: &ErrorObject<'_>, out: &mut Vec<u8>) {
        if self.ending.is_none() {
            self.reply.fail(error, out);
            self.ending = Some(Ending::Truncated);
        }
    }

    /// See [`Translator::whole`](super::Translator::whole).
    pub(crate) fn whole(&mut self, body: &[u8], out: &mut Vec<u8>) -> Result<Summary, Malformed> {
        let answer = read(body)?;
        if answer.error.is_some() {
            return Err(Malformed::Failed(Box::new(ErrorBody::parse(body).unwrap_or_default())));
        }
        self.note(&answer);
        if self.reply.whole(&answer, &self.tokens, out).is_err() {
            return Err(Malformed::Empty { reason: self.reason.take() });
        }
        self.ending = Some(Ending::Finished);
        Ok(self.summary())
    }

    fn event(&mut self, event: &Event, out: &mut Vec<u8>) -> Result<(), Malformed> {
        let answer = read(&event.data)?;
        self.note(&answer);
        if answer.error.is_some() {
            let error = ErrorBody::parse(&event.data).unwrap_or_default();
            failure::of_upstream(&error, |error| self.reply.fail(error, out));
            self.ending = Some(Ending::Failed(error));
        } else {
            self.reply.event(&answer, out);
        }
        Ok(())
    }

    /// Takes what every dialect needs of an event.
    fn note(&mut self, answer: &GenerateContentResponse<'_>) {
        if let Some(stated) = &answer.usage_metadata {
            self.tokens.update(stated);
        }
        let mut reasons = answer.candidates.iter().filter_map(|each| each.finish_reason.as_ref());
        if let Some(reason) = reasons.next() {
            self.reason = Some(reason.0.to_string());
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if !self.reply.is_complete() {
            failure::truncated(|error| self.interrupt(error, out));
        } else if self.reply.end(&self.tokens, out).is_err() {
            let empty = Malformed::Empty { reason: self.reason.take() };
            self.break_off(&empty, out);
        } else {
            self.ending = Some(Ending::Finished);
        }
    }

    /// Ends the stream with an error because of what came.
    fn break_off(&mut self, malformed: &Malformed, out: &mut Vec<u8>) {
        failure::malformed(malformed, |error| self.interrupt(error, out));
    }

    fn summary(&self) -> Summary {
        let ending = self.ending.clone().unwrap_or(Ending::Truncated);
        Summary { usage: self.tokens.counted, ending }
    }
}

fn read(json: &[u8]) -> Result<GenerateContentResponse<'_>, Malformed> {
    serde_json::from_slice(json).map_err(|error| Malformed::from(&error))
}
