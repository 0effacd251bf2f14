//! The gateway, without a place to run in.
//!
//! Give [`Gateway`](gateway::Gateway) a [`Host`](host::Host) (fetch, clock, chance) and
//! [`Settings`](settings::Settings), hand it `http` requests, and it answers them through a pool of
//! Gemini keys: [`handle`](gateway::Gateway::handle) is the whole way of a request, to be read from
//! top to bottom.
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
pub mod error;
pub mod fault;
pub mod feed;
pub mod gateway;
mod grant;
mod headers;
pub mod host;
mod inflow;
pub mod job;
pub mod key;
mod media;
mod pace;
mod page;
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
