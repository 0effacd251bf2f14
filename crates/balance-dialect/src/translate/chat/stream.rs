//! The chunks of a streamed chat.
//!
//! Invariant: each answer's first chunk has the role and its last one, alone, the finish reason;
//! `[DONE]` is written only after an answer that Gemini finished.

use std::borrow::Cow;

use super::whole::image;
use super::{CallStyle, Chat, ChoiceState, StreamUsage, tool_call};
use crate::gemini::generate::answer::{Candidate, GenerateContentResponse, Part};
use crate::json::{self, Said};
use crate::openai::completion::{
    Called, Chunk, ChunkChoice, Delta, ExtraContent,
    FinishReason::{self, ContentFilter},
    Role, ServiceTier, Usage,
};
use crate::openai::logprobs::Logprobs;
use crate::translate::finish::{Content, End};
use crate::translate::piece::{Piece, is_block, loose_signature};
use crate::translate::reply::{NoAnswer, Reply};
use crate::translate::sources::{self, Written};
use crate::translate::usage::Tokens;
use crate::translate::{extras, logprobs, refused};

impl Reply for Chat {
    fn event(&mut self, answer: &GenerateContentResponse<'_>, out: &mut Vec<u8>) {
        self.begin(answer);
        if self.opening.is_empty() {
            self.opening = self.opening();
        }
        for (candidate, position) in answer.candidates.iter().zip(0..) {
            self.candidate(candidate, position, out);
        }
        let feedback = answer.prompt_feedback.as_ref().filter(|feedback| is_block(feedback));
        if let Some(feedback) = feedback.filter(|_| answer.candidates.is_empty()) {
            self.blocked = Some((refused::prompt(feedback), extras::of_prompt(feedback)));
        }
    }

    fn is_complete(&self) -> bool {
        let is_ended = !self.choices.is_empty() && self.choices.iter().all(|c| c.end.is_some());
        is_ended || self.blocked.is_some()
    }

    fn end(&mut self, tokens: &Tokens, out: &mut Vec<u8>) -> Result<(), NoAnswer> {
        if self.choices.is_empty() {
            self.open(0, out);
        }
        if let ([only], Some((why, google))) = (&mut self.choices[..], self.blocked.take()) {
            only.refusal.get_or_insert(why);
            if only.google.is_empty() {
                only.google = google;
            }
        }
        // An answer without an end is complete only when the prompt was blocked.
        let reasons = self.choices.iter().map(|choice| {
            let reason = choice.end.unwrap_or(End::Blocked).reason(choice.content);
            reason.map(|reason| (choice.index, self.style.calls.finish(reason)))
        });
        let Some(reasons) = reasons.collect::<Option<Vec<_>>>() else {
            return Err(NoAnswer);
        };
        for (choice, (index, reason)) in self.choices.iter().zip(reasons) {
            self.extras(choice, out);
            let is_empty = choice.content == Content::None;
            let refusal = choice.refusal.as_deref();
            if let Some(refusal) = refusal.filter(|_| is_empty && reason == ContentFilter) {
                let delta = Delta { refusal: Some(refusal), ..Delta::default() };
                self.write(index, delta, None, out);
            }
            self.write(index, Delta::default(), Some(reason), out);
        }
        if self.style.usage == StreamUsage::Included {
            self.chunk(&[], Some(Some(tokens.for_chat())), tokens.service_tier, out);
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
        Ok(())
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
        let mut logprobs = logprobs::of(candidate);
        for part in candidate.content.iter().flat_map(|content| &content.parts) {
            self.part(part, place, &mut logprobs, out);
        }
        if logprobs.is_some() {
            self.write_chunk(index, Delta::default(), logprobs, None, out);
        }
        let Some(choice) = self.choices.get_mut(place) else { return };
        if let Some(reason) = &candidate.finish_reason {
            choice.end = Some(End::read(&reason.0));
            choice.refusal = Some(refused::answer(candidate));
        }
        extras::keep(&mut choice.google, candidate);
    }

    /// Begins one of the answers and gives its place.
    fn open(&mut self, index: u32, out: &mut Vec<u8>) -> usize {
        let written = Written { parts: vec![0], ..Written::default() };
        self.choices.push(ChoiceState { index, written, ..ChoiceState::default() });
        let role = Some(Role::Assistant);
        self.write(
            index,
            Delta { role, content: Some(Said::default()), ..Delta::default() },
            None,
            out,
        );
        self.choices.len() - 1
    }

    /// Tells of the sources of one of the answers, and what else Gemini told, after its words.
    fn extras(&self, choice: &ChoiceState, out: &mut Vec<u8>) {
        let google = choice.google.clone();
        if google.is_empty() {
            return;
        }
        let annotations = sources::annotations(sources::of_kept(&choice.google), &choice.written);
        let extra_content = Some(ExtraContent { google });
        let links = sources::links(&annotations).filter(|_| self.style.links);
        let content = links.map(Said::from);
        let delta = Delta { content, annotations, extra_content, ..Delta::default() };
        self.write(choice.index, delta, None, out);
    }

    /// Writes what a part adds, with the likelihoods of the event if they were not written yet.
    fn part(
        &mut self,
        part: &Part<'_>,
        place: usize,
        logprobs: &mut Option<Logprobs<'_>>,
        out: &mut Vec<u8>,
    ) {
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
        if let Some(words) = words {
            choice.written.text.push(&words);
            delta.content = Some(words);
        }
        let audio_id;
        match piece {
            Some(Piece::Thought(words)) => delta.reasoning_content = Some(Said::Words(words)),
            Some(Piece::Image(url)) => {
                delta.images = Some([image(choice.images, url)]);
                choice.images += 1;
            }
            Some(Piece::Call(call, name)) => {
                let signature = part.thought_signature.as_deref();
                let id = self.calls.name(call.id.as_deref(), signature);
                let mut call = tool_call(call, name, &self.names, (id, signature));
                let place = choice.calls;
                choice.calls += 1;
                match self.style.calls {
                    CallStyle::Tools => {
                        call.index = Some(place);
                        delta.tool_calls = Some([call]);
                    }
                    // Such a client knows one call only.
                    CallStyle::Function if place > 0 => return,
                    CallStyle::Function => {
                        if let Called::Function { function } = call.called {
                            delta.function_call = Some(function);
                        }
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
        let told = logprobs.take_if(|_| delta.content.is_some());
        self.write_chunk(index, delta, told, None, out);
    }

    /// Writes a chunk of one of the answers.
    fn write(
        &self,
        index: u32,
        delta: Delta<'_>,
        finish_reason: Option<FinishReason>,
        out: &mut Vec<u8>,
    ) {
        self.write_chunk(index, delta, None, finish_reason, out);
    }

    fn write_chunk(
        &self,
        index: u32,
        delta: Delta<'_>,
        logprobs: Option<Logprobs<'_>>,
        finish_reason: Option<FinishReason>,
        out: &mut Vec<u8>,
    ) {
        let usage = (self.style.usage == StreamUsage::Included).then_some(None);
        self.chunk(&[ChunkChoice { index, delta, logprobs, finish_reason }], usage, None, out);
    }

    /// What each chunk begins with: the event's field, and the head without the brace at its end.
    fn opening(&self) -> Vec<u8> {
        let mut opening = b"data: ".to_vec();
        json::write(&self.head("chat.completion.chunk"), &mut opening);
        opening.pop();
        opening
    }

    /// Writes a chunk. Its own brace becomes the comma behind what it begins with.
    fn chunk(
        &self,
        choices: &[ChunkChoice<'_>],
        usage: Option<Option<Usage>>,
        service_tier: Option<ServiceTier>,
        out: &mut Vec<u8>,
    ) {
        out.extend_from_slice(&self.opening);
        let joint = out.len();
        json::write(&Chunk { choices, usage, service_tier }, out);
        if let Some(brace) = out.get_mut(joint) {
            *brace = b',';
        }
        out.extend_from_slice(b"\n\n");
    }
}
