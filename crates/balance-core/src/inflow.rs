//! The bytes of one upstream answer, as they come in.
//!
//! Invariant: frames that are only passed are not copied; the key that was used is in none of them.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::{host::BoxError, secret::Secret, veil::Veil};

/// What a body gives next.
pub(crate) type NextFrame = Option<Result<Frame<Bytes>, BoxError>>;

/// An upstream body, of which the start was read already.
#[derive(Debug)]
pub(crate) struct Inflow<B> {
    /// What was read of it to judge how it begins.
    start: VecDeque<Bytes>,
    /// The rest; `None` once it has ended.
    rest: Option<B>,
    /// Hides the key that was used.
    veil: Veil,
}

impl<B> Inflow<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    pub(crate) fn new(start: VecDeque<Bytes>, rest: Option<B>, key: &Secret) -> Self {
        Self { start, rest, veil: Veil::new(key) }
    }

    /// The next frame; what the veil holds back comes with [`close`](Self::close).
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<NextFrame> {
        if let Some(data) = self.start.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(self.veil.pass(data)))));
        }
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(rest).poll_frame(cx));
        let veiled = |frame: Frame<Bytes>| frame.map_data(|data| self.veil.pass(data));
        Poll::Ready(frame.map(|frame| frame.map(veiled).map_err(Into::into)))
    }

    /// Whether upstream says that nothing more comes.
    pub(crate) fn is_over(&self) -> bool {
        self.start.is_empty() && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    /// How much is to come, if nothing of it was read already.
    pub(crate) fn size_hint(&self) -> SizeHint {
        match &self.rest {
            Some(rest) if self.start.is_empty() => rest.size_hint(),
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
