//! What upstream answers, as a test writes it: a head, the body in frames, and faults of the line.
//!
//! Invariant: without a fault the frames joined are the body.

use std::{io, time::Duration};

use balance_core::host::FetchError;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header, response};
use serde::Deserialize;
use serde_json::Value;

use crate::scripted_body::{Piece, cut};

/// An answer of upstream.
#[derive(Debug)]
pub struct Answer {
    /// How long its head takes.
    pub(crate) delay: Duration,
    pub(crate) head: Head,
}

/// Whether there is an answer at all.
#[derive(Debug)]
pub(crate) enum Head {
    /// None.
    Lost(Lost),
    /// This one.
    Given(Box<(response::Parts, Vec<Piece>)>),
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lost {
    /// No connection.
    Unreachable,
    /// The connection broke before the head.
    Broken,
}

impl From<Lost> for FetchError {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Unreachable => Self::Connect(io::Error::other("the script has no answer").into()),
            Lost::Broken => Self::Broken(io::Error::other("the connection broke").into()),
        }
    }
}

impl Answer {
    /// No connection.
    #[must_use]
    pub fn unreachable() -> Self {
        Self::lost(Lost::Unreachable)
    }

    /// No answer.
    #[must_use]
    pub fn lost(lost: Lost) -> Self {
        Self { delay: Duration::ZERO, head: Head::Lost(lost) }
    }

    /// JSON as a whole, its length told.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        let body = Bytes::from(body.to_string());
        let length = body.len().to_string();
        Self::frames(status, [body])
            .header("content-type", "application/json; charset=UTF-8")
            .header("content-length", &length)
    }

    /// Server-sent events, a frame each.
    #[must_use]
    pub fn sse(events: impl IntoIterator<Item = Value>) -> Self {
        let frames = events.into_iter().map(|event| format!("data: {event}\r\n\r\n").into());
        Self::frames(200, frames).header("content-type", "text/event-stream")
    }

    /// A body in these frames, of a length that is not told.
    #[must_use]
    pub fn frames(status: u16, frames: impl IntoIterator<Item = Bytes>) -> Self {
        let mut head = Response::new(());
        *head.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
        let pieces = frames.into_iter().map(Piece::Data).collect();
        Self { delay: Duration::ZERO, head: Head::Given(Box::new((head.into_parts().0, pieces))) }
    }

    /// The same with a header more; a value of several lines is so many headers of that name.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Head::Given(head) = &mut self.head
            && let Ok(name) = name.parse::<HeaderName>()
        {
            head.0.headers.remove(&name);
            for value in value.lines().filter_map(|line| HeaderValue::from_str(line).ok()) {
                head.0.headers.append(&name, value);
            }
        }
        self
    }

    /// The same after a delay.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// The same in frames of at most so many bytes.
    #[must_use]
    pub fn cut(self, size: usize) -> Self {
        self.pieces(|pieces| {
            let recut = |piece: Piece| match &piece {
                Piece::Data(bytes) => cut(bytes, size),
                Piece::Pause(_) | Piece::Break | Piece::Silence => vec![piece],
            };
            pieces.into_iter().flat_map(recut).collect()
        })
    }

    /// The same with a pause before each frame but the first.
    #[must_use]
    pub fn paced(self, pace: Duration) -> Self {
        self.pieces(|pieces| {
            let mut paced = Vec::new();
            for piece in pieces {
                if !paced.is_empty() {
                    paced.push(Piece::Pause(pace));
                }
                paced.push(piece);
            }
            paced
        })
    }

    /// The same up to so many bytes of the body, then a broken connection.
    #[must_use]
    pub fn broken_after(self, bytes: usize) -> Self {
        self.pieces(|pieces| until(pieces, bytes, Piece::Break)).without_length()
    }

    /// The same up to so many bytes of the body, then silence.
    #[must_use]
    pub fn silent_after(self, bytes: usize) -> Self {
        self.pieces(|pieces| until(pieces, bytes, Piece::Silence)).without_length()
    }

    fn without_length(mut self) -> Self {
        if let Head::Given(head) = &mut self.head {
            head.0.headers.remove(header::CONTENT_LENGTH);
        }
        self
    }

    fn pieces(mut self, change: impl FnOnce(Vec<Piece>) -> Vec<Piece>) -> Self {
        if let Head::Given(head) = &mut self.head {
            head.1 = change(std::mem::take(&mut head.1));
        }
        self
    }
}

/// The pieces up to so many bytes, and then `end`.
fn until(pieces: Vec<Piece>, bytes: usize, end: Piece) -> Vec<Piece> {
    let mut left = bytes;
    let mut kept = Vec::new();
    for piece in pieces {
        match &piece {
            Piece::Data(data) if data.len() >= left => {
                kept.push(Piece::Data(data.slice(..left)));
                break;
            }
            Piece::Data(data) => {
                left -= data.len();
                kept.push(piece);
            }
            Piece::Pause(_) | Piece::Break | Piece::Silence => kept.push(piece),
        }
    }
    kept.push(end);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(answer: Answer) -> Vec<Piece> {
        match answer.head {
            Head::Given(head) => head.1,
            Head::Lost(lost) => panic!("{lost:?}"),
        }
    }

    fn data(text: &'static str) -> Piece {
        Piece::Data(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn faults_shape_the_frames() {
        let answer = || Answer::frames(200, ["abcd".into(), "ef".into()]);
        assert_eq!(pieces(answer()), [data("abcd"), data("ef")]);
        assert_eq!(pieces(answer().cut(3)), [data("abc"), data("d"), data("ef")]);
        assert_eq!(pieces(answer().broken_after(5)), [data("abcd"), data("e"), Piece::Break]);
        assert_eq!(pieces(answer().silent_after(0)), [data(""), Piece::Silence]);
        let pace = Duration::from_secs(1);
        assert_eq!(pieces(answer().paced(pace)), [data("abcd"), Piece::Pause(pace), data("ef")]);
        assert_eq!(
            pieces(answer().paced(pace).broken_after(4)),
            [data("abcd"), Piece::Break],
            "what stands behind the break is gone"
        );
    }
}
