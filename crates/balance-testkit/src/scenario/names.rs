//! The names that scenarios use for keys, token and addresses, and what they stand for.
//!
//! Invariant: keys look like Google's, so that whatever hides keys must hide these.

use balance_core::key::KeyId;

/// The access token of all scenarios.
pub const TOKEN: &str = "sk-testkit-token-0123456789abcdef";

/// The text of the key with this letter: 39 characters, as Google's have.
#[must_use]
pub fn key(letter: char) -> String {
    format!("AIzaSyTestkit_key_{}", letter.to_string().repeat(21))
}

/// What the names stand for in one run.
#[derive(Debug, Clone)]
pub struct Names {
    /// The address of the server, without a slash at its end.
    pub door: String,
    /// The address of upstream, without a slash at its end.
    pub upstream: String,
}

impl Names {
    /// The text with its names replaced.
    #[must_use]
    pub fn fill(&self, text: &str) -> String {
        if !text.contains('{') {
            return text.to_owned();
        }
        let fixed = text
            .replace("{token}", TOKEN)
            .replace("{door}", &self.door)
            .replace("{upstream}", &self.upstream);
        ('a'..='z').fold(fixed, |text, letter| {
            let (name, id) = (format!("{{{letter}}}"), format!("{{id-{letter}}}"));
            let text = if text.contains(&name) { text.replace(&name, &key(letter)) } else { text };
            if text.contains(&id) {
                text.replace(&id, &KeyId::of(&key(letter)).to_string())
            } else {
                text
            }
        })
    }

    /// What must never come back to a caller: the token, and every key.
    #[must_use]
    pub fn secrets() -> Vec<String> {
        ('a'..='z').map(key).chain([TOKEN.to_owned()]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in() {
        let names = Names { door: "http://door.test".into(), upstream: "http://up.test".into() };
        assert_eq!(names.fill("{a}, {token}"), format!("{}, {TOKEN}", key('a')));
        assert_eq!(names.fill("{upstream}/x {door}/y"), "http://up.test/x http://door.test/y");
        assert_eq!(names.fill(r#"{"a": {}}"#), r#"{"a": {}}"#);
        assert_eq!(key('q').len(), 39);
    }
}
