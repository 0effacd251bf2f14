//! Recorded exchanges, one JSON file each, to be served byte for byte. Invariant: what a file
//! holds as text is sent as that text; JSON bodies are sent as they stand in the file.

use std::collections::HashMap;
use std::path::Path;
use std::{fs, io};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::reply::{Form, Reply};

/// A recorded exchange.
#[derive(Clone, Debug, Deserialize)]
pub struct Case {
    /// Its name, unique in its folder.
    pub id: String,
    /// The method or route of the API, e.g. `generateContent`.
    pub kind: String,
    /// What is remarkable about it.
    #[serde(default)]
    pub tags: Vec<String>,
    /// `recorded` if the text is as the recorder stored it; else it was parsed and written again.
    #[serde(default)]
    pub wire: String,
    /// What was asked.
    pub request: CaseRequest,
    /// What was answered.
    pub response: CaseResponse,
}

/// The request of a case.
#[derive(Clone, Debug, Deserialize)]
pub struct CaseRequest {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The headers that were kept.
    #[serde(default)]
    pub headers: HashMap<String, String>,
    /// The body, if it was JSON.
    #[serde(default)]
    pub body: Value,
}

/// The response of a case: one of `body`, `sse` and `text`.
#[derive(Clone, Debug, Deserialize)]
pub struct CaseResponse {
    /// The status.
    pub status: u16,
    /// The headers that were kept.
    #[serde(default)]
    pub headers: HashMap<String, String>,
    /// A JSON body, as the file spells it.
    pub body: Option<Box<RawValue>>,
    /// Server-sent events, verbatim.
    pub sse: Option<String>,
    /// Any other body, verbatim.
    pub text: Option<String>,
}

/// Reads all cases of a folder; files that are not `.json` are passed over.
///
/// # Errors
/// When the folder or a file cannot be read, or a file is not a case; the text names the file.
pub fn load(folder: &Path) -> io::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| named(folder, &error))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let text = fs::read(&path).map_err(|error| named(&path, &error))?;
            cases
                .push(serde_json::from_slice::<Case>(&text).map_err(|error| named(&path, &error))?);
        }
    }
    cases.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(cases)
}

fn named(path: &Path, error: &dyn std::error::Error) -> io::Error {
    io::Error::other(format!("{}: {error}", path.display()))
}

impl CaseResponse {
    /// The bytes of the body.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        let json = self.body.as_ref().map(|body| body.get());
        let text = self.sse.as_deref().or(self.text.as_deref()).or(json).unwrap_or_default();
        Bytes::copy_from_slice(text.as_bytes())
    }

    /// The answer to send, a stream in its events.
    pub(crate) fn reply(&self) -> Reply {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_GATEWAY);
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) =
                (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
                && ![CONTENT_LENGTH, TRANSFER_ENCODING, CONTENT_ENCODING].contains(&name)
            {
                headers.insert(name, value);
            }
        }
        match &self.sse {
            Some(sse) => Reply { status, headers, form: Form::Sse, pieces: events(sse) },
            None => Reply { status, headers, form: Form::Whole, pieces: vec![self.bytes()] },
        }
    }
}

/// The text cut behind each blank line.
fn events(sse: &str) -> Vec<Bytes> {
    let mut pieces = Vec::new();
    let mut rest = sse;
    while !rest.is_empty() {
        let crlf = rest.find("\r\n\r\n").map(|at| at + 4);
        let lf = rest.find("\n\n").map(|at| at + 2);
        let end = crlf.into_iter().chain(lf).min().unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        pieces.push(Bytes::copy_from_slice(piece.as_bytes()));
        rest = after;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_cut_behind_blank_lines_and_nothing_is_lost() {
        for text in ["data: 1\r\n\r\ndata: 2\n\n{\n \"error\": 1\n}\n", "data: 1", "\n\n", ""] {
            let pieces = events(text);
            assert_eq!(pieces.concat(), text.as_bytes());
        }
        assert_eq!(events("data: 1\r\n\r\ndata: 2\n\ntail").len(), 3);
    }

    #[test]
    fn a_json_body_keeps_its_spelling() {
        let case: Case = serde_json::from_str(
            r#"{"id":"a","kind":"k","request":{"method":"POST","path":"/"},
                "response":{"status":200,"body":{"n": 1.50,  "big": 12345678901234567890123}}}"#,
        )
        .unwrap();
        assert_eq!(case.response.bytes(), r#"{"n": 1.50,  "big": 12345678901234567890123}"#);
    }
}
