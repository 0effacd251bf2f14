//! `.env` files: `NAME=value`, a line each.
//!
//! Values are taken as they stand, so that lists such as `API_KEYS=["a", "b"]` need no quoting, as
//! the Python programs that such files come from read them. A quoted value may span lines. Nothing
//! is substituted.
//!
//! Invariant: errors name the line and never show it.

use std::{collections::HashMap, fs, io::ErrorKind, path::Path};

use super::Layer;

/// Reads the file at `path`; there need not be one.
pub(super) fn read(path: &Path) -> Layer {
    let place = path.display().to_string();
    let (values, wrong) = match fs::read_to_string(path) {
        Ok(text) => parse(&text),
        Err(error) if error.kind() == ErrorKind::NotFound => Default::default(),
        Err(error) => (HashMap::new(), vec![format!("it cannot be read: {error}")]),
    };
    let wrong = wrong.iter().map(|reason| format!("{place}: {reason}")).collect();
    Layer { place, values, wrong }
}

/// The values by name, and what is wrong.
fn parse(text: &str) -> (HashMap<String, String>, Vec<String>) {
    let (mut values, mut wrong) = (HashMap::new(), Vec::new());
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    while !rest.is_empty() {
        let line = 1 + text.len().checked_sub(rest.len()).map_or(0, |read| newlines(text, read));
        match entry(rest) {
            Ok((Some((name, value)), after)) => {
                values.insert(name.into(), value);
                rest = after;
            }
            Ok((None, after)) => rest = after,
            Err(reason) => {
                wrong.push(format!("line {line}: {reason}"));
                rest = split_line(rest).1;
            }
        }
    }
    (values, wrong)
}

/// Name and value.
type Entry<'a> = (&'a str, String);

/// Takes the first entry, or a line without one, from the front of `text`; gives what follows.
fn entry(text: &str) -> Result<(Option<Entry<'_>>, &str), &'static str> {
    let (line, after) = split_line(text);
    let content = line.trim();
    if content.is_empty() || content.starts_with('#') {
        return Ok((None, after));
    }
    let (name, value) =
        text.split_once('=').filter(|(name, _)| !name.contains('\n')).ok_or("wanted NAME=value")?;
    let name = name.trim();
    let name = name.strip_prefix("export ").unwrap_or(name).trim();
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err("wanted NAME=value, with letters, digits and _ in the name");
    }
    let value = value.trim_start_matches([' ', '\t']);
    let (value, after) = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => quoted(value, quote)?,
        _ => (plain(split_line(value).0), split_line(value).1),
    };
    Ok((Some((name, value)), after))
}

/// An unquoted value: to the end of the line, or to a `#` after a space.
fn plain(line: &str) -> String {
    let comment = line.match_indices('#').map(|(place, _)| place).find(|place| {
        line.get(..*place).is_some_and(|before| before.is_empty() || before.ends_with([' ', '\t']))
    });
    line.get(..comment.unwrap_or(line.len())).unwrap_or(line).trim().into()
}

/// A value in quotes, and what follows its line. In `"`, a backslash makes `\n`, `\t`, `\"` and
/// `\\`; before anything else it stands for itself.
fn quoted(text: &str, quote: char) -> Result<(String, &str), &'static str> {
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((place, character)) = characters.next() {
        match character {
            _ if character == quote => {
                let after = text.get(place + quote.len_utf8()..).unwrap_or_default();
                let (rest, after) = split_line(after);
                let rest = rest.trim();
                return if rest.is_empty() || rest.starts_with('#') {
                    Ok((value, after))
                } else {
                    Err("text after the closing quote")
                };
            }
            '\\' if quote == '"' => match characters.next().map(|(_, escaped)| escaped) {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some(escaped @ ('"' | '\\')) => value.push(escaped),
                Some(other) => value.extend(['\\', other]),
                None => break,
            },
            _ => value.push(character),
        }
    }
    Err("the quote is not closed")
}

/// The first line, without its end, and what follows.
fn split_line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

fn newlines(text: &str, end: usize) -> usize {
    text.bytes().take(end).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> String {
        let (mut values, wrong) = parse(text);
        assert!(wrong.is_empty(), "{text:?}: {wrong:?}");
        values.remove("A").unwrap()
    }

    #[test]
    fn a_value_is_what_stands_after_the_equals_sign() {
        for (text, expected) in [
            ("A=b", "b"),
            ("A=", ""),
            ("  A = b c \r\n", "b c"),
            ("export A=b\n", "b"),
            ("\u{feff}A=b", "b"),
            (r#"A=["k1", "k2"]"#, r#"["k1", "k2"]"#),
            (r#"A={"m": {"rpm": 5}}"#, r#"{"m": {"rpm": 5}}"#),
            ("A=b # why", "b"),
            ("A=b#c", "b#c"),
            ("A=# why", ""),
            ("A=http://u:p@h/?x=y", "http://u:p@h/?x=y"),
            ("A='b # c' # why", "b # c"),
            (r"A='b\n'", r"b\n"),
            (r#"A="b\n\"c\" \d""#, "b\n\"c\" \\d"),
            ("A=\"b\nc\"\nB=d", "b\nc"),
            ("A=1\nA=2", "2"),
            ("# A=1\n\n A=2", "2"),
            ("A=$B", "$B"),
        ] {
            assert_eq!(value(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named_and_not_shown() {
        for (text, line) in [
            ("A=1\nsecret\n", "line 2: wanted NAME=value"),
            ("A=1\n\nse-cret=1", "line 3: wanted NAME=value"),
            ("=secret", "line 1: wanted NAME=value"),
            ("A='secret", "line 1: the quote is not closed"),
            ("A='secret' more", "line 1: text after the closing quote"),
        ] {
            let (_, wrong) = parse(text);
            assert_eq!(wrong.len(), 1, "{text:?}: {wrong:?}");
            assert!(wrong[0].starts_with(line), "{text:?}: {wrong:?}");
            assert!(!wrong[0].contains("secret"));
        }
    }

    #[test]
    fn lines_after_a_wrong_one_are_read() {
        let (values, wrong) = parse("oops\nA=1\nB='x\nC=2\n");
        assert_eq!((values["A"].as_str(), values["C"].as_str()), ("1", "2"));
        assert_eq!(wrong.len(), 2);
    }

    #[test]
    fn no_file_is_no_error() {
        let layer = read(Path::new("/nowhere/.env"));
        assert!(layer.values.is_empty() && layer.wrong.is_empty());
    }
}
