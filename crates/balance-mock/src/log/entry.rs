//! An entry of the log as readers get it. Invariant: a secret is printed only where it is asked
//! for; a key is otherwise told by its name.

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::credential::{Credential, credentials};
use crate::google::{Google, Timestamp, mask};

/// One request that reached the fake.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number, from 0.
    pub number: u64,
    /// When its head had arrived (and its body, unless it was an upload).
    pub at: Timestamp,
    /// The method.
    pub method: Method,
    /// Path and query as received.
    pub uri: Uri,
    /// The headers as received.
    pub headers: HeaderMap,
    /// The body; empty for uploads.
    pub body: Bytes,
    /// Bytes of the body, uploads included.
    pub body_bytes: u64,
    /// SHA-256 of an upload's body, once it is complete.
    pub digest: Option<[u8; 32]>,
    /// The pieces in which an upload arrived.
    pub chunks: Vec<Chunk>,
    /// The status that was answered; `None` while there is none.
    pub status: Option<u16>,
    /// Bytes of the answer's body handed to the connection.
    pub sent: u64,
    /// How it ended.
    pub ending: Ending,
}

/// A piece of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chunk {
    /// Milliseconds after the head.
    pub at_millis: f64,
    /// Its size.
    pub bytes: usize,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "ending")]
pub enum Ending {
    /// It has not.
    #[default]
    Open,
    /// All of it was handed to the connection.
    Complete,
    /// The script ended it.
    Cut,
    /// The client went away.
    Gone {
        /// Bytes of the body handed to the connection until then.
        at: u64,
    },
}

impl Entry {
    /// Path and query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.path_and_query().map_or("/", |path| path.as_str())
    }

    /// The credentials that were sent, all of them.
    #[must_use]
    pub fn credentials(&self) -> Vec<Credential> {
        credentials(&self.uri, &self.headers)
    }

    /// The secret, if exactly one credential was sent.
    #[must_use]
    pub fn secret(&self) -> Option<String> {
        let [one]: [Credential; 1] = self.credentials().try_into().ok()?;
        Some(one.secret)
    }

    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// SHA-256 of the body in hexadecimal.
    #[must_use]
    pub fn body_sha256(&self) -> String {
        let digest = self.digest.unwrap_or_else(|| Sha256::digest(&self.body).into());
        hex(&digest)
    }

    /// As a line of `/_mock/log`.
    pub(crate) fn to_json(&self, google: &Google, view: View) -> Value {
        let credentials = self.credentials();
        let names: Vec<_> = credentials
            .iter()
            .map(|sent| {
                let name = google.key_name(&sent.secret);
                let name = name.map_or_else(|| mask(&sent.secret), str::to_owned);
                let mut shown = json!({ "id": name, "place": sent.place });
                if let (Some(fields), true) = (shown.as_object_mut(), view.raw) {
                    fields.insert("secret".into(), sent.secret.clone().into());
                }
                shown
            })
            .collect();
        let mut path = self.path().to_owned();
        if !view.raw {
            path = credentials.iter().fold(path, |path, sent| hide(&path, &sent.secret));
        }
        let mut line = json!({
            "number": self.number,
            "at_millis": self.at.as_millis(),
            "method": self.method.as_str(),
            "path": path,
            "headers": self.header_map(view),
            "credentials": names,
            "body_bytes": self.body_bytes,
            "body_sha256": self.body_sha256(),
            "status": self.status,
            "sent": self.sent,
        });
        if let Some(fields) = line.as_object_mut() {
            if let Ok(Value::Object(ending)) = serde_json::to_value(self.ending) {
                fields.extend(ending);
            }
            if !self.chunks.is_empty() {
                fields.insert("chunks".into(), json!(self.chunks));
            }
            if view.body {
                let text = String::from_utf8_lossy(&self.body);
                fields.insert("body".into(), text.into());
            }
        }
        line
    }

    fn header_map(&self, view: View) -> Map<String, Value> {
        let mut map = Map::new();
        for (name, value) in &self.headers {
            let secret = !view.raw && matches!(name.as_str(), "x-goog-api-key" | "authorization");
            let text = if secret {
                "(hidden; ask for ?raw=1)".into()
            } else {
                String::from_utf8_lossy(value.as_bytes())
            };
            let joined = match map.get(name.as_str()).and_then(Value::as_str) {
                Some(before) => format!("{before}, {text}"),
                None => text.into_owned(),
            };
            map.insert(name.as_str().to_owned(), joined.into());
        }
        map
    }
}

/// How much of an entry is shown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct View {
    /// Secrets as they are.
    pub(crate) raw: bool,
    /// The body, too.
    pub(crate) body: bool,
}

fn hide(text: &str, secret: &str) -> String {
    if secret.is_empty() { text.to_owned() } else { text.replace(secret, &mask(secret)) }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
