//! Thought signatures in the names of calls, for clients that drop every field they do not know.
//!
//! Invariant: [`unpack`] gives back the very name and signature that [`pack`] took, and nothing at
//! all of a signature that was cut on the way.
//!
//! The form is `{name}__sig{kind}{length}_{letters}`, of ASCII letters, digits, `_` and `-` alone:
//! `length` counts the letters, and `kind` says how they stand for the signature:
//! - `u`: they are the signature.
//! - `s`: base64 with `-` for `+`, `_` for `/`, and without the `=` at its end.
//! - `x`: base64 (RFC 4648, section 5, unpadded) of any other text.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::json::Text;

/// Stands between the name and the signature.
const MARK: &str = "__sig";
/// Longer signatures are not packed: every later request would carry them twice.
const LETTERS: usize = 16 << 10;

/// Whether a name can be told from the signature after it.
pub(crate) fn can_carry(name: &str) -> bool {
    // A name that ends like the mark begins would move the mark.
    !name.contains(MARK) && !name.ends_with('_') && name.bytes().all(is_safe)
}

/// The name with the signature; none when the signature is too long.
pub(crate) fn pack(name: &str, signature: &str) -> Option<String> {
    let (kind, letters) = if signature.bytes().all(is_safe) {
        ('u', signature.to_owned())
    } else if let Some(letters) = of_base64(signature) {
        ('s', letters)
    } else {
        ('x', URL_SAFE_NO_PAD.encode(signature))
    };
    let length = letters.len();
    (length <= LETTERS).then(|| format!("{name}{MARK}{kind}{length}_{letters}"))
}

/// The name and the signature of what [`pack`] made; any other name alone.
pub(crate) fn unpack(packed: &str) -> (&str, Option<Text<'_>>) {
    let Some((name, rest)) = packed.split_once(MARK) else { return (packed, None) };
    let kind = rest.chars().next().filter(|kind| "usx".contains(*kind));
    let Some((length, letters)) = kind.and_then(|_| rest.get(1..)?.split_once('_')) else {
        return (packed, None);
    };
    let Ok(length) = length.parse::<usize>() else { return (packed, None) };
    let letters = Some(letters).filter(|letters| letters.len() == length);
    let signature = letters.and_then(|letters| match kind {
        Some('u') => Some(letters.into()),
        Some('s') => Some(to_base64(letters).into()),
        _ => {
            let text = URL_SAFE_NO_PAD.decode(letters).ok()?;
            String::from_utf8(text).ok().map(Text::from)
        }
    });
    (name, signature)
}

/// The letters for a signature that is base64 with the right padding.
fn of_base64(signature: &str) -> Option<String> {
    let bare = signature.trim_end_matches('=');
    let is_base64 = bare.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
    let is_whole = signature.len() - bare.len() == padding(bare);
    (is_base64 && is_whole).then(|| bare.replace('+', "-").replace('/', "_"))
}

fn to_base64(letters: &str) -> String {
    let mut signature = letters.replace('-', "+").replace('_', "/");
    signature.extend(std::iter::repeat_n('=', padding(letters)));
    signature
}

/// How many `=` fill up the last group of four.
fn padding(letters: &str) -> usize {
    (4 - letters.len() % 4) % 4
}

fn is_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_signature_comes_back_as_it_was() {
        for (signature, packed) in [
            ("AVSo", "call_1__sigu4_AVSo"),
            ("a-b_", "call_1__sigu4_a-b_"),
            ("CvoB+/4=", "call_1__sigs7_CvoB-_4"),
            ("Cvo__sig//==", "call_1__sigx16_Q3ZvX19zaWcvLz09"),
            ("no base64 ✓", "call_1__sigx18_bm8gYmFzZTY0IOKckw"),
        ] {
            assert_eq!(pack("call_1", signature).as_deref(), Some(packed));
            assert_eq!(unpack(packed), ("call_1", Some(signature.into())), "{packed}");
        }
    }

    #[test]
    fn a_signature_that_was_cut_is_none() {
        let packed = pack("call_1", "CvoB+/4=").unwrap();
        for length in 0..packed.len() {
            assert_eq!(unpack(&packed[..length]).1, None, "{length}");
        }
        assert_eq!(unpack("call_1__sigs7_CvoB"), ("call_1", None));
    }

    #[test]
    fn other_names_are_left_alone() {
        for name in ["", "call_1", "__sig", "a__sigma_1", "a__sigs_x", "a__sigs-1_x", "a__sigé9_"]
        {
            assert_eq!(unpack(name), (name, None));
        }
        assert!(!can_carry("a__sig"));
        assert!(!can_carry("a.b"));
        assert!(!can_carry("a_"));
        assert!(can_carry("call_1-2"));
    }

    #[test]
    fn a_signature_that_is_too_long_is_not_packed() {
        assert!(pack("call_1", &"A".repeat(LETTERS)).is_some());
        assert_eq!(pack("call_1", &"A".repeat(LETTERS + 1)), None);
    }

    proptest! {
        #[test]
        fn any_signature_comes_back(
            name in "[A-Za-z0-9_-]{0,40}",
            signature in prop_oneof!["[A-Za-z0-9+/]{0,40}={0,3}", any::<String>()],
        ) {
            prop_assume!(can_carry(&name));
            let packed = pack(&name, &signature).unwrap();
            prop_assert!(packed.bytes().all(is_safe));
            prop_assert_eq!(unpack(&packed), (&*name, Some(signature.as_str().into())));
        }

        #[test]
        fn any_name_is_read(name in any::<String>()) {
            prop_assert!(name.starts_with(unpack(&name).0));
        }
    }
}
