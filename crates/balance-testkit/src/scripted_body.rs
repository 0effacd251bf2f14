//! A body that does what a test says: frames of any size, pauses, a break, silence.
//!
//! Invariant: how it ended is known at every moment, and a body that is dropped before its end is
//! recorded as dropped, which is how a cancelled request looks from upstream.

use std::{
    cell::Cell,
    collections::VecDeque,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use balance_core::host::BoxError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::virtual_time::{Sleep, VirtualTime};

/// One step of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Bytes.
    Data(Bytes),
    /// Nothing for so long.
    Pause(Duration),
    /// The connection breaks.
    Break,
    /// Nothing more, ever, while the connection stays.
    Silence,
}

/// How a body, or the request that it belongs to, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It has not.
    Open,
    /// All of it was read.
    Complete,
    /// It broke, as the script wanted, or it was silent for too long.
    Broken,
    /// Its reader went away.
    Dropped,
}

/// The record of a body's ending, to be kept by a test.
pub type Record = Rc<Cell<Ending>>;

/// A body by script.
#[derive(Debug)]
pub struct ScriptedBody {
    time: Rc<VirtualTime>,
    pieces: VecDeque<Piece>,
    /// Whether its length was told in advance.
    is_sized: bool,
    /// Silence longer than this ends it with an error, as a host's own bodies do.
    patience: Option<Duration>,
    wait: Option<Sleep>,
    record: Record,
}

impl ScriptedBody {
    /// A body of these pieces, whose length nobody knows in advance.
    #[must_use]
    pub fn new(time: &Rc<VirtualTime>, pieces: impl IntoIterator<Item = Piece>) -> Self {
        Self {
            time: Rc::clone(time),
            pieces: pieces
                .into_iter()
                .filter(|piece| *piece != Piece::Data(Bytes::new()))
                .collect(),
            is_sized: false,
            patience: None,
            wait: None,
            record: Rc::new(Cell::new(Ending::Open)),
        }
    }

    /// The same, with its length told in advance.
    #[must_use]
    pub fn sized(mut self) -> Self {
        self.is_sized = true;
        self
    }

    /// The same, ending with an error where it is silent for longer than `patience`.
    #[must_use]
    pub fn impatient(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// The same, noting its ending in `record`.
    #[must_use]
    pub fn recorded(mut self, record: &Record) -> Self {
        self.record = Rc::clone(record);
        self
    }

    fn fail(&mut self, why: &str) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.pieces.clear();
        self.record.set(Ending::Broken);
        Poll::Ready(Some(Err(io::Error::other(why).into())))
    }

    /// Waits through a pause; tells whether it was longer than the reader's patience.
    fn poll_pause(&mut self, pause: Duration, cx: &mut Context<'_>) -> Poll<bool> {
        let is_too_long = self.patience.is_some_and(|patience| patience < pause);
        let length = if is_too_long { self.patience.unwrap_or(pause) } else { pause };
        let wait = self.wait.get_or_insert_with(|| self.time.sleep(length));
        ready!(Pin::new(wait).poll(cx));
        self.wait = None;
        Poll::Ready(is_too_long)
    }
}

impl Body for ScriptedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let body = self.get_mut();
        loop {
            match body.pieces.front() {
                None => {
                    body.note_end();
                    return Poll::Ready(None);
                }
                Some(Piece::Data(bytes)) => {
                    let bytes = bytes.clone();
                    body.pieces.pop_front();
                    if body.is_sized {
                        body.note_end();
                    }
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Piece::Pause(pause)) => {
                    let pause = *pause;
                    if ready!(body.poll_pause(pause, cx)) {
                        return body.fail("nothing came for too long");
                    }
                    body.pieces.pop_front();
                }
                Some(Piece::Break) => return body.fail("the connection broke"),
                Some(Piece::Silence) => {
                    let Some(patience) = body.patience else { return Poll::Pending };
                    ready!(body.poll_pause(patience, cx));
                    return body.fail("nothing came for too long");
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_sized && self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_sized { SizeHint::with_exact(self.bytes_left()) } else { SizeHint::default() }
    }
}

impl ScriptedBody {
    fn bytes_left(&self) -> u64 {
        let sizes = self.pieces.iter().map(|piece| match piece {
            Piece::Data(bytes) => bytes.len() as u64,
            Piece::Pause(_) | Piece::Break | Piece::Silence => 0,
        });
        sizes.sum()
    }

    /// Nothing is left: from here on the reader may go away.
    fn note_end(&self) {
        if self.pieces.is_empty() && self.record.get() == Ending::Open {
            self.record.set(Ending::Complete);
        }
    }
}

impl Drop for ScriptedBody {
    fn drop(&mut self) {
        if self.record.get() == Ending::Open {
            self.record.set(Ending::Dropped);
        }
    }
}

/// Cuts bytes into frames of at most so many.
#[must_use]
pub fn cut(bytes: &Bytes, size: usize) -> Vec<Piece> {
    let mut rest = bytes.clone();
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        pieces.push(Piece::Data(rest.split_to(size.clamp(1, rest.len()))));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;
    use crate::virtual_time::MORNING;

    fn data(text: &'static str) -> Piece {
        Piece::Data(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn it_gives_its_pieces_and_its_ending() {
        let time = VirtualTime::starting_at(MORNING);
        let record = Record::new(Cell::new(Ending::Open));
        let pieces = [data("one"), Piece::Pause(Duration::from_secs(5)), data("two")];
        let body = ScriptedBody::new(&time, pieces).recorded(&record);
        let read = time.block_on(body.collect()).unwrap().unwrap();
        assert_eq!(read.to_bytes(), "onetwo");
        assert_eq!(record.get(), Ending::Complete);
        assert_eq!(time.now().since(MORNING), Duration::from_secs(5));
    }

    #[test]
    fn an_impatient_body_breaks_where_it_is_silent() {
        for silence in [Piece::Silence, Piece::Pause(Duration::from_secs(121))] {
            let time = VirtualTime::starting_at(MORNING);
            let record = Record::new(Cell::new(Ending::Open));
            let body = ScriptedBody::new(&time, [data("one"), silence, data("two")])
                .impatient(Duration::from_secs(120))
                .recorded(&record);
            assert!(time.block_on(body.collect()).unwrap().is_err());
            assert_eq!(record.get(), Ending::Broken);
            assert_eq!(time.now().since(MORNING), Duration::from_secs(120));
        }
    }

    #[test]
    fn a_reader_that_leaves_is_noticed() {
        let time = VirtualTime::starting_at(MORNING);
        let record = Record::new(Cell::new(Ending::Open));
        let mut body = ScriptedBody::new(&time, [data("one"), data("two")]).recorded(&record);
        time.block_on(body.frame()).unwrap().unwrap().unwrap();
        drop(body);
        assert_eq!(record.get(), Ending::Dropped);
    }

    #[test]
    fn a_sized_body_knows_its_end_without_being_asked_again() {
        let time = VirtualTime::starting_at(MORNING);
        let record = Record::new(Cell::new(Ending::Open));
        let mut body = ScriptedBody::new(&time, [data("one")]).sized().recorded(&record);
        assert_eq!(body.size_hint().exact(), Some(3));
        time.block_on(body.frame()).unwrap().unwrap().unwrap();
        assert!(body.is_end_stream());
        assert_eq!(record.get(), Ending::Complete);
    }

    #[test]
    fn bytes_are_cut_to_any_size() {
        let bytes = Bytes::from_static(b"abcdefg");
        assert_eq!(cut(&bytes, 3), [data("abc"), data("def"), data("g")]);
        assert_eq!(cut(&bytes, 0).len(), 7);
        assert_eq!(cut(&bytes, usize::MAX), [data("abcdefg")]);
    }
}
