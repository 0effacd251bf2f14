//! Some servers with the same keys, and the fake Google that they ask.

use std::{collections::BTreeMap, path::Path};

use balance_mock::{Entry, Limits, Mock, Setup};
use balance_testkit::{
    client::{self, Manner},
    scenario::{Received, TOKEN},
    server::Server,
};
use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};

const GENERATE: &str = "/v1beta/models/gemini-2.5-flash:generateContent";

/// Servers, and their upstream.
pub(crate) struct Fleet {
    pub(crate) servers: Vec<Server>,
    pub(crate) mock: Mock,
}

impl Fleet {
    /// Three servers with so many keys, each of a project of its own with these limits.
    pub(crate) async fn start(keys: usize, limits: Limits, settings: &[(&str, &str)]) -> Self {
        let mut setup = Setup { log: 100_000, ..Setup::good_keys(keys) };
        setup.projects.iter_mut().for_each(|project| project.limits = limits);
        let mock = Mock::start(setup).await.unwrap();
        let secrets: Vec<_> = (1..=keys).map(|number| Setup::secret("good", number)).collect();
        let pool = secrets.join(",");
        let common = [
            ("API_KEYS", pool.as_str()),
            ("BASE_URL", mock.base_url()),
            ("ACCESS_TOKENS", TOKEN),
            ("LOG_LEVEL", "info"),
        ];
        let settings = common.iter().chain(settings);
        let settings: BTreeMap<String, String> =
            settings.map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let program = Path::new(env!("CARGO_BIN_EXE_gemini-balance"));
        let servers = (0..3).map(|_| Server::start(program, &settings).unwrap()).collect();
        Self { servers, mock }
    }

    /// Asks the server at a place.
    pub(crate) async fn ask(
        &self,
        place: usize,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Received {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header("x-goog-api-key", TOKEN);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).unwrap();
        let server = &self.servers[place % self.servers.len()];
        client::ask(server.address(), request, Manner::default()).await.unwrap()
    }

    /// Asks the server at a place to continue these contents.
    pub(crate) async fn generate(&self, place: usize, body: &Value) -> Received {
        let json = [("content-type", "application/json")];
        self.ask(place, Method::POST, GENERATE, &json, body.to_string()).await
    }

    /// What `/health` of a server says of its store.
    pub(crate) async fn store_of(&self, place: usize) -> String {
        let health = self.ask(place, Method::GET, "/health", &[], "").await;
        let health: Value = serde_json::from_slice(&health.body).unwrap();
        health["store"].as_str().unwrap_or_default().to_owned()
    }

    /// The questions to the model that reached upstream.
    pub(crate) fn questions(&self) -> Vec<Entry> {
        let mut log = self.mock.log();
        log.retain(|entry| entry.path().contains(":generateContent"));
        log
    }
}

/// A question in one turn.
pub(crate) fn question(text: &str) -> Value {
    json!({ "contents": [{ "role": "user", "parts": [{ "text": text }] }] })
}
