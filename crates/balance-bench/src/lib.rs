//! A load generator for one core, and a side-by-side benchmark of the server with nginx.
//!
//! Invariant: only answers with the expected status and body are counted, so that an error can
//! never pass for speed.
//!
//! * [`client`] speaks HTTP/1.1 over a bare socket, with as little work per request as possible;
//! * [`load`] keeps a number of connections busy and tells throughput and latencies;
//! * [`paced`] listens to streams whose events come at a known pace and tells how late they are;
//! * [`compare`] starts mock, nginx and server, pins them, and runs both through all of them.
//!
//! # What makes the comparison fair
//! nginx and the server take turns on a core that nothing else is pinned to; the load generator has
//! another, shared with the mock on a machine of two. A round visits every target before the next
//! begins, and each figure is the median over the rounds, so what disturbs the machine disturbs all
//! of them. Throughput tells what a target can do only while the target is the limit, which `busy`
//! shows; CPU time per request tells it always. The mock gives a fixed answer, so that it costs
//! little beside what is measured. Neither nginx nor the server writes a line for each request;
//! otherwise the server runs as it comes.

pub mod client;
pub mod compare;
pub mod load;
pub mod paced;
pub mod statistics;
