//! Gemini Balance on Cloudflare: a `door` in a Worker, wherever its callers are, and an `object`, which is a
//! Durable Object in one place with a `sheet` in SQLite. What the platform calls is in `worker.mjs`.
//!
//! By a setting the gateway runs in the object, whose `keeper` keeps what its pool learns; or in the
//! Workers, which are `sharing` what they learn through the object.
//!
//! Invariant: nothing here decides anything about requests; that is the gateway's.

#![cfg(target_arch = "wasm32")]

pub mod door;
mod keeper;
pub mod object;
mod sharing;
mod sheet;

use std::time::Duration;

use balance_core::place::Place;

/// Cloudflare, as far as settings go. Of the 50 calls that a request may make on the free plan some are
/// left for the files that it names, and for the object. It waits for answers without an end; nobody else does.
const PLACE: Place = Place {
    settings: "in the Worker's settings under Variables and Secrets, or by `npx wrangler secret put`",
    defaults: &[("CALLS_PER_REQUEST", "40")],
    longest_wait: Some(Duration::from_secs(900)),
};
