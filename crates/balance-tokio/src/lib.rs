//! A host on tokio: the upstream client over hyper and rustls, the clock, and chance.
//!
//! [`TokioHost`] is all that a native adapter needs to run a
//! [`Gateway`](balance_core::gateway::Gateway).
//!
//! Invariant: what is dropped is cancelled. A dropped fetch, or a dropped answer, leaves nothing
//! running upstream.

mod answer;
mod body;
mod connection;
mod connections;
mod connector;
mod egress;
mod host;
mod line;
mod proxy;
mod unserved;
mod visit;

pub use answer::Answer;
pub use body::{Body, Silent};
pub use host::TokioHost;
