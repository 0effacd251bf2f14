//! What a place to run in may be unable to do, by its nature.
//!
//! Invariant: a scenario that needs one of these says what happens where it is lacking, so that no
//! place is left out in silence.

use serde::Deserialize;

/// Something that a scenario needs of the place it runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ability {
    /// What is written reaches the caller at once.
    Streaming,
    /// A caller that has left is told of.
    HangUps,
    /// Bodies may have 4 MB.
    Megabytes,
    /// Requests may have 20 MB,
    LargeRequests,
    /// and answers.
    LargeAnswers,
    /// What was learned from one request is known to the next.
    Memory,
    /// It runs even with settings that cannot be used, and tells its callers of them.
    LateSettings,
}
