//! Names for answers and calls that came without one.
//!
//! Invariant: the same nonce gives the same names, each of them once.

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LENGTH: usize = 24;

/// A row of names.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    state: u64,
}

impl Ids {
    /// The row that belongs to a random number.
    pub(crate) fn new(nonce: u64) -> Self {
        Self { state: nonce }
    }

    /// The next name with its prefix, such as `call_`.
    pub(crate) fn next(&mut self, prefix: &str) -> String {
        let mut name = prefix.to_owned();
        name.extend((0..LENGTH).map(|_| self.letter()));
        name
    }

    #[expect(clippy::cast_possible_truncation, reason = "the remainder is below 62")]
    fn letter(&mut self) -> char {
        let place = (self.random() % LETTERS.len() as u64) as usize;
        LETTERS.get(place).copied().map_or('0', char::from)
    }

    /// SplitMix64, by Sebastiano Vigna: <https://prng.di.unimi.it/splitmix64.c>.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_and_come_again_with_the_same_nonce() {
        let mut ids = Ids::new(7);
        let (first, second) = (ids.next("call_"), ids.next("call_"));
        assert_ne!(first, second);
        assert_eq!(first.len(), "call_".len() + LENGTH);
        assert!(first.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
        assert_eq!(Ids::new(7).next("call_"), first);
        assert_ne!(Ids::new(8).next("call_"), first);
    }
}
