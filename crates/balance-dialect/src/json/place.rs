//! Where in a JSON text something is, by the names and numbers that lead there.
//!
//! Invariant: any text and any offset have an answer; of a text that is no JSON it is a guess.

/// A step on the way down.
enum Level<'a> {
    /// Into an array, to the element of this number.
    Array(usize),
    /// Into an object, to the field of this name; `None` before the first name.
    Object(Option<&'a str>),
}

/// The way, such as `messages[1].content`, to the value that serde_json found fault with after it had read
/// `offset` bytes; `.` for the text as a whole. `bracket` is what that value begins with, if it is an
/// array or an object that should be neither.
///
/// serde_json stops behind a number, a string or a word that it does not want, and behind an object that
/// lacks a field; before an array or object that it does not want, or just behind its bracket.
pub(crate) fn path_at(text: &str, offset: usize, bracket: Option<u8>) -> String {
    let mut levels: Vec<Level<'_>> = Vec::new();
    let is_bracket_there = bracket.is_some() && text.as_bytes().get(offset).copied() == bracket;
    let mut rest = text.trim_ascii_start();
    while let Some(&byte) = rest.as_bytes().first() {
        let start = text.len() - rest.len();
        let token = rest.get(..token_length(rest)).unwrap_or(rest);
        let is_reached = start + token.len() >= offset;
        match (byte, levels.last_mut()) {
            (b'[' | b'{', _) if start == offset && is_bracket_there => return path(&levels),
            _ if start >= offset => break,
            (b'[', _) if is_reached && is_bracket_there => levels.push(Level::Array(0)),
            (b'[' | b'{', _) if is_reached => return path(&levels),
            (b'[', _) => levels.push(Level::Array(0)),
            (b'{', _) => levels.push(Level::Object(None)),
            (b']' | b'}', _) => {
                levels.pop();
                if is_reached {
                    return path(&levels);
                }
            }
            (b',', Some(Level::Array(number))) => *number += 1,
            (b',', Some(Level::Object(name))) => *name = None,
            // The object itself, if this is where its reading ended.
            (b'"', Some(Level::Object(name @ None))) if !is_reached => *name = Some(token),
            (b'"', Some(Level::Object(None))) => break,
            (b':' | b',', _) => {}
            _ if is_reached => return path(&levels),
            _ => {}
        }
        rest = rest.get(token.len()..).unwrap_or_default().trim_ascii_start();
    }
    levels.pop(); // between its members, it is the array or object itself
    path(&levels)
}

/// How long the token is that a text begins with.
fn token_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(b'"') => {
            let mut is_escaped = false;
            let end = bytes.iter().skip(1).position(|byte| match byte {
                _ if is_escaped => {
                    is_escaped = false;
                    false
                }
                b'\\' => {
                    is_escaped = true;
                    false
                }
                byte => *byte == b'"',
            });
            end.map_or(bytes.len(), |end| end + 2)
        }
        Some(b'[' | b']' | b'{' | b'}' | b',' | b':') => 1,
        _ => {
            let is_end = |byte: &u8| b"[]{},:\" \t\r\n".contains(byte);
            bytes.iter().position(is_end).unwrap_or(bytes.len())
        }
    }
}

fn path(levels: &[Level<'_>]) -> String {
    let mut path = String::new();
    for level in levels {
        match level {
            Level::Array(number) => path.push_str(&format!("[{number}]")),
            Level::Object(None) => {}
            Level::Object(Some(name)) => {
                path.push_str(if path.is_empty() { "" } else { "." });
                let read = super::read_str::<String>(name);
                path.push_str(read.as_deref().unwrap_or(name));
            }
        }
    }
    if path.is_empty() { ".".into() } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offset_of_any_text_has_a_path() {
        let texts =
            [r#"{"a":[1,{"b\"":"\\"},[[]]],"ü":null} x"#, "", "]", r#"{"a"#, r#"["\"#, ":,}{"];
        for text in texts {
            for offset in 0..=text.len() + 1 {
                for bracket in [None, Some(b'['), Some(b'{')] {
                    assert!(!path_at(text, offset, bracket).is_empty());
                }
            }
        }
    }

    #[test]
    fn the_path_is_that_of_the_value_whose_reading_ended_there() {
        let text = r#"{ "a" : [ 1, { "b\"" : "x" }, [ [] ] ] , "c": null }"#;
        let after = |piece: &str| text.find(piece).unwrap() + piece.len();
        let at = |offset: usize, bracket: Option<u8>| path_at(text, offset, bracket);
        assert_eq!(at(after("[ 1"), None), "a[0]");
        assert_eq!(at(after("\"x\""), None), "a[1].b\"");
        assert_eq!(at(after("x\" }"), None), "a[1]");
        assert_eq!(at(after("[]"), None), "a[2][0]");
        assert_eq!(at(after("[]") - 2, Some(b'[')), "a[2][0]");
        assert_eq!(at(after("[]") - 2, Some(b'{')), "a[2]");
        assert_eq!(at(after("[] ] ]"), None), "a");
        assert_eq!(at(after("\"c\""), None), ".");
        assert_eq!(at(after("null"), None), "c");
        assert_eq!(at(text.len(), None), ".");
    }
}
