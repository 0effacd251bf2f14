//! An answer of Gemini on its way into a client's dialect, whole or as a stream; or several answers
//! that make one.
//!
//! Invariant: however the bytes of a stream are cut, the same bytes come out; and a stream that
//! Gemini did not finish ends with an error, never as if it were complete.

use super::failure;
use super::lanes::{End, Lanes};
use super::malformed::Malformed;
use super::usage::Tokens;
use crate::gemini::error::ErrorBody;
use crate::gemini::generate::answer::GenerateContentResponse;
use crate::openai::error::ErrorObject;
use crate::sse::{Decoder, Event};
use crate::summary::{Ending, Summary};

/// By how much an answer of ours may be longer than Gemini's, in any dialect, as a rule.
const HEAD_BYTES: usize = 512;

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
    fn fail(&mut self, error: &ErrorObject<'_>, out: &mut Vec<u8>) {
        error.write_event(out);
    }

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
    lanes: Lanes,
    /// Set once the end is written; what comes after is not read.
    ending: Option<Ending>,
}

impl<R: Reply> Feed<R> {
    /// A reply to the one answer of one request.
    pub(crate) fn new(reply: R) -> Self {
        Self::of(reply, Lanes::one())
    }

    /// A reply to the answers of several requests.
    pub(crate) fn of(reply: R, lanes: Lanes) -> Self {
        Self { reply, lanes, ending: None }
    }

    /// See [`Translator::push_lane`](super::Translator::push_lane).
    pub(crate) fn push(
        &mut self,
        lane: usize,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        if self.ending.is_none() {
            self.lanes.decoder(lane).ok_or(Malformed::Unexpected)?.push(bytes);
            out.reserve(bytes.len());
        }
        while self.ending.is_none() {
            let read = match self.lanes.decoder(lane).map(Decoder::next) {
                Some(Ok(Some(event))) => self.event(lane, &event, out),
                Some(Ok(None)) | None => break,
                Some(Err(too_long)) => Err(too_long.into()),
            };
            if let Err(malformed) = read {
                self.break_off(&malformed, out);
                return Err(malformed);
            }
        }
        Ok(())
    }

    /// See [`Translator::finish_lane`](super::Translator::finish_lane).
    pub(crate) fn finish(&mut self, lane: usize, out: &mut Vec<u8>) -> Summary {
        while self.ending.is_none() {
            let Some(event) = self.lanes.decoder(lane).and_then(Decoder::finish) else { break };
            if self.event(lane, &event, out).is_err() {
                // The stream was cut within the event.
                failure::truncated(|error| self.interrupt(error, out));
            }
        }
        if self.ending.is_none() {
            match self.lanes.end(lane) {
                End::Truncated => failure::truncated(|error| self.interrupt(error, out)),
                End::Last => self.end(out),
                End::OthersGoOn => {}
            }
        }
        let ending = self.ending.clone().unwrap_or(Ending::Finished);
        Summary { usage: self.lanes.counted(lane), ending }
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
        out.reserve(body.len() + HEAD_BYTES);
        let lane = self.lanes.waiting();
        self.lanes.note(lane, &answer);
        let counted = self.lanes.counted(lane);
        let written = if self.lanes.is_one() {
            self.reply.whole(&answer, &self.lanes.total(), out)
        } else if self.lanes.keep(body) {
            let bodies = self.lanes.kept();
            let answers = bodies.iter().map(|body| read(body)).collect::<Result<Vec<_>, _>>()?;
            self.reply.whole(&self.lanes.merged(answers), &self.lanes.total(), out)
        } else {
            Ok(())
        };
        if written.is_err() {
            return Err(Malformed::Empty { reason: self.lanes.reason() });
        }
        self.ending = self.lanes.are_all_kept().then_some(Ending::Finished);
        Ok(Summary { usage: counted, ending: Ending::Finished })
    }

    fn event(&mut self, lane: usize, event: &Event, out: &mut Vec<u8>) -> Result<(), Malformed> {
        let mut answer = read(&event.data)?;
        self.lanes.note(lane, &answer);
        if answer.error.is_some() {
            let error = ErrorBody::parse(&event.data).unwrap_or_default();
            failure::of_upstream(&error, |error| self.reply.fail(error, out));
            self.ending = Some(Ending::Failed(error));
        } else {
            self.lanes.place(lane, &mut answer);
            self.reply.event(&answer, out);
        }
        Ok(())
    }

    /// Writes the end, now that all requests are answered.
    fn end(&mut self, out: &mut Vec<u8>) {
        if !self.reply.is_complete() {
            failure::truncated(|error| self.interrupt(error, out));
        } else if self.reply.end(&self.lanes.total(), out).is_err() {
            let empty = Malformed::Empty { reason: self.lanes.reason() };
            self.break_off(&empty, out);
        } else {
            self.ending = Some(Ending::Finished);
        }
    }

    /// Ends the stream with an error because of what came.
    fn break_off(&mut self, malformed: &Malformed, out: &mut Vec<u8>) {
        failure::malformed(malformed, |error| self.interrupt(error, out));
    }
}

fn read(json: &[u8]) -> Result<GenerateContentResponse<'_>, Malformed> {
    crate::json::read(json).map_err(|error| Malformed::from(&error))
}
