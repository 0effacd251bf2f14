//! A whole answer of a chat.
//!
//! Invariant: an answer without content is only given when Gemini said why there is none.

use super::{CallStyle, Chat, sound, tool_call};
use crate::gemini::generate::answer::{Blob, Candidate, GenerateContentResponse, PromptFeedback};
use crate::json;
use crate::json::{Said, Shown};
use crate::openai::completion::{
    Called, Choice, Completion, ExtraContent, FinishReason, Image, ImageKind, ImageUrl, Message,
};
use crate::translate::finish::{Content, End};
use crate::translate::names::Names;
use crate::translate::piece::{CallIds, Piece, is_block, loose_signature};
use crate::translate::reply::NoAnswer;
use crate::translate::sources::{self, Written};
use crate::translate::usage::Tokens;
use crate::translate::{extras, logprobs, refused};

impl Chat {
    /// Writes the whole answer.
    ///
    /// # Errors
    /// [`NoAnswer`] when there is none; nothing is written then.
    pub(crate) fn write_whole(
        &mut self,
        answer: &GenerateContentResponse<'_>,
        tokens: &Tokens,
        out: &mut Vec<u8>,
    ) -> Result<(), NoAnswer> {
        self.begin(answer);
        let mut choices = Vec::with_capacity(answer.candidates.len());
        for (candidate, position) in answer.candidates.iter().zip(0..) {
            let (mut choice, sounds) = choice(candidate, position, &self.names, &mut self.calls)?;
            let audio = sound::joined(&sounds, self.style.sound);
            if self.style.calls == CallStyle::Function {
                make_legacy(&mut choice);
            }
            if self.style.links
                && let (Some(links), Some(content)) =
                    (sources::links(&choice.message.annotations), &mut choice.message.content)
            {
                content.push(&links);
            }
            if let Some(data) = audio {
                let id = self.ids.next("audio_");
                choice.message.audio = Some(self.audio(id, data));
            }
            choices.push(choice);
        }
        if choices.is_empty() {
            let feedback = answer.prompt_feedback.as_ref().filter(|feedback| is_block(feedback));
            choices.push(blocked(feedback.ok_or(NoAnswer)?));
        }
        let completion = Completion {
            head: self.head("chat.completion"),
            choices,
            usage: tokens.for_chat(),
            service_tier: tokens.service_tier,
        };
        json::write(&completion, out);
        Ok(())
    }
}

/// One of the answers, and its sounds.
fn choice<'a>(
    candidate: &'a Candidate<'a>,
    position: u32,
    names: &'a Names,
    calls: &mut CallIds,
) -> Result<(Choice<'a>, Vec<&'a Blob<'a>>), NoAnswer> {
    let mut content = Content::None;
    let mut written = Written::default();
    let mut sounds = Vec::new();
    let mut message = Message::default();
    let sources = sources::of(candidate);
    let mut google = extras::of(candidate);
    for part in candidate.content.iter().flat_map(|content| &content.parts) {
        if !sources.are_none() {
            written.parts.push(written.text.len());
        }
        google.thought_signature = loose_signature(part).or(google.thought_signature);
        let Some(piece) = Piece::of(part) else { continue };
        content = content.max(piece.content());
        if let Some(words) = piece.words() {
            written.add(words);
        }
        match piece {
            Piece::Thought(words) => match &mut message.reasoning_content {
                None => message.reasoning_content = Some(Said::Words(words)),
                Some(thoughts) => thoughts.push(words),
            },
            Piece::Call(call, name) => {
                let signature = part.thought_signature.as_deref();
                let id = calls.name(call.id.as_deref(), signature);
                message.tool_calls.push(tool_call(call, name, names, (id, signature)));
            }
            Piece::Image(url) => {
                let index = u32::try_from(message.images.len()).unwrap_or(u32::MAX);
                message.images.push(image(index, url));
            }
            Piece::Audio(sound) => sounds.push(sound),
            Piece::Text(_) | Piece::Code(_) | Piece::CodeOutput(_) => {}
        }
    }
    let finish_reason = End::of(candidate).reason(content).ok_or(NoAnswer)?;
    message.annotations = sources::annotations(sources, &written);
    message.extra_content = (!google.is_empty()).then_some(ExtraContent { google });
    if finish_reason == FinishReason::ContentFilter && content == Content::None {
        message.refusal = Some(refused::answer(candidate).into());
    }
    let has_other = !message.tool_calls.is_empty() || message.refusal.is_some();
    let is_silent = written.text.is_empty() && has_other;
    message.content = (!is_silent).then_some(written.text);
    let index = candidate.index.unwrap_or(position);
    let logprobs = logprobs::of(candidate);
    Ok((Choice { index, message, logprobs, finish_reason }, sounds))
}

/// The first call alone, where clients that know no tools look for it. Its signature, which stands
/// in the call itself otherwise, goes to the message.
fn make_legacy(choice: &mut Choice<'_>) {
    choice.finish_reason = CallStyle::Function.finish(choice.finish_reason);
    let Some(call) = std::mem::take(&mut choice.message.tool_calls).into_iter().next() else {
        return;
    };
    if let Called::Function { function } = call.called {
        choice.message.function_call = Some(function);
    }
    match (call.extra_content, &mut choice.message.extra_content) {
        (Some(of_call), Some(extra)) => {
            extra.google.thought_signature = of_call.google.thought_signature;
        }
        (of_call @ Some(_), extra @ None) => *extra = of_call,
        (None, _) => {}
    }
}

/// What a client is answered whose prompt was blocked.
fn blocked<'a>(feedback: &PromptFeedback<'_>) -> Choice<'a> {
    let refusal = Some(refused::prompt(feedback).into());
    let google = extras::of_prompt(feedback);
    let extra_content = (!google.is_empty()).then_some(ExtraContent { google });
    Choice {
        index: 0,
        message: Message { refusal, extra_content, ..Message::default() },
        logprobs: None,
        finish_reason: FinishReason::ContentFilter,
    }
}

/// A picture as OpenAI's clients know it.
pub(super) fn image(index: u32, url: crate::openai::completion::DataUrl<'_>) -> Image<'_> {
    Image { index, kind: ImageKind::ImageUrl, image_url: ImageUrl { url: Shown(url) } }
}
