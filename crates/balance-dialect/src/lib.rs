//! Wire formats of Gemini and OpenAI: decoders, types and the translation between them.
//!
//! Everything here is pure and synchronous: bytes in, bytes or values out, in any chunks. No
//! module knows a clock, a socket or a runtime, and none panics on any input.
//!
//! # Layout
//! - [`sse`]: server-sent events, decoded and encoded.
//! - [`json_array`]: the elements of a streamed JSON array.
//! - [`gemini`]: Gemini's wire types and error bodies.
//! - [`summary`]: what an answer turned out to be.

mod backlog;
pub mod gemini;
pub mod json_array;
mod nesting;
pub mod sse;
pub mod summary;
