//! The gateway, without a place to run in.
//!
//! Give [`Gateway`](gateway::Gateway) a [`Host`](host::Host) (fetch, clock, chance) and
//! [`Settings`](settings::Settings), hand it `http` requests, and it answers them through a pool of
//! Gemini keys: [`handle`](gateway::Gateway::handle) is the whole way of a request, to be read from
//! top to bottom.
//!
//! Invariant: nothing here knows a clock, a socket, a runtime, the environment or a source of
//! chance. Time, chance and settings are arguments.

pub mod classify;
pub mod fault;
pub mod host;
pub mod key;
pub mod plan;
pub mod pool;
pub mod secret;
pub mod settings;
pub mod time;
