//! What turns the answers to a call into the answer that the client gets.
//!
//! Invariant: a stream that was begun gets an end of its own, a clean one or an error.

use super::chat::Chat;
use super::embeddings::Embeddings;
use super::made::Made;
use super::malformed::Malformed;
use super::models::{self, Models};
use super::native_models::NativeModels;
use super::reply::Feed;
use super::responses::Responses;
use super::text_completion::TextReply;
use super::upstream::Upstream;
use crate::openai::error::ErrorObject;
use crate::summary::{Ending, Summary, Usage};

/// Translates the answers to a [`Call`](super::Call).
///
/// A streamed answer is read with [`push`](Self::push) and ended with [`finish`](Self::finish);
/// any other with [`whole`](Self::whole).
#[derive(Debug)]
pub struct Translator(pub(super) Kind);

#[derive(Debug)]
pub(super) enum Kind {
    Chat(Box<Feed<Chat>>),
    Completions(Box<Feed<TextReply>>),
    Responses(Box<Feed<Responses>>),
    Embeddings(Embeddings),
    Models(Models),
    NativeModels(NativeModels),
    /// One model, by the name that it was asked for.
    Model {
        id: String,
    },
    Made(Made),
}

impl Translator {
    /// Takes the next bytes of a streamed answer and appends the events that the client gets.
    ///
    /// # Errors
    /// [`Malformed`] when the answer cannot be read on. The client's stream is ended with an error
    /// by then: what was appended must still be sent, and nothing more need be read.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        self.push_lane(0, bytes, out)
    }

    /// The same for a call of several requests, whose streams come side by side: `lane` is the
    /// place of the request among [`Call::requests`](super::Call::requests).
    ///
    /// # Errors
    /// As [`push`](Self::push), for all of them.
    pub fn push_lane(
        &mut self,
        lane: usize,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        match &mut self.0 {
            Kind::Chat(feed) => feed.push(lane, bytes, out),
            Kind::Completions(feed) => feed.push(lane, bytes, out),
            Kind::Responses(feed) => feed.push(lane, bytes, out),
            Kind::Embeddings(_)
            | Kind::Models(_)
            | Kind::NativeModels(_)
            | Kind::Model { .. }
            | Kind::Made(_) => Err(Malformed::Unexpected),
        }
    }

    /// Takes note that the streamed answer has ended, and appends the end of the client's stream:
    /// a clean one when Gemini finished its answer, else an error.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Summary {
        self.finish_lane(0, out)
    }

    /// The same for one of several streams. The client's stream ends cleanly with the last of
    /// them, and with an error as soon as one has not ended well.
    pub fn finish_lane(&mut self, lane: usize, out: &mut Vec<u8>) -> Summary {
        match &mut self.0 {
            Kind::Chat(feed) => feed.finish(lane, out),
            Kind::Completions(feed) => feed.finish(lane, out),
            Kind::Responses(feed) => feed.finish(lane, out),
            Kind::Embeddings(_)
            | Kind::Models(_)
            | Kind::NativeModels(_)
            | Kind::Model { .. }
            | Kind::Made(_) => Summary { usage: Usage::default(), ending: Ending::Truncated },
        }
    }

    /// Ends the client's stream with an error, because no more bytes will come. Appends nothing
    /// when it has ended before.
    pub fn interrupt(&mut self, error: &ErrorObject<'_>, out: &mut Vec<u8>) {
        match &mut self.0 {
            Kind::Chat(feed) => feed.interrupt(error, out),
            Kind::Completions(feed) => feed.interrupt(error, out),
            Kind::Responses(feed) => feed.interrupt(error, out),
            Kind::Embeddings(_)
            | Kind::Models(_)
            | Kind::NativeModels(_)
            | Kind::Model { .. }
            | Kind::Made(_) => {}
        }
    }

    /// Takes one whole answer and appends the client's answer. A call of several requests takes
    /// their answers in the order of the requests; with the last one the answer is appended.
    ///
    /// # Errors
    /// [`Malformed`] when there is no answer in it; nothing is appended then.
    pub fn whole(&mut self, body: &[u8], out: &mut Vec<u8>) -> Result<Summary, Malformed> {
        match &mut self.0 {
            Kind::Chat(feed) => feed.whole(body, out),
            Kind::Completions(feed) => feed.whole(body, out),
            Kind::Responses(feed) => feed.whole(body, out),
            Kind::Embeddings(embeddings) => embeddings.whole(body, out),
            Kind::Models(models) => models.whole(body, out),
            Kind::NativeModels(models) => models.whole(body, out),
            Kind::Model { id } => models::write_model(body, id, out),
            Kind::Made(made) => made.whole(body, out),
        }
    }

    /// The request for what is still missing after the answers to all others: the next page of a
    /// list. Its answer goes to [`whole`](Self::whole) too.
    pub fn next_page(&mut self) -> Option<Upstream> {
        match &mut self.0 {
            Kind::Models(models) => models.next_page(),
            Kind::Chat(_)
            | Kind::Completions(_)
            | Kind::Responses(_)
            | Kind::Embeddings(_)
            | Kind::NativeModels(_)
            | Kind::Model { .. }
            | Kind::Made(_) => None,
        }
    }

    /// The media type of the client's answer, where it is read as a whole.
    #[must_use]
    pub const fn content_type(&self) -> &'static str {
        if let Kind::Made(made) = &self.0 { made.content_type() } else { "application/json" }
    }

    /// Whether pictures of an answer may be put on the web before it is translated; see
    /// [`hosted`](super::hosted).
    #[must_use]
    pub fn takes_addresses(&self) -> bool {
        match &self.0 {
            Kind::Chat(_) => true,
            Kind::Made(made) => made.takes_addresses(),
            Kind::Completions(_)
            | Kind::Responses(_)
            | Kind::Embeddings(_)
            | Kind::Models(_)
            | Kind::NativeModels(_)
            | Kind::Model { .. } => false,
        }
    }
}
