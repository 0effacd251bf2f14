//! A request, read: what it asks for, and with which credentials. Invariant: reading judges
//! nothing; a bad credential is an error only for routes that need one.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use super::route::{Route, route};
use crate::credential::{Credential, api_key, credentials, query_value};
use crate::google::{ApiError, ProjectId};
use crate::log::{Head, lock};
use crate::rule::Traits;
use crate::state::State;

/// A request in the hands of the fake.
pub(super) struct Call<'a> {
    pub(super) state: &'a State,
    pub(super) head: Head<'a>,
    pub(super) path: &'a str,
    pub(super) route: Option<Route<'a>>,
    pub(super) body: &'a Bytes,
    credentials: Vec<Credential>,
}

impl<'a> Call<'a> {
    pub(super) fn new(state: &'a State, head: Head<'a>, path: &'a str, body: &'a Bytes) -> Self {
        let route = route(head.method, path, head.uri);
        let credentials = credentials(head.uri, head.headers);
        Self { state, head, path, route, body, credentials }
    }

    /// What rules ask about.
    pub(super) fn traits(&self) -> Traits<'_> {
        Traits {
            key: self.key(),
            key_name: None,
            model: match &self.route {
                Some(Route::Model { model, .. } | Route::ReadModel(model)) => Some(model),
                _ => None,
            },
            path: self.head.uri.path_and_query().map_or("/", |path| path.as_str()),
            method: self.head.method.as_str(),
        }
    }

    /// The first credential, right or wrong.
    pub(super) fn key(&self) -> Option<&str> {
        self.credentials.first().map(|sent| sent.secret.as_str())
    }

    /// Whether no credential was sent.
    pub(super) fn is_anonymous(&self) -> bool {
        self.credentials.is_empty()
    }

    /// The project of the one key that was sent.
    ///
    /// # Errors
    /// What Google answers to no key, to two, and to a bad one.
    pub(super) fn project(&self) -> Result<ProjectId, ApiError> {
        let place = self.place();
        let key = api_key(&self.credentials).map_err(|error| error.at(&place))?;
        lock(&self.state.google).identify(&crate::google::Place { key, ..place })
    }

    /// The body as JSON; nothing at all counts as an empty object.
    ///
    /// # Errors
    /// 400, when it is none.
    pub(super) fn json(&self) -> Result<Value, ApiError> {
        if self.body.is_empty() {
            return Ok(Value::Object(serde_json::Map::new()));
        }
        match serde_json::from_slice(self.body) {
            Ok(value @ Value::Object(_)) => Ok(value),
            Ok(_) => Err(ApiError::bad_payload(
                "Invalid JSON payload received. Unknown name \"\": Root element must be a message.",
            )),
            Err(error) => Err(ApiError::bad_payload(&format!(
                "Invalid JSON payload received. Expected a value. ({error})"
            ))),
        }
    }

    /// A query parameter.
    pub(super) fn query(&self, name: &'a str) -> Option<String> {
        query_value(self.head.uri, name).map(std::borrow::Cow::into_owned)
    }

    /// A request header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    pub(super) fn wants_events(&self) -> bool {
        query_value(self.head.uri, "alt").is_some_and(|alt| alt == "sse")
    }

    fn headers(&self) -> &HeaderMap {
        self.head.headers
    }
}
