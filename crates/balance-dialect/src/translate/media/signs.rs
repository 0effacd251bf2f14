//! What bytes in base64 are, by the signs that they begin with.
//!
//! Invariant: only the first bytes are decoded, however many there are.

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// How many letters are looked at: of a whole number of groups.
const LETTERS: usize = 512;

/// Either alphabet of base64, and padding or none.
const fn lenient(alphabet: &alphabet::Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(alphabet, config)
}

const STANDARD: GeneralPurpose = lenient(&alphabet::STANDARD);
const URL_SAFE: GeneralPurpose = lenient(&alphabet::URL_SAFE);

/// Whether all letters are of base64, in either of its alphabets.
pub(super) fn is_base64(data: &str) -> bool {
    let is_letter =
        |byte: &u8| byte.is_ascii_alphanumeric() | matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=');
    !has(data, |byte| !is_letter(byte))
}

/// Whether there are blanks or line ends.
pub(super) fn has_blanks(data: &str) -> bool {
    has(data, u8::is_ascii_whitespace)
}

fn has(data: &str, is_wanted: impl Fn(&u8) -> bool) -> bool {
    // Without a way out within a piece, the compiler looks at many letters at once.
    let mut pieces = data.as_bytes().chunks(64);
    pieces.any(|piece| piece.iter().fold(false, |any, byte| any | is_wanted(byte)))
}

/// The media type of a picture that Gemini reads; none for any other bytes.
pub(super) fn picture(data: &str) -> Option<&'static str> {
    let letters = data.get(..LETTERS).unwrap_or(data);
    let bytes = STANDARD.decode(letters).or_else(|_| URL_SAFE.decode(letters)).ok()?;
    let seen = super::sniff(&bytes)?;
    seen.strip_prefix("image/").is_some_and(super::reads_picture).then_some(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_first_bytes() {
        for (bytes, kind) in [
            (&b"\x89PNG\r\n\x1a\n"[..], Some("image/png")),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Some("image/jpeg")),
            (b"GIF89a\x01\0", Some("image/gif")),
            (b"RIFF\x24\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Some("image/heif")),
            (b"<svg xmlns=", None),
            (b"<!DOCTYPE html>", None),
            (b"", None),
        ] {
            let letters = STANDARD.encode(bytes);
            assert_eq!(picture(&letters), kind, "{letters}");
            assert_eq!(picture(letters.trim_end_matches('=')), kind, "{letters}");
            assert_eq!(picture(&URL_SAFE.encode(bytes)), kind, "{letters}");
        }
    }

    #[test]
    fn both_alphabets_are_base64() {
        assert!(is_base64(&"AZaz09+/-_=".repeat(50)) && is_base64(""));
        assert!(!is_base64("AA A") && !is_base64("ä") && !is_base64(&("A".repeat(99) + "%")));
    }
}
