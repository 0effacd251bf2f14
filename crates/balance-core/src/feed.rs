//! A body whose bytes a running [`Job`](crate::job::Job) makes.
//!
//! Invariant: a job that goes away without a word leaves a broken body, never one that seems whole;
//! and it learns at once when the reader has left.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_channel::{mpsc, oneshot};
use futures_util::{
    SinkExt, Stream,
    future::{Either, select},
};

use crate::host::BoxError;

/// How many pieces may wait for the reader.
const PIECES: usize = 8;

/// What a body that ends was.
pub(crate) type Ending = Result<(), BoxError>;

/// The reader's end.
#[derive(Debug)]
pub struct Feed {
    pieces: mpsc::Receiver<Piece>,
    /// `None` once the ending was told.
    ending: Option<oneshot::Receiver<Ending>>,
}

/// What a feed brings.
#[derive(Debug)]
pub(crate) enum Piece {
    /// A part of the answer.
    Answer(Bytes),
    /// What the reader gets beside the answer: it says only that the line is alive.
    Aside(Bytes),
}

/// The end of the job that makes the bytes.
#[derive(Debug)]
pub(crate) struct Feeder {
    pub(crate) trough: Trough,
    pub(crate) reader: Reader,
}

/// Where pieces are put.
#[derive(Debug)]
pub(crate) struct Trough(mpsc::Sender<Piece>);

/// Whoever reads, to be told of the end.
#[derive(Debug)]
pub(crate) struct Reader(oneshot::Sender<Ending>);

/// The reader has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left;

/// A feed and its feeder.
pub(crate) fn feed() -> (Feeder, Feed) {
    let (sender, pieces) = mpsc::channel(PIECES);
    let (teller, ending) = oneshot::channel();
    let feeder = Feeder { trough: Trough(sender), reader: Reader(teller) };
    (feeder, Feed { pieces, ending: Some(ending) })
}

impl Feed {
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Piece, BoxError>>> {
        if let Some(piece) = ready!(Pin::new(&mut self.pieces).poll_next(cx)) {
            return Poll::Ready(Some(Ok(piece)));
        }
        let Some(ending) = &mut self.ending else { return Poll::Ready(None) };
        let told = ready!(Pin::new(ending).poll(cx));
        self.ending = None;
        let lost = || Err("the work behind this answer was given up".into());
        Poll::Ready(told.unwrap_or_else(|_| lost()).err().map(Err))
    }
}

impl Trough {
    /// Puts in the first piece, for which there is always room.
    pub(crate) fn begin(&mut self, piece: Piece) {
        // A reader who is not there gets nothing.
        let _ = self.0.try_send(piece);
    }

    /// Adds a piece, as soon as there is room.
    pub(crate) async fn put(&mut self, piece: Piece) -> Result<(), Left> {
        self.0.send(piece).await.map_err(|_| Left)
    }

    /// Adds a part of the answer; nothing, if it is empty.
    pub(crate) async fn answer(&mut self, part: impl Into<Bytes>) -> Result<(), Left> {
        let part = part.into();
        if part.is_empty() { Ok(()) } else { self.put(Piece::Answer(part)).await }
    }
}

impl Reader {
    /// Works until the work is done or nobody reads on.
    pub(crate) async fn unless_left<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> Result<T, Left> {
        let left = poll_fn(|cx| self.0.poll_canceled(cx));
        match select(pin!(work), left).await {
            Either::Left((done, _)) => Ok(done),
            Either::Right(((), _)) => Err(Left),
        }
    }

    /// Says how the body ends. To be said after the last piece; the trough must be gone.
    pub(crate) fn end(self, ending: Ending) {
        // Nobody may be there any more to hear it.
        let _ = self.0.send(ending);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join;
    use pollster::block_on;

    use super::*;

    async fn read(mut feed: Feed) -> (Vec<u8>, Option<String>) {
        let mut read = Vec::new();
        loop {
            match poll_fn(|cx| feed.poll(cx)).await {
                Some(Ok(Piece::Answer(part) | Piece::Aside(part))) => read.extend_from_slice(&part),
                Some(Err(error)) => return (read, Some(error.to_string())),
                None => return (read, None),
            }
        }
    }

    #[test]
    fn what_is_put_in_is_read_in_order_and_ends_as_it_is_told() {
        for (ending, seen) in [(Ok(()), None), (Err("reset".into()), Some("reset".to_owned()))] {
            let (Feeder { mut trough, reader }, feed) = feed();
            let work = async move {
                for n in 0..100 {
                    trough.answer(format!("{n},")).await.unwrap();
                    trough.put(Piece::Aside(";".into())).await.unwrap();
                }
                drop(trough);
                reader.end(ending);
            };
            let ((text, error), ()) = block_on(join(read(feed), work));
            let wanted: String = (0..100).map(|n| format!("{n},;")).collect();
            assert_eq!((text, error), (wanted.into_bytes(), seen));
        }
    }

    #[test]
    fn a_job_that_is_dropped_leaves_a_broken_body() {
        let (feeder, feed) = feed();
        drop(feeder);
        let (text, error) = block_on(read(feed));
        assert!(text.is_empty() && error.is_some());
    }

    #[test]
    fn work_for_a_reader_who_has_left_stops_at_once() {
        let (Feeder { mut trough, mut reader }, feed) = feed();
        drop(feed);
        assert_eq!(block_on(reader.unless_left(std::future::pending::<()>())), Err(Left));
        assert_eq!(block_on(trough.answer("x")), Err(Left));
    }
}
