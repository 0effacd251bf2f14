//! The names of functions.
//!
//! Invariant: a name that Gemini refuses is sent under another, and comes back as the client knows
//! it; no two functions are sent under the same name.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::json::Text;

/// The longest name that all models accept.
const NAME_LIMIT: usize = 64;

/// The names of a request's functions, as the client and as Gemini know them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    to_gemini: BTreeMap<String, String>,
    to_client: BTreeMap<String, String>,
    /// Those that Gemini is sent for custom tools.
    custom: BTreeSet<String>,
}

impl Names {
    /// Settles the name that Gemini is sent for a function: its own when Gemini accepts it, else
    /// one like it that is not taken. None for a function that was settled before.
    pub(crate) fn settle<'a>(&mut self, name: &'a str) -> Option<Text<'a>> {
        if self.to_gemini.contains_key(name) {
            return None;
        }
        let accepted = acceptable(name);
        let sent = (1..)
            .map(|number| numbered(&accepted, number))
            .find(|candidate| !self.to_client.contains_key(&**candidate))?;
        self.to_gemini.insert(name.to_owned(), sent.to_string());
        self.to_client.insert(sent.to_string(), name.to_owned());
        Some(if sent == name { name.into() } else { sent.into_owned().into() })
    }

    /// Settles the name of a custom tool in the same way.
    pub(crate) fn settle_custom<'a>(&mut self, name: &'a str) -> Option<Text<'a>> {
        let sent = self.settle(name)?;
        self.custom.insert(sent.to_string());
        Some(sent)
    }

    /// Whether a function that Gemini calls is a custom tool.
    pub(crate) fn is_custom(&self, sent: &str) -> bool {
        self.custom.contains(sent)
    }

    /// Whether there are no functions.
    pub(crate) fn is_empty(&self) -> bool {
        self.to_gemini.is_empty()
    }

    /// Whether a function was settled.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.to_gemini.contains_key(name)
    }

    /// The name that Gemini is sent for a function of the client, settled or not.
    pub(crate) fn to_gemini<'a>(&self, name: &'a str) -> Text<'a> {
        match self.to_gemini.get(name) {
            Some(sent) if sent == name => name.into(),
            Some(sent) => sent.clone().into(),
            None => match acceptable(name) {
                Cow::Borrowed(name) => name.into(),
                Cow::Owned(name) => name.into(),
            },
        }
    }

    /// The client's name for a function that Gemini calls.
    pub(crate) fn to_client<'a>(&'a self, name: &'a str) -> &'a str {
        self.to_client.get(name).map_or(name, String::as_str)
    }
}

/// The name with `_` for each letter that Gemini refuses, and not too long.
fn acceptable(name: &str) -> Cow<'_, str> {
    let is_accepted = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts_well && name.len() <= NAME_LIMIT && name.chars().all(is_accepted) {
        return Cow::Borrowed(name);
    }
    let letters = name.chars().map(|c| if is_accepted(c) { c } else { '_' });
    let start = if starts_well { "" } else { "_" };
    Cow::Owned(start.chars().chain(letters).take(NAME_LIMIT).collect())
}

/// The name itself for number 1, then with the number at its end.
fn numbered(name: &str, number: usize) -> Cow<'_, str> {
    if number == 1 {
        return Cow::Borrowed(name);
    }
    let suffix = format!("_{number}");
    let kept = name.chars().take(NAME_LIMIT - suffix.len());
    Cow::Owned(kept.chain(suffix.chars()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_gemini_accepts_is_its_own() {
        let mut names = Names::default();
        for name in ["get_weather", "_x", "a.b:c-d", "A1"] {
            assert_eq!(names.settle(name).as_deref(), Some(name));
            assert_eq!(&*names.to_gemini(name), name);
            assert_eq!(names.to_client(name), name);
        }
    }

    #[test]
    fn a_name_that_gemini_refuses_comes_back_as_it_was() {
        let mut names = Names::default();
        let long = "x".repeat(100);
        for (name, sent) in [
            ("get weather", "get_weather"),
            ("1st", "_1st"),
            ("天气", "___"),
            ("a/b", "a_b"),
            (&long, &long[..64]),
        ] {
            assert_eq!(names.settle(name).as_deref(), Some(sent));
            assert_eq!(&*names.to_gemini(name), sent);
            assert_eq!(names.to_client(sent), name);
        }
    }

    #[test]
    fn no_two_functions_share_a_name() {
        let mut names = Names::default();
        let long = ["x".repeat(64), "x".repeat(65), "x".repeat(66)];
        let sent: Vec<String> = ["a b", "a_b", "a/b", &long[0], &long[1], &long[2]]
            .iter()
            .map(|name| names.settle(name).unwrap().to_string())
            .collect();
        assert_eq!(sent[..3], ["a_b", "a_b_2", "a_b_3"]);
        assert_eq!(sent[4], "x".repeat(62) + "_2");
        assert_eq!(names.to_client("a_b"), "a b");
        assert_eq!(names.to_client("a_b_2"), "a_b");
        assert_eq!(names.settle("a b"), None);
    }
}
