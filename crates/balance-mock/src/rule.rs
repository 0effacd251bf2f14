//! A rule of the script: which requests it is for, and what happens to them. Invariant: what a
//! rule does not name stays as it is; unknown names are refused, so a typing error is noticed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::Shape;
use crate::google::ErrorName;

/// One rule, as JSON or as a value. It applies to requests that fit all of `key`, `model`, `path`
/// and `method` that are set, `times` times (for ever when absent).
///
/// The first group below replaces the answer: the request is then not judged at all (no key check,
/// no quota). The second shapes the fake model's own answer. The third are faults of the line,
/// which befall any answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// Only requests with this key: its secret or its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Only requests for this model (without `models/`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Only requests whose path and query contain this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Only requests of this method, in capitals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// For how many requests; absent: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,

    /// Answer with this error of Google's, by name (see [`ErrorName`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorName>,
    /// Answer with this status; with `body` or an empty body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Answer with this body: a string as it stands, anything else as JSON. Status 200 if unset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Answer with a body in these pieces, `pace_ms` after one another. Status 200 if unset.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<String>,
    /// Set these headers on the answer; a value of several lines is so many headers of that name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Answer with the recorded case of this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,

    /// Length, pieces and content of the fake model's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Shape>,

    /// Milliseconds before the head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Milliseconds from one event to the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pace_ms: Option<u64>,
    /// Write the body in pieces of so many bytes, each flushed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunk: Option<usize>,
    /// End the connection after so many bytes of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<u64>,
    /// End it with a TCP reset: where `cut` says, else before the head.
    #[serde(skip_serializing_if = "is_false")]
    pub reset: bool,
    /// Send so many bytes of the body (0: the head alone), then nothing more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silence: Option<u64>,
    /// Break the JSON of the event with this number (from 0).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub malformed_event: Option<usize>,
    /// End the stream with an error inside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_event: Option<ErrorEvent>,
    /// Claim this `content-length`, whatever the body's is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_length: Option<u64>,
    /// Compress the body with gzip, each event flushed.
    #[serde(skip_serializing_if = "is_false")]
    pub gzip: bool,
}

/// An error inside a stream whose status was 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorEvent {
    /// Events before it; 0 puts it before any content.
    #[serde(default)]
    pub after: usize,
    /// Which error.
    pub error: ErrorName,
    /// As an event, or as the bare JSON that Google appends at times.
    #[serde(default)]
    pub form: ErrorForm,
}

/// How an error stands in a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ErrorForm {
    /// `data: {"error": …}`.
    #[default]
    Sse,
    /// Indented JSON without `data:`.
    Raw,
}

impl Rule {
    /// Answers with a named error.
    #[must_use]
    pub fn error(error: ErrorName) -> Self {
        Self { error: Some(error), ..Self::default() }
    }

    /// Answers with a status and a JSON body.
    #[must_use]
    pub fn status(status: u16, body: Value) -> Self {
        Self { status: Some(status), body: Some(body), ..Self::default() }
    }

    /// Answers with a recorded case.
    #[must_use]
    pub fn case(id: impl Into<String>) -> Self {
        Self { case: Some(id.into()), ..Self::default() }
    }

    /// Shapes the fake model's answer.
    #[must_use]
    pub fn answer(shape: Shape) -> Self {
        Self { answer: Some(shape), ..Self::default() }
    }

    /// Only for requests with this key: its secret or its name.
    #[must_use]
    pub fn on_key(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    /// Only for requests for this model.
    #[must_use]
    pub fn on_model(self, model: impl Into<String>) -> Self {
        Self { model: Some(model.into()), ..self }
    }

    /// Only for so many requests.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Whether a request is one of those that this rule is for.
    pub(crate) fn fits(&self, request: &Traits<'_>) -> bool {
        self.key
            .as_deref()
            .is_none_or(|key| request.key == Some(key) || request.key_name == Some(key))
            && self.model.as_deref().is_none_or(|model| request.model == Some(model))
            && self.path.as_deref().is_none_or(|path| request.path.contains(path))
            && self.method.as_deref().is_none_or(|method| request.method == method)
    }
}

/// What a rule can ask of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits<'a> {
    pub(crate) key: Option<&'a str>,
    pub(crate) key_name: Option<&'a str>,
    pub(crate) model: Option<&'a str>,
    pub(crate) path: &'a str,
    pub(crate) method: &'a str,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_false(flag: &bool) -> bool {
    !*flag
}
