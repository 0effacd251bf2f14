//! A number that tells texts apart, the same on every instance.
//!
//! Invariant: it follows from the text alone, and nobody can find a text for a number.

use sha2::{Digest, Sha256};

/// The first eight bytes of the SHA-256 of a text.
pub(crate) fn digest(text: impl AsRef<[u8]>) -> u64 {
    Sha256::digest(text).iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
