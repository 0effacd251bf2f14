//! Removes keys from text that comes from upstream: Google's own errors print them.
//!
//! Invariant: after [`scrub`] no known secret, and nothing that looks like a Google key, is left;
//! text without any is returned as it is, not copied.

use std::{borrow::Cow, slice};

use memchr::memmem;
use serde_json::Value;

use super::{Secret, mask};

/// Masks every key in `text`: the `known` ones, what looks like a Google key (`AIza…`, `AQ.…`) and
/// whatever stands after `api_key:`. A `DebugInfo` detail that speaks of keys is left out whole, as
/// it may show one in any form.
///
/// Meant for errors and their likes. A model's own words are not to be touched.
#[must_use]
pub fn scrub<'a>(text: &'a [u8], known: &[Secret]) -> Cow<'a, [u8]> {
    match without_debug_info(text) {
        Some(text) => Cow::Owned(masked(&text, known).unwrap_or(text)),
        None => masked(text, known).map_or(Cow::Borrowed(text), Cow::Owned),
    }
}

const STANDARD_KEY: &[u8] = b"AIza";
const AUTH_KEY: &[u8] = b"AQ.";
const CONSUMER: &[u8] = b"api_key:";

/// What must follow a prefix for a key to be seen in it. Whole keys are longer; a cut one tells
/// enough to be hidden too.
const KEY_LENGTH: usize = 20;

/// The text with its keys masked; `None` if there is none.
fn masked(text: &[u8], known: &[Secret]) -> Option<Vec<u8>> {
    let known = || known.iter().map(|secret| secret.expose().as_bytes()).filter(|k| !k.is_empty());
    let suspicious = known()
        .chain([STANDARD_KEY, AUTH_KEY, CONSUMER])
        .any(|needle| memmem::find(text, needle).is_some());
    if !suspicious {
        return None;
    }
    let mut clean = Vec::with_capacity(text.len());
    let mut found = false;
    let mut rest = text;
    let mut inside_word = false;
    while let Some((&byte, after)) = rest.split_first() {
        if let Some((before, secret, left)) = secret_at(rest, inside_word, known()) {
            clean.extend_from_slice(before);
            clean.extend_from_slice(mask(&String::from_utf8_lossy(secret)).as_bytes());
            rest = left;
            found = true;
            inside_word = true;
        } else {
            clean.push(byte);
            inside_word = is_key_byte(byte);
            rest = after;
        }
    }
    found.then_some(clean)
}

/// If a secret begins where `text` does: what leads in to it, the secret, and what follows.
fn secret_at<'t, 'k>(
    text: &'t [u8],
    inside_word: bool,
    mut known: impl Iterator<Item = &'k [u8]>,
) -> Option<(&'t [u8], &'t [u8], &'t [u8])> {
    if let Some(key) = known.find(|key| text.starts_with(key)) {
        let (secret, left) = text.split_at(key.len());
        return Some((&[], secret, left));
    }
    let run = |text: &[u8]| text.iter().take_while(|byte| is_key_byte(**byte)).count();
    if let Some(value) = text.strip_prefix(CONSUMER) {
        let length = run(value);
        let (before, _) = text.split_at(CONSUMER.len());
        let (secret, left) = value.split_at(length);
        return (length > 0).then_some((before, secret, left));
    }
    let prefix = match text.first()? {
        b'A' if text.starts_with(STANDARD_KEY) => STANDARD_KEY,
        // "FAQ.…" is no key.
        b'A' if !inside_word && text.starts_with(AUTH_KEY) => AUTH_KEY,
        _ => return None,
    };
    let length = run(text);
    let (secret, left) = text.split_at(length);
    (length >= prefix.len() + KEY_LENGTH).then_some((&[], secret, left))
}

const fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// The error body without the `DebugInfo` details that speak of keys; `None` if it has none.
fn without_debug_info(body: &[u8]) -> Option<Vec<u8>> {
    memmem::find(body, b"google.rpc.DebugInfo")?;
    let mut json: Value = balance_dialect::json::read(body).ok()?;
    let errors = if json.is_array() { json.as_array_mut()? } else { slice::from_mut(&mut json) };
    let mut removed = false;
    for error in errors {
        if let Some(Value::Array(details)) = error.pointer_mut("/error/details") {
            let before = details.len();
            details.retain(|detail| !is_debug_info_on_keys(detail));
            removed |= details.len() < before;
        }
    }
    if removed { serde_json::to_vec(&json).ok() } else { None }
}

fn is_debug_info_on_keys(detail: &Value) -> bool {
    let is_debug_info = detail
        .get("@type")
        .and_then(Value::as_str)
        .is_some_and(|name| name.ends_with("google.rpc.DebugInfo"));
    is_debug_info && detail.to_string().to_ascii_lowercase().contains("key")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AIzaSyABCDEFGHIJKLMNOPQRSTUVWXYZ0123456";

    #[test]
    fn keys_are_masked_wherever_they_stand() {
        let rows = [
            (KEY.into(), "AIzaSyA......0123456".to_owned()),
            (
                format!("Consumer 'api_key:{KEY}' has been suspended."),
                "Consumer 'api_key:AIzaSyA......0123456' has been suspended.".into(),
            ),
            (
                "api_key:IQ.unknown-form-of-key0123456789'".into(),
                "api_key:IQ.unkn......3456789'".into(),
            ),
            ("api_key:short".into(), "api_key:......".into()),
            (format!("{KEY},{KEY}"), "AIzaSyA......0123456,AIzaSyA......0123456".into()),
            (
                format!("https://x/?key={KEY}&alt=sse"),
                "https://x/?key=AIzaSyA......0123456&alt=sse".into(),
            ),
            (format!("x{KEY}"), "xAIzaSyA......0123456".into()),
            (
                "token AQ.Ab8RN6Kaaaaaaaaaaaaaaaaaaaaaaaaaa_-1234!".into(),
                "token AQ.Ab8R......a_-1234!".into(),
            ),
            ("key=my-own-odd-key-of-no-known-shape".into(), "key=my-own-......n-shape".into()),
            (
                "ключ AIza, FAQ.this-is-a-very-long-word-in-text, AQ.short, api_key: none".into(),
                String::new(),
            ),
            ("plain".into(), String::new()),
            (String::new(), String::new()),
        ];
        let known = [Secret::new("my-own-odd-key-of-no-known-shape"), Secret::new("")];
        for (text, clean) in rows {
            let scrubbed = scrub(text.as_bytes(), &known);
            if clean.is_empty() {
                assert!(
                    matches!(scrubbed, Cow::Borrowed(same) if same == text.as_bytes()),
                    "{text}"
                );
            } else {
                assert_eq!(String::from_utf8_lossy(&scrubbed), clean);
            }
        }
    }

    #[test]
    fn bytes_that_are_no_text_survive() {
        let mut text = vec![0xff, 0x00, 0xc3];
        text.extend_from_slice(KEY.as_bytes());
        text.push(0xff);
        let clean = scrub(&text, &[]);
        assert_eq!(&clean[..3], [0xff, 0x00, 0xc3]);
        assert_eq!(clean.last(), Some(&0xff));
        assert!(memmem::find(&clean, KEY.as_bytes()).is_none());
    }

    #[test]
    fn debug_info_on_keys_is_left_out_and_other_debug_info_kept() {
        let body = |detail: &str| {
            format!(
                r#"{{"error":{{"code":400,"details":[{{"@type":"type.googleapis.com/google.rpc.DebugInfo","detail":"{detail}"}},{{"@type":"x"}}]}}}}"#
            )
        };
        let kept = body("[ORIGINAL ERROR] generic::not_found: models/x is not found");
        assert!(matches!(scrub(kept.as_bytes(), &[]), Cow::Borrowed(_)));
        for wrapped in [false, true] {
            let mut body = body("Invalid API key: 0123");
            let mut clean = r#"{"error":{"code":400,"details":[{"@type":"x"}]}}"#.to_owned();
            if wrapped {
                body = format!("[{body}]");
                clean = format!("[{clean}]");
            }
            assert_eq!(String::from_utf8_lossy(&scrub(body.as_bytes(), &[])), clean);
        }
    }

    #[test]
    fn a_long_text_of_near_keys_takes_one_pass() {
        let text = b"AIza AQ.a api_key:".repeat(50_000);
        assert!(matches!(scrub(&text, &[]), Cow::Owned(_)));
    }
}
