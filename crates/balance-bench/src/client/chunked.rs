//! The chunked transfer coding, read piece by piece.
//!
//! Invariant: any way of cutting the bytes gives the same body.

use super::ExchangeError;

/// Where in the coding the next byte stands.
#[derive(Debug, Default)]
pub(super) struct Chunked {
    state: State,
    /// Bytes of the current chunk that are still to come.
    left: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Size,
    Extension,
    Data,
    /// The line break after a chunk's data.
    Break,
    /// In the trailer, at the start of a line or within one.
    Trailer {
        line_is_empty: bool,
    },
    Ended,
}

impl Chunked {
    /// Hands every piece of the body to `each` and returns how many bytes were used.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(&[u8]),
    ) -> Result<usize, ExchangeError> {
        let mut rest = bytes;
        while self.state != State::Ended {
            if self.state == State::Data {
                let length = rest.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
                let Some((piece, after)) = rest.split_at_checked(length) else { break };
                if piece.is_empty() {
                    break;
                }
                each(piece);
                self.left -= length as u64;
                if self.left == 0 {
                    self.state = State::Break;
                }
                rest = after;
                continue;
            }
            let Some((byte, after)) = rest.split_first() else { break };
            self.state = self.step(*byte)?;
            rest = after;
        }
        Ok(bytes.len() - rest.len())
    }

    pub(super) fn ended(&self) -> bool {
        self.state == State::Ended
    }

    /// One byte of what is not data.
    fn step(&mut self, byte: u8) -> Result<State, ExchangeError> {
        let after_size =
            if self.left == 0 { State::Trailer { line_is_empty: true } } else { State::Data };
        Ok(match (self.state, byte) {
            (State::Size | State::Extension, b'\n') => after_size,
            (State::Size, b';' | b'\r' | b' ') | (State::Extension, _) => State::Extension,
            (State::Size, digit) => {
                let digit = char::from(digit).to_digit(16);
                let digit = digit.ok_or(ExchangeError::Malformed("a chunk's size"))?;
                let size =
                    self.left.checked_mul(16).and_then(|size| size.checked_add(digit.into()));
                self.left = size.ok_or(ExchangeError::Malformed("a chunk's size"))?;
                State::Size
            }
            (State::Break, b'\r') => State::Break,
            (State::Break, b'\n') => State::Size,
            (State::Break, _) => {
                return Err(ExchangeError::Malformed("a chunk longer than its size"));
            }
            (State::Trailer { line_is_empty: true }, b'\n') | (State::Ended, _) => State::Ended,
            (State::Trailer { .. }, b'\n') => State::Trailer { line_is_empty: true },
            (State::Trailer { line_is_empty }, b'\r') => State::Trailer { line_is_empty },
            (State::Trailer { .. }, _) => State::Trailer { line_is_empty: false },
            (State::Data, _) => State::Data,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIRE: &[u8] =
        b"5;name=value\r\nhello\r\nB\r\n, bright wo\r\n3\r\nrld\r\n0\r\nx-trailer: 1\r\n\r\n";

    fn body(pieces: &[&[u8]]) -> (Vec<u8>, bool) {
        let (mut chunked, mut body) = (Chunked::default(), Vec::new());
        for piece in pieces {
            chunked.push(piece, |data| body.extend_from_slice(data)).unwrap();
        }
        (body, chunked.ended())
    }

    #[test]
    fn any_two_cuts_give_the_same_body() {
        for first in 0..WIRE.len() {
            for second in first..WIRE.len() {
                let pieces = [&WIRE[..first], &WIRE[first..second], &WIRE[second..]];
                assert_eq!(body(&pieces), (b"hello, bright world".to_vec(), true));
            }
        }
    }

    #[test]
    fn what_follows_the_body_is_left_alone() {
        let wire = [WIRE, b"HTTP/1.1"].concat();
        assert_eq!(Chunked::default().push(&wire, |_| {}).unwrap(), WIRE.len());
    }

    #[test]
    fn a_chunk_that_outgrows_its_size_is_malformed() {
        assert!(Chunked::default().push(b"2\r\nabc\r\n", |_| {}).is_err());
        assert!(Chunked::default().push(b"fffffffffffffffff\r\n", |_| {}).is_err());
    }
}
