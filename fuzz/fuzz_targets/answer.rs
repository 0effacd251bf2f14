//! Any bytes as a whole answer of Gemini.
//!
//! Invariant: the law stands in the library; here it only gets its bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| balance_fuzz::answer(bytes));
