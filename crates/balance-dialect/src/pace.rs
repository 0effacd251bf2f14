//! A stream at the pace of somebody who types: long texts in small pieces, with time between them.
//!
//! Invariant: the pieces of a text make the text, in order, and whatever else an event carries comes
//! once, with its last piece. What is no event with a single text passes byte for byte. However the
//! bytes are cut, the same pieces come out.
//!
//! Time is the caller's: each piece says how long to wait behind it.

use std::time::Duration;

use serde_json::value::to_raw_value;

use crate::json::fields::{Fields, list};

#[cfg(test)]
mod tests;

/// The bytes of an event that are held; a longer one passes as it is.
const LIMIT: usize = 1 << 20;

/// What the first pieces keep of an event, of its candidate and of the candidate's part.
const KEPT: ([&str; 4], [&str; 2], [&str; 2]) = (
    ["candidates", "modelVersion", "responseId", "createTime"],
    ["content", "index"],
    ["text", "thought"],
);

/// How fast texts come, by their length in letters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// The wait behind each piece of a long text.
    pub shortest_wait: Duration,
    /// The wait behind each piece of a short text.
    pub longest_wait: Duration,
    /// The most letters of a short text.
    pub short: usize,
    /// The least letters of a long text, which comes in pieces of `piece`; others come letter by
    /// letter.
    pub long: usize,
    /// The letters of a piece of a long text.
    pub piece: usize,
}

/// A piece of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paced {
    /// To be sent.
    pub bytes: Vec<u8>,
    /// How long to wait before the next one.
    pub wait: Duration,
}

/// Cuts the events of an answer of Gemini's into pieces.
#[derive(Debug)]
pub struct Pacer {
    pace: Pace,
    /// The beginning of an event.
    held: Vec<u8>,
}

impl Pace {
    /// The wait behind each piece of a text: the longer the text, the shorter, by its logarithm.
    #[must_use]
    pub fn wait(&self, letters: usize) -> Duration {
        if letters <= self.short {
            return self.longest_wait;
        }
        if letters >= self.long {
            return self.shortest_wait;
        }
        #[expect(clippy::cast_precision_loss, reason = "texts are shorter than that")]
        let ln = |count: usize| (count.max(1) as f64).ln();
        let share = (ln(letters) - ln(self.short)) / (ln(self.long) - ln(self.short));
        let span = self.longest_wait.saturating_sub(self.shortest_wait);
        self.longest_wait.saturating_sub(span.mul_f64(share.clamp(0.0, 1.0)))
    }

    /// The letters of each piece of a text.
    fn piece(&self, letters: usize) -> usize {
        if letters >= self.long { self.piece.max(1) } else { 1 }
    }
}

impl Pacer {
    /// A pacer at the beginning of an answer.
    #[must_use]
    pub const fn new(pace: Pace) -> Self {
        Self { pace, held: Vec::new() }
    }

    /// Takes the next bytes, and gives the pieces that they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Paced> {
        let mut pieces = Vec::new();
        let mut seen = self.held.len().saturating_sub(3);
        self.held.extend_from_slice(bytes);
        while let Some(end) = end_of_event(self.held.get(seen..).unwrap_or_default()) {
            let rest = self.held.split_off(seen + end);
            let event = std::mem::replace(&mut self.held, rest);
            seen = 0;
            match self.cut(&event) {
                Some(cut) => pieces.extend(cut),
                None => pieces.push(Paced { bytes: event, wait: Duration::ZERO }),
            }
        }
        if self.held.len() > LIMIT {
            pieces.push(Paced { bytes: self.finish(), wait: Duration::ZERO });
        }
        pieces
    }

    /// What is left at the end of the answer.
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// The pieces of an event that has a single text; none for any other.
    fn cut(&self, event: &[u8]) -> Option<Vec<Paced>> {
        let event = event.trim_ascii();
        let json = event.strip_prefix(b"data:").filter(|json| !json.contains(&b'\n'))?;
        let text = single_text(&Fields::read(json)?)?;
        let letters = text.chars().count();
        let wait = self.pace.wait(letters);
        let pieces = pieces(&text, self.pace.piece(letters));
        let last = pieces.len().checked_sub(1)?;
        let pieces = pieces.into_iter().enumerate().map(|(index, piece)| {
            let mut event = Fields::read(json)?;
            put(&mut event, piece, index == last);
            let mut bytes = b"data: ".to_vec();
            serde_json::to_writer(&mut bytes, &event).ok()?;
            bytes.extend_from_slice(b"\r\n\r\n");
            Some(Paced { bytes, wait })
        });
        pieces.collect()
    }
}

/// Where the first event ends, its blank line included.
fn end_of_event(bytes: &[u8]) -> Option<usize> {
    let ends = memchr::memchr_iter(b'\n', bytes);
    ends.map(|end| end + 1).find(|end| {
        let before = bytes.get(..*end).unwrap_or_default();
        before.ends_with(b"\n\n") || before.ends_with(b"\n\r\n")
    })
}

/// The text of an event whose one candidate has one part, which is a text, and nothing that is told
/// of the letters of that text alone.
fn single_text(event: &Fields<'_>) -> Option<String> {
    let candidates = list(event.find(&["candidates"])?)?;
    let [candidate] = candidates.as_slice() else { return None };
    let candidate = Fields::of(candidate)?;
    let content = candidate.find(&["content"]).and_then(Fields::of)?;
    let parts = list(content.find(&["parts"])?)?;
    let [part] = parts.as_slice() else { return None };
    let is_whole = candidate.has(&["logprobsResult", "citationMetadata"]);
    let text = Fields::of(part)?.text(&["text"])?.into_owned();
    (!is_whole && !text.is_empty()).then_some(text)
}

/// Puts a piece in place of an event's text; all but the last have nothing else to tell.
fn put(event: &mut Fields<'_>, piece: &str, is_last: bool) {
    let (of_event, of_candidate, of_part) = KEPT;
    if !is_last {
        event.keep(&of_event);
    }
    event.each(&["candidates"], |_, candidate| {
        if !is_last {
            candidate.keep(&of_candidate);
        }
        candidate.within(&["content"], |content| {
            content.each(&["parts"], |_, part| {
                if !is_last {
                    part.keep(&of_part);
                }
                if let Ok(piece) = to_raw_value(piece) {
                    part.set(&["text"], &piece);
                }
            });
        });
    });
}

/// A text in pieces of so many letters.
fn pieces(text: &str, letters: usize) -> Vec<&str> {
    let starts = text.char_indices().map(|(start, _)| start).step_by(letters);
    let ends = starts.clone().skip(1).chain([text.len()]);
    starts.zip(ends).filter_map(|(start, end)| text.get(start..end)).collect()
}
