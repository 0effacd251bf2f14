//! How deep a piece of JSON stands open, followed byte by byte without parsing.
//!
//! Invariant: brackets inside strings do not count, wherever the bytes are cut.

use memchr::memchr2;

/// The open brackets and the string that JSON text read so far ends in.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Nesting {
    depth: usize,
    in_string: bool,
    /// The last byte was a backslash in a string, so the next one means itself.
    escaped: bool,
}

impl Nesting {
    /// Reads on until the outermost bracket closes, and gives the number of bytes up to and with
    /// it; `None` when all bytes were read before.
    pub(crate) fn read_to_close(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut position = 0;
        while let Some(&byte) = bytes.get(position) {
            if self.in_string && !self.escaped {
                // Most of the bytes of an answer stand in strings: jump to what can end one.
                let Some(skipped) = memchr2(b'"', b'\\', bytes.get(position..)?) else { break };
                position += skipped + 1;
                match bytes.get(position - 1) {
                    Some(b'"') => self.in_string = false,
                    _ => self.escaped = true,
                }
                continue;
            }
            position += 1;
            if self.escaped {
                self.escaped = false;
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(position);
                    }
                }
                _ => {}
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
        self.depth == 0 && !self.in_string
    }
}
