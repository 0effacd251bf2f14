//! OpenAI's API over Gemini's: requests one way, answers the other.
//!
//! Invariant: nothing here knows a clock, a network or chance: the same body and [`Stamp`] give the
//! same requests, and the same answers give the same bytes however they are cut.
//!
//! A body becomes a [`Call`]: the requests to send, and the [`Translator`] for what comes back.
//!
//! # Layout
//! - A body is read by `decode`, with the types of [`openai`](crate::openai); what is wrong with it
//!   is a `refusal` that names its `path`.
//! - `request` puts a chat together for Gemini: `model` knows what each family of models can do;
//!   `messages`, `parts`, `media` and `detail` tell the conversation to a `dialogue`, which makes the turns;
//!   `tools`, `built_in`, `custom`, `names`, `choice` and `schema` make the tools; `config`, `thinking` and `speech` the rest.
//!   `packed` carries the signatures of thoughts through the names of calls, and `resign` replaces
//!   those that Google refused.
//! - `reply` drives an answer, whole or streamed, and `lanes` several that make one: `piece` says what a part of it means, `finish` why
//!   it ended, `usage` what it took, and `chat` writes it for the client; `malformed` and `failure`
//!   tell of answers that are none.
//! - `remote` finds the files that a request names by their addresses, before it is translated.
//! - `text_completion`, `responses`, `embeddings` and `models` do the same for the other endpoints.

mod built_in;
mod chat;
mod choice;
mod config;
mod custom;
mod decode;
mod detail;
mod dialogue;
mod embeddings;
mod failure;
mod finish;
pub mod hosted;
mod ids;
mod lanes;
mod made;
mod malformed;
mod media;
mod messages;
pub(crate) mod model;
mod models;
mod names;
mod packed;
mod parts;
mod path;
mod pictures;
mod piece;
mod posted;
mod refusal;
pub mod remote;
mod reply;
mod request;
mod resign;
mod responses;
mod schema;
mod sources;
mod speech;
mod spoken;
mod text_completion;
pub(crate) mod thinking;
mod tools;
mod transcript;
mod upstream;
mod usage;

pub use self::failure::{ErrorClass, error_class};
pub use self::malformed::Malformed;
pub(crate) use self::model::is_known as is_known_model;
pub use self::pictures::{Gallery, edited_pictures, pictures};
pub use self::posted::{MediaModels, Posted};
pub use self::refusal::Refusal;
pub use self::resign::resign;
pub use self::spoken::speak;
pub use self::transcript::{Wording, transcript};
pub use self::upstream::Upstream;
pub(crate) use self::upstream::segment as path_segment;

use self::chat::{CallStyle, Chat, StreamUsage};
use self::embeddings::Embeddings;
use self::lanes::Lanes;
use self::made::Made;
use self::models::Models;
use self::piece::CallIds;
use self::reply::Feed;
use self::responses::{Mode, Responses};
use self::text_completion::{Prepared, TextReply};
use crate::openai::chat::ChatRequest;
use crate::openai::embeddings::EmbeddingsRequest;
use crate::openai::error::ErrorObject;
use crate::openai::responses::ResponsesRequest;
use crate::openai::text_completion::TextCompletionRequest;
use crate::preset::{Asked, Naming, Preset};
use crate::summary::{Ending, Summary, Usage};

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
    /// The model as Gemini knows it, without any prefix; empty for the list of models.
    pub model: String,
    /// Whether the answer comes as a stream, to be read with [`Translator::push`].
    pub stream: bool,
    /// What to send: one request, or several that may be sent side by side.
    pub requests: Vec<Upstream>,
    /// What translates the answers.
    pub translator: Translator,
}

/// Reads the body of `POST /v1/chat/completions`, with nothing preset.
///
/// # Errors
/// As [`chat_by`].
pub fn chat(body: &[u8], stamp: Stamp) -> Result<Call, Refusal> {
    chat_by(&Preset::default(), body, stamp)
}

/// Reads the body of `POST /v1/chat/completions`.
///
/// # Errors
/// A [`Refusal`] that names the field at fault; nothing must be sent then.
pub fn chat_by(preset: &Preset, body: &[u8], stamp: Stamp) -> Result<Call, Refusal> {
    let chat: ChatRequest<'_> = decode::decode(body)?;
    let asked = preset.naming.resolve(model::upstream_name(&chat.model)?)?;
    let name = asked.model.as_str();
    let family = model::family(name);
    let (request, names, sound) = request::request(&chat, &family)?;
    let stream = chat.stream == Some(true);
    let usage = StreamUsage::of(chat.stream_options.as_ref());
    let style = if request::is_legacy(&chat) { CallStyle::Function } else { CallStyle::Tools };
    let calls = CallIds::new(stamp.nonce, messages::call_ids(&chat.messages));
    let echo = preset.echo(&chat.model, &asked);
    let reply = Chat::new(echo, names, (usage, sound, style), calls, stamp);
    let answers = config::Answers::of(chat.n, &family)?;
    let feed = Feed::of(reply, Lanes::new(answers.requests, answers.each));
    Ok(Call {
        model: name.to_owned(),
        stream,
        requests: answers.requests(request, |request| {
            preset.tuned(&asked, Upstream::generate(name, stream, request, body.len()))
        }),
        translator: Translator(Kind::Chat(Box::new(feed))),
    })
}

/// Reads the body of `POST /v1/completions`, with nothing preset.
///
/// # Errors
/// As [`completions_by`].
pub fn completions(body: &[u8], stamp: Stamp) -> Result<Call, Refusal> {
    completions_by(&Preset::default(), body, stamp)
}

/// Reads the body of `POST /v1/completions`.
///
/// # Errors
/// A [`Refusal`] that names the field at fault; nothing must be sent then.
pub fn completions_by(preset: &Preset, body: &[u8], stamp: Stamp) -> Result<Call, Refusal> {
    let wanted: TextCompletionRequest<'_> = decode::decode(body)?;
    let asked = preset.naming.resolve(model::upstream_name(&wanted.model)?)?;
    let stream = wanted.stream == Some(true);
    let usage = StreamUsage::of(wanted.stream_options.as_ref());
    let echo = preset.echo(&wanted.model, &asked).to_owned();
    let Prepared { requests, lanes, prompts } = text_completion::prepare(wanted, &asked.model)?;
    let requests = requests.into_iter().map(|request| preset.tuned(&asked, request)).collect();
    let reply = TextReply::new(echo, prompts, usage, stamp);
    let translator = Translator(Kind::Completions(Box::new(Feed::of(reply, lanes))));
    Ok(Call { model: asked.model, stream, requests, translator })
}

/// Reads the body of `POST /v1/responses`, with nothing preset.
///
/// # Errors
/// As [`responses_by`].
pub fn responses(body: &[u8], stamp: Stamp) -> Result<Call, Refusal> {
    responses_by(&Preset::default(), body, stamp)
}

/// Reads the body of `POST /v1/responses`.
///
/// # Errors
/// A [`Refusal`] that names the field at fault; nothing must be sent then.
pub fn responses_by(preset: &Preset, body: &[u8], stamp: Stamp) -> Result<Call, Refusal> {
    let wanted: ResponsesRequest<'_> = decode::decode(body)?;
    let echo = decode::decode(body)?;
    let asked = preset.naming.resolve(model::upstream_name(&wanted.model)?)?;
    let name = asked.model.as_str();
    let (request, names) = responses::request(&wanted, &model::family(name))?;
    let stream = wanted.stream == Some(true);
    let mode = if stream { Mode::Stream } else { Mode::Whole };
    let calls = CallIds::new(stamp.nonce, responses::call_ids(&wanted.input));
    let told = preset.echo(&wanted.model, &asked);
    let responses = Responses::new(told, names, echo, (mode, calls), stamp);
    let upstream = Upstream::generate(name, stream, &request, body.len());
    Ok(Call {
        model: name.to_owned(),
        stream,
        requests: vec![preset.tuned(&asked, upstream)],
        translator: Translator(Kind::Responses(Box::new(Feed::new(responses)))),
    })
}

/// Reads the body of `POST /v1/embeddings`, with nothing preset.
///
/// # Errors
/// As [`embeddings_by`].
pub fn embeddings(body: &[u8]) -> Result<Call, Refusal> {
    embeddings_by(&Preset::default(), body)
}

/// Reads the body of `POST /v1/embeddings`.
///
/// # Errors
/// A [`Refusal`] that names the field at fault; nothing must be sent then.
pub fn embeddings_by(preset: &Preset, body: &[u8]) -> Result<Call, Refusal> {
    let request: EmbeddingsRequest<'_> = decode::decode(body)?;
    let asked = preset.naming.resolve(model::upstream_name(&request.model)?)?;
    let echo = preset.echo(&request.model, &asked);
    let (requests, embeddings) = embeddings::embeddings(&request, &asked.model, echo)?;
    let translator = Translator(Kind::Embeddings(embeddings));
    Ok(Call { model: asked.model, stream: false, requests, translator })
}

/// Asks for `GET /v1/models`. See [`Translator::next_page`].
#[must_use]
pub fn models(naming: &Naming) -> Call {
    Call {
        model: String::new(),
        stream: false,
        requests: vec![Models::first_page()],
        translator: Translator(Kind::Models(Models::new(naming.clone()))),
    }
}

/// Asks for `GET /v1/models/{name}`.
///
/// # Errors
/// A [`Refusal`] of a name that is none, and of a model that is hidden.
pub fn model(naming: &Naming, name: &str) -> Result<Call, Refusal> {
    let asked = naming.resolve(model::upstream_name(name)?)?;
    Ok(Call {
        requests: vec![models::request(&asked.model)],
        model: asked.model,
        stream: false,
        translator: Translator(Kind::Model { id: asked.name }),
    })
}

impl Preset {
    /// The name that an answer tells as its model's.
    fn echo<'a>(&self, name: &'a str, asked: &'a Asked) -> &'a str {
        if self.tells_model { &asked.model } else { name }
    }

    /// A request of ours, tuned.
    fn tuned(&self, asked: &Asked, upstream: Upstream) -> Upstream {
        let tuned = upstream.body.as_ref().and_then(|body| self.tune(asked, body));
        Upstream { body: tuned.or(upstream.body), ..upstream }
    }
}

/// Translates the answers to a [`Call`].
///
/// A streamed answer is read with [`push`](Self::push) and ended with [`finish`](Self::finish);
/// any other with [`whole`](Self::whole).
#[derive(Debug)]
pub struct Translator(Kind);

#[derive(Debug)]
enum Kind {
    Chat(Box<Feed<Chat>>),
    Completions(Box<Feed<TextReply>>),
    Responses(Box<Feed<Responses>>),
    Embeddings(Embeddings),
    Models(Models),
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
    /// place of the request among [`Call::requests`].
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
            Kind::Embeddings(_) | Kind::Models(_) | Kind::Model { .. } | Kind::Made(_) => {
                Err(Malformed::Unexpected)
            }
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
            Kind::Embeddings(_) | Kind::Models(_) | Kind::Model { .. } | Kind::Made(_) => {
                Summary { usage: Usage::default(), ending: Ending::Truncated }
            }
        }
    }

    /// Ends the client's stream with an error, because no more bytes will come. Appends nothing
    /// when it has ended before.
    pub fn interrupt(&mut self, error: &ErrorObject<'_>, out: &mut Vec<u8>) {
        match &mut self.0 {
            Kind::Chat(feed) => feed.interrupt(error, out),
            Kind::Completions(feed) => feed.interrupt(error, out),
            Kind::Responses(feed) => feed.interrupt(error, out),
            Kind::Embeddings(_) | Kind::Models(_) | Kind::Model { .. } | Kind::Made(_) => {}
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
    /// [`hosted`].
    #[must_use]
    pub fn takes_addresses(&self) -> bool {
        match &self.0 {
            Kind::Chat(_) => true,
            Kind::Made(made) => made.takes_addresses(),
            Kind::Completions(_)
            | Kind::Responses(_)
            | Kind::Embeddings(_)
            | Kind::Models(_)
            | Kind::Model { .. } => false,
        }
    }
}
