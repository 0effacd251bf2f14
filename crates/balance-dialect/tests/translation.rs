//! The translation as a whole: golden examples, laws, and recorded answers.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "examples are files, and one of another form than expected should fail the test"
)]

#[path = "translation/bad_values.rs"]
mod bad_values;
#[path = "translation/cases.rs"]
mod cases;
#[path = "translation/difference.rs"]
mod difference;
#[path = "translation/golden.rs"]
mod golden;
#[path = "translation/laws.rs"]
mod laws;
#[path = "translation/media.rs"]
mod media;
#[path = "translation/ours.rs"]
mod ours;
#[path = "translation/outcome.rs"]
mod outcome;
#[path = "translation/page.rs"]
mod page;
#[path = "translation/pairs.rs"]
mod pairs;
#[path = "translation/recorded.rs"]
mod recorded;
#[path = "translation/requests.rs"]
mod requests;
#[path = "translation/schema.rs"]
mod schema;
#[path = "translation/signatures.rs"]
mod signatures;
#[path = "translation/tables.rs"]
mod tables;
#[path = "translation/words.rs"]
mod words;

use balance_dialect::translate::{self, Call, Refusal, Stamp};

/// The moment and chance of every example.
const STAMP: Stamp = Stamp { unix_seconds: 1_700_000_000, nonce: 42 };

/// The call that a body makes at an endpoint, `chat`, `completions`, `responses` or `embeddings`.
fn call(endpoint: &str, body: &[u8]) -> Result<Call, Refusal> {
    match endpoint {
        "chat" => translate::chat(body, STAMP),
        "completions" => translate::completions(body, STAMP),
        "responses" => translate::responses(body, STAMP),
        "embeddings" => translate::embeddings(body),
        endpoint => panic!("no endpoint {endpoint}"),
    }
}
