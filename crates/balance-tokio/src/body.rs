//! An upstream answer that ends with an error when upstream falls silent.
//!
//! Invariant: only silence that somebody listens to counts. A slow reader is not upstream's fault,
//! so the time runs from the first poll that found nothing to the next frame.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use balance_core::host::BoxError;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::{
    answer::Answer,
    until::{self, OutOfTime},
};

/// The body of an upstream response.
#[derive(Debug)]
pub struct Body<B = Answer<Incoming>> {
    inner: B,
    silence: Silence,
}

impl<B> Body<B> {
    pub(crate) fn new(inner: B, limit: Duration) -> Self {
        Self { inner, silence: Silence { limit, end: until::end(), since: None, timer: None } }
    }
}

impl<B> http_body::Body for Body<B>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Ready(frame) => {
                self.silence.since = None;
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending => self.silence.poll(cx).map(|error| Some(Err(error))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Upstream sent nothing for this long, in the middle of an answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Silent(pub Duration);

impl fmt::Display for Silent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "upstream sent nothing for {}s", self.0.as_secs_f64())
    }
}

impl std::error::Error for Silent {}

#[derive(Debug)]
struct Silence {
    limit: Duration,
    /// When the platform ends the request.
    end: Option<Instant>,
    /// When the wait that is going on began.
    since: Option<Instant>,
    /// Made at the first wait, so that an answer that is there at once costs no timer; may be set
    /// to an earlier moment than the end of this wait.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Silence {
    /// Ready when the wait has lasted too long, or lasts to the end that the platform puts to it.
    ///
    /// Frames do not move the timer: that would cost a turn of the timer wheel for each. It is
    /// moved when it fires, at most once in `limit`.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<BoxError> {
        let silent = *self.since.get_or_insert_with(Instant::now) + self.limit;
        let end = self.end.map_or(silent, |end| end.min(silent));
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
        while timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= end {
                let is_silent = end == silent;
                return Poll::Ready(if is_silent {
                    Silent(self.limit).into()
                } else {
                    OutOfTime.into()
                });
            }
            timer.as_mut().reset(end);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, time::Duration};

    use http_body_util::{BodyExt, StreamBody};
    use tokio::{
        sync::mpsc,
        time::{sleep, timeout},
    };

    use super::*;

    type Sender = mpsc::UnboundedSender<Result<Frame<Bytes>, Infallible>>;

    const LIMIT: Duration = Duration::from_secs(10);

    fn body() -> (Sender, impl http_body::Body<Data = Bytes, Error = BoxError> + Unpin) {
        let (sender, frames) = mpsc::unbounded_channel();
        (sender, Body::new(streamed(frames), LIMIT))
    }

    fn streamed(
        mut frames: mpsc::UnboundedReceiver<Result<Frame<Bytes>, Infallible>>,
    ) -> impl http_body::Body<Data = Bytes, Error = Infallible> + Unpin {
        StreamBody::new(futures_util::stream::poll_fn(move |cx| frames.poll_recv(cx)))
    }

    fn send(sender: &Sender) {
        sender.send(Ok(Frame::data(Bytes::from_static(b"x")))).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn silence_longer_than_the_limit_is_an_error_that_says_so() {
        let (sender, mut body) = body();
        send(&sender);
        assert!(body.frame().await.unwrap().is_ok());
        let start = Instant::now();
        let error = body.frame().await.unwrap().unwrap_err();
        assert_eq!(error.to_string(), "upstream sent nothing for 10s");
        assert_eq!(start.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_ends_before_the_platform_ends_the_request() {
        let end = Instant::now() + LIMIT / 2;
        let (sender, mut body) = until::until(end, async { body() }).await;
        send(&sender);
        assert!(body.frame().await.unwrap().is_ok());
        let error = body.frame().await.unwrap().unwrap_err();
        assert!(error.is::<OutOfTime>(), "{error}");
        assert_eq!(Instant::now(), end);
    }

    #[tokio::test(start_paused = true)]
    async fn each_frame_starts_the_time_anew() {
        let (sender, mut body) = body();
        tokio::spawn(async move {
            for _ in 0..5 {
                sleep(Duration::from_secs(7)).await;
                send(&sender);
            }
            sleep(Duration::from_secs(60)).await;
            drop(sender);
        });
        for _ in 0..5 {
            assert!(body.frame().await.unwrap().is_ok());
        }
        let start = Instant::now();
        assert!(body.frame().await.unwrap().is_err());
        assert_eq!(start.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_is_not_taken_for_a_silent_upstream() {
        let (sender, mut body) = body();
        assert!(timeout(Duration::from_secs(1), body.frame()).await.is_err());
        send(&sender);
        sleep(2 * LIMIT).await;
        assert!(body.frame().await.unwrap().is_ok());
        sleep(2 * LIMIT).await;
        assert!(timeout(LIMIT / 2, body.frame()).await.is_err(), "the wait begins with the poll");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_there_at_once_sets_no_timer() {
        let (sender, frames) = mpsc::unbounded_channel();
        send(&sender);
        drop(sender);
        let mut body = Body::new(streamed(frames), LIMIT);
        while body.frame().await.is_some() {}
        assert!(body.silence.timer.is_none());
    }
}
