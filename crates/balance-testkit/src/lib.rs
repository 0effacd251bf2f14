//! What the tests of several crates share: a scripted host on virtual time, scenarios as data, and
//! a server process to ask.
//!
//! - [`fake_host`]: the gateway's host without a network, on [`virtual_time`]; upstream answers by
//!   script ([`answer`], [`scripted_body`]) and what it was asked is on record ([`sent`]).
//! - [`scenario`]: what the files in `scenarios/` say; [`in_process`] plays them so, [`over_http`]
//!   against a [`server`] process, asked by a [`client`].
//! - [`redis_server`]: a Redis of a test's own, and [`store_contract`]: what every store keeps to.
//! - [`lambda_api`], [`vercel_bridge`]: small fakes of platforms, for what runs on them.
//! - [`shared`]: recorded exchanges and real clients, where they lie beside the checkout.

pub mod answer;
mod answer_stream;
pub mod client;
pub mod fake_host;
pub mod in_process;
pub mod lambda_api;
pub mod over_http;
pub mod redis_server;
pub mod scenario;
pub mod scripted_body;
pub mod sent;
pub mod server;
mod serving;
pub mod shared;
pub mod store_contract;
pub mod vercel_bridge;
pub mod virtual_time;
