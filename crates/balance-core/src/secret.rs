//! Gemini keys as values that cannot be printed, and the removal of keys from foreign text.
//!
//! Invariant: the text of a secret leaves only through [`Secret::expose`].

mod scrub;

use std::{fmt, hint::black_box, sync::Arc};

pub use scrub::scrub;

/// A text that must not be shown, such as a Gemini key. Cloning is cheap.
#[derive(Clone)]
pub struct Secret {
    /// Where it stands, perhaps with others.
    text: Arc<str>,
    begin: u32,
    end: u32,
}

impl Secret {
    /// Hides `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
        Self { text: text.into(), begin: 0, end }
    }

    /// Puts the texts of many secrets into one place: who clones one after the other then touches
    /// one count instead of theirs, which lie far apart.
    pub fn pack<'a>(secrets: impl Iterator<Item = &'a mut Self>) {
        let secrets: Vec<_> = secrets.collect();
        let all: String = secrets.iter().map(|secret| secret.expose()).collect();
        if u32::try_from(all.len()).is_err() {
            return;
        }
        let (all, mut begin) = (Arc::<str>::from(all), 0);
        for secret in secrets {
            let end = begin + (secret.end - secret.begin);
            *secret = Self { text: all.clone(), begin, end };
            begin = end;
        }
    }

    /// The text itself, for sending it to where it belongs.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.get(self.begin as usize..self.end as usize).unwrap_or_default()
    }

    /// What may be shown of it: the first and the last seven characters, fewer of a short text, and
    /// nothing of eight or less, so that never more than half is told.
    ///
    /// ```
    /// let key = balance_core::secret::Secret::new("AIzaSyABCDEFGHIJKLMNOPQRSTUVWXYZ0123456");
    /// assert_eq!(key.masked(), "AIzaSyA......0123456");
    /// ```
    #[must_use]
    pub fn masked(&self) -> String {
        mask(self.expose())
    }
}

/// Shows the mask.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// Takes the same time wherever two texts of one length differ.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let (own, other) = (self.expose().as_bytes(), other.expose().as_bytes());
        let differing = own.iter().zip(other).fold(0, |bits, (a, b)| bits | black_box(a ^ b));
        own.len() == other.len() && differing == 0
    }
}

impl Eq for Secret {}

fn mask(text: &str) -> String {
    let length = text.chars().count();
    let shown = if length > 8 { (length / 4).min(7) } else { 0 };
    let head = text.chars().take(shown);
    let tail = text.chars().skip(length - shown);
    head.chain("......".chars()).chain(tail).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_shows_at_most_half() {
        let rows = [
            ("AIzaSyABCDEFGHIJKLMNOPQRSTUVWXYZ0123456", "AIzaSyA......0123456"),
            ("AQ.Ab8RN6K1234567890abcdefghijklmnopqrstuvwxyz_-1234", "AQ.Ab8R......z_-1234"),
            ("0123456789abcdefghijklmnopqr", "0123456......lmnopqr"),
            ("0123456789abcdefghij", "01234......fghij"),
            ("012345678", "01......78"),
            ("01234567", "......"),
            ("x", "......"),
            ("", "......"),
            ("ключключключ", "клю......люч"),
        ];
        for (text, masked) in rows {
            assert_eq!(Secret::new(text).masked(), masked);
            let shown = masked.chars().count() - 6;
            assert!(shown * 2 <= text.chars().count(), "{text}");
        }
    }

    #[test]
    fn packed_secrets_keep_their_texts() {
        let texts = ["AIzaSy-a", "", "AIzaSy-bc"];
        let mut secrets = texts.map(Secret::new);
        let before = secrets[0].clone();
        for _ in 0..2 {
            Secret::pack(secrets.iter_mut());
            assert!(secrets.iter().map(Secret::expose).eq(texts));
        }
        assert_eq!(before, secrets[0]);
    }

    #[test]
    fn debug_shows_the_mask() {
        let secret = Secret::new("AIzaSyABCDEFGHIJKLMNOPQRSTUVWXYZ0123456");
        assert_eq!(format!("{secret:?}"), "AIzaSyA......0123456");
    }

    #[test]
    fn secrets_are_equal_by_their_text() {
        assert_eq!(Secret::new("abc"), Secret::new("abc"));
        for other in ["abd", "ab", "abcd", "", "bbc"] {
            assert_ne!(Secret::new("abc"), Secret::new(other));
        }
    }
}
