//! Takes one key out of bytes that pass in pieces.
//!
//! Invariant: the key is never given out whole, however it is cut; as many bytes come out as went
//! in, since their number may have been told; and what cannot be a part of the key is not held.

use bytes::{Bytes, BytesMut};
use memchr::memchr_iter;

use crate::secret::Secret;

/// Bytes that are all there, without the key.
pub(crate) fn veiled(data: Bytes, key: &Secret) -> Bytes {
    if find(key, &data).is_none() {
        return data;
    }
    let mut veil = Veil::new(key);
    let shown = veil.pass(data);
    [shown, veil.rest()].concat().into()
}

/// Dots out the middle of a key wherever it stands. Google prints keys in some of its errors, and
/// sends some of these inside streams.
#[derive(Debug)]
pub(crate) struct Veil {
    key: Secret,
    /// The end of the bytes so far, where it may be the beginning of the key.
    held: Bytes,
}

impl Veil {
    pub(crate) fn new(key: &Secret) -> Self {
        Self { key: key.clone(), held: Bytes::new() }
    }

    /// The bytes that may go on, without the key. Nothing is copied where nothing of it stands.
    pub(crate) fn pass(&mut self, data: Bytes) -> Bytes {
        let mut data = self.joined(data);
        if let Some(first) = find(&self.key, &data) {
            data = self.dotted(&data, first);
        }
        self.held = data.split_off(data.len() - self.begun_at_the_end_of(&data));
        data
    }

    /// What was held, at the end.
    pub(crate) fn rest(&mut self) -> Bytes {
        std::mem::take(&mut self.held)
    }

    fn joined(&mut self, data: Bytes) -> Bytes {
        if self.held.is_empty() {
            return data;
        }
        let mut joined = BytesMut::from(self.rest());
        joined.extend_from_slice(&data);
        joined.freeze()
    }

    fn dotted(&self, data: &[u8], first: usize) -> Bytes {
        let length = self.key.expose().len();
        let shown = length / 5;
        let mut clean = BytesMut::from(data);
        let mut start = first;
        loop {
            let middle = start + shown..start + length - shown;
            clean.get_mut(middle).unwrap_or_default().fill(b'.');
            match find(&self.key, &clean) {
                Some(next) => start = next,
                None => return clean.freeze(),
            }
        }
    }

    /// How many of the last bytes are the first ones of the key.
    fn begun_at_the_end_of(&self, data: &[u8]) -> usize {
        let key = self.key.expose().as_bytes();
        let Some((first, _)) = key.split_first() else { return 0 };
        let tail = data.get(data.len().saturating_sub(key.len() - 1)..).unwrap_or_default();
        memchr_iter(*first, tail)
            .filter_map(|start| tail.get(start..))
            .find(|end| key.starts_with(end))
            .map_or(0, <[u8]>::len)
    }
}

/// Where the key begins. Looks for its first letter, as to prepare a search for the whole of it
/// takes longer than an answer is long.
fn find(key: &Secret, data: &[u8]) -> Option<usize> {
    let key = key.expose().as_bytes();
    let begins = |start: &usize| data.get(*start..).is_some_and(|rest| rest.starts_with(key));
    memchr_iter(*key.first()?, data).find(begins)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "AIzaSyA-the-key-AIzaS-that-was-used-0001";

    fn veiled(pieces: &[&[u8]]) -> Vec<u8> {
        let mut veil = Veil::new(&Secret::new(KEY));
        let mut out = Vec::new();
        for piece in pieces {
            out.extend_from_slice(&veil.pass(Bytes::copy_from_slice(piece)));
        }
        out.extend_from_slice(&veil.rest());
        out
    }

    #[test]
    fn a_key_is_dotted_out_however_it_is_cut() {
        let text = format!("AIza api_key:{KEY}, AIzaSyA {KEY}{KEY} AIzaSy");
        let whole = veiled(&[text.as_bytes()]);
        assert!(!String::from_utf8_lossy(&whole).contains(KEY));
        assert_eq!(whole.len(), text.len());
        for cut in 0..text.len() {
            let (a, b) = text.as_bytes().split_at(cut);
            assert_eq!(veiled(&[a, b]), whole, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(veiled(&bytes), whole);
    }

    #[test]
    fn what_cannot_be_the_key_is_not_held() {
        let mut veil = Veil::new(&Secret::new(KEY));
        assert_eq!(veil.pass("data: {}\r\n\r\n".into()), "data: {}\r\n\r\n");
        assert_eq!(veil.pass("xAIza".into()), "x");
        assert_eq!(veil.pass("rd".into()), "AIzard");
    }

    proptest! {
        #[test]
        fn other_text_passes_unchanged(pieces in prop::collection::vec("[AIzaSy -]{0,12}", 0..12)) {
            let pieces: Vec<&[u8]> = pieces.iter().map(String::as_bytes).collect();
            prop_assert_eq!(veiled(&pieces), pieces.concat());
        }
    }
}
