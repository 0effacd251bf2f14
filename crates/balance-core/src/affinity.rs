//! Which key a request belongs to, told by the request alone: the key that holds what it names, or the
//! one that the conversation it goes on was sent to.
//!
//! Invariant: no store is needed, and every instance with the same keys comes to the same answer. A
//! file that is made here carries the name of its key in its own, and what Google names carries a
//! [`label`].

use std::sync::LazyLock;

use balance_dialect::json::end_of_string;
use memchr::memmem::Finder;

use crate::{fingerprint::fingerprint, key::KeyId, label};

/// How the names of our files begin; then come the 16 hex digits of their key.
const FILE: &[u8] = b"files/gb";

/// Prepared once: that takes longer than to search a request.
static FILE_FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(FILE));

/// What stands before a key, both in the names of our files and in labels.
static MARK_FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("gb"));

/// The key that holds what a text names: the first file of ours, or the first name with a label.
pub(crate) fn holder(text: &[u8]) -> Option<KeyId> {
    MARK_FINDER.find(text)?;
    holder_of_file(text).or_else(|| label::key_in(text))
}

fn holder_of_file(text: &[u8]) -> Option<KeyId> {
    FILE_FINDER.find_iter(text).find_map(|place| {
        let digits = text.get(place + FILE.len()..)?.get(..17)?;
        let (digits, dash) = digits.split_at(16);
        let is_name = dash == b"-" && digits.iter().all(u8::is_ascii_hexdigit);
        std::str::from_utf8(digits).ok().filter(|_| is_name)?.parse().ok()
    })
}

/// The body of a request that makes a file, with a name for it that tells its key; `None` if the
/// caller has named it, or if it is no such body. `nonce` is chance.
pub(crate) fn name_file(body: &[u8], key: KeyId, nonce: u64) -> Option<Vec<u8>> {
    let mut request: serde_json::Value = if body.trim_ascii().is_empty() {
        serde_json::json!({})
    } else {
        balance_dialect::json::read(body).ok()?
    };
    let file = request.as_object_mut()?.entry("file").or_insert_with(|| serde_json::json!({}));
    let file = file.as_object_mut().filter(|file| !file.contains_key("name"))?;
    // 40 characters at most, of small letters, digits and dashes.
    let name = format!("files/gb{key}-{:012x}", nonce >> 16);
    file.insert("name".into(), name.into());
    serde_json::to_vec(&request).ok()
}

/// How much of either end of a content tells conversations apart: a picture of some MiB is not read
/// for it.
const END: usize = 2048;

/// What all turns of a conversation with Gemini have in common: the fingerprint of its first content.
pub(crate) fn conversation(body: &[u8]) -> Option<u64> {
    let first = first_content(body)?;
    let ends = first.get(..END).zip(first.len().checked_sub(END).and_then(|at| first.get(at..)));
    Some(match ends.filter(|_| first.len() > 2 * END) {
        None => fingerprint(first),
        Some((head, tail)) => {
            fingerprint(&[head, tail, &(first.len() as u64).to_le_bytes()].concat())
        }
    })
}

/// The text of the first item of the list `contents`, at the top of a JSON object.
fn first_content(body: &[u8]) -> Option<&[u8]> {
    let (mut place, mut depth) = (0, 0_usize);
    let mut begin = None;
    let mut expects_list = false;
    while let Some(byte) = body.get(place) {
        match byte {
            b'"' => {
                let end = end_of_string(body, place)?;
                let name = body.get(place + 1..end)?;
                expects_list = depth == 1 && name == b"contents";
                place = end;
            }
            b'[' if depth == 1 && expects_list => {
                depth += 1;
                begin = Some(place + 1);
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                if let Some(begin) = begin.filter(|_| depth <= 2) {
                    let end = if depth == 2 { place + 1 } else { place };
                    return body.get(begin..end).filter(|item| !item.trim_ascii().is_empty());
                }
            }
            b':' | b' ' | b'\n' | b'\r' | b'\t' => {}
            _ => expects_list = false,
        }
        place += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_tells_its_key_to_every_instance() {
        let key = KeyId::of("AIzaSy-a");
        let made = name_file(br#"{"file":{"display_name":"x"}}"#, key, 7 << 20).unwrap();
        let made = String::from_utf8(made).unwrap();
        let name = made.split('"').find(|text| text.starts_with("files/")).unwrap();
        assert!(name.len() <= "files/".len() + 40, "{name}");
        assert_eq!(holder(format!("/v1beta/{name}").as_bytes()), Some(key));
        let uri = format!(r#"{{"fileUri":"https://x/v1beta/{name}"}}"#);
        assert_eq!(holder(uri.as_bytes()), Some(key));
        assert!(name_file(b"", key, 7).is_some());
    }

    #[test]
    fn names_of_callers_and_of_google_are_left_alone() {
        let key = KeyId::of("AIzaSy-a");
        assert_eq!(name_file(br#"{"file":{"name":"files/mine"}}"#, key, 7), None);
        assert_eq!(name_file(b"no json", key, 7), None);
        assert_eq!(name_file(b"[]", key, 7), None);
        for text in [
            "files/abc",
            "files/gb12",
            "files/gb0123456789abcdefx",
            "files/gb+123456789abcdef-1",
            "",
        ] {
            assert_eq!(holder(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn all_turns_of_a_conversation_have_its_first_content_in_common() {
        let of = |text: &str| conversation(text.as_bytes());
        let one =
            of(r#"{"contents":[{"role":"user","parts":[{"text":"Hi ]}\" \\"}]}],"tools":[]}"#);
        let two = of(
            r#"{"contents": [{"role":"user","parts":[{"text":"Hi ]}\" \\"}]},{"role":"model","parts":[]}]}"#,
        );
        assert!(one.is_some() && one == two);
        let other = of(r#"{"contents":[{"role":"user","parts":[{"text":"Ho"}]}]}"#);
        assert!(other.is_some() && other != one);
        let after = of(
            r#"{"tools":[{"contents":[1]}],"x":"contents","contents":[{"role":"user","parts":[{"text":"Ho"}]}]}"#,
        );
        assert_eq!(after, other);
    }

    #[test]
    fn of_a_long_first_content_both_ends_and_the_length_tell() {
        let of = |head: &str, middle: usize, tail: &str| {
            let data = "A".repeat(middle);
            conversation(format!(r#"{{"contents":[{{"x":"{head}{data}{tail}"}}]}}"#).as_bytes())
        };
        let one = of("a", 100_000, "a");
        assert!(one.is_some() && one == of("a", 100_000, "a"));
        for other in [of("b", 100_000, "a"), of("a", 100_000, "b"), of("a", 100_001, "a")] {
            assert_ne!(other, one);
        }
    }

    #[test]
    fn what_is_no_conversation_has_none() {
        for text in [
            "",
            "{}",
            "[]",
            "{\"contents\":[]}",
            "{\"contents\":7}",
            "{\"contents\":[{\"",
            "]",
            "\"\\",
        ] {
            assert_eq!(conversation(text.as_bytes()), None, "{text}");
        }
    }
}
