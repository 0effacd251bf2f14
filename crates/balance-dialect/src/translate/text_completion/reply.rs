//! The answer to a completion, whole or in chunks.
//!
//! Invariant: both ways tell the same text, ends and usage.

use std::borrow::Cow;

use super::Prompts;
use crate::gemini::generate::answer::{Candidate, GenerateContentResponse, TokenLogprob};
use crate::json;
use crate::openai::completion::{FinishReason, Head, Usage};
use crate::openai::text_completion::{TextChoice, TextCompletion, TextLogprobs};
use crate::translate::Stamp;
use crate::translate::chat::StreamUsage;
use crate::translate::finish::{Content, End};
use crate::translate::ids::Ids;
use crate::translate::piece::{Piece, is_block};
use crate::translate::reply::{NoAnswer, Reply};
use crate::translate::usage::Tokens;

/// What is known of an answer that is on its way to the client.
#[derive(Debug)]
pub(crate) struct TextReply {
    id: Option<String>,
    ids: Ids,
    created: u64,
    model: String,
    prompts: Prompts,
    usage: StreamUsage,
    choices: Vec<State>,
    is_blocked: bool,
}

/// One of the answers of a stream.
#[derive(Debug, Default)]
struct State {
    index: u32,
    content: Content,
    /// How long its text is, in characters, as far as its tokens were told.
    told: usize,
    end: Option<End>,
}

impl TextReply {
    /// The answer to a client that asked for `model`.
    pub(crate) fn new(model: String, prompts: Prompts, usage: StreamUsage, stamp: Stamp) -> Self {
        Self {
            id: None,
            ids: Ids::new(stamp.nonce),
            created: stamp.unix_seconds,
            model,
            prompts,
            usage,
            choices: Vec::new(),
            is_blocked: false,
        }
    }

    /// Settles the answer's name at Gemini's first word.
    fn settle_id(&mut self, response_id: Option<&str>) {
        if self.id.is_none() {
            let given = response_id.filter(|id| !id.is_empty()).map(|id| format!("cmpl-{id}"));
            self.id = Some(given.unwrap_or_else(|| self.ids.next("cmpl-")));
        }
    }

    fn candidate(&mut self, candidate: &Candidate<'_>, position: u32, out: &mut Vec<u8>) {
        let index = candidate.index.unwrap_or(position);
        let place = match self.choices.iter().position(|choice| choice.index == index) {
            Some(place) => place,
            None => self.open(index, out),
        };
        let Some(choice) = self.choices.get_mut(place) else { return };
        let (text, content) = words(candidate);
        choice.content = choice.content.max(content);
        if let Some(reason) = &candidate.finish_reason {
            choice.end = Some(End::read(&reason.0));
        }
        let logprobs = logprobs(candidate, &mut choice.told);
        if !text.is_empty() || logprobs.is_some() {
            self.chunk(&[TextChoice { text, index, logprobs, finish_reason: None }], None, out);
        }
    }

    /// Begins one of the answers, with its prompt if that is wanted, and gives its place.
    fn open(&mut self, index: u32, out: &mut Vec<u8>) -> usize {
        let before = self.prompts.before(index);
        let told = before.chars().count();
        if told > 0 {
            let text = Cow::Borrowed(before);
            let choice = TextChoice { text, index, logprobs: None, finish_reason: None };
            self.chunk(&[choice], None, out);
        }
        self.choices.push(State { index, told, ..State::default() });
        self.choices.len() - 1
    }

    fn chunk(&self, choices: &[TextChoice<'_>], usage: Option<Usage>, out: &mut Vec<u8>) {
        let usage = (self.usage == StreamUsage::Included).then_some(usage);
        out.extend_from_slice(b"data: ");
        json::write(&TextCompletion { head: self.head(), choices, usage }, out);
        out.extend_from_slice(b"\n\n");
    }

    fn head(&self) -> Head<'_> {
        Head {
            id: self.id.as_deref().unwrap_or_default(),
            object: "text_completion",
            created: self.created,
            model: &self.model,
            system_fingerprint: None,
        }
    }

    fn choice<'a>(
        &self,
        candidate: &'a Candidate<'a>,
        position: u32,
    ) -> Result<TextChoice<'a>, NoAnswer> {
        let index = candidate.index.unwrap_or(position);
        let before = self.prompts.before(index);
        let (words, content) = words(candidate);
        let text = if before.is_empty() { words } else { [before, &words].concat().into() };
        let finish_reason = Some(End::of(candidate).reason(content).ok_or(NoAnswer)?);
        let logprobs = logprobs(candidate, &mut before.chars().count());
        Ok(TextChoice { text, index, logprobs, finish_reason })
    }
}

impl Reply for TextReply {
    fn event(&mut self, answer: &GenerateContentResponse<'_>, out: &mut Vec<u8>) {
        self.settle_id(answer.response_id.as_deref());
        for (candidate, position) in answer.candidates.iter().zip(0..) {
            self.candidate(candidate, position, out);
        }
        self.is_blocked |= is_blocked(answer);
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
        let ends = self.choices.iter().map(|choice| {
            let reason = choice.end.unwrap_or(End::Blocked).reason(choice.content)?;
            Some((choice.index, reason))
        });
        let ends = ends.collect::<Option<Vec<_>>>().ok_or(NoAnswer)?;
        for (index, reason) in ends {
            let (text, finish_reason) = (Cow::Borrowed(""), Some(reason));
            self.chunk(&[TextChoice { text, index, logprobs: None, finish_reason }], None, out);
        }
        if self.usage == StreamUsage::Included {
            self.chunk(&[], Some(tokens.for_chat()), out);
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
        self.settle_id(answer.response_id.as_deref());
        let choices = answer.candidates.iter().zip(0..);
        let choices = choices.map(|(candidate, position)| self.choice(candidate, position));
        let mut choices = choices.collect::<Result<Vec<_>, _>>()?;
        if choices.is_empty() {
            if !is_blocked(answer) {
                return Err(NoAnswer);
            }
            let text = Cow::Borrowed(self.prompts.before(0));
            let finish_reason = Some(FinishReason::ContentFilter);
            choices.push(TextChoice { text, index: 0, logprobs: None, finish_reason });
        }
        let usage = Some(Some(tokens.for_chat()));
        json::write(&TextCompletion { head: self.head(), choices: &choices, usage }, out);
        Ok(())
    }
}

fn is_blocked(answer: &GenerateContentResponse<'_>) -> bool {
    answer.candidates.is_empty() && answer.prompt_feedback.as_ref().is_some_and(is_block)
}

/// The text of an answer, or of an event of one: a completion has no place for anything else.
fn words<'a>(candidate: &'a Candidate<'a>) -> (Cow<'a, str>, Content) {
    let parts = candidate.content.iter().flat_map(|content| &content.parts);
    let mut words = parts.filter_map(|part| Piece::of(part)?.words());
    let Some(mut text) = words.next() else { return (Cow::Borrowed(""), Content::None) };
    for more in words {
        text.push(&more);
    }
    (text.into_text(), Content::Words)
}

/// The likelihoods of the tokens that come after `told` characters; none when they are not told.
fn logprobs<'a>(candidate: &'a Candidate<'a>, told: &mut usize) -> Option<TextLogprobs<'a>> {
    let result = candidate.logprobs_result.as_ref()?;
    if result.chosen_candidates.is_empty() {
        return None;
    }
    let mut logprobs = TextLogprobs::default();
    for (place, TokenLogprob { token, log_probability }) in
        result.chosen_candidates.iter().enumerate()
    {
        logprobs.tokens.push(token);
        logprobs.token_logprobs.push(*log_probability);
        logprobs.text_offset.push(*told);
        *told += token.chars().count();
        let likeliest = result.top_candidates.get(place).map(|top| top.candidates.iter());
        let pairs = likeliest.into_iter().flatten();
        logprobs.top_logprobs.push(pairs.map(|top| (&*top.token, top.log_probability)).collect());
    }
    Some(logprobs)
}
