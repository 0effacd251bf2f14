//! What reached upstream, whoever played it: the fake host in process, or the fake server.
//!
//! Invariant: it holds the request as upstream saw it, unchanged.

use balance_core::{key::KeyId, time::Timestamp};
use bytes::Bytes;
use http::{HeaderMap, Method, Uri, header};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::scripted_body::Ending;

/// One request that upstream received.
#[derive(Debug, Clone)]
pub struct Sent {
    /// When its head arrived.
    pub at: Timestamp,
    /// The method.
    pub method: Method,
    /// The address.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as far as it arrived.
    pub body: Bytes,
    /// The SHA-256 of the body, where that is all that was kept of it.
    pub digest: Option<[u8; 32]>,
    /// In how many frames it arrived; 0 where that is not known.
    pub frames: usize,
    /// The key that the gateway named to its host.
    pub key: Option<KeyId>,
    /// How its answer ended.
    pub ending: Ending,
}

impl Sent {
    /// Path and query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.path_and_query().map_or("/", |path| path.as_str())
    }

    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Whether its body is this, byte for byte.
    #[must_use]
    pub fn has_body(&self, body: &[u8]) -> bool {
        match self.digest {
            Some(digest) => digest == <[u8; 32]>::from(Sha256::digest(body)),
            None => self.body == body,
        }
    }

    /// Every credential in it, wherever it stands.
    #[must_use]
    pub fn credentials(&self) -> Vec<String> {
        let text = |name: &str| {
            let values = self.headers.get_all(name).iter();
            values
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                .collect::<Vec<_>>()
        };
        let bearer = text(header::AUTHORIZATION.as_str());
        let bearer = bearer.iter().map(|value| value.trim_start_matches("Bearer ").to_owned());
        let query = self.uri.query().unwrap_or_default();
        let in_query =
            query.split('&').filter_map(|pair| pair.strip_prefix("key=")).map(Into::into);
        let headers = ["x-goog-api-key", "x-api-key", "api-key"].into_iter().flat_map(text);
        headers.chain(bearer).chain(in_query).collect()
    }
}
