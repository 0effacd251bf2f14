//! A byte stream that remembers when upstream was last heard on it.
//!
//! Why: a connection that lies idle dies unseen, closed by upstream a moment ago or dropped by a
//! router on the way, and the next request learns it. That request was never served and may be
//! sent again, but hyper does not say so.
//!
//! Invariant: [`Ear::deaf_since`] is true only if not one byte came after the moment in question.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// When something was last heard on a connection.
#[derive(Debug, Clone)]
pub(crate) struct Ear(Arc<Heard>);

#[derive(Debug)]
struct Heard {
    opened: Instant,
    /// Milliseconds after `opened`, plus one; 0 while nothing has come.
    last: AtomicU64,
}

impl Ear {
    fn new() -> Self {
        Self(Arc::new(Heard { opened: Instant::now(), last: AtomicU64::new(0) }))
    }

    fn hear(&self) {
        let after = u64::try_from(self.0.opened.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.0.last.store(after + 1, Relaxed);
    }

    /// Whether something was heard before this moment and nothing after.
    pub(crate) fn deaf_since(&self, moment: Instant) -> bool {
        match self.0.last.load(Relaxed) {
            0 => false,
            last => self.0.opened + Duration::from_millis(last) <= moment,
        }
    }
}

/// The stream itself.
#[derive(Debug)]
pub(crate) struct Line<S> {
    stream: S,
    ear: Ear,
}

impl<S> Line<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, ear: Ear::new() }
    }

    pub(crate) fn ear(&self) -> Ear {
        self.ear.clone()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Line<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = bytes.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, bytes))?;
        if bytes.filled().len() > before {
            self.ear.hear();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Line<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }
}
