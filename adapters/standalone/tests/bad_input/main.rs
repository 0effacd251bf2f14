//! Bad input over a raw socket: each piece gets a clear 4xx, nothing of it goes upstream, and the
//! program serves on.
//!
//! What goes in is written here byte by byte, as no client library would send most of it.

#![cfg(test)]

mod bodies;
mod framing;
mod hanging_up;
mod lines;
mod rig;
