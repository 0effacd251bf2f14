//! Any bytes as server-sent events and as a streamed JSON array.
//!
//! Invariant: the law stands in the library; here it only gets its bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| balance_fuzz::decoders(bytes));
