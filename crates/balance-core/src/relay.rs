//! An upstream answer on its way to the caller.
//!
//! Invariant: frames that are only passed are not copied; the key that was used is in none of them;
//! the summary is reported once, at the end, and not at all if the caller leaves before it.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use balance_dialect::{
    observe::Observer,
    openai::error::ErrorObject,
    summary::{Ending, Summary, Usage},
    translate::Translator,
};
use bytes::Bytes;
use futures_channel::oneshot;
use http_body::{Body, Frame, SizeHint};

use crate::{host::BoxError, secret::Secret, veil::Veil};

/// How much translated text is gathered into one frame, if upstream has it ready.
const FRAME_BYTES: usize = 16 * 1024;

type NextFrame = Option<Result<Frame<Bytes>, BoxError>>;

/// An upstream body, looked at or translated as it passes.
pub struct Relay<B> {
    /// What was read of it to judge how it begins.
    start: VecDeque<Bytes>,
    /// The rest; `None` once it has ended.
    rest: Option<B>,
    tap: Tap,
    /// Hides the key that was used.
    veil: Veil,
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
    /// They are looked at.
    Observe(Box<Observer>),
    /// They become the caller's dialect.
    Translate(Box<Translator>),
}

impl<B> Relay<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    pub(crate) fn new(
        start: VecDeque<Bytes>,
        rest: Option<B>,
        tap: Tap,
        key: &Secret,
        report: oneshot::Sender<Summary>,
    ) -> Self {
        let veil = Veil::new(key);
        let mut relay = Self { start, rest, tap, veil, report: Some(report), farewell: None };
        relay.end_if_over();
        relay
    }

    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<NextFrame> {
        match self.tap {
            _ if self.report.is_none() => Poll::Ready(self.farewell.take()),
            Tap::Pass | Tap::Observe(_) => self.poll_passed(cx),
            Tap::Translate(_) => self.poll_translated(cx),
        }
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.report.is_none() && self.farewell.is_none()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        match (&self.tap, &self.rest) {
            (Tap::Pass, Some(rest)) if self.start.is_empty() => rest.size_hint(),
            _ if self.is_end_stream() => SizeHint::with_exact(0),
            _ => SizeHint::default(),
        }
    }

    fn poll_passed(&mut self, cx: &mut Context<'_>) -> Poll<NextFrame> {
        match ready!(self.poll_upstream(cx)) {
            Some(Ok(frame)) => {
                if let (Tap::Observe(observer), Some(data)) = (&mut self.tap, frame.data_ref()) {
                    observer.observe(data);
                }
                self.end_if_over();
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(cause)) => Poll::Ready(self.end(Some(cause))),
            None => Poll::Ready(self.end(None)),
        }
    }

    /// Gathers what upstream has ready, so that a burst of events is one write.
    fn poll_translated(&mut self, cx: &mut Context<'_>) -> Poll<NextFrame> {
        let mut out = Vec::new();
        while out.len() < FRAME_BYTES {
            let cause = match self.poll_upstream(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => match self.translate(&data, &mut out) {
                        Ok(()) => continue,
                        Err(malformed) => Some(malformed),
                    },
                    Err(_trailers) => continue,
                },
                Poll::Ready(Some(Err(cause))) => Some(cause),
                Poll::Ready(None) => None,
                Poll::Pending if out.is_empty() => return Poll::Pending,
                Poll::Pending => break,
            };
            self.farewell = self.end(cause);
            break;
        }
        if out.is_empty() {
            return Poll::Ready(self.farewell.take());
        }
        Poll::Ready(Some(Ok(Frame::data(out.into()))))
    }

    fn translate(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), BoxError> {
        match &mut self.tap {
            Tap::Translate(translator) => translator.push(data, out).map_err(Into::into),
            Tap::Pass | Tap::Observe(_) => Ok(()),
        }
    }

    fn poll_upstream(&mut self, cx: &mut Context<'_>) -> Poll<NextFrame> {
        if let Some(data) = self.start.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(self.veil.pass(data)))));
        }
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(rest).poll_frame(cx));
        let veiled = |frame: Frame<Bytes>| frame.map_data(|data| self.veil.pass(data));
        Poll::Ready(frame.map(|frame| frame.map(veiled).map_err(Into::into)))
    }

    /// Ends the answer as soon as upstream says that nothing more comes: a server that knows the
    /// length of a body does not ask again behind its last byte.
    fn end_if_over(&mut self) {
        if self.start.is_empty() && self.rest.as_ref().is_none_or(Body::is_end_stream) {
            self.farewell = self.end(None);
        }
    }

    /// Ends the answer, `cause` saying what broke it; gives what the caller is to get last. Where
    /// nothing can be said of a break, only breaking the body in turn is honest.
    fn end(&mut self, cause: Option<BoxError>) -> NextFrame {
        self.rest = None;
        self.start.clear();
        let mut words = Vec::new();
        self.release(&mut words);
        let summary = self.last_words(cause.as_ref(), &mut words);
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

    /// Lets go on what the veil held, now that no more comes behind it.
    fn release(&mut self, words: &mut Vec<u8>) {
        let held = self.veil.rest();
        match &mut self.tap {
            Tap::Pass => words.extend_from_slice(&held),
            Tap::Observe(observer) => {
                observer.observe(&held);
                words.extend_from_slice(&held);
            }
            // It ends the translation by itself if it cannot be understood.
            Tap::Translate(translator) => drop(translator.push(&held, words)),
        }
    }

    fn last_words(&mut self, cause: Option<&BoxError>, words: &mut Vec<u8>) -> Summary {
        match &mut self.tap {
            Tap::Pass => Summary {
                usage: Usage::default(),
                ending: if cause.is_some() { Ending::Truncated } else { Ending::Finished },
            },
            Tap::Observe(observer) => {
                let mut summary = observer.finish();
                if cause.is_some() && summary.ending == Ending::Finished {
                    summary.ending = Ending::Truncated;
                }
                if summary.ending == Ending::Truncated {
                    observer.interrupt(503, &broken_off(cause), words);
                }
                summary
            }
            Tap::Translate(translator) => {
                if cause.is_some() {
                    let error = ErrorObject {
                        message: &broken_off(cause),
                        kind: "server_error",
                        param: None,
                        code: Some("upstream_broke_off"),
                    };
                    translator.interrupt(&error, words);
                }
                translator.finish(words)
            }
        }
    }
}

fn broken_off(cause: Option<&BoxError>) -> String {
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
