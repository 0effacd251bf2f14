//! What the web module must show beside the scenarios: that a time-out is honest, and that it costs little.
//!
//! Invariant: what is asked is the module that is shipped, over HTTP.

use std::time::Duration;

use balance_mock::{Mock, Population, Rule, Setup};
use balance_testkit::client::{self, Manner};
use bytes::Bytes;
use http::Request;
use serde_json::Value;

use super::{netlify, overhead};
use crate::runtime::{Profile, Proof, Running, Settings};

pub(crate) const ALL: &[Proof] = &[
    Proof {
        runtime: "deno",
        name: "a small request beside a plain pass-through",
        run: || Box::pin(overhead::on_deno()),
    },
    Proof {
        runtime: "netlify-edge",
        name: "an honest answer before Netlify's patience ends",
        run: || Box::pin(time_out()),
    },
];

/// After so long Netlify gives up on an answer that has not begun, and says so in its own words.
const PATIENCE_OF_NETLIFY: Duration = Duration::from_secs(40);

/// An answer that does not come is told before the platform tells it, and the key is given back.
async fn time_out() -> Result<(), String> {
    let population = Population { good: 1, dead: 0, limited: 0, ..Population::default() };
    let mock = Mock::start(Setup::ready_made(&population)).await.map_err(|e| e.to_string())?;
    let key = Setup::secret("good", 1);
    let settings = [
        ("API_KEYS", &*key),
        ("ACCESS_TOKENS", "token"),
        ("BASE_URL", mock.base_url()),
        ("DEFAULT_RPM", "5"),
        ("FIRST_BYTE_SECONDS", "300"),
        ("DEADLINE_SECONDS", "300"),
    ];
    let settings: Settings = settings.map(|(name, value)| (name.into(), value.into())).into();
    let running = netlify(Profile::Release).map_err(|failure| failure.to_string())?(&settings)?;
    mock.next(Rule { delay_ms: Some(60_000), ..Rule::default() });
    let late = generate(&running).await?;
    if late.status != 504 || late.took >= PATIENCE_OF_NETLIFY {
        return Err(format!("status {} after {:?}", late.status, late.took));
    }
    let told: Value = serde_json::from_slice(&late.body).map_err(|error| error.to_string())?;
    if told.pointer("/error/status").and_then(Value::as_str) != Some("DEADLINE_EXCEEDED") {
        return Err(format!("it says {told}"));
    }
    let next = generate(&running).await?;
    if next.status == 200 { Ok(()) } else { Err(format!("the next answer is {next:?}")) }
}

async fn generate(running: &Running) -> Result<balance_testkit::scenario::Received, String> {
    let request = Request::post("/v1beta/models/gemini-2.5-flash:generateContent")
        .header("x-goog-api-key", "token")
        .body(Bytes::from_static(br#"{"contents": [{"parts": [{"text": "Say hello."}]}]}"#))
        .map_err(|error| error.to_string())?;
    let manner = Manner::default();
    client::ask(running.door.address, request, manner).await
}
