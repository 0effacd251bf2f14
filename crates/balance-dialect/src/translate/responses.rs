//! The Responses API: requests one way, answers the other.
//!
//! Invariant: whole or streamed, an answer is made of the same items; nothing is kept between
//! calls.

mod events;
mod input;
mod items;
mod reply;
mod request;
#[cfg(test)]
mod tests;

pub(crate) use self::input::call_ids;
pub(crate) use self::request::request;

use self::items::Items;
use super::Stamp;
use super::finish::{Content, End};
use super::names::Names;
use super::piece::CallIds;
use super::usage::Tokens;
use crate::openai::completion::{FinishReason, GoogleContent};
use crate::openai::responses::Echo;
use crate::openai::responses::answer::{
    Error, IncompleteDetails, IncompleteReason, Item, Response, Status, TokenLogprob,
};

/// How an answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Whole,
    Stream,
}

/// What is known of an answer that is on its way to the client.
#[derive(Debug)]
pub(crate) struct Responses {
    head: Head,
    items: Items,
    names: Names,
    content: Content,
    /// What was last told of the sources.
    sources: GoogleContent<'static>,
    /// Where in the words of the answer the parts of Gemini's begin; those of a stream count as one.
    parts: Vec<usize>,
    /// How likely tokens were whose words have not come yet.
    logprobs: Vec<TokenLogprob>,
    end: Option<End>,
    /// Why Google answers nothing, if so.
    refusal: Option<String>,
    is_blocked: bool,
}

/// What all states of an answer share.
#[derive(Debug)]
struct Head {
    /// None before Gemini's first word.
    id: Option<String>,
    created_at: u64,
    model: String,
    echo: Echo,
}

/// Why an answer is over.
#[derive(Debug, Clone, Copy)]
struct Outcome<'a> {
    status: Status,
    reason: Option<IncompleteReason>,
    error: Option<Error<'a>>,
}

impl Responses {
    /// The answer to a client that asked for `model`.
    pub(crate) fn new(
        model: &str,
        names: Names,
        echo: Echo,
        (mode, calls): (Mode, CallIds),
        stamp: Stamp,
    ) -> Self {
        Self {
            head: Head { id: None, created_at: stamp.unix_seconds, model: model.to_owned(), echo },
            items: Items::new(mode, calls, stamp.nonce),
            names,
            content: Content::None,
            sources: GoogleContent::default(),
            parts: if mode == Mode::Stream { vec![0] } else { Vec::new() },
            logprobs: Vec::new(),
            end: None,
            refusal: None,
            is_blocked: false,
        }
    }

    /// How the answer is over; none when the model failed and gave no answer.
    fn outcome(&self) -> Option<Outcome<'static>> {
        let end = if self.is_blocked { End::Blocked } else { self.end.unwrap_or(End::Failed) };
        Some(match end.reason(self.content)? {
            FinishReason::Stop | FinishReason::ToolCalls | FinishReason::FunctionCall => {
                Outcome { status: Status::Completed, reason: None, error: None }
            }
            FinishReason::Length => Outcome::incomplete(IncompleteReason::MaxOutputTokens),
            FinishReason::ContentFilter => Outcome::incomplete(IncompleteReason::ContentFilter),
        })
    }
}

impl Outcome<'_> {
    const IN_PROGRESS: Self = Self { status: Status::InProgress, reason: None, error: None };

    fn incomplete(reason: IncompleteReason) -> Self {
        Self { status: Status::Incomplete, reason: Some(reason), error: None }
    }
}

impl Head {
    /// The answer in a state.
    fn response<'a>(
        &'a self,
        items: &'a [Item],
        outcome: Outcome<'a>,
        tokens: Option<&Tokens>,
    ) -> Response<'a> {
        Response {
            id: self.id.as_deref().unwrap_or_default(),
            object: "response",
            created_at: self.created_at,
            status: outcome.status,
            background: false,
            error: outcome.error,
            incomplete_details: outcome.reason.map(|reason| IncompleteDetails { reason }),
            model: &self.model,
            output: items,
            previous_response_id: None,
            store: false,
            usage: tokens.map(Tokens::for_responses),
            service_tier: tokens.and_then(|tokens| tokens.service_tier),
            echo: &self.echo,
        }
    }
}
