//! OpenAI's API over Gemini's: requests one way, answers the other.
//!
//! Invariant: nothing here knows a clock, a network or chance: the same body and [`Stamp`] give the
//! same requests, and the same answers give the same bytes however they are cut.
//!
//! A body becomes a [`Call`]: the requests to send, and the [`Translator`] for what comes back.

mod chat;
mod choice;
mod config;
mod decode;
mod dialogue;
mod failure;
mod finish;
mod ids;
mod malformed;
mod media;
mod messages;
mod model;
mod names;
mod parts;
mod path;
mod piece;
mod refusal;
mod reply;
mod request;
mod schema;
mod thinking;
mod tools;
mod upstream;
mod usage;

pub use self::malformed::Malformed;
pub use self::refusal::Refusal;
pub use self::upstream::Upstream;

use self::chat::{Chat, StreamUsage};
use self::reply::Feed;
use crate::openai::chat::ChatRequest;
use crate::openai::error::ErrorObject;
use crate::summary::Summary;

/// The moment and the chance that a call takes into its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// When the call came in, in seconds since 1970.
    pub unix_seconds: u64,
    /// A random number, another one for each call; names of answers and calls come from it.
    pub nonce: u64,
}

/// A call of a client, ready to be sent.
#[derive(Debug)]
pub struct Call {
    /// The model as Gemini knows it, without any prefix.
    pub model: String,
    /// Whether the answer comes as a stream, to be read with [`Translator::push`].
    pub stream: bool,
    /// What to send: one request, or several that may be sent side by side.
    pub requests: Vec<Upstream>,
    /// What translates the answers.
    pub translator: Translator,
}

/// Reads the body of `POST /v1/chat/completions`.
///
/// # Errors
/// A [`Refusal`] that names the field at fault; nothing must be sent then.
pub fn chat(body: &[u8], stamp: Stamp) -> Result<Call, Refusal> {
    let chat: ChatRequest<'_> = decode::decode(body)?;
    let name = model::upstream_name(&chat.model)?;
    let (request, names) = request::request(&chat, &model::family(name))?;
    let stream = chat.stream == Some(true);
    let includes_usage = chat.stream_options.as_ref().and_then(|options| options.include_usage);
    let usage = match includes_usage {
        Some(true) => StreamUsage::Included,
        _ => StreamUsage::Left,
    };
    Ok(Call {
        model: name.to_owned(),
        stream,
        requests: vec![Upstream::generate(name, stream, &request, body.len())],
        translator: Translator(Kind::Chat(Feed::new(Chat::new(&chat.model, names, usage, stamp)))),
    })
}

/// Translates the answers to a [`Call`].
///
/// A streamed answer is read with [`push`](Self::push) and ended with [`finish`](Self::finish);
/// any other with [`whole`](Self::whole).
#[derive(Debug)]
pub struct Translator(Kind);

#[derive(Debug)]
enum Kind {
    Chat(Feed<Chat>),
}

impl Translator {
    /// Takes the next bytes of a streamed answer and appends the events that the client gets.
    ///
    /// # Errors
    /// [`Malformed`] when the answer cannot be read on. The client's stream is ended with an error
    /// by then: what was appended must still be sent, and nothing more need be read.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        match &mut self.0 {
            Kind::Chat(feed) => feed.push(bytes, out),
        }
    }

    /// Takes note that the streamed answer has ended, and appends the end of the client's stream:
    /// a clean one when Gemini finished its answer, else an error.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Summary {
        match &mut self.0 {
            Kind::Chat(feed) => feed.finish(out),
        }
    }

    /// Ends the client's stream with an error, because no more bytes will come. Appends nothing
    /// when it has ended before.
    pub fn interrupt(&mut self, error: &ErrorObject<'_>, out: &mut Vec<u8>) {
        match &mut self.0 {
            Kind::Chat(feed) => feed.interrupt(error, out),
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
        }
    }
}
