//! Gemini's answer, told to the items of the client's.
//!
//! Invariant: the client's stream begins with `response.created`, and ends with
//! `response.completed`, `response.incomplete` or, after an error, `response.failed`.

use super::items::Call;
use super::{Outcome, Responses};
use crate::gemini::generate::answer::{GenerateContentResponse, Part};
use crate::json::{self, compact};
use crate::openai::completion::UrlCitation;
use crate::openai::error::ErrorObject;
use crate::openai::responses::answer::{Annotation, Error, Status};
use crate::openai::responses::event::{self, Event};
use crate::translate::custom;
use crate::translate::finish::End;
use crate::translate::piece::{Piece, is_block};
use crate::translate::reply::{NoAnswer, Reply};
use crate::translate::sources::{self, Written};
use crate::translate::usage::Tokens;

impl Reply for Responses {
    fn event(&mut self, answer: &GenerateContentResponse<'_>, out: &mut Vec<u8>) {
        self.begin(answer.response_id.as_deref(), out);
        let Some(candidate) = answer.candidates.first() else {
            self.is_blocked |= answer.prompt_feedback.as_ref().is_some_and(is_block);
            return;
        };
        for part in candidate.content.iter().flat_map(|content| &content.parts) {
            self.part(part, out);
        }
        if let Some(reason) = &candidate.finish_reason {
            self.end = Some(End::read(&reason.0));
        }
        sources::keep(&mut self.sources, candidate);
    }

    fn is_complete(&self) -> bool {
        self.end.is_some() || self.is_blocked
    }

    fn end(&mut self, tokens: &Tokens, out: &mut Vec<u8>) -> Result<(), NoAnswer> {
        let outcome = self.outcome().ok_or(NoAnswer)?;
        self.cite(out);
        self.items.close(outcome.status, out);
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
        let outcome = self.outcome().ok_or(NoAnswer)?;
        self.cite(out);
        self.items.close(outcome.status, out);
        let response = self.head.response(&self.items.all, outcome, Some(tokens.for_responses()));
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
        let Some(piece) = Piece::of(part) else { return };
        self.content = self.content.max(piece.content());
        match piece {
            Piece::Text(words) => self.items.text(words, out),
            Piece::Thought(words) => self.items.thought(words, out),
            Piece::Code(_) | Piece::CodeOutput(_) => {
                self.items.text(&piece.words().unwrap_or_default(), out);
            }
            // The Responses API has no item for sounds.
            Piece::Audio(_) => {}
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

    /// Tells of the sources of the last words, which Gemini tells of at the end.
    fn cite(&mut self, out: &mut Vec<u8>) {
        let Some(text) = self.items.open_text() else { return };
        let written = Written { text: text.into(), parts: vec![0] };
        let sources: Vec<Annotation> = sources::of_kept(&self.sources, &written)
            .into_iter()
            .map(|annotation| {
                let UrlCitation { start_index, end_index, url, title } = annotation.url_citation;
                let (url, title) = (url.into_owned(), title.into_owned());
                Annotation::UrlCitation { start_index, end_index, url, title }
            })
            .collect();
        for source in &sources {
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
        let usage = tokens.map(Tokens::for_responses);
        let response = Some(self.head.response(&self.items.all, outcome, usage));
        self.items.events.write(Event { kind, response, ..Event::default() }, out);
    }
}
