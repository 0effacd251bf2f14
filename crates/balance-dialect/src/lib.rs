//! Wire formats of Gemini and OpenAI: decoders, types and the translation between them.
//!
//! Everything here is pure and synchronous: bytes in, bytes or values out, in any chunks. No
//! module knows a clock, a socket or a runtime, and none panics on any input.
//!
//! # Layout
//! - [`resume`]: one streamed answer made of several, when one breaks off.
//! - [`sse`]: server-sent events, decoded and encoded.
//! - [`json_array`]: the elements of a streamed JSON array.
//! - [`gemini`]: Gemini's wire types and error bodies.
//! - [`framing`]: how the events of an answer are laid out.
//! - [`opening`]: the judgement on an answer's head, while another key can still be tried.
//! - [`observe`]: the watch over native answers, which pass byte for byte.
//! - [`summary`]: what an answer turned out to be.
//! - [`openai`]: OpenAI's wire types.
//! - [`translate`]: OpenAI's API over Gemini's.
//! - [`pace`]: streams at the pace of somebody who types.
//! - [`preset`]: what the operator sets for all requests, and the suffixes of models' names.
//! - [`form`]: forms with files, as browsers send them.
//! - [`json`]: JSON text that borrows from what it was read from.

mod backlog;
#[cfg(test)]
mod cut;
pub mod form;
pub mod framing;
pub mod gemini;
mod glance;
pub mod json;
pub mod json_array;
mod nesting;
pub mod observe;
pub mod openai;
pub mod opening;
pub mod pace;
pub mod preset;
pub mod resume;
pub mod sse;
pub mod summary;
pub mod translate;
