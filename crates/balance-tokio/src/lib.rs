//! A host on tokio: the upstream client over hyper and rustls, the clock, and chance; and what native
//! adapters share.
//!
//! [`TokioHost`] is all that is needed to run a [`Gateway`](balance_core::gateway::Gateway). A
//! [`Desk`] adds the log, a [`Guest`] the settings of a platform that starts programs whatever they
//! are set to, and [`until()`] the end that such a platform puts to a request.
//!
//! Invariant: what is dropped is cancelled. A dropped fetch, or a dropped answer, leaves nothing
//! running upstream.

mod answer;
mod body;
mod connection;
mod connections;
mod connector;
mod cork;
mod desk;
mod driver;
mod egress;
mod guest;
mod host;
mod journal;
mod line;
mod proxy;
mod unserved;
mod until;
mod visit;

pub use answer::Answer;
pub use body::{Body, Silent};
pub use cork::{Corked, uncork};
pub use desk::{Desk, Outgoing};
pub use guest::Guest;
pub use host::TokioHost;
pub use journal::{WrongLevel, start as start_log};
pub use until::{OutOfTime, until};
