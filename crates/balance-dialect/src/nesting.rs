//! How deep a piece of JSON stands open, followed byte by byte without parsing.
//!
//! Invariant: brackets inside strings do not count, wherever the bytes are cut.

use memchr::memchr2;

/// Where JSON text read so far ends: how many brackets deep, and whether in a string.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Nesting {
    depth: usize,
    place: Place,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Outside,
    InString,
    /// After a backslash in a string, where the next byte means itself.
    AfterEscape,
}

impl Nesting {
    /// Reads on until the outermost bracket closes, and gives the number of bytes up to and with
    /// it; `None` when all bytes were read before.
    pub(crate) fn read_to_close(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut position = 0;
        while let Some(&byte) = bytes.get(position) {
            position += 1;
            match (self.place, byte) {
                (Place::Outside, b'"') | (Place::AfterEscape, _) => self.place = Place::InString,
                (Place::InString, b'"') => self.place = Place::Outside,
                (Place::InString, b'\\') => self.place = Place::AfterEscape,
                (Place::InString, _) => {
                    // Most of an answer stands in strings: jump to what can end one.
                    let rest = bytes.get(position..)?;
                    position += memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
                }
                (Place::Outside, b'{' | b'[') => self.depth += 1,
                (Place::Outside, b'}' | b']') if self.depth > 1 => self.depth -= 1,
                (Place::Outside, b'}' | b']') => {
                    self.depth = 0;
                    return Some(position);
                }
                (Place::Outside, _) => {}
            }
        }
        None
    }

    /// Reads all of the bytes.
    pub(crate) fn read(&mut self, mut bytes: &[u8]) {
        while let Some(rest) = self.read_to_close(bytes).and_then(|end| bytes.get(end..)) {
            bytes = rest;
        }
    }

    /// Whether no bracket and no string is open.
    pub(crate) fn is_closed(self) -> bool {
        self.depth == 0 && self.place == Place::Outside
    }
}

#[cfg(test)]
mod tests {
    use super::Nesting;

    #[test]
    fn the_outermost_bracket_is_found() {
        let rows = [
            ("{}", Some(2)),
            ("  [{}] {", Some(6)),
            (r#"{"}":"]"}x"#, Some(9)),
            (r#"{"a\\":"\"}"}"#, Some(13)),
            ("{{}", None),
            (r#"{"}"#, None),
            (r#"{"\"}"#, None),
            ("}", Some(1)),
            ("", None),
        ];
        for (text, end) in rows {
            assert_eq!(Nesting::default().read_to_close(text.as_bytes()), end, "{text}");
        }
    }

    #[test]
    fn text_is_closed_outside_of_brackets_and_strings() {
        let rows = [
            ("", true),
            ("a", true),
            ("{} []", true),
            ("}{}", true),
            ("[{}", false),
            ("\"", false),
        ];
        for (text, is_closed) in rows {
            let mut nesting = Nesting::default();
            nesting.read(text.as_bytes());
            assert_eq!(nesting.is_closed(), is_closed, "{text}");
        }
    }
}
