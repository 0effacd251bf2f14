//! The gateway, without a place to run in.
//!
//! Give [`Gateway`](gateway::Gateway) a [`Host`](host::Host) (fetch, clock, chance) and
//! [`Settings`](settings::Settings), hand it `http` requests, and it answers them through a pool of
//! Gemini keys: [`handle`](gateway::Gateway::handle) is the whole way of a request, to be read from
//! top to bottom.
//!
//! # Embedding
//!
//! A service of your own needs three things to have a gateway in it: a client to ask Google with, a
//! clock, and chance. `cargo run -p balance-core --example embed` is such a service, in axum. In short:
//!
//! ```
//! use std::time::Duration;
//!
//! use balance_core::{
//!     gateway::Gateway,
//!     host::{Clock, Fetch, FetchError, Payload, Random, VisitError},
//!     reach::Reach,
//!     settings::Settings,
//!     time::Timestamp,
//! };
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//!
//! struct House;
//!
//! impl Fetch for House {
//!     type Incoming = Full<Bytes>; // the bodies that your server hands in
//!     type Body = Full<Bytes>; // the bodies that your client gives back
//!
//!     async fn fetch(
//!         &self,
//!         request: Request<Payload<Full<Bytes>>>,
//!     ) -> Result<Response<Full<Bytes>>, FetchError> {
//!         assert_eq!(request.uri().path(), "/v1beta/models/gemini-2.5-flash:generateContent");
//!         assert_eq!(request.headers()["x-goog-api-key"], "key-1");
//!         let answer = r#"{"candidates":[{"content":{"parts":[{"text":"Hello"}]},"finishReason":"STOP"}]}"#;
//!         Ok(Response::new(Full::from(answer)))
//!     }
//!
//!     async fn visit(
//!         &self,
//!         _request: Request<Bytes>,
//!         _reach: Reach,
//!     ) -> Result<Response<Full<Bytes>>, VisitError> {
//!         Err(VisitError::OutOfReach) // no files by their addresses
//!     }
//! }
//!
//! impl Clock for House {
//!     fn now(&self) -> Timestamp {
//!         Timestamp::from_unix_millis(1_763_700_000_000)
//!     }
//!
//!     async fn sleep(&self, _duration: Duration) {
//!         std::future::pending().await
//!     }
//! }
//!
//! impl Random for House {
//!     fn next_u64(&self) -> u64 {
//!         4
//!     }
//! }
//!
//! let value = |name: &str| match name {
//!     "API_KEYS" => Some("key-1".to_owned()),
//!     "ACCESS_TOKENS" => Some("my-token".to_owned()),
//!     _ => None,
//! };
//! let gateway = Gateway::new(House, Settings::read(&value).unwrap());
//!
//! let chat = r#"{"model":"gemini-2.5-flash","messages":[{"role":"user","content":"Hi"}]}"#;
//! let request = Request::post("/v1/chat/completions")
//!     .header("authorization", "Bearer my-token")
//!     .body(Full::from(chat))
//!     .unwrap();
//! let reply = pollster::block_on(gateway.handle(request));
//! assert_eq!(reply.response.status(), 200);
//! // Send `reply.response`, and beside that, where there is a job, `gateway.run(job).await`.
//! ```
//!
//! Invariant: nothing here knows a clock, a socket, a runtime, the environment or a source of
//! chance. Time, chance and settings are arguments.

mod affinity;
mod attempt;
mod authorize;
pub mod body;
mod call;
pub mod checks;
pub mod classify;
mod decode;
mod deliver;
mod digest;
pub mod error;
pub mod fault;
pub mod feed;
mod fingerprint;
pub mod gateway;
mod grant;
mod headers;
pub mod host;
mod inflow;
pub mod job;
pub mod key;
mod label;
mod media;
mod pace;
mod page;
pub mod place;
pub mod plan;
pub mod pool;
mod pools;
mod queue;
pub mod reach;
pub mod relay;
mod remote;
mod render;
pub mod reply;
pub mod route;
mod search;
pub mod secret;
pub mod settings;
mod sign;
pub mod store;
pub mod time;
pub mod trail;
mod upload;
mod veil;
mod verify;
pub mod weave;
