//! A whole answer of a chat.
//!
//! Invariant: an answer without content is only given when Gemini said why there is none.

use std::borrow::Cow;

use super::{Chat, tool_call};
use crate::gemini::generate::answer::{Candidate, GenerateContentResponse};
use crate::json;
use crate::json::Shown;
use crate::openai::completion::{
    Choice, Completion, ExtraContent, FinishReason, Image, ImageKind, ImageUrl, Message,
};
use crate::translate::finish::{Content, End};
use crate::translate::names::Names;
use crate::translate::piece::{CallIds, Piece, is_block, loose_signature};
use crate::translate::reply::NoAnswer;
use crate::translate::usage::Tokens;

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
        self.settle_id(answer.response_id.as_ref());
        let mut choices = Vec::with_capacity(answer.candidates.len());
        for (candidate, position) in answer.candidates.iter().zip(0..) {
            choices.push(choice(candidate, position, &self.names, &mut self.calls)?);
        }
        if choices.is_empty() {
            if !answer.prompt_feedback.as_ref().is_some_and(is_block) {
                return Err(NoAnswer);
            }
            choices.push(blocked());
        }
        let completion =
            Completion { head: self.head("chat.completion"), choices, usage: tokens.for_chat() };
        json::write(&completion, out);
        Ok(())
    }
}

fn choice<'a>(
    candidate: &'a Candidate<'a>,
    position: u32,
    names: &'a Names,
    calls: &mut CallIds,
) -> Result<Choice<'a>, NoAnswer> {
    let mut content = Content::None;
    let mut text = None;
    let mut message = Message::default();
    for part in candidate.content.iter().flat_map(|content| &content.parts) {
        if let Some(signature) = loose_signature(part) {
            message.extra_content = Some(ExtraContent::signed(signature));
        }
        let Some(piece) = Piece::of(part) else { continue };
        content = content.max(piece.content());
        match piece {
            Piece::Text(words) => append(&mut text, words),
            Piece::Thought(words) => append(&mut message.reasoning_content, words),
            Piece::Call(call, name) => {
                let signature = part.thought_signature.as_deref();
                let id = calls.name(call.id.as_deref(), signature);
                message.tool_calls.push(tool_call(call, names.to_client(name), id, signature));
            }
            Piece::Image(url) => {
                let index = u32::try_from(message.images.len()).unwrap_or(u32::MAX);
                message.images.push(image(index, url));
            }
        }
    }
    let finish_reason = End::of(candidate).reason(content).ok_or(NoAnswer)?;
    message.content = text.or_else(|| message.tool_calls.is_empty().then_some("".into()));
    let index = candidate.index.unwrap_or(position);
    Ok(Choice { index, message, logprobs: None, finish_reason })
}

/// What a client is answered whose prompt was blocked.
fn blocked<'a>() -> Choice<'a> {
    Choice {
        index: 0,
        message: Message::default(),
        logprobs: None,
        finish_reason: FinishReason::ContentFilter,
    }
}

/// A picture as OpenAI's clients know it.
pub(super) fn image(index: u32, url: crate::openai::completion::DataUrl<'_>) -> Image<'_> {
    Image { index, kind: ImageKind::ImageUrl, image_url: ImageUrl { url: Shown(url) } }
}

fn append<'a>(text: &mut Option<Cow<'a, str>>, words: &'a str) {
    match text {
        None => *text = Some(words.into()),
        Some(text) => text.to_mut().push_str(words),
    }
}
