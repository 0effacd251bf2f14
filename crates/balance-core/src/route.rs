//! Which of our doors a request knocks at, read from its method, path and query alone.
//!
//! Invariant: a path that could mean two things to two readers (empty or dotted segments, encoded
//! slashes, control characters, broken escapes) is refused before anything is sent upstream.

mod path;

use http::{HeaderMap, Method, Uri};
use memchr::memchr_iter;

pub use path::BadPath;

use crate::error::Error;

/// The API whose requests, answers and error shapes a route speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Google's own.
    Gemini,
    /// OpenAI's.
    OpenAi,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// The status page.
    Home,
    /// Whether the server can serve.
    Health,
    /// A browser asking whether it may call us.
    Preflight,
    /// A check of the caller's keys.
    Verify,
    /// `/api/explain`: how the keys stand, for the operator.
    Explain,
    /// An OpenAI endpoint that is translated.
    OpenAi(Endpoint),
    /// Passed to Google as it is.
    Native(Native),
}

/// An OpenAI endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// `POST …/chat/completions`
    Chat,
    /// `POST …/completions`
    Completions,
    /// `POST …/responses`
    Responses,
    /// `POST …/embeddings`
    Embeddings,
    /// Pictures and sounds.
    Media(MediaEndpoint),
    /// `GET …/models`
    Models,
    /// `GET …/models/{id}`
    Model(String),
}

/// An OpenAI endpoint for pictures or sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaEndpoint {
    /// `POST …/images/generations`
    Pictures,
    /// `POST …/images/edits`
    EditedPictures,
    /// `POST …/audio/speech`
    Speech,
    /// `POST …/audio/transcriptions`
    Transcription,
    /// `POST …/audio/translations`
    Translation,
}

/// A native request: what of its path matters to the way it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Native {
    /// The path to ask upstream for, byte for byte as the caller wrote it but for our own prefix.
    pub path: String,
    /// The model that is asked, if the path names one.
    pub model: Option<String>,
    /// How it is passed on.
    pub method: NativeMethod,
}

/// The kinds of native requests that differ in how they are passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NativeMethod {
    /// `:generateContent`
    Generate,
    /// `:streamGenerateContent`
    StreamGenerate,
    /// Bytes of an upload, which are streamed through and can be sent only once.
    Upload,
    /// A path of Google's own OpenAI endpoint, which wants the key as a bearer token.
    OpenAi,
    /// Anything else.
    Other,
}

impl Route {
    /// The API that this route speaks.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match self {
            Self::OpenAi(_) | Self::Native(Native { method: NativeMethod::OpenAi, .. }) => {
                Dialect::OpenAi
            }
            Self::Home
            | Self::Health
            | Self::Preflight
            | Self::Verify
            | Self::Explain
            | Self::Native(_) => Dialect::Gemini,
        }
    }

    /// A name for logs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Health => "health",
            Self::Preflight => "preflight",
            Self::Verify => "verify",
            Self::Explain => "explain",
            Self::OpenAi(Endpoint::Chat) => "chat",
            Self::OpenAi(Endpoint::Media(endpoint)) => endpoint.name(),
            Self::OpenAi(Endpoint::Completions) => "completions",
            Self::OpenAi(Endpoint::Responses) => "responses",
            Self::OpenAi(Endpoint::Embeddings) => "embeddings",
            Self::OpenAi(Endpoint::Models | Endpoint::Model(_)) => "models",
            Self::Native(_) => "native",
        }
    }
}

impl MediaEndpoint {
    /// The endpoint at the end of a path.
    fn find(collection: &str, last: &str) -> Option<Self> {
        match (collection, last) {
            ("images", "generations") => Some(Self::Pictures),
            ("images", "edits") => Some(Self::EditedPictures),
            ("audio", "speech") => Some(Self::Speech),
            ("audio", "transcriptions") => Some(Self::Transcription),
            ("audio", "translations") => Some(Self::Translation),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Pictures => "images",
            Self::EditedPictures => "image edits",
            Self::Speech => "speech",
            Self::Transcription => "transcriptions",
            Self::Translation => "translations",
        }
    }
}

/// The dialect to answer in while the route is unknown: a guess from the path.
#[must_use]
pub fn dialect_of(uri: &Uri) -> Dialect {
    let path = uri.path();
    let native = ["/v1beta/", "/v1alpha/", "/upload/", "/download/", "/gemini/"];
    if native.iter().any(|prefix| path.starts_with(prefix)) && !path.contains("/openai/") {
        Dialect::Gemini
    } else if path.starts_with("/v1/") || path.contains("/openai/") || path.contains("completions")
    {
        Dialect::OpenAi
    } else {
        Dialect::Gemini
    }
}

/// Finds the route of a request.
///
/// # Errors
/// [`Error::BadPath`], [`Error::NotFound`], [`Error::MethodNotAllowed`].
pub fn route(method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Route, Error> {
    if method == Method::OPTIONS {
        return Ok(Route::Preflight);
    }
    let path = uri.path();
    let decoded = path::decode(path).map_err(Error::BadPath)?;
    let (route, allowed) = find(path, &decoded, headers).ok_or(Error::NotFound)?;
    if allowed.is_empty() || allowed.contains(method) {
        Ok(route)
    } else {
        Err(Error::MethodNotAllowed { allowed })
    }
}

/// The methods a route takes; none means any.
type Allowed = &'static [Method];
const GET: Allowed = &[Method::GET, Method::HEAD];
const POST: Allowed = &[Method::POST];
const GET_OR_POST: Allowed = &[Method::GET, Method::HEAD, Method::POST];
const ANY: Allowed = &[];

/// `path` is what the caller wrote, `decoded` the same without percent-encoding.
fn find(path: &str, decoded: &str, headers: &HeaderMap) -> Option<(Route, Allowed)> {
    match decoded {
        "/" | "/index.html" => return Some((Route::Home, GET)),
        "/health" | "/healthz" | "/ready" => return Some((Route::Health, GET)),
        "/api/explain" => return Some((Route::Explain, GET)),
        "/verify" => return Some((Route::Verify, GET_OR_POST)),
        _ => {}
    }
    let path = path.strip_prefix("/gemini").filter(|rest| is_native(rest)).unwrap_or(path);
    let decoded = decoded.strip_prefix("/gemini").filter(|rest| is_native(rest)).unwrap_or(decoded);
    if let Some(found) = openai(decoded, headers) {
        return Some(found);
    }
    if let Some(rest) = path.strip_prefix("/openai/v1/") {
        return Some((native(&format!("/v1beta/openai/{rest}"), decoded), ANY));
    }
    (is_native(decoded) && is_ours_to_pass(decoded, headers)).then(|| (native(path, decoded), ANY))
}

/// The OpenAI endpoints, under any prefix.
fn openai(path: &str, headers: &HeaderMap) -> Option<(Route, Allowed)> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let (prefix, last) = path.rsplit_once('/')?;
    let collection = prefix.rsplit('/').next().unwrap_or_default();
    if let Some(endpoint) = MediaEndpoint::find(collection, last) {
        return Some((Route::OpenAi(Endpoint::Media(endpoint)), POST));
    }
    let (endpoint, allowed) = match last {
        "completions" if prefix.ends_with("/chat") => (Endpoint::Chat, POST),
        "completions" => (Endpoint::Completions, POST),
        "responses" => (Endpoint::Responses, POST),
        "embeddings" => (Endpoint::Embeddings, POST),
        "models" if lists_openai_models(prefix, headers) => (Endpoint::Models, GET),
        id if !id.contains(':')
            && prefix
                .strip_suffix("/models")
                .is_some_and(|before| lists_openai_models(before, headers)) =>
        {
            (Endpoint::Model(id.into()), GET)
        }
        _ => return None,
    };
    Some((Route::OpenAi(endpoint), allowed))
}

/// Whether `{prefix}/models` is OpenAI's list. `/v1beta/models` is Google's; `/v1/models` is the
/// one that the credential's header belongs to.
fn lists_openai_models(prefix: &str, headers: &HeaderMap) -> bool {
    match prefix {
        "/v1" => !headers.contains_key("x-goog-api-key"),
        "" => true,
        _ => !is_version(prefix.trim_start_matches('/')),
    }
}

/// Whether the path begins as Google's do: a version, alone or behind `upload` or `download`.
fn is_native(path: &str) -> bool {
    let mut segments = path.split('/').skip(1);
    let first = match segments.next() {
        Some("upload" | "download") => segments.next(),
        first => first,
    };
    first.is_some_and(is_version) && segments.next().is_some_and(|rest| !rest.is_empty())
}

/// `/v1/…` is OpenAI's prefix too: what Google does not know there is refused by us, in OpenAI's
/// shape, unless the caller speaks Google's dialect.
fn is_ours_to_pass(path: &str, headers: &HeaderMap) -> bool {
    let Some(rest) = path.strip_prefix("/v1/") else { return true };
    headers.contains_key("x-goog-api-key") || rest.contains(':')
}

/// `v1`, `v1beta`, `v1alpha`, …
fn is_version(segment: &str) -> bool {
    let mut bytes = segment.bytes();
    bytes.next() == Some(b'v')
        && bytes.next().is_some_and(|byte| byte.is_ascii_digit())
        && bytes.all(|byte| byte.is_ascii_alphanumeric())
}

fn native(path: &str, decoded: &str) -> Route {
    let (resource, verb) = match decoded.rsplit_once(':') {
        Some((resource, verb)) if !verb.contains('/') => (resource, verb),
        _ => (decoded, ""),
    };
    let method = match verb {
        _ if behind(path, "/openai/").is_some() => NativeMethod::OpenAi,
        _ if path.starts_with("/upload/") => NativeMethod::Upload,
        "generateContent" => NativeMethod::Generate,
        "streamGenerateContent" => NativeMethod::StreamGenerate,
        _ => NativeMethod::Other,
    };
    let model = ["/models/", "/tunedModels/", "/dynamic/"]
        .iter()
        .find_map(|collection| behind(resource, collection))
        .filter(|model| !model.is_empty() && !model.contains('/'))
        .map(str::to_owned);
    Route::Native(Native { path: path.into(), model, method })
}

/// What stands behind some whole segments of a path.
fn behind<'a>(path: &'a str, segments: &str) -> Option<&'a str> {
    let slashes = memchr_iter(b'/', path.as_bytes());
    slashes.filter_map(|slash| path.get(slash..)).find_map(|rest| rest.strip_prefix(segments))
}

#[cfg(test)]
mod tests;
