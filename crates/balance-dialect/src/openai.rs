//! OpenAI's wire format: what clients send, and what they are answered.
//!
//! Invariant: only what the gateway touches is typed; other fields are skipped and refuse nothing,
//! since clients send many.

pub mod audio;
pub mod chat;
pub mod completion;
pub mod embeddings;
pub mod error;
pub mod images;
pub mod logprobs;
pub mod models;
pub mod number;
pub mod responses;
pub mod text_completion;
pub mod union;
