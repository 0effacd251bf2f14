//! Maps by the numbers of projects, which are this pool's own, and by the names of keys, which are
//! digests.
//!
//! Invariant: nobody outside chooses the numbers, so that a plain hash is safe; it costs one
//! multiplication, where a pick makes several look-ups.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use crate::key::KeyId;

/// What is known of projects, by their numbers.
pub(super) type ByProject<T> = HashMap<usize, T, BuildHasherDefault<NumberHasher>>;

/// What is known of keys, by their names.
pub(super) type ByKey<T> = HashMap<KeyId, T, BuildHasherDefault<NumberHasher>>;

/// Spreads numbers over all bits.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
