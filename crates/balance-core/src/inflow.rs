//! The bytes of one upstream answer, as they come in.
//!
//! Invariant: frames that are only passed are not copied; the key that was used is in none of them.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, ready},
};

use balance_dialect::summary::Summary;
use bytes::Bytes;
use futures_channel::oneshot;
use http_body::{Body, Frame, SizeHint};

use crate::{
    feed::{Feed, Piece},
    host::BoxError,
    secret::Secret,
    veil::Veil,
};

/// What a body gives next.
pub(crate) type NextFrame = Option<Result<Frame<Bytes>, BoxError>>;

/// An upstream body, of which the start was read already.
#[derive(Debug)]
pub(crate) struct Inflow<B> {
    /// What was read of it to judge how it begins.
    start: VecDeque<Bytes>,
    /// The rest; `None` once it has ended.
    rest: Option<Source<B>>,
    /// Hides the key that was used.
    veil: Veil,
}

/// An inflow, and where its end is told.
#[derive(Debug)]
pub(crate) struct Strand<B> {
    pub(crate) inflow: Inflow<B>,
    pub(crate) report: oneshot::Sender<Summary>,
}

/// Where the bytes come from.
#[derive(Debug)]
enum Source<B> {
    /// From upstream.
    Upstream(B),
    /// From a job that finds them there.
    Feed(Feed),
}

/// What an inflow brings.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A part of the answer.
    Frame(Frame<Bytes>),
    /// What the caller gets beside it, as it is.
    Aside(Bytes),
}

impl<B> Inflow<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    pub(crate) fn new(start: VecDeque<Bytes>, rest: Option<B>, key: &Secret) -> Self {
        Self { start, rest: rest.map(Source::Upstream), veil: Veil::new(key) }
    }

    /// What a job supplies, which has hidden the keys that it used.
    pub(crate) fn fed(feed: Feed) -> Self {
        let veil = Veil::new(&Secret::new(""));
        Self { start: VecDeque::new(), rest: Some(Source::Feed(feed)), veil }
    }

    /// The next frame; what the veil holds back comes with [`close`](Self::close).
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Incoming, BoxError>>> {
        if let Some(data) = self.start.pop_front() {
            return Poll::Ready(Some(Ok(Incoming::Frame(Frame::data(self.veil.pass(data))))));
        }
        Poll::Ready(match &mut self.rest {
            None => None,
            Some(Source::Upstream(body)) => {
                let frame = ready!(Pin::new(body).poll_frame(cx));
                let veiled = |frame: Frame<Bytes>| frame.map_data(|data| self.veil.pass(data));
                frame.map(|frame| frame.map(veiled).map(Incoming::Frame).map_err(Into::into))
            }
            Some(Source::Feed(feed)) => ready!(feed.poll(cx)).map(|piece| piece.map(Into::into)),
        })
    }

    /// Whether upstream says that nothing more comes.
    pub(crate) fn is_over(&self) -> bool {
        self.start.is_empty() && self.rest.as_ref().is_none_or(Source::is_over)
    }

    /// How much is to come, if nothing of it was read already.
    pub(crate) fn size_hint(&self) -> SizeHint {
        match &self.rest {
            Some(Source::Upstream(rest)) if self.start.is_empty() => rest.size_hint(),
            _ => SizeHint::default(),
        }
    }

    /// Lets go of upstream, and gives what the veil held back.
    pub(crate) fn close(&mut self) -> Bytes {
        self.rest = None;
        self.start.clear();
        self.veil.rest()
    }
}

impl<B: Body> Source<B> {
    fn is_over(&self) -> bool {
        match self {
            Self::Upstream(body) => body.is_end_stream(),
            Self::Feed(_) => false,
        }
    }
}

impl From<Piece> for Incoming {
    fn from(piece: Piece) -> Self {
        match piece {
            Piece::Answer(data) => Self::Frame(Frame::data(data)),
            Piece::Aside(data) => Self::Aside(data),
        }
    }
}
