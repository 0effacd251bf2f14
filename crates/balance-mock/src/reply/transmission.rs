//! The body on its way to the client, step by step. Invariant: the log knows at every moment how
//! much was handed over, and a body dropped before its end is recorded as the client's leaving.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::fault::Sending;
use crate::log::{Ending, Ticket};

/// One step of sending a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Hand over bytes.
    Send(Bytes),
    /// Wait until so long after the start of the body.
    Until(Duration),
    /// Wait so long.
    Pause(Duration),
    /// Let what was handed over reach the socket.
    Flush,
    /// Send nothing more, but stay connected.
    Silence,
    /// Close the connection.
    Cut,
    /// Reset the connection.
    Reset,
}

/// The TCP connection under a request, as far as a body can reach it.
#[derive(Debug, Default)]
pub(crate) struct Line {
    reset: AtomicBool,
}

impl Line {
    /// When the connection is dropped, it is reset.
    pub(crate) fn reset(&self) {
        self.reset.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_reset(&self) -> bool {
        self.reset.load(Ordering::Relaxed)
    }
}

/// Why a body or a request ended early: the script wanted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the script ends the connection here")
    }
}

impl std::error::Error for Cut {}

/// A body that is being sent.
#[derive(Debug)]
pub(crate) struct Transmission {
    steps: std::vec::IntoIter<Step>,
    length: Option<u64>,
    started: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
    ticket: Ticket,
    line: Arc<Line>,
}

impl Transmission {
    pub(crate) fn new(sending: Sending, ticket: Ticket, line: Arc<Line>) -> Self {
        let Sending { steps, length } = sending;
        let steps = steps.into_iter();
        let body = Self { steps, length, started: None, sleep: None, ticket, line };
        body.note_end();
        body
    }

    /// The last byte was handed over: from here on the client may leave.
    fn note_end(&self) {
        if self.steps.as_slice().is_empty() {
            self.ticket.end(Ending::Complete);
        }
    }

    fn wait_until(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        ready!(sleep.as_mut().poll(cx));
        self.sleep = None;
        Poll::Ready(())
    }
}

impl Body for Transmission {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let started = *self.started.get_or_insert_with(Instant::now);
        while let Some(step) = self.steps.as_slice().first().cloned() {
            match step {
                Step::Until(offset) => ready!(self.wait_until(started + offset, cx)),
                Step::Pause(time) => ready!(self.wait_until(Instant::now() + time, cx)),
                Step::Silence => return Poll::Pending,
                Step::Send(_) | Step::Flush | Step::Cut | Step::Reset => {}
            }
            self.steps.next();
            match step {
                Step::Send(bytes) => {
                    self.ticket.sent(bytes.len() as u64);
                    self.note_end();
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Step::Flush => {
                    self.note_end();
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Step::Reset => {
                    self.line.reset();
                    self.ticket.end(Ending::Cut);
                    return Poll::Ready(Some(Err(Cut)));
                }
                Step::Cut => {
                    self.ticket.end(Ending::Cut);
                    return Poll::Ready(Some(Err(Cut)));
                }
                Step::Until(_) | Step::Pause(_) | Step::Silence => {}
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.steps.as_slice().is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
