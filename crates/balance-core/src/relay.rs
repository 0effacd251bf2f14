//! A native answer on its way to the caller, as it is.
//!
//! Invariant: the summary is reported once, at the end, and not at all if the caller leaves before
//! it; an answer that breaks never ends as if it were whole.

use std::{
    fmt,
    task::{Context, Poll, ready},
};

use balance_dialect::{
    observe::Observer,
    summary::{Ending, Summary, Usage},
};
use bytes::Bytes;
use futures_channel::oneshot;
use http_body::{Body, Frame, SizeHint};

use crate::{
    host::BoxError,
    inflow::{Incoming, Inflow, NextFrame, Strand},
    label::Labeller,
};

/// An upstream body, looked at as it passes.
pub struct Relay<B> {
    inflow: Inflow<B>,
    tap: Tap,
    /// `None` once the answer has ended.
    report: Option<oneshot::Sender<Summary>>,
    /// What the caller gets after the end of upstream's bytes.
    farewell: NextFrame,
}

/// What is done with the bytes that pass.
#[derive(Debug)]
pub(crate) enum Tap {
    /// Nothing.
    Pass,
    /// Names in them are marked.
    Label(Box<Labeller>),
    /// They are looked at.
    Observe(Box<Observer>),
}

impl<B> Relay<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    pub(crate) fn new(strand: Strand<B>, tap: Tap) -> Self {
        let Strand { inflow, report } = strand;
        let mut relay = Self { inflow, tap, report: Some(report), farewell: None };
        relay.end_if_over();
        relay
    }

    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<NextFrame> {
        if self.report.is_none() {
            return Poll::Ready(self.farewell.take());
        }
        match ready!(self.inflow.poll(cx)) {
            Some(Ok(Incoming::Aside(aside))) => Poll::Ready(Some(Ok(Frame::data(aside)))),
            Some(Ok(Incoming::Frame(frame))) => {
                if let (Tap::Observe(observer), Some(data)) = (&mut self.tap, frame.data_ref()) {
                    observer.observe(data);
                }
                let frame = match &mut self.tap {
                    Tap::Label(labeller) => frame.map_data(|data| labeller.pass(&data)),
                    Tap::Pass | Tap::Observe(_) => frame,
                };
                self.end_if_over();
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(cause)) => Poll::Ready(self.end(Some(cause))),
            None => Poll::Ready(self.end(None)),
        }
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.report.is_none() && self.farewell.is_none()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        match &self.tap {
            _ if self.is_end_stream() => SizeHint::with_exact(0),
            Tap::Pass => self.inflow.size_hint(),
            Tap::Observe(_) | Tap::Label(_) => SizeHint::default(),
        }
    }

    /// Ends the answer as soon as upstream says that nothing more comes: a server that knows the
    /// length of a body does not ask again behind its last byte.
    fn end_if_over(&mut self) {
        if self.inflow.is_over() {
            self.farewell = self.end(None);
        }
    }

    /// Ends the answer, `cause` saying what broke it; gives what the caller is to get last. Where
    /// nothing can be said of a break, only breaking the body in turn is honest.
    fn end(&mut self, cause: Option<BoxError>) -> NextFrame {
        let held = self.inflow.close();
        let mut words = held.to_vec();
        let summary = self.last_words(&held, cause.as_ref(), &mut words);
        let broken = summary.ending == Ending::Truncated;
        if let Some(report) = self.report.take() {
            // The job may be gone where a platform ran none: then nobody wants to know.
            let _ = report.send(summary);
        }
        match (words.is_empty(), cause) {
            (false, _) => Some(Ok(Frame::data(words.into()))),
            (true, Some(cause)) => Some(Err(cause)),
            (true, None) if broken && matches!(self.tap, Tap::Observe(_)) => {
                Some(Err(broken_off(None).into()))
            }
            (true, None) => None,
        }
    }

    fn last_words(
        &mut self,
        held: &[u8],
        cause: Option<&BoxError>,
        words: &mut Vec<u8>,
    ) -> Summary {
        match &mut self.tap {
            Tap::Label(labeller) => {
                *words = labeller.pass(held).into();
                passed(cause)
            }
            Tap::Pass => passed(cause),
            Tap::Observe(observer) => {
                observer.observe(held);
                let mut summary = observer.finish();
                if cause.is_some() && summary.ending == Ending::Finished {
                    summary.ending = Ending::Truncated;
                }
                if summary.ending == Ending::Truncated {
                    observer.interrupt(503, &broken_off(cause), words);
                }
                summary
            }
        }
    }
}

fn passed(cause: Option<&BoxError>) -> Summary {
    let ending = if cause.is_some() { Ending::Truncated } else { Ending::Finished };
    Summary { usage: Usage::default(), ending }
}

pub(crate) fn broken_off(cause: Option<&BoxError>) -> String {
    let why = cause.map_or_else(String::new, |cause| format!(" ({cause})"));
    format!("The answer broke off upstream before the model had finished{why}. Ask again.")
}

impl<B> fmt::Debug for Relay<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("tap", &self.tap).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
