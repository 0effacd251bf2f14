//! Gemini's answer, told to the items of the client's.
//!
//! Invariant: the client's stream begins with `response.created`, and ends with
//! `response.completed`, `response.incomplete` or, after an error, `response.failed`.

use super::items::Call;
use super::{Mode, Outcome, Responses};
use crate::gemini::generate::answer::{GenerateContentResponse, Part};
use crate::json::{self, compact};
use crate::openai::completion::UrlCitation;
use crate::openai::error::ErrorObject;
use crate::openai::responses::answer::{Annotation, Error, IncompleteReason, Status, TokenLogprob};
use crate::openai::responses::event::{self, Event};
use crate::translate::finish::{Content, End};
use crate::translate::piece::{Piece, is_block};
use crate::translate::reply::{NoAnswer, Reply};
use crate::translate::sources::{self, Written};
use crate::translate::usage::Tokens;
use crate::translate::{custom, extras, logprobs, refused};

impl Reply for Responses {
    fn event(&mut self, answer: &GenerateContentResponse<'_>, out: &mut Vec<u8>) {
        self.begin(answer.response_id.as_deref(), out);
        let Some(candidate) = answer.candidates.first() else {
            let feedback = answer.prompt_feedback.as_ref();
            if let Some(feedback) = feedback.filter(|feedback| is_block(feedback)) {
                self.is_blocked = true;
                self.refusal = Some(refused::prompt(feedback));
            }
            return;
        };
        let told = logprobs::of(candidate).into_iter().flat_map(|told| told.content);
        self.logprobs.extend(told.map(TokenLogprob::from));
        for part in candidate.content.iter().flat_map(|content| &content.parts) {
            self.part(part, out);
        }
        if let Some(reason) = &candidate.finish_reason {
            self.end = Some(End::read(&reason.0));
            self.refusal = Some(refused::answer(candidate));
        }
        extras::keep(&mut self.sources, candidate);
    }

    fn is_complete(&self) -> bool {
        self.end.is_some() || self.is_blocked
    }

    fn end(&mut self, tokens: &Tokens, out: &mut Vec<u8>) -> Result<(), NoAnswer> {
        let outcome = self.close(out)?;
        let kind = match outcome.status {
            Status::Incomplete => "response.incomplete",
            Status::InProgress | Status::Completed | Status::Failed => "response.completed",
        };
        self.tell(kind, outcome, Some(tokens), out);
        Ok(())
    }

    fn fail(&mut self, error: &ErrorObject<'_>, out: &mut Vec<u8>) {
        self.begin(None, out);
        self.items.close(Status::Incomplete, out);
        let ErrorObject { message, param, code, .. } = *error;
        let told = Some(event::Error { code, message, param });
        self.items.events.write(Event { kind: "error", error: told, ..Event::default() }, out);
        let code = match code {
            Some("rate_limit_exceeded") => "rate_limit_exceeded",
            _ => "server_error",
        };
        let error = Some(Error { code, message });
        let outcome = Outcome { status: Status::Failed, reason: None, error };
        self.tell("response.failed", outcome, None, out);
    }

    fn whole(
        &mut self,
        answer: &GenerateContentResponse<'_>,
        tokens: &Tokens,
        out: &mut Vec<u8>,
    ) -> Result<(), NoAnswer> {
        self.event(answer, out);
        let outcome = self.close(out)?;
        let response = self.head.response(&self.items.all, outcome, Some(tokens));
        json::write(&response, out);
        Ok(())
    }
}

impl Responses {
    /// Settles the answer's name, and tells of its beginning, at Gemini's first word.
    fn begin(&mut self, response_id: Option<&str>, out: &mut Vec<u8>) {
        if self.head.id.is_some() {
            return;
        }
        let given = response_id.filter(|id| !id.is_empty()).map(|id| format!("resp_{id}"));
        self.head.id = Some(given.unwrap_or_else(|| self.items.answer_id()));
        self.tell("response.created", Outcome::IN_PROGRESS, None, out);
        self.tell("response.in_progress", Outcome::IN_PROGRESS, None, out);
    }

    fn part(&mut self, part: &Part<'_>, out: &mut Vec<u8>) {
        if self.items.events.mode == Mode::Whole {
            self.parts.push(self.items.texts().map(str::len).sum());
        }
        let Some(piece) = Piece::of(part) else { return };
        self.content = self.content.max(piece.content());
        match piece {
            Piece::Text(words) => self.words(words, out),
            Piece::Thought(words) => self.items.thought(words, out),
            Piece::Code(_) | Piece::CodeOutput(_) => {
                self.words(&piece.words().unwrap_or_default(), out);
            }
            Piece::Audio(sound) => self.items.sound(&sound.data, out),
            Piece::Image(url) => self.items.image(url.data, out),
            Piece::Call(call, name) => {
                let is_custom = self.names.is_custom(name);
                let given = match call.args {
                    _ if is_custom => custom::input(call).into_inner(),
                    Some(args) => compact(args.get()),
                    None => "{}".into(),
                };
                let call = Call {
                    id: call.id.as_deref(),
                    name: self.names.to_client(name),
                    given: &given,
                    is_custom,
                    signature: part.thought_signature.as_deref(),
                };
                self.items.call(call, out);
            }
        }
    }

    /// Words, with how likely they were.
    fn words(&mut self, words: &str, out: &mut Vec<u8>) {
        let logprobs = std::mem::take(&mut self.logprobs);
        self.items.text(words, logprobs, out);
    }

    /// Ends the last item, now that the answer is over.
    fn close(&mut self, out: &mut Vec<u8>) -> Result<Outcome<'static>, NoAnswer> {
        let outcome = self.outcome().ok_or(NoAnswer)?;
        if !self.logprobs.is_empty() && self.items.is_message_open() {
            self.words("", out);
        }
        self.cite(out);
        let is_filtered = outcome.reason == Some(IncompleteReason::ContentFilter);
        if let Some(why) = self.refusal.take().filter(|_| is_filtered)
            && self.content == Content::None
        {
            self.items.refuse(&why, out);
        }
        self.items.close(outcome.status, out);
        Ok(outcome)
    }

    /// Tells of the sources of the words, which Gemini tells of at the end.
    fn cite(&mut self, out: &mut Vec<u8>) {
        if self.sources.is_empty() {
            return;
        }
        let sources = sources::of_kept(&self.sources);
        let text: String = self.items.texts().collect();
        let written = Written { text: text.into(), parts: self.parts.clone() };
        let sources: Vec<Annotation> = sources::annotations(sources, &written)
            .into_iter()
            .map(|annotation| {
                let UrlCitation { start_index, end_index, url, title } = annotation.url_citation;
                let (url, title) = (url.into_owned(), title.into_owned());
                Annotation::UrlCitation { start_index, end_index, url, title }
            })
            .collect();
        for source in sources {
            self.items.cite(source, out);
        }
    }

    /// Tells of a new state of the answer as a whole.
    fn tell(
        &mut self,
        kind: &'static str,
        outcome: Outcome<'_>,
        tokens: Option<&Tokens>,
        out: &mut Vec<u8>,
    ) {
        let response = Some(self.head.response(&self.items.all, outcome, tokens));
        self.items.events.write(Event { kind, response, ..Event::default() }, out);
    }
}
