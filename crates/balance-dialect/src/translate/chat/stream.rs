//! The chunks of a streamed chat.
//!
//! Invariant: each answer's first chunk has the role and its last one, alone, the finish reason;
//! `[DONE]` is written only after an answer that Gemini finished.

use super::whole::image;
use std::borrow::Cow;

use super::sources::{self, Written};
use super::{CallStyle, Chat, ChoiceState, StreamUsage, tool_call};
use crate::gemini::generate::answer::{Candidate, GenerateContentResponse, Part};
use crate::json::{self, OneLine};
use crate::openai::completion::{
    Chunk, ChunkChoice, Delta, ExtraContent, FinishReason, Role, ServiceTier, Usage,
};
use crate::openai::error::ErrorObject;
use crate::translate::finish::{Content, End};
use crate::translate::piece::{Piece, is_block, loose_signature};
use crate::translate::reply::{NoAnswer, Reply};
use crate::translate::usage::Tokens;

impl Reply for Chat {
    fn event(&mut self, answer: &GenerateContentResponse<'_>, out: &mut Vec<u8>) {
        self.settle_id(answer.response_id.as_ref());
        for (candidate, position) in answer.candidates.iter().zip(0..) {
            self.candidate(candidate, position, out);
        }
        if answer.candidates.is_empty() && answer.prompt_feedback.as_ref().is_some_and(is_block) {
            self.is_blocked = true;
        }
    }

    fn is_complete(&self) -> bool {
        let is_ended = !self.choices.is_empty() && self.choices.iter().all(|c| c.end.is_some());
        is_ended || self.is_blocked
    }

    fn end(&mut self, tokens: &Tokens, out: &mut Vec<u8>) -> Result<(), NoAnswer> {
        if self.choices.is_empty() {
            self.open(0, out);
        }
        // An answer without an end is complete only when the prompt was blocked.
        let reasons = self.choices.iter().map(|choice| {
            let reason = choice.end.unwrap_or(End::Blocked).reason(choice.content);
            reason.map(|reason| (choice.index, self.style.finish(reason)))
        });
        let Some(reasons) = reasons.collect::<Option<Vec<_>>>() else {
            return Err(NoAnswer);
        };
        for (choice, (index, reason)) in self.choices.iter().zip(reasons) {
            self.sources(choice, out);
            self.write(index, Delta::default(), Some(reason), out);
        }
        if self.usage == StreamUsage::Included {
            self.chunk(&[], Some(Some(tokens.for_chat())), tokens.service_tier, out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
        Ok(())
    }

    fn fail(&mut self, error: &ErrorObject<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"data: ");
        error.write(out);
        out.extend_from_slice(b"\n\n");
    }

    fn whole(
        &mut self,
        answer: &GenerateContentResponse<'_>,
        tokens: &Tokens,
        out: &mut Vec<u8>,
    ) -> Result<(), NoAnswer> {
        self.write_whole(answer, tokens, out)
    }
}

impl Chat {
    fn candidate(&mut self, candidate: &Candidate<'_>, position: u32, out: &mut Vec<u8>) {
        let index = candidate.index.unwrap_or(position);
        let place = match self.choices.iter().position(|choice| choice.index == index) {
            Some(place) => place,
            None => self.open(index, out),
        };
        for part in candidate.content.iter().flat_map(|content| &content.parts) {
            self.part(part, place, out);
        }
        let Some(choice) = self.choices.get_mut(place) else { return };
        if let Some(reason) = &candidate.finish_reason {
            choice.end = Some(End::read(&reason.0));
        }
        let told = sources::told(candidate);
        let known = &mut choice.google;
        known.grounding_metadata =
            told.grounding_metadata.or_else(|| known.grounding_metadata.take());
        known.url_context_metadata =
            told.url_context_metadata.or_else(|| known.url_context_metadata.take());
    }

    /// Begins one of the answers and gives its place.
    fn open(&mut self, index: u32, out: &mut Vec<u8>) -> usize {
        let written = Written { parts: vec![0], ..Written::default() };
        self.choices.push(ChoiceState { index, written, ..ChoiceState::default() });
        let role = Some(Role::Assistant);
        self.write(index, Delta { role, content: Some(""), ..Delta::default() }, None, out);
        self.choices.len() - 1
    }

    /// Tells of the sources of one of the answers, after its words.
    fn sources(&self, choice: &ChoiceState, out: &mut Vec<u8>) {
        let google = choice.google.clone();
        if google.is_empty() {
            return;
        }
        let found = choice.google.grounding_metadata.as_ref().map(OneLine::as_str);
        let pages = choice.google.url_context_metadata.as_ref().map(OneLine::as_str);
        let annotations = sources::annotations((found, pages), &choice.written);
        let extra_content = Some(ExtraContent { google });
        let delta = Delta { annotations, extra_content, ..Delta::default() };
        self.write(choice.index, delta, None, out);
    }

    fn part(&mut self, part: &Part<'_>, place: usize, out: &mut Vec<u8>) {
        let Some(choice) = self.choices.get_mut(place) else { return };
        let index = choice.index;
        let mut delta = Delta {
            extra_content: loose_signature(part).map(ExtraContent::signed),
            ..Delta::default()
        };
        let piece = Piece::of(part);
        if piece.is_none() && delta.extra_content.is_none() {
            return;
        }
        choice.content = choice.content.max(piece.map_or(Content::None, |piece| piece.content()));
        let words = piece.and_then(|piece| piece.words());
        if let Some(words) = &words {
            choice.written.text.to_mut().push_str(words);
            delta.content = Some(words);
        }
        let audio_id;
        match piece {
            Some(Piece::Thought(text)) => delta.reasoning_content = Some(text),
            Some(Piece::Image(url)) => {
                delta.images = Some([image(choice.images, url)]);
                choice.images += 1;
            }
            Some(Piece::Call(call, name)) => {
                let signature = part.thought_signature.as_deref();
                let id = self.calls.name(call.id.as_deref(), signature);
                let name = self.names.to_client(name);
                let mut call = tool_call(call, name, id, signature);
                let place = choice.calls;
                choice.calls += 1;
                match self.style {
                    CallStyle::Tools => {
                        call.index = Some(place);
                        delta.tool_calls = Some([call]);
                    }
                    // Such a client knows one call only.
                    CallStyle::Function if place > 0 => return,
                    CallStyle::Function => {
                        delta.function_call = Some(call.function);
                        delta.extra_content = call.extra_content;
                    }
                }
            }
            Some(Piece::Audio(sound)) => {
                audio_id = choice.audio.get_or_insert_with(|| self.ids.next("audio_")).clone();
                delta.audio = Some(self.audio(&audio_id, Cow::Borrowed(&*sound.data)));
            }
            Some(Piece::Text(_) | Piece::Code(_) | Piece::CodeOutput(_)) | None => {}
        }
        self.write(index, delta, None, out);
    }

    /// Writes a chunk of one of the answers.
    fn write(
        &self,
        index: u32,
        delta: Delta<'_>,
        finish_reason: Option<FinishReason>,
        out: &mut Vec<u8>,
    ) {
        let usage = (self.usage == StreamUsage::Included).then_some(None);
        self.chunk(
            &[ChunkChoice { index, delta, logprobs: None, finish_reason }],
            usage,
            None,
            out,
        );
    }

    fn chunk(
        &self,
        choices: &[ChunkChoice<'_>],
        usage: Option<Option<Usage>>,
        service_tier: Option<ServiceTier>,
        out: &mut Vec<u8>,
    ) {
        let head = self.head("chat.completion.chunk");
        out.extend_from_slice(b"data: ");
        json::write(&Chunk { head, choices, usage, service_tier }, out);
        out.extend_from_slice(b"\n\n");
    }
}
