//! Names that Google gives to what is made with a key, so marked on their way to the caller that every
//! instance can tell the key from them: `cachedContents/abc` becomes `cachedContents/abc-gb0123456789abcdef`.
//!
//! Invariant: what Google sees has no such mark; an answer is passed on as it arrives, and but for the
//! marks byte for byte.

use std::sync::LazyLock;

use bytes::{Bytes, BytesMut};
use memchr::memmem::{self, Finder};

use crate::key::KeyId;

/// What a label begins with; then come the 16 hex digits of the key.
const LABEL: &[u8] = b"-gb";
const DIGITS: usize = 16;

/// Prepared once, as every request is searched.
static LABEL_FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(LABEL));

/// The longest name that is looked at.
const LONGEST_NAME: usize = 256;

/// The collections whose members Google names, and that belong to the project of a key.
const COLLECTIONS: [&str; 4] = ["cachedContents/", "batches/", "operations/", "fileSearchStores/"];

/// What makes members of them, beside the collections themselves.
const MAKERS: [&str; 3] =
    [":batchGenerateContent", ":asyncBatchEmbedContent", ":predictLongRunning"];

/// Whether the answer to a request for this path may name what belongs to a key.
pub(crate) fn may_name(path: &str) -> bool {
    let is_of = |collection: &&str| path.contains(collection.trim_end_matches('/'));
    is_interaction(path)
        || COLLECTIONS.iter().any(is_of)
        || MAKERS.iter().any(|maker| path.ends_with(maker))
}

/// Whether a path is of interactions, whose names are ids without a collection.
pub(crate) fn is_interaction(path: &str) -> bool {
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    path.split('/').any(|segment| segment == "interactions")
}

/// The key that the first label in a text names.
pub(crate) fn key_in(text: &[u8]) -> Option<KeyId> {
    labels(text).next().map(|(_, key)| key)
}

/// A path without labels; `None` if there is none.
pub(crate) fn path_without(path: &str) -> Option<String> {
    let text = without(path.as_bytes(), |_| true)?;
    String::from_utf8(text).ok()
}

/// A JSON body without labels in names of our collections, or, if it is of interactions, in ids; `None`
/// if there is none.
pub(crate) fn body_without(body: &[u8], of_interactions: bool) -> Option<Vec<u8>> {
    without(body, |name| {
        of_interactions && !name.contains(&b'/')
            || COLLECTIONS
                .iter()
                .any(|collection| memmem::find(name, collection.as_bytes()).is_some())
    })
}

/// A text without the labels behind names that `is_ours` says yes to.
fn without(text: &[u8], is_ours: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let mut kept = Vec::new();
    let mut rest = 0;
    for (start, _) in labels(text) {
        let before = text.get(start.saturating_sub(LONGEST_NAME)..start).unwrap_or_default();
        let quote = before.iter().rposition(|byte| *byte == b'"').map_or(0, |place| place + 1);
        if is_ours(before.get(quote..).unwrap_or_default()) {
            kept.extend_from_slice(text.get(rest..start).unwrap_or_default());
            rest = start + LABEL.len() + DIGITS;
        }
    }
    if rest == 0 {
        return None;
    }
    kept.extend_from_slice(text.get(rest..).unwrap_or_default());
    Some(kept)
}

/// Where labels begin, and the keys that they name.
fn labels(text: &[u8]) -> impl Iterator<Item = (usize, KeyId)> {
    LABEL_FINDER.find_iter(text).filter_map(|start| {
        let after = text.get(start + LABEL.len()..)?;
        let digits = after.get(..DIGITS)?;
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
        if after.get(DIGITS).is_some_and(is_name) || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        Some((start, std::str::from_utf8(digits).ok()?.parse().ok()?))
    })
}

/// Marks the names in an answer, JSON or a stream of events of it.
#[derive(Debug)]
pub(crate) struct Labeller {
    label: Vec<u8>,
    of_interactions: bool,
    /// Inside a string, what was read of it.
    string: Option<Vec<u8>>,
    is_escaped: bool,
    /// The last string that ended, and the one before a colon.
    last: Vec<u8>,
    member: Vec<u8>,
    /// For each object or list that is open, whether it is an interaction.
    open: Vec<bool>,
}

impl Labeller {
    /// For the answer to a request for this path, made with this key.
    pub(crate) fn new(key: KeyId, path: &str) -> Self {
        Self {
            label: [LABEL, key.to_string().as_bytes()].concat(),
            of_interactions: is_interaction(path),
            string: None,
            is_escaped: false,
            last: Vec::new(),
            member: Vec::new(),
            open: Vec::new(),
        }
    }

    /// The next bytes, with marks.
    pub(crate) fn pass(&mut self, data: &[u8]) -> Bytes {
        let mut marked = BytesMut::with_capacity(data.len() + 4 * self.label.len());
        for byte in data.iter().copied() {
            if self.ends_name(byte) {
                marked.extend_from_slice(&self.label);
            }
            marked.extend_from_slice(&[byte]);
        }
        marked.freeze()
    }

    /// Whether this byte is the quote behind a name that is to be marked.
    fn ends_name(&mut self, byte: u8) -> bool {
        let Some(string) = &mut self.string else {
            self.read_outside(byte);
            return false;
        };
        match byte {
            _ if self.is_escaped => self.is_escaped = false,
            b'\\' => self.is_escaped = true,
            b'"' => {
                self.last = self.string.take().unwrap_or_default();
                return self.is_name();
            }
            _ => {}
        }
        if string.len() <= LONGEST_NAME {
            string.push(byte);
        }
        false
    }

    fn read_outside(&mut self, byte: u8) {
        match byte {
            b'"' => self.string = Some(Vec::new()),
            b':' => self.member = std::mem::take(&mut self.last),
            b',' => self.member.clear(),
            b'{' | b'[' => {
                let is_interaction =
                    byte == b'{' && (self.open.is_empty() || self.member == b"interaction");
                self.open.push(is_interaction);
                self.member.clear();
            }
            b'}' | b']' => _ = self.open.pop(),
            _ => {}
        }
    }

    /// Whether the string that has just ended names something of a key's.
    fn is_name(&self) -> bool {
        let name = self.last.as_slice();
        if name.is_empty() || name.len() > LONGEST_NAME || name.contains(&b'\\') {
            return false;
        }
        if self.of_interactions {
            let is_own = self.member == b"id" && self.open.last() == Some(&true);
            return is_own || self.member.ends_with(b"interaction_id");
        }
        // A list that something is looked for in, and its type, are no names.
        let is_member = |collection: &&str| {
            let begins = memmem::find(name, collection.as_bytes())
                .filter(|start| *start == 0 || name.get(start - 1) == Some(&b'/'));
            begins.is_some_and(|start| start + collection.len() < name.len())
        };
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-/.".contains(byte);
        name.iter().all(is_plain) && COLLECTIONS.iter().any(is_member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> KeyId {
        KeyId::of("AIzaSy-a")
    }

    /// The text marked, however it is cut.
    fn marked(path: &str, text: &str) -> String {
        let whole = Labeller::new(key(), path).pass(text.as_bytes());
        for cut in 0..text.len() {
            let mut labeller = Labeller::new(key(), path);
            let (start, end) = text.as_bytes().split_at(cut);
            assert_eq!([labeller.pass(start), labeller.pass(end)].concat(), whole, "cut at {cut}");
        }
        String::from_utf8(whole.to_vec()).unwrap()
    }

    #[test]
    fn names_that_google_gives_are_marked_and_nothing_else() {
        let label = format!("-gb{}", key());
        let rows = [
            ("/v1beta/cachedContents", r#"{"name":"cachedContents/abc","model":"models/m"}"#),
            ("/v1beta/batches/x", r#"{"name": "batches/x", "metadata": {"name": "batches/x"}}"#),
            ("/v1beta/models/m:predictLongRunning", r#"{"name":"models/m/operations/o"}"#),
            ("/v1beta/fileSearchStores", r#"{"name":"fileSearchStores/s/documents/d"}"#),
        ];
        let names = ["cachedContents/abc", "batches/x", "operations/o", "documents/d"];
        for (path, text) in rows {
            assert!(may_name(path), "{path}");
            let expected = names.iter().fold(text.to_owned(), |text, name| {
                text.replace(&format!("{name}\""), &format!("{name}{label}\""))
            });
            assert_ne!(expected, text);
            assert_eq!(marked(path, text), expected);
            assert_eq!(body_without(expected.as_bytes(), false).unwrap(), text.as_bytes());
            assert_eq!(key_in(expected.as_bytes()), Some(key()));
        }
        let others = r#"{"a":"cachedContents/","b":"see cachedContents/x","c":"a\"batches/x"}"#;
        assert_eq!(marked("/v1beta/cachedContents", others), others);
        assert!(!may_name("/v1beta/models/m:generateContent") && !may_name("/v1beta/files/f"));
    }

    #[test]
    fn ids_of_interactions_are_marked_in_answers_and_in_streams() {
        let label = format!("-gb{}", key());
        let path = "/v1beta/interactions";
        let whole = r#"{"id":"v1_a","steps":[{"id":"call_1","name":"f"}],"previous_interaction_id":"v1_b"}"#;
        let expected = whole.replace("v1_a", &format!("v1_a{label}"));
        assert_eq!(marked(path, whole), expected.replace("v1_b", &format!("v1_b{label}")));
        let stream = concat!(
            "event: interaction.created\n",
            "data: {\"interaction\":{\"id\":\"v1_a\"},\"event_type\":\"interaction.created\"}\n\n",
            "data: {\"step\":{\"type\":\"function_call\",\"id\":\"call_1\"},\"index\":0}\n\n",
        );
        assert_eq!(marked(path, stream), stream.replace("v1_a", &format!("v1_a{label}")));
        let next = format!(r#"{{"input":"x-gb12","previous_interaction_id":"v1_a{label}"}}"#);
        let sent = body_without(next.as_bytes(), true).unwrap();
        assert_eq!(sent, br#"{"input":"x-gb12","previous_interaction_id":"v1_a"}"#);
    }

    #[test]
    fn what_only_looks_like_a_label_stays() {
        let label = format!("-gb{}", key());
        assert_eq!(
            path_without(&format!("/v1beta/batches/x{label}:cancel")).as_deref(),
            Some("/v1beta/batches/x:cancel")
        );
        for text in ["", "-gb", "-gb0123", "/x-gb0123456789abcdefg", "/x-gb+123456789abcdef"] {
            assert_eq!(path_without(text), None, "{text}");
        }
        let prompt = format!(r#"{{"text":"what is a{label}?"}}"#);
        assert_eq!(body_without(prompt.as_bytes(), false), None);
    }
}
