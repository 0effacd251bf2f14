//! Names of models with `*` for any letters, as operators write them in settings.
//!
//! Invariant: of several patterns that match a name, the one with the most letters of its own
//! decides; of equals the first.

/// Names of models, or patterns of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patterns(Vec<String>);

impl Patterns {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them matches.
    #[must_use]
    pub fn match_name(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| matches(pattern, name))
    }

    /// Whether the name is among them in full.
    #[must_use]
    pub fn name(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern == name)
    }
}

impl<S: Into<String>> FromIterator<S> for Patterns {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        let bare = |name: S| {
            let name: String = name.into();
            name.trim_start_matches("models/").to_owned()
        };
        Self(names.into_iter().map(bare).collect())
    }
}

/// What stands behind the pattern that says most about any of the names.
pub(super) fn best<'a, T>(
    rows: impl IntoIterator<Item = (&'a str, T)>,
    names: &[&str],
) -> Option<T> {
    let fits = |pattern: &str| names.iter().any(|name| matches(pattern, name));
    let matching = rows.into_iter().filter(|(pattern, _)| fits(pattern));
    let most = |best: (usize, T), (letters, row): (usize, T)| {
        if letters > best.0 { (letters, row) } else { best }
    };
    let told = matching.map(|(pattern, row)| (pattern.replace('*', "").len(), row));
    told.reduce(most).map(|(_, row)| row)
}

/// Whether a pattern stands for a name.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(start) else { return false };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for piece in middle.split('*') {
        let Some((_, after)) = name.split_once(piece) else { return false };
        name = after;
    }
    name.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_letters() {
        for (pattern, name, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("*", "anything", true),
            ("gemini-*", "gemini-2.5-pro", true),
            ("gemini-*", "gemma-3", false),
            ("*-pro", "gemini-2.5-pro", true),
            ("*-pro", "gemini-2.5-pro-preview", false),
            ("gpt-*-mini*", "gpt-4o-mini-2024", true),
            ("gpt-*-mini*", "gpt-4o", false),
            ("a*a", "a", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "acb", false),
            ("**", "x", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn the_pattern_with_the_most_letters_decides() {
        let rows = [("*", 0), ("gpt-*", 1), ("gpt-4*", 2), ("gpt-4o", 3), ("gpt-4o", 4)];
        for (name, expected) in [("gpt-4o", 3), ("gpt-4", 2), ("gpt-5", 1), ("claude", 0)] {
            assert_eq!(best(rows, &[name]), Some(expected), "{name}");
        }
        assert_eq!(best([("a", 0)], &["b"]), None);
    }

    #[test]
    fn a_list_knows_names_in_full_from_patterns() {
        let list: Patterns = ["gemini-*", "models/gemini-2.5-pro"].into_iter().collect();
        assert!(list.match_name("gemini-3-flash") && !list.name("gemini-3-flash"));
        assert!(list.name("gemini-2.5-pro") && !list.match_name("gpt-4o"));
    }
}
