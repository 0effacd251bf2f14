//! Streamed answers on their way into the caller's dialect: one, or several that make one.
//!
//! Invariant: each answer's summary is reported once, at its end, and not at all if the caller
//! leaves before it. When one of several breaks, the others are let go and the caller is told.

use std::{
    fmt,
    task::{Context, Poll},
};

use balance_dialect::{openai::error::ErrorObject, summary::Ending, translate::Translator};
use bytes::Bytes;
use http_body::{Body, Frame};

use crate::{
    host::BoxError,
    inflow::{Incoming, NextFrame, Strand},
    relay::broken_off,
};

/// How much translated text is gathered into one frame, if upstream has it ready.
const FRAME_BYTES: usize = 16 * 1024;

/// Upstream bodies, translated as they arrive.
pub struct Weave<B> {
    translator: Box<Translator>,
    /// One for each request, in their order; `None` once it has ended.
    strands: Vec<Option<Strand<B>>>,
}

impl<B> Weave<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    pub(crate) fn new(translator: Box<Translator>) -> Self {
        Self { translator, strands: Vec::new() }
    }

    /// Adds the answer to the next request.
    pub(crate) fn add(&mut self, strand: Strand<B>) {
        self.strands.push(Some(strand));
    }

    /// Gathers what upstream has ready, so that a burst of events is one write.
    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<NextFrame> {
        let mut out = Vec::new();
        while out.len() < FRAME_BYTES && self.poll_strands(cx, &mut out) {}
        match out.is_empty() {
            false => Poll::Ready(Some(Ok(Frame::data(out.into())))),
            true if self.is_end_stream() => Poll::Ready(None),
            true => Poll::Pending,
        }
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.strands.iter().all(Option::is_none)
    }

    /// Takes what each answer has ready; whether any had.
    fn poll_strands(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) -> bool {
        let mut moved = false;
        for lane in 0..self.strands.len() {
            let Some(Some(strand)) = self.strands.get_mut(lane) else { continue };
            let Poll::Ready(incoming) = strand.inflow.poll(cx) else { continue };
            moved = true;
            match incoming {
                Some(Ok(Incoming::Frame(frame))) => {
                    // Trailers mean nothing in another dialect.
                    let data = frame.into_data().unwrap_or_default();
                    if self.translator.push_lane(lane, &data, out).is_err() {
                        self.end(lane, None, out);
                    }
                }
                Some(Ok(Incoming::Aside(aside))) => out.extend_from_slice(&aside),
                Some(Err(cause)) => self.end(lane, Some(&cause), out),
                None => self.end(lane, None, out),
            }
        }
        moved
    }

    /// Ends an answer, `cause` saying what broke it.
    fn end(&mut self, lane: usize, cause: Option<&BoxError>, out: &mut Vec<u8>) {
        let Some(mut strand) = self.strands.get_mut(lane).and_then(Option::take) else { return };
        // If this cannot be understood, the translation ends by itself.
        let _ = self.translator.push_lane(lane, &strand.inflow.close(), out);
        if cause.is_some() {
            let error = ErrorObject {
                message: &broken_off(cause),
                kind: "server_error",
                param: None,
                code: Some("upstream_broke_off"),
            };
            self.translator.interrupt(&error, out);
        }
        let summary = self.translator.finish_lane(lane, out);
        if summary.ending != Ending::Finished {
            self.strands.fill_with(|| None);
        }
        // The job may be gone where a platform ran none: then nobody wants to know.
        let _ = strand.report.send(summary);
    }
}

impl<B> fmt::Debug for Weave<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Weave").field("strands", &self.strands.len()).finish_non_exhaustive()
    }
}
