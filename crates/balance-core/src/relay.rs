//! An upstream answer on its way to the caller.
//!
//! Invariant: frames that are only passed are not copied; the summary is reported once, at the end,
//! and not at all if the caller leaves before it.

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

use crate::host::BoxError;

/// How much translated text is gathered into one frame, if upstream has it ready.
const FRAME_BYTES: usize = 16 * 1024;

/// An upstream body, looked at or translated as it passes.
pub struct Relay<B> {
    /// What was read of it to judge how it begins.
    start: VecDeque<Bytes>,
    /// The rest; `None` once it has ended.
    rest: Option<B>,
    tap: Tap,
    report: Option<oneshot::Sender<Summary>>,
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
        report: oneshot::Sender<Summary>,
    ) -> Self {
        let mut relay = Self { start, rest, tap, report: Some(report) };
        relay.end_if_over();
        relay
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.tap {
            Tap::Pass | Tap::Observe(_) => self.poll_passed(cx),
            Tap::Translate(_) => self.poll_translated(cx),
        }
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        matches!(self.tap, Tap::Pass)
            && self.start.is_empty()
            && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        match (&self.tap, &self.rest) {
            (Tap::Pass, Some(rest)) if self.start.is_empty() => rest.size_hint(),
            _ => SizeHint::default(),
        }
    }

    fn poll_passed(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match ready!(self.poll_upstream(cx)) {
            Some(Ok(frame)) => {
                if let (Tap::Observe(observer), Some(data)) = (&mut self.tap, frame.data_ref()) {
                    observer.observe(data);
                }
                self.end_if_over();
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(cause)) => {
                let words = self.end(Some(&cause));
                Poll::Ready(Some(if words.is_empty() {
                    Err(cause)
                } else {
                    Ok(Frame::data(words))
                }))
            }
            None => {
                let words = self.end(None);
                Poll::Ready((!words.is_empty()).then(|| Ok(Frame::data(words))))
            }
        }
    }

    fn poll_translated(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut out = Vec::new();
        while out.len() < FRAME_BYTES {
            match self.poll_upstream(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    let Ok(data) = frame.into_data() else { continue };
                    if let Err(malformed) = self.translate(&data, &mut out) {
                        out.extend_from_slice(&self.end(Some(&malformed)));
                        break;
                    }
                }
                Poll::Ready(Some(Err(cause))) => {
                    out.extend_from_slice(&self.end(Some(&cause)));
                    break;
                }
                Poll::Ready(None) => {
                    out.extend_from_slice(&self.end(None));
                    break;
                }
                Poll::Pending if out.is_empty() => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        Poll::Ready((!out.is_empty()).then(|| Ok(Frame::data(out.into()))))
    }

    fn translate(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), BoxError> {
        match &mut self.tap {
            Tap::Translate(translator) => translator.push(data, out).map_err(Into::into),
            Tap::Pass | Tap::Observe(_) => Ok(()),
        }
    }

    fn poll_upstream(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(data) = self.start.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        match &mut self.rest {
            Some(rest) => {
                Pin::new(rest).poll_frame(cx).map(|frame| frame.map(|f| f.map_err(Into::into)))
            }
            None => Poll::Ready(None),
        }
    }

    /// Ends the answer as soon as upstream says that nothing more comes: a server that knows the
    /// length of a body does not ask again behind its last byte.
    fn end_if_over(&mut self) {
        if self.start.is_empty() && self.rest.as_ref().is_none_or(Body::is_end_stream) {
            let words = self.end(None);
            if !words.is_empty() {
                self.start.push_back(words);
            }
        }
    }

    /// Ends the answer, `cause` saying what broke it; gives the last words to the caller. No words
    /// after a cause mean that only breaking the body in turn is honest.
    fn end(&mut self, cause: Option<&BoxError>) -> Bytes {
        self.rest = None;
        self.start.clear();
        let Some(report) = self.report.take() else { return Bytes::new() };
        let mut words = Vec::new();
        let summary = match &mut self.tap {
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
                    observer.interrupt(503, &broken_off(cause), &mut words);
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
                    translator.interrupt(&error, &mut words);
                }
                translator.finish(&mut words)
            }
        };
        // The job may be gone where a platform ran none: then nobody wants to know.
        let _ = report.send(summary);
        words.into()
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
