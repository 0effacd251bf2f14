//! The gateway on platforms that speak JavaScript: Cloudflare Workers, Deno, Netlify, Node.
//!
//! - [`host`]: fetch, clock and chance as the web has them; [`body`] is what comes in by it.
//! - [`message`]: web requests and responses from and to those of `http`; [`pieces`] is how a body goes out.
//! - [`door`]: a gateway by the variables of a platform, or the words that say what is wrong.
//! - [`promise`], [`timer`]: waiting, for what JavaScript promises and for time to pass; [`tasks`] is what waits.
//! - [`answer`]: one request through a gateway, and the work behind its reply.
//!
//! Invariant: what is dropped here is cancelled there: a future that waits for upstream, or the
//! body of an answer, takes its fetch with it.

pub mod answer;
mod bell;
pub mod body;
pub mod door;
pub mod host;
mod leaving;
pub mod log;
pub mod message;
pub mod pieces;
pub mod promise;
mod silence;
mod slots;
pub mod tasks;
pub mod timer;
mod visit;

/// Smaller than the one that comes with `std`, and faster: see ARCHITECTURE.md.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
