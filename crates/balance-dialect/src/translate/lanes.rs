//! The requests that one call is answered from, side by side.
//!
//! Invariant: the answers of the first request come first, then those of the second, and so on; the
//! tokens of all are summed, those of one never twice.

use super::finish;
use super::piece::is_block;
use super::usage::Tokens;
use crate::gemini::generate::answer::{
    Candidate, EnumName, GenerateContentResponse, PromptFeedback,
};
use crate::json::Text;
use crate::sse::Decoder;
use crate::summary::Usage;

#[cfg(test)]
mod tests;

/// The most bytes that one event may have; a picture of 4K takes some 30 MB.
const EVENT_LIMIT: usize = 128 << 20;

/// What is known of the answers so far.
#[derive(Debug)]
pub(crate) struct Lanes {
    all: Vec<Lane>,
    /// How many answers each request may give.
    answers_each: u32,
    /// Whole answers, kept until the last one is there.
    kept: Vec<Vec<u8>>,
}

/// What is known of the answer to one request.
#[derive(Debug)]
struct Lane {
    decoder: Decoder,
    tokens: Tokens,
    /// Gemini's word for the end of the answer, or for blocking the prompt.
    reason: Option<String>,
    is_over: bool,
}

/// What the end of one stream means for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Gemini had not said that the answer is over.
    Truncated,
    /// Other requests are not answered yet.
    OthersGoOn,
    /// All are answered.
    Last,
}

impl Lanes {
    /// One request.
    pub(crate) fn one() -> Self {
        Self::new(1, 1)
    }

    /// So many requests, each for so many answers.
    pub(crate) fn new(requests: usize, answers_each: u32) -> Self {
        let lane = || Lane {
            decoder: Decoder::new(EVENT_LIMIT),
            tokens: Tokens::default(),
            reason: None,
            is_over: false,
        };
        let all = std::iter::repeat_with(lane).take(requests.max(1)).collect();
        Self { all, answers_each, kept: Vec::new() }
    }

    /// Whether there is one request only.
    pub(crate) fn is_one(&self) -> bool {
        self.all.len() == 1
    }

    /// What cuts the stream of a request into events.
    pub(crate) fn decoder(&mut self, lane: usize) -> Option<&mut Decoder> {
        self.all.get_mut(lane).map(|lane| &mut lane.decoder)
    }

    /// Takes what every dialect needs of an event.
    pub(crate) fn note(&mut self, lane: usize, answer: &GenerateContentResponse<'_>) {
        let Some(lane) = self.all.get_mut(lane) else { return };
        if let Some(stated) = &answer.usage_metadata {
            lane.tokens.update(stated);
        }
        let mut reasons = answer.candidates.iter().filter_map(|each| each.finish_reason.as_ref());
        if let Some(reason) = reasons.next().map(|reason| &*reason.0).or_else(|| block(answer)) {
            lane.reason = Some(reason.to_owned());
        }
    }

    /// Gives the answers in an event their places among those of all requests.
    pub(crate) fn place(&self, lane: usize, answer: &mut GenerateContentResponse<'_>) {
        let first = u32::try_from(lane).unwrap_or(u32::MAX).saturating_mul(self.answers_each);
        if self.is_one() {
            return;
        }
        if let Some(feedback) = answer.prompt_feedback.take().filter(is_block)
            && answer.candidates.is_empty()
        {
            answer.candidates = (0..self.answers_each).map(|_| blocked(&feedback)).collect();
        }
        for (candidate, position) in answer.candidates.iter_mut().zip(0..) {
            let index = candidate.index.unwrap_or(position);
            candidate.index = Some(first.saturating_add(index));
        }
    }

    /// Takes note that the stream of a request has ended.
    pub(crate) fn end(&mut self, lane: usize) -> End {
        if let Some(lane) = self.all.get_mut(lane) {
            lane.is_over = true;
        }
        let is_last = self.all.iter().all(|lane| lane.is_over);
        match self.all.get(lane) {
            Some(lane) if lane.reason.is_none() && !self.is_one() => End::Truncated,
            _ if is_last => End::Last,
            _ => End::OthersGoOn,
        }
    }

    /// The tokens of one request, as Gemini counted them.
    pub(crate) fn counted(&self, lane: usize) -> Usage {
        self.all.get(lane).map(|lane| lane.tokens.counted).unwrap_or_default()
    }

    /// The tokens of all requests.
    pub(crate) fn total(&self) -> Tokens {
        let mut total = Tokens::default();
        for lane in &self.all {
            total.add(&lane.tokens);
        }
        total
    }

    /// Gemini's word for the end of the first answer that has one.
    pub(crate) fn reason(&self) -> Option<String> {
        self.all.iter().find_map(|lane| lane.reason.clone())
    }

    /// The request whose whole answer comes next.
    pub(crate) fn waiting(&self) -> usize {
        self.kept.len()
    }

    /// Keeps a whole answer; whether all are there now.
    pub(crate) fn keep(&mut self, body: &[u8]) -> bool {
        self.kept.push(body.to_owned());
        self.are_all_kept()
    }

    /// Whether the whole answers to all requests are there; that of a single one is not kept.
    pub(crate) fn are_all_kept(&self) -> bool {
        self.is_one() || self.kept.len() == self.all.len()
    }

    /// The whole answers.
    pub(crate) fn kept(&self) -> &[Vec<u8>] {
        &self.kept
    }

    /// The whole answers as one.
    pub(crate) fn merged<'a>(
        &self,
        answers: Vec<GenerateContentResponse<'a>>,
    ) -> GenerateContentResponse<'a> {
        let mut merged = GenerateContentResponse::default();
        for (lane, mut answer) in answers.into_iter().enumerate() {
            self.place(lane, &mut answer);
            merged.response_id = merged.response_id.or(answer.response_id);
            merged.model_version = merged.model_version.or(answer.model_version);
            merged.candidates.append(&mut answer.candidates);
        }
        merged
    }
}

/// Why Google answers nothing to the prompt, if it does not.
fn block<'a>(answer: &'a GenerateContentResponse<'_>) -> Option<&'a str> {
    let feedback = answer.prompt_feedback.as_ref().filter(|feedback| is_block(feedback))?;
    Some(feedback.block_reason.as_ref().map_or("OTHER", |reason| &*reason.0))
}

/// An answer that stands for a prompt that was blocked.
fn blocked<'a>(feedback: &PromptFeedback<'a>) -> Candidate<'a> {
    let reason = feedback.block_reason.clone();
    let is_block = |reason: &EnumName<'_>| finish::End::read(&reason.0) == finish::End::Blocked;
    let reason = reason.filter(is_block).unwrap_or_else(|| EnumName(Text::from("SAFETY")));
    let finish_message = feedback.block_reason_message.clone();
    let safety_ratings = feedback.safety_ratings;
    Candidate {
        finish_reason: Some(reason),
        finish_message,
        safety_ratings,
        ..Candidate::default()
    }
}
