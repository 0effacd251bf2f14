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
//!   `tools`, `built_in`, `custom`, `names`, `choice` and `schema` make the tools; `config`, `thinking`, `speech` and `google` the rest.
//!   `packed` carries the signatures of thoughts through the names of calls, and `resign` replaces
//!   those that Google refused.
//! - `reply` drives an answer, whole or streamed, and `lanes` several that make one: `piece` says what a part of it means, `finish` why
//!   it ended, `usage` what it took, and `chat` writes it for the client; `sources` and `extras`
//!   what else is known of it; `malformed` and `failure` tell of answers that are none.
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
mod extras;
mod failure;
mod finish;
mod flac;
mod google;
pub mod hosted;
mod ids;
mod lanes;
mod logprobs;
mod made;
mod malformed;
mod media;
mod messages;
pub(crate) mod model;
mod models;
mod names;
mod native_models;
mod packed;
mod parts;
mod path;
mod pictures;
mod piece;
mod posted;
mod refusal;
mod refused;
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
mod translator;
mod upstream;
mod usage;

pub use self::failure::{ErrorClass, error_class};
pub use self::malformed::Malformed;
pub(crate) use self::model::is_known as is_known_model;
pub use self::pictures::{Gallery, edited_pictures, pictures};
pub use self::posted::{MediaPreset, Posted};
pub use self::refusal::Refusal;
pub use self::resign::resign;
pub use self::spoken::speak;
pub use self::transcript::{Wording, transcript};
pub use self::translator::Translator;
pub use self::upstream::Upstream;
pub(crate) use self::upstream::segment as path_segment;

use self::chat::{CallStyle, Chat, StreamUsage, Style};
use self::lanes::Lanes;
use self::made::Made;
use self::models::Models;
use self::native_models::NativeModels;
use self::piece::CallIds;
use self::reply::Feed;
use self::responses::{Mode, Responses};
use self::text_completion::{Prepared, TextReply};
use self::translator::Kind;
use crate::openai::chat::ChatRequest;
use crate::openai::embeddings::EmbeddingsRequest;
use crate::openai::responses::ResponsesRequest;
use crate::openai::text_completion::TextCompletionRequest;
use crate::preset::{Asked, Naming, Preset};

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
    let request::Prepared { request, more, names, sound } = request::request(&chat, &family)?;
    let stream = chat.stream == Some(true);
    let style = Style {
        usage: StreamUsage::of(chat.stream_options.as_ref()),
        sound,
        calls: if request::is_legacy(&chat) { CallStyle::Function } else { CallStyle::Tools },
        links: preset.shows_sources && request.generation_config.response_mime_type.is_none(),
    };
    let calls = CallIds::new(stamp.nonce, messages::call_ids(&chat.messages));
    let echo = preset.echo(&chat.model, &asked);
    let reply = Chat::new(echo, names, style, calls, stamp);
    let answers = config::Answers::of(chat.n, &family)?;
    let feed = Feed::of(reply, Lanes::new(answers.requests, answers.each));
    Ok(Call {
        model: name.to_owned(),
        stream,
        requests: answers.requests(request, |request| {
            let upstream = Upstream::generate(name, stream, request, body.len());
            preset.tuned(&asked, more.put(upstream))
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
    let (request, more, names) = responses::request(&wanted, &model::family(name))?;
    let stream = wanted.stream == Some(true);
    let mode = if stream { Mode::Stream } else { Mode::Whole };
    let calls = CallIds::new(stamp.nonce, responses::call_ids(&wanted.input));
    let told = preset.echo(&wanted.model, &asked);
    let responses = Responses::new(told, names, echo, (mode, calls), stamp);
    let upstream = more.put(Upstream::generate(name, stream, &request, body.len()));
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

/// Asks for a page of Google's own list of models, `GET /v1beta/models` with its query; none where
/// the names in it stay as they are.
#[must_use]
pub fn native_models(naming: &Naming, target: &str) -> Option<Call> {
    naming.changes_lists().then(|| Call {
        model: String::new(),
        stream: false,
        requests: vec![NativeModels::request(target)],
        translator: Translator(Kind::NativeModels(NativeModels::new(naming.clone()))),
    })
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
