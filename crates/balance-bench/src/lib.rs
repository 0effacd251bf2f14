//! A load generator for one core, and a side-by-side benchmark of the server with nginx.
//!
//! Invariant: only answers with the expected status and body are counted, so that an error can
//! never pass for speed.
//!
//! * [`client`] speaks HTTP/1.1 over a bare socket, with as little work per request as possible;
//! * [`load`] keeps a number of connections busy and tells throughput and latencies;
//! * [`paced`] listens to streams whose events come at a known pace and tells how late they are;
//! * [`compare`] starts mock, nginx and server, pins them, and runs both through all of them.

pub mod client;
pub mod compare;
pub mod load;
pub mod paced;
pub mod statistics;
