//! Every error that the Gemini API is known to answer with, by name, in Google's words.
//! Invariant: one row per error, and a row's body is Google's to the letter, key names and all.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

mod details;
mod table;

pub use table::ErrorName;

use details::Details;
pub(crate) use details::{quota_failure, quota_help, retry_info, violation};

/// The name of the service in error details.
pub(crate) const SERVICE: &str = "generativelanguage.googleapis.com";

/// An answer that is not 2xx: the status and what the body says.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// The name of the `google.rpc.Code`, e.g. `RESOURCE_EXHAUSTED`; empty for an HTML page of
    /// the front end, which never reached the API.
    pub code: &'static str,
    /// What went wrong, in Google's words.
    pub message: String,
    /// `google.rpc` detail messages; left out of the body when empty.
    pub details: Vec<Value>,
}

impl ApiError {
    /// An error with no details.
    #[must_use]
    pub fn plain(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: Vec::new() }
    }

    /// 400 `INVALID_ARGUMENT`.
    #[must_use]
    pub fn invalid_argument(message: impl Into<String>) -> Self {
        Self::plain(400, "INVALID_ARGUMENT", message)
    }

    /// 400 for a body that cannot be read, with the `BadRequest` detail that says where.
    #[must_use]
    pub fn bad_payload(description: &str) -> Self {
        let violation = json!({ "description": description });
        Self {
            details: vec![json!({
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [violation],
            })],
            ..Self::invalid_argument(description)
        }
    }

    /// Whether the body is an HTML page of the front end.
    #[must_use]
    pub fn is_html(&self) -> bool {
        self.code.is_empty()
    }

    /// `{"error": {…}}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut error = json!({
            "code": self.status,
            "message": self.message,
            "status": self.code,
        });
        if let (Some(fields), false) = (error.as_object_mut(), self.details.is_empty()) {
            fields.insert("details".into(), Value::Array(self.details.clone()));
        }
        json!({ "error": error })
    }

    /// The body as it goes over the wire: indented JSON and a line feed, or the HTML page.
    #[must_use]
    pub fn to_body(&self) -> Vec<u8> {
        if self.is_html() {
            return page(self.status, &self.message).into_bytes();
        }
        let mut body = serde_json::to_vec_pretty(&self.to_json()).unwrap_or_default();
        body.push(b'\n');
        body
    }
}

/// Who asked what: the values that appear inside error texts.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Place<'a> {
    /// The API key, which Google prints in the text about suspended consumers.
    pub key: &'a str,
    /// The number of the key's project.
    pub project: u64,
    /// The model, file or cache asked for, without its collection.
    pub name: &'a str,
    /// The method as in the URL, e.g. `generateContent`.
    pub method: &'a str,
}

impl Default for Place<'_> {
    fn default() -> Self {
        Self { key: "", project: 0, name: "gemini-2.5-flash", method: "generateContent" }
    }
}

impl Place<'_> {
    /// The method's full name, as error details print it.
    fn rpc(&self) -> String {
        let (first, rest) = self.method.split_at_checked(1).unwrap_or_default();
        let method = first.to_uppercase() + rest;
        format!("google.ai.generativelanguage.v1beta.GenerativeService.{method}")
    }

    /// The method as the text about unknown models names it: without streaming and batching.
    fn plain_method(&self) -> &str {
        match self.method {
            "streamGenerateContent" => "generateContent",
            "batchEmbedContents" => "embedContent",
            method => method,
        }
    }

    fn fill(&self, text: &str) -> String {
        text.replace("{key}", self.key)
            .replace("{project}", &self.project.to_string())
            .replace("{name}", self.name)
            .replace("{method}", self.plain_method())
            .replace("{rpc}", &self.rpc())
    }
}

impl ErrorName {
    /// The error as it is answered to this caller.
    #[must_use]
    pub fn at(self, place: &Place<'_>) -> ApiError {
        let row = self.row();
        let message = place.fill(row.message);
        let details = row.details.render(place, &message);
        ApiError { status: row.status, code: row.code, message, details }
    }

    /// The error of this name; the names are those of [`ErrorName::ALL`].
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|name| name.word() == word)
    }
}

impl Serialize for ErrorName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for ErrorName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::find(&word).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|name| name.word()).collect();
            serde::de::Error::custom(format!(
                "there is no error named {word:?}; known are {}",
                known.join(", ")
            ))
        })
    }
}

/// One row of the table.
pub(crate) struct Row {
    status: u16,
    code: &'static str,
    message: &'static str,
    details: Details,
}

/// A page of Google's front end, which answers what never reaches the API.
fn page(status: u16, text: &str) -> String {
    let title = match status {
        404 => "Not Found",
        413 => "Request Entity Too Large",
        502 => "Server Error",
        _ => "Error",
    };
    format!(
        "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n  <title>Error {status} \
         ({title})!!1</title>\n  <p><b>{status}.</b> <ins>That’s an error.</ins>\n  <p>{text}  \
         <ins>That’s all we know.</ins>\n"
    )
}

#[cfg(test)]
mod tests;
