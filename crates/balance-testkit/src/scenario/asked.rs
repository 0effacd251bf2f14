//! What a scenario's caller asks.
//!
//! Invariant: what is not said is what the usual request of that kind has.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Names, Received, Span, upstream::fill_up};

/// A request.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Asked {
    /// A usual request to begin with, by its name; what follows replaces parts of it.
    pub ask: Option<Usual>,
    /// The method; `POST` with a body, else `GET`.
    pub method: Option<String>,
    /// Path and query.
    pub path: Option<String>,
    /// The path is that of the link in this header of the reply before.
    pub follow: Option<String>,
    /// Headers.
    pub headers: BTreeMap<String, String>,
    /// The body: a text as it stands, anything else as JSON.
    pub body: Option<Value>,
    /// No credential is added where none is among the headers.
    pub anonymous: bool,
    /// The body goes out in frames of so many bytes.
    pub cut: Option<usize>,
    /// The body breaks off after so many bytes.
    pub r#break: Option<usize>,
    /// The body is filled up with spaces to so many bytes.
    pub length: Option<usize>,
    /// The caller does not wait for the end.
    pub leaves: Option<Leaves>,
}

/// Requests that many scenarios ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Usual {
    /// OpenAI chat, as a whole.
    Chat,
    /// OpenAI chat, streamed.
    ChatStream,
    /// `:generateContent`
    Generate,
    /// `:streamGenerateContent?alt=sse`
    Stream,
    /// `:streamGenerateContent`, which is answered by a JSON array.
    Array,
}

/// When a caller hangs up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leaves {
    /// So long after asking, whatever has come.
    After(Span),
    /// As soon as it has read so many bytes of the body.
    Having(usize),
}

impl Asked {
    /// The request, as it goes over the wire.
    ///
    /// # Errors
    /// What cannot be written as HTTP.
    pub fn request(&self, names: &Names, before: &Received) -> Result<Request<Bytes>, String> {
        let usual = self.ask.map(usual);
        let link = self.follow.as_deref().map(|header| before.link(header, names)).transpose()?;
        let path = link
            .or_else(|| self.path.clone())
            .or_else(|| usual.as_ref().map(|(path, _)| (*path).into()));
        let path = names.fill(&path.ok_or("a request wants `ask`, `path` or `follow`")?);
        let has_body = self.body.is_some() || usual.is_some();
        let usual_method = if has_body { "POST" } else { "GET" };
        let method = self.method.as_deref().unwrap_or(usual_method);
        let method = Method::from_bytes(method.as_bytes()).map_err(|error| error.to_string())?;
        let bytes = self.bytes(names);
        let mut request = Request::builder().method(method).uri(&path);
        if has_body {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let mut request = request.body(bytes).map_err(|error| format!("{path}: {error}"))?;
        for (name, value) in &self.headers {
            let name: HeaderName = name.parse().map_err(|_| format!("{name:?} is no header"))?;
            let value = HeaderValue::from_str(&names.fill(value)).map_err(|e| e.to_string())?;
            request.headers_mut().insert(name, value);
        }
        if !self.anonymous && !shows_credential(&request) {
            let token = HeaderValue::try_from(names.fill("Bearer {token}"));
            let token = token.map_err(|error| error.to_string())?;
            request.headers_mut().insert(header::AUTHORIZATION, token);
        }
        Ok(request)
    }

    /// The body, as it goes over the wire.
    #[must_use]
    pub fn bytes(&self, names: &Names) -> Bytes {
        let body = self.body.clone().or_else(|| self.ask.map(|name| usual(name).1));
        let bytes = body.map(|body| content(&body, names)).unwrap_or_default();
        match self.length {
            Some(length) => fill_up(&bytes, length),
            None => bytes,
        }
    }
}

fn usual(name: Usual) -> (&'static str, Value) {
    let chat = json!({
        "model": "gemini-2.5-flash",
        "messages": [{ "role": "user", "content": "Hi" }],
    });
    let native = json!({ "contents": [{ "role": "user", "parts": [{ "text": "Hi" }] }] });
    match name {
        Usual::Chat => ("/v1/chat/completions", chat),
        Usual::ChatStream => {
            let mut chat = chat;
            if let Some(fields) = chat.as_object_mut() {
                fields.insert("stream".into(), true.into());
            }
            ("/v1/chat/completions", chat)
        }
        Usual::Generate => ("/v1beta/models/gemini-2.5-flash:generateContent", native),
        Usual::Stream => ("/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", native),
        Usual::Array => ("/v1beta/models/gemini-2.5-flash:streamGenerateContent", native),
    }
}

/// A text as it stands, anything else as JSON.
pub(super) fn content(body: &Value, names: &Names) -> Bytes {
    let text = body.as_str().map_or_else(|| body.to_string(), Into::into);
    names.fill(&text).into()
}

fn shows_credential(request: &Request<Bytes>) -> bool {
    let names = ["authorization", "x-goog-api-key", "x-api-key", "api-key"];
    let query = request.uri().query().unwrap_or_default();
    names.iter().any(|name| request.headers().contains_key(*name))
        || query.split('&').any(|pair| pair.starts_with("key="))
}
