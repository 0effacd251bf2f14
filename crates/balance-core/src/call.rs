//! One question to upstream, free of the caller's credential, and how its answer is to be given.
//!
//! Invariant: a call can be asked again with another key as often as its payload can be sent.

use std::time::Duration;

use balance_dialect::{
    framing::Framing,
    resume::Resumption,
    translate::{self, Upstream, hosted},
};
use http::{HeaderMap, HeaderValue, Method, header, request};

use crate::{
    affinity::{self, name_file},
    fault::Fault,
    headers,
    host::Payload,
    key::KeyId,
    label,
    plan::Plan,
    pool::guess_tokens,
    route::{Native, NativeMethod},
    settings::Settings,
    time::Timestamp,
};

/// How long an upload may take.
const LONGEST_UPLOAD: Duration = Duration::from_secs(24 * 60 * 60);

/// A question to upstream.
#[derive(Debug)]
pub(crate) struct Call<I> {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    /// The caller's headers that upstream may see.
    pub(crate) headers: HeaderMap,
    payload: Option<Payload<I>>,
    /// The model that is asked, by which quotas are counted.
    pub(crate) model: Option<String>,
    /// The key that holds what the call is about: only those of its project can be asked.
    pub(crate) holder: Option<KeyId>,
    /// Whether its answer may name what belongs to the key, so that the names are to tell it.
    pub(crate) is_labelled: bool,
    /// Whether its answer may hold pictures, and its caller takes addresses of them as well.
    pub(crate) takes_addresses: bool,
    /// What all requests of its conversation have in common.
    pub(crate) conversation: Option<u64>,
    /// Chance for the name of the file that it makes, if it makes one.
    names_file: Option<u64>,
    /// How large it is, as far as its bytes tell; 0 if that is not known.
    pub(crate) tokens: u64,
    /// How upstream wants to be shown the key.
    pub(crate) credential: Credential,
    /// The address that the caller reached us at.
    pub(crate) own_address: Option<String>,
    /// How many calls its request makes side by side.
    pub(crate) among: usize,
    /// How the answer is given.
    pub(crate) via: Via,
}

/// How upstream wants to be shown a key. It takes one credential only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credential {
    /// `x-goog-api-key`, on every native route.
    GoogleHeader,
    /// `Authorization: Bearer`, on Google's own OpenAI endpoint.
    Bearer,
}

/// How an answer is given to the caller.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Via {
    /// As it is, unseen.
    Pass,
    /// As it is, with an eye on how it begins and ends.
    Watch(Answer),
    /// Translated, event by event.
    Stream,
    /// Translated, once it is there as a whole.
    Whole,
}

/// The two forms of a native answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Whole,
    Streamed,
}

impl Via {
    /// How the answer is cut into pieces, if somebody looks at them.
    pub(crate) fn framing(&self, response: &HeaderMap) -> Option<Framing> {
        match self {
            Self::Pass | Self::Watch(_) if headers::is_encoded(response) => None,
            Self::Pass => None,
            Self::Watch(_) if headers::is_event_stream(response) => Some(Framing::Sse),
            Self::Watch(Answer::Streamed) => Some(Framing::Array),
            Self::Watch(Answer::Whole) | Self::Whole => Some(Framing::Whole),
            Self::Stream => Some(Framing::Sse),
        }
    }
}

impl<I> Call<I> {
    /// A native request, as it is.
    pub(crate) fn native(
        native: Native,
        head: Box<request::Parts>,
        payload: Payload<I>,
        nonce: u64,
    ) -> Self {
        // Only uploads, and what is not a question to a model, are answered with links.
        let has_links = matches!(native.method, NativeMethod::Upload | NativeMethod::Other);
        let own_address =
            has_links.then(|| headers::own_address(&head.headers, &head.uri)).flatten();
        let query = headers::Query::of(head.uri.query());
        let (via, credential) = match native.method {
            NativeMethod::Generate => (Via::Watch(Answer::Whole), Credential::GoogleHeader),
            NativeMethod::StreamGenerate => {
                (Via::Watch(Answer::Streamed), Credential::GoogleHeader)
            }
            NativeMethod::Upload | NativeMethod::Other => (Via::Pass, Credential::GoogleHeader),
            NativeMethod::OpenAi => (Via::Pass, Credential::Bearer),
        };
        let model = native.model.filter(|_| uses_quota(&head.method, &native.path));
        let mut headers = headers::for_upstream(head.headers);
        if !matches!(via, Via::Pass) {
            // An answer that is looked at must not come compressed.
            headers.remove(header::ACCEPT_ENCODING);
        }
        let is_of_files = native.path.starts_with("/upload/") && native.path.ends_with("/files");
        let names_file = (is_of_files && head.method == Method::POST).then_some(nonce);
        let holder = holder(&native.path, &payload);
        let is_labelled = has_links && label::may_name(&native.path);
        if is_labelled {
            headers.remove(header::ACCEPT_ENCODING);
        }
        let payload = unlabelled(payload, &native.path, holder);
        let plain = holder.and_then(|_| label::path_without(&native.path));
        let path = plain.unwrap_or(native.path);
        Self {
            method: head.method,
            target: path + &query.for_upstream,
            headers,
            tokens: guess(model.as_deref(), &payload),
            conversation: conversation(model.as_deref(), &payload),
            names_file,
            payload: Some(payload),
            model,
            holder: query.grant.map(|grant| grant.key).or(holder),
            is_labelled,
            takes_addresses: false,
            credential,
            own_address,
            among: 1,
            via,
        }
    }

    /// A question of our own: JSON there, JSON or events back.
    pub(crate) fn ours(upstream: Upstream, model: Option<String>, via: Via) -> Self {
        let json = HeaderValue::from_static("application/json");
        let has_body = upstream.body.is_some();
        let payload = Payload::Full(upstream.body.unwrap_or_default().into());
        let holder = holder(&upstream.path, &payload);
        let payload = unlabelled(payload, &upstream.path, holder);
        Self {
            tokens: guess(model.as_deref(), &payload),
            conversation: conversation(model.as_deref(), &payload),
            names_file: None,
            holder,
            is_labelled: false,
            takes_addresses: false,
            method: if has_body { Method::POST } else { Method::GET },
            target: upstream.path,
            headers: HeaderMap::from_iter([(header::CONTENT_TYPE, json)]),
            payload: Some(payload),
            model: model.filter(|_| has_body),
            credential: Credential::GoogleHeader,
            own_address: None,
            among: 1,
            via,
        }
    }

    /// The same, of a caller who takes addresses in place of pictures, if there may be any.
    pub(crate) fn taking_addresses(self) -> Self {
        let model = self.model.as_deref().unwrap_or_default();
        let takes_addresses = match &self.payload {
            Some(Payload::Full(body)) => hosted::may_be_drawn(model, body),
            Some(Payload::Stream(_)) | None => false,
        };
        Self { takes_addresses, ..self }
    }

    /// How often the call may be tried, and until when.
    pub(crate) fn plan(&self, settings: &Settings, now: Timestamp) -> Plan {
        if self.is_sent_once() {
            // As long as the caller sends, an upload goes on.
            Plan::new(1, now + LONGEST_UPLOAD)
        } else {
            let share = settings.calls_allowed() / self.among.max(1);
            Plan::new(settings.attempts.as_usize().min(share), now + settings.deadline.0)
        }
    }

    /// How long to wait for the answer to begin, when `left` is left of the plan. An answer that is
    /// not streamed begins when the model has finished.
    pub(crate) fn patience(&self, settings: &Settings, left: Duration) -> Duration {
        match &self.via {
            Via::Stream | Via::Watch(Answer::Streamed) => settings.first_byte.0.min(left),
            Via::Pass | Via::Watch(Answer::Whole) | Via::Whole => left,
        }
    }

    /// What to send this time, with this key; `None` once a stream was sent.
    pub(crate) fn payload(&mut self, key: KeyId) -> Option<Payload<I>> {
        match &self.payload {
            Some(Payload::Full(bytes)) => {
                let named = self.names_file.and_then(|nonce| name_file(bytes, key, nonce));
                Some(Payload::Full(named.map_or_else(|| bytes.clone(), Into::into)))
            }
            Some(Payload::Stream(_)) | None => self.payload.take(),
        }
    }

    /// Replaces the signatures of thoughts in a request of ours by the stand-in for lost ones, if
    /// `fault` is about them. Whether that changed the request, which it does once.
    pub(crate) fn resign(&mut self, fault: &Fault) -> bool {
        let is_ours = matches!(self.via, Via::Stream | Via::Whole);
        let (true, Some(Payload::Full(body))) = (is_ours, &self.payload) else { return false };
        let resigned = if fault.is_about_signatures() { translate::resign(body) } else { None };
        let Some(resigned) = resigned else { return false };
        self.payload = Some(Payload::Full(resigned.into()));
        true
    }

    /// Whether the answer is an event stream.
    pub(crate) fn is_event_stream(&self) -> bool {
        match &self.via {
            Via::Stream => true,
            Via::Watch(Answer::Streamed) => {
                let query = self.target.split_once('?').map_or("", |(_, query)| query);
                query.split('&').any(|pair| pair == "alt=sse")
            }
            Via::Pass | Via::Watch(Answer::Whole) | Via::Whole => false,
        }
    }

    /// Whether it may be asked of two keys at once: a stream, that no key holds anything for.
    pub(crate) const fn may_be_hedged(&self) -> bool {
        let is_stream = matches!(self.via, Via::Stream | Via::Watch(Answer::Streamed));
        is_stream && self.holder.is_none() && matches!(self.payload, Some(Payload::Full(_)))
    }

    /// The same call once more; `None` if it sends its caller's stream.
    pub(crate) fn copy(&self) -> Option<Self> {
        let Some(Payload::Full(payload)) = &self.payload else { return None };
        Some(Self {
            method: self.method.clone(),
            target: self.target.clone(),
            headers: self.headers.clone(),
            payload: Some(Payload::Full(payload.clone())),
            model: self.model.clone(),
            holder: self.holder,
            is_labelled: self.is_labelled,
            takes_addresses: self.takes_addresses,
            conversation: self.conversation,
            names_file: self.names_file,
            tokens: self.tokens,
            credential: self.credential,
            own_address: self.own_address.clone(),
            among: self.among,
            via: self.via,
        })
    }

    /// What its answer needs to be gone on with if it breaks off.
    pub(crate) fn resumption(&self, framing: Option<Framing>) -> Option<Resumption> {
        match (&self.via, &self.payload) {
            (Via::Stream | Via::Watch(Answer::Streamed), Some(Payload::Full(body))) => {
                Resumption::new(framing?, body)
            }
            _ => None,
        }
    }

    /// Asks for something else of the same model.
    pub(crate) fn ask_instead(&mut self, body: Vec<u8>) {
        let payload = Payload::Full(body.into());
        self.tokens = guess(self.model.as_deref(), &payload);
        self.payload = Some(payload);
    }

    /// Asks for the answer as a whole, whose caller is given a stream of it.
    pub(crate) fn ask_whole(&mut self) {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let path = path.replace(":streamGenerateContent", ":generateContent");
        let kept: Vec<&str> =
            query.split('&').filter(|pair| !pair.is_empty() && *pair != "alt=sse").collect();
        let mark = if kept.is_empty() { "" } else { "?" };
        self.target = [&path, mark, &kept.join("&")].concat();
        self.via = Via::Whole;
    }

    /// The same call where requests have other bodies; `None` if it sends its caller's stream.
    pub(crate) fn with_payload<J>(self) -> Option<Call<J>> {
        let payload = match self.payload {
            Some(Payload::Full(bytes)) => Some(Payload::Full(bytes)),
            Some(Payload::Stream(_)) => return None,
            None => None,
        };
        let Self { method, target, headers, model, holder, tokens, credential, .. } = self;
        let (is_labelled, among) = (self.is_labelled, self.among);
        let takes_addresses = self.takes_addresses;
        let (own_address, via) = (self.own_address, self.via);
        let (conversation, names_file) = (self.conversation, self.names_file);
        Some(Call {
            method,
            target,
            headers,
            payload,
            model,
            holder,
            is_labelled,
            takes_addresses,
            conversation,
            names_file,
            tokens,
            credential,
            own_address,
            among,
            via,
        })
    }

    const fn is_sent_once(&self) -> bool {
        matches!(self.payload, Some(Payload::Stream(_)))
    }
}

/// The conversation that a question to a model goes on.
fn conversation<I>(model: Option<&str>, payload: &Payload<I>) -> Option<u64> {
    match payload {
        Payload::Full(body) if model.is_some() => affinity::conversation(body),
        Payload::Full(_) | Payload::Stream(_) => None,
    }
}

/// The key that holds what a request is about, as far as names tell.
fn holder<I>(path: &str, payload: &Payload<I>) -> Option<KeyId> {
    let in_body = || match payload {
        Payload::Full(body) => affinity::holder(body),
        Payload::Stream(_) => None,
    };
    affinity::holder(path.as_bytes()).or_else(in_body)
}

/// What upstream is to see of a payload: the names that Google gave.
fn unlabelled<I>(payload: Payload<I>, path: &str, holder: Option<KeyId>) -> Payload<I> {
    let Payload::Full(body) = payload else { return payload };
    let plain = holder.and_then(|_| label::body_without(&body, label::is_interaction(path)));
    Payload::Full(plain.map_or(body, Into::into))
}

/// The tokens of a question to a model.
fn guess<I>(model: Option<&str>, payload: &Payload<I>) -> u64 {
    match payload {
        Payload::Full(body) if model.is_some() => guess_tokens(body),
        Payload::Full(_) | Payload::Stream(_) => 0,
    }
}

/// Whether a native request counts against the quota of its model: asking about a model does not,
/// nor does counting tokens.
fn uses_quota(method: &Method, path: &str) -> bool {
    !matches!(*method, Method::GET | Method::HEAD) && !path.ends_with("countTokens")
}
