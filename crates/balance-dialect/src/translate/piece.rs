//! What one part of an answer means to a client.
//!
//! Invariant: a part that means nothing to a client, as an empty text, is no piece.

use std::collections::BTreeSet;

use super::finish::Content;
use super::ids::Ids;
use super::packed;
use crate::gemini::generate::answer::{Blob, ExecutableCode, FunctionCall, Part, PromptFeedback};
use crate::json::{Said, Words};
use crate::openai::completion::DataUrl;

/// What a part means.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Piece<'a> {
    /// Words of the answer.
    Text(&'a Words<'a>),
    /// Words of a thought.
    Thought(&'a Words<'a>),
    /// A call of a function.
    Call(&'a FunctionCall<'a>, &'a str),
    /// A picture.
    Image(DataUrl<'a>),
    /// A sound.
    Audio(&'a Blob<'a>),
    /// Code that the model ran.
    Code(&'a ExecutableCode<'a>),
    /// What the code gave.
    CodeOutput(&'a str),
}

impl<'a> Piece<'a> {
    /// The meaning of a part.
    pub(crate) fn of(part: &'a Part<'a>) -> Option<Self> {
        let is_thought = part.thought == Some(true);
        if let Some(call) = &part.function_call {
            return call.name.as_deref().map(|name| Self::Call(call, name));
        }
        if let Some(text) = part.text.as_ref().filter(|text| !text.is_empty()) {
            return Some(if is_thought { Self::Thought(text) } else { Self::Text(text) });
        }
        if let Some(code) = &part.executable_code {
            return Some(Self::Code(code));
        }
        if let Some(result) = &part.code_execution_result {
            return (!result.output.is_empty()).then_some(Self::CodeOutput(&result.output));
        }
        let blob = part.inline_data.as_ref().filter(|_| !is_thought)?;
        match blob.mime_type.split('/').next() {
            Some("image") => {
                Some(Self::Image(DataUrl { mime_type: &blob.mime_type, data: &blob.data }))
            }
            Some("audio") => Some(Self::Audio(blob)),
            _ => None,
        }
    }

    /// The words that a client shows: text, code, and what code gave.
    pub(crate) fn words(&self) -> Option<Said<'a>> {
        match self {
            Self::Text(words) => Some(Said::Words(words)),
            Self::Code(code) => {
                Some(fenced(&code.language.0.to_ascii_lowercase(), &code.code).into())
            }
            Self::CodeOutput(output) => Some(fenced("output", output).into()),
            // Clients that know no `images` show Markdown.
            Self::Image(url) if url.is_on_the_web() => Some(format!("![image]({url})").into()),
            Self::Thought(_) | Self::Call(..) | Self::Image(_) | Self::Audio(_) => None,
        }
    }

    /// What an answer with this piece has in it.
    pub(crate) fn content(&self) -> Content {
        match self {
            Self::Thought(_) => Content::None,
            Self::Text(_)
            | Self::Image(_)
            | Self::Audio(_)
            | Self::Code(_)
            | Self::CodeOutput(_) => Content::Words,
            Self::Call(..) => Content::Calls,
        }
    }
}

/// Code as clients show it: fenced, on lines of its own. The fence is longer than any in the code.
fn fenced(language: &str, code: &str) -> String {
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(3.max(longest + 1));
    let code = code.trim_end_matches('\n');
    format!("\n{fence}{language}\n{code}\n{fence}\n")
}

/// The signature of a part that is no call and no step of a tool of Google's, which keep theirs.
pub(crate) fn loose_signature<'a>(part: &'a Part<'a>) -> Option<&'a str> {
    let signature = part.thought_signature.as_deref().filter(|signature| !signature.is_empty());
    let is_of_step = part.tool_call.is_some() || part.tool_response.is_some();
    signature.filter(|_| part.function_call.is_none() && !is_of_step)
}

/// Whether Google answers nothing to this prompt.
pub(crate) fn is_block(feedback: &PromptFeedback<'_>) -> bool {
    feedback.block_reason.is_some() || feedback.block_reason_message.is_some()
}

/// The names of an answer's calls, each with its signature packed in.
#[derive(Debug)]
pub(crate) struct CallIds {
    ids: Ids,
    used: BTreeSet<String>,
}

impl CallIds {
    /// The names for the calls of one answer, from a random number; none of those that are `used`
    /// in the conversation already.
    pub(crate) fn new<'a>(nonce: u64, used: impl Iterator<Item = &'a str>) -> Self {
        // Another row than the one that the answer and its items are named from.
        let used = used.map(|id| packed::unpack(id).0.to_owned()).collect();
        Self { ids: Ids::new(!nonce), used }
    }

    /// The name that Gemini gave a call, unless another call has it, or else a new one.
    pub(crate) fn name(&mut self, given: Option<&str>, signature: Option<&str>) -> String {
        let signature = signature.filter(|signature| !signature.is_empty());
        let is_free = |id: &&str| {
            let is_fit = signature.is_none() || packed::can_carry(id);
            !id.is_empty() && is_fit && !self.used.contains(*id)
        };
        let free = given.filter(is_free);
        let name = match free {
            Some(id) => id.to_owned(),
            None => loop {
                let id = self.ids.next("call_");
                if !self.used.contains(&id) {
                    break id;
                }
            },
        };
        self.used.insert(name.clone());
        signature.and_then(|signature| packed::pack(&name, signature)).unwrap_or(name)
    }
}
