//! Tells when upstream has been silent for too long.
//!
//! Invariant: only silence that somebody listens to counts. A slow reader is not upstream's fault,
//! so the time runs from the first poll that found nothing to the next frame.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use balance_core::time::Timestamp;

use crate::{host::now, timer::Timer};

/// Upstream sent nothing for this long, in the middle of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Silent(pub(crate) Duration);

impl fmt::Display for Silent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "upstream sent nothing for {:?}", self.0)
    }
}

impl std::error::Error for Silent {}

#[derive(Debug)]
pub(crate) struct Silence {
    limit: Duration,
    /// When the wait that is going on began.
    since: Option<Timestamp>,
    /// Made at the first wait; may be set to an earlier moment than the end of this one.
    timer: Option<Timer>,
}

impl Silence {
    pub(crate) const fn longest(limit: Duration) -> Self {
        Self { limit, since: None, timer: None }
    }

    /// Something came.
    pub(crate) const fn broken(&mut self) {
        self.since = None;
    }

    /// Ready when the wait has lasted too long. Frames do not move the timer, which would
    /// read the clock for each; it is moved when it fires, at most once in `limit`.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Silent> {
        let since = *self.since.get_or_insert_with(now);
        let timer = self.timer.get_or_insert_with(|| Timer::new(self.limit));
        while Pin::new(&mut *timer).poll(cx).is_ready() {
            let left = self.limit.saturating_sub(now().since(since));
            if left.is_zero() {
                return Poll::Ready(Silent(self.limit));
            }
            *timer = Timer::new(left);
        }
        Poll::Pending
    }
}
