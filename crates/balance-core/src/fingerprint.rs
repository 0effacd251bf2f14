//! A number that tells texts apart, found quickly, and the same on every instance.
//!
//! Invariant: it follows from the text alone, on every machine. Another text with the same number is
//! easily made, so nothing that has to be true or secret hangs on it; that is for a
//! [`digest`](crate::digest).

/// Odd, and its bits without a pattern: the golden ratio's.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// One multiplication for each eight bytes, of which both halves are kept, so that each bit hangs on all
/// before it.
pub(crate) fn fingerprint(text: &[u8]) -> u64 {
    let (words, rest) = text.as_chunks::<8>();
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, byte)| *to = *byte);
    let number = words.iter().chain([&last]).fold(text.len() as u64 ^ FACTOR, |number, word| {
        folded(number ^ u64::from_le_bytes(*word))
    });
    folded(number ^ FACTOR)
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half")]
const fn folded(number: u64) -> u64 {
    let product = number as u128 * FACTOR as u128;
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn it_is_the_same_on_every_instance() {
        let known = 0xbc53_23fe_3713_f550;
        assert_eq!(fingerprint(b"Which rivers carry the most water?"), known);
    }

    #[test]
    fn texts_that_differ_in_one_place_or_in_their_length_are_told_apart() {
        let text = b"a text of several words, longer than sixteen bytes";
        let mut seen = HashSet::from([fingerprint(text)]);
        for place in 0..text.len() {
            assert!(seen.insert(fingerprint(&text[..place])), "cut at {place}");
            for bit in 0..8 {
                let mut other = *text;
                other[place] ^= 1 << bit;
                assert!(seen.insert(fingerprint(&other)), "bit {bit} of byte {place}");
            }
        }
        assert!(seen.insert(fingerprint(b"zeros\0\0")) && seen.insert(fingerprint(b"zeros\0")));
    }

    #[test]
    fn numbers_are_spread_evenly() {
        let mut counts = [0_u32; 16];
        for n in 0..16_000 {
            let number = fingerprint(format!("question {n}").as_bytes());
            counts[(number >> 60) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
    }
}
