//! How many tokens a request takes, before it is sent.
//!
//! Invariant: a first guess looks at bytes alone, in one pass; what Gemini counted in the end
//! corrects it, for each model by itself.

use memchr::{memchr, memchr_iter};
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Bytes of ASCII text in a token, in nearly every language and notation.
const ASCII_BYTES: u64 = 4;

/// Bytes of other text in a token: a Chinese character is three bytes, two Cyrillic letters are four.
const OTHER_BYTES: u64 = 3;

/// What an image counts as, or a tile of a large one; and as how many bytes in base64 it comes.
const TILE_TOKENS: u64 = 258;
const TILE_BYTES: u64 = 256 * 1024;

/// Strings from this length on are looked at: are they an encoded file?
const LONG_STRING: usize = 1024;

/// The tokens of a JSON body, guessed from its bytes. Files in base64 count as images.
#[must_use]
pub fn guess_tokens(body: &[u8]) -> u64 {
    let (mut tokens, mut encoded, mut rest) = (0_u64, 0_u64, body);
    while rest.len() >= LONG_STRING {
        let end = memchr(b'"', rest).unwrap_or(rest.len());
        let (string, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        if is_encoded_file(string) {
            encoded += string.len() as u64;
            tokens += TILE_TOKENS * (string.len() as u64).div_ceil(TILE_BYTES);
        }
    }
    let quotes = memchr_iter(b'"', body).count() as u64;
    let others = if body.is_ascii() { 0 } else { other_bytes(body) };
    let ascii = body.len() as u64 - quotes - others - encoded;
    tokens + ascii.div_ceil(ASCII_BYTES) + others.div_ceil(OTHER_BYTES)
}

fn other_bytes(body: &[u8]) -> u64 {
    body.iter().filter(|byte| !byte.is_ascii()).count() as u64
}

/// Long, and its beginning nothing but base64: no text goes on that long without a space.
fn is_encoded_file(string: &[u8]) -> bool {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte);
    string.get(..LONG_STRING).is_some_and(|beginning| beginning.iter().all(is_base64))
}

/// How large a request is expected to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expected {
    /// On average. So much is reserved: of several under way, some are smaller and some larger.
    pub(super) tokens: u64,
    /// At the most, nearly always. So much room it wants, as a refusal costs more than a wait.
    pub(super) most: u64,
}

/// What part of a typical request a small one is.
const SMALL: u64 = 4;

/// How far guesses for one model are from what Gemini counts.
#[derive(Debug)]
pub(super) struct Correction {
    /// Tokens counted for each token guessed: the moving average, and how far they scatter.
    ratio: f64,
    scatter: f64,
    /// The size of a request, as a moving average.
    typical: f64,
    /// How many answers it is learned from, up to [`EXPERIENCED`].
    seen: u32,
    /// When it last learned.
    pub(super) changed: Timestamp,
}

/// How far guesses for one model are from what Gemini counts, for those who keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizes {
    /// Tokens counted for a hundred guessed, and how far that scatters.
    pub ratio: u64,
    /// See there.
    pub scatter: u64,
    /// The size of a request, in tokens.
    pub typical: u64,
    /// How many answers it is learned from; more than some dozens make no difference.
    pub seen: u32,
}

/// From so many answers on, the averages have forgotten how they began.
const EXPERIENCED: u32 = 64;

/// What one answer weighs in the averages.
const WEIGHT: f64 = 1.0 / 16.0;

/// No single count changes a guess by more than this.
const MOST: f64 = 32.0;

impl Default for Correction {
    fn default() -> Self {
        let changed = Timestamp::default();
        Self { ratio: 1.0, scatter: 0.25, typical: 0.0, seen: 0, changed }
    }
}

impl Correction {
    /// What a guess stands for.
    pub(super) fn expect(&mut self, guess: u64) -> Expected {
        let tokens = to_count(to_float(guess) * self.ratio);
        let most = to_count(to_float(guess) * (self.ratio + 2.0 * self.scatter));
        self.typical += (to_float(most) - self.typical) * WEIGHT;
        Expected { tokens, most }
    }

    /// The size of a request as they come lately, the largest of most.
    pub(super) fn typical(&self) -> u64 {
        to_count(self.typical).max(1)
    }

    /// The size of a small one. A project with less room than that is not worth looking at.
    pub(super) fn small(&self) -> u64 {
        (self.typical() / SMALL).max(1)
    }

    /// Learns from what Gemini counted.
    pub(super) fn learn(&mut self, guess: u64, counted: u64) {
        if guess == 0 || counted == 0 {
            return;
        }
        let ratio = (to_float(counted) / to_float(guess)).clamp(1.0 / MOST, MOST);
        let error = ratio - self.ratio;
        self.ratio += error * WEIGHT;
        self.scatter += (error.abs() - self.scatter) * WEIGHT;
        self.seen = (self.seen + 1).min(EXPERIENCED);
    }

    /// What was learned since a time.
    pub(super) fn sizes(&self, since: Timestamp) -> Option<Sizes> {
        (self.seen > 0 && self.changed >= since).then(|| Sizes {
            ratio: to_count(self.ratio * 100.0),
            scatter: to_count(self.scatter * 100.0),
            typical: to_count(self.typical),
            seen: self.seen,
        })
    }

    /// Takes over what another one has learned, if that has seen more.
    pub(super) fn recall(&mut self, sizes: &Sizes) {
        if sizes.seen <= self.seen {
            return;
        }
        let ratio = |hundredths: u64| to_float(hundredths) / 100.0;
        self.ratio = ratio(sizes.ratio).clamp(1.0 / MOST, MOST);
        self.scatter = ratio(sizes.scatter).clamp(0.0, MOST);
        self.typical = to_float(sizes.typical.min(1 << 40));
        self.seen = sizes.seen.min(EXPERIENCED);
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
const fn to_float(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
fn to_count(tokens: f64) -> u64 {
    tokens.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_guessed_by_its_script() {
        let prose = "The quick brown fox jumps over the lazy dog. ".repeat(100);
        assert_eq!(guess_tokens(prose.as_bytes()), 1125);
        let chinese = "敏捷的棕色狐狸".repeat(100);
        assert_eq!(guess_tokens(chinese.as_bytes()), 700);
        assert_eq!(guess_tokens(b""), 0);
        assert_eq!(guess_tokens(br#"{"a":"b"}"#), 2);
    }

    #[test]
    fn a_file_counts_as_an_image_and_not_as_text() {
        let file = format!(r#"{{"inlineData":{{"data":"{}"}}}}"#, "QUJD/+89".repeat(25_000));
        assert!((258..300).contains(&guess_tokens(file.as_bytes())), "{}", file.len());
        let large = "QUJD".repeat(250_000);
        assert_eq!(guess_tokens(large.as_bytes()), 4 * 258);
        let prose = "and so on ".repeat(100_000);
        assert_eq!(guess_tokens(prose.as_bytes()), 250_000);
    }

    #[test]
    fn guesses_come_near_to_what_is_counted() {
        let mut correction = Correction::default();
        for n in 0..200 {
            correction.learn(1000, if n % 2 == 0 { 1900 } else { 2100 });
        }
        let expected = correction.expect(1000);
        assert!((1950..=2050).contains(&expected.tokens) && expected.most <= 2300, "{expected:?}");
        for _ in 0..200 {
            correction.learn(1000, 500);
        }
        let expected = correction.expect(1000);
        assert!((500..520).contains(&expected.tokens) && expected.most < 530, "{expected:?}");
    }

    #[test]
    fn what_one_has_learned_another_can_take_over() {
        let mut old = Correction::default();
        for _ in 0..100 {
            old.expect(1000);
            old.learn(1000, 3000);
        }
        let sizes = old.sizes(Timestamp::default()).unwrap();
        let mut new = Correction::default();
        new.learn(1000, 1000);
        new.recall(&sizes);
        assert!(new.expect(1000).tokens.abs_diff(old.expect(1000).tokens) < 50, "{new:?} {old:?}");
        new.recall(&Sizes { ratio: u64::MAX, scatter: u64::MAX, seen: u32::MAX, ..sizes });
        assert!(new.expect(1000).most <= 3 * 32_000, "{new:?}");
        assert_eq!(Correction::default().sizes(Timestamp::default()), None);
    }

    #[test]
    fn one_odd_count_does_little_harm() {
        let mut correction = Correction::default();
        correction.learn(1, u64::MAX);
        assert!(correction.expect(1000).most <= 8000, "{correction:?}");
        correction.learn(u64::MAX, 1);
        correction.learn(0, 5);
        correction.learn(5, 0);
        assert_eq!(correction.expect(0).most, 0);
        assert!(correction.expect(u64::MAX).tokens > 0 && correction.typical() >= 1);
    }
}
