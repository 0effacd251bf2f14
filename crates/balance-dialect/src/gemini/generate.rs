//! `generateContent` and `streamGenerateContent`.
//!
//! Invariant: what is sent and what is answered have types of their own: a part that is sent has
//! exactly one content, a part that is answered may have any.

pub mod answer;
pub mod grounding;
pub mod request;
