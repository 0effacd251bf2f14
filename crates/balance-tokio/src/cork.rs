//! A TCP stream under a cork: what is written on it is held until its thread has nothing else to do.
//!
//! Why: requests and answers that came together leave together. A program on this machine that gets
//! them, as a proxy or a caller, is woken once for all of them and not for each; and events of a
//! stream that came in one piece leave in one.
//!
//! Invariant: bytes leave in the order in which they were written. Nothing is held on a thread that
//! has not called [`uncork`] yet, as it may never do so.

use std::{
    cell::RefCell,
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// The most that one stream holds; what is longer is not copied.
const HELD_BYTES: usize = 16 * 1024;
/// As many streams wait at most. With more, those who get the first would be idle for too long.
const WAITING: usize = 64;

thread_local! {
    /// The streams that wait for [`uncork`]; `None` on a thread that has not called it yet.
    static CORKED: RefCell<Option<Vec<Arc<Mutex<Sending>>>>> = const { RefCell::new(None) };
}

/// Sends what was held on this thread. To be called whenever the thread is about to wait, by
/// [`on_thread_park`](tokio::runtime::Builder::on_thread_park).
pub fn uncork() {
    // Taken out, as to send wakes tasks, and what a waker does is its own affair.
    let mut streams = CORKED.take().unwrap_or_default();
    for sending in streams.drain(..) {
        lock(&sending).send();
    }
    CORKED.set(Some(streams));
}

/// The stream.
#[derive(Debug)]
pub struct Corked {
    receiving: OwnedReadHalf,
    sending: Arc<Mutex<Sending>>,
}

/// Its sending end.
#[derive(Debug)]
struct Sending {
    wire: OwnedWriteHalf,
    held: Vec<u8>,
    /// Whether what is held leaves by [`uncork`]; otherwise it leaves by the task that writes.
    waits: bool,
    /// Of the task that wrote last.
    writer: Waker,
    /// Why what was held could not leave.
    failure: Option<io::Error>,
}

impl Corked {
    /// Puts a cork on a connection.
    #[must_use]
    pub fn new(stream: TcpStream) -> Self {
        let (receiving, wire) = stream.into_split();
        let writer = Waker::noop().clone();
        let sending = Sending { wire, held: Vec::new(), waits: false, writer, failure: None };
        Self { receiving, sending: Arc::new(Mutex::new(sending)) }
    }

    /// Whether these bytes can be held; the stream is waiting then.
    fn can_hold(&self, sending: &mut Sending, bytes: usize) -> bool {
        if sending.held.len() + bytes > HELD_BYTES {
            return false;
        }
        if !sending.waits && sending.held.is_empty() && sending.failure.is_none() {
            sending.waits = wait(&self.sending);
        }
        sending.waits
    }
}

impl Sending {
    fn hold(&mut self, slices: &[IoSlice<'_>], cx: &Context<'_>) {
        self.writer.clone_from(cx.waker());
        for slice in slices {
            self.held.extend_from_slice(slice);
        }
    }

    /// Sends as much as the system takes at once, and leaves the rest to the task.
    fn send(&mut self) {
        self.waits = false;
        if self.held.is_empty() {
            return;
        }
        match self.wire.try_write(&self.held) {
            Ok(sent) if sent == self.held.len() => return self.held.clear(),
            Ok(sent) => drop(self.held.drain(..sent)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => self.failure = Some(error),
        }
        self.writer.wake_by_ref();
    }

    /// Sends all that is held.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(error) = self.failure.take() {
            return Poll::Ready(Err(error));
        }
        while !self.held.is_empty() {
            let sent = ready!(Pin::new(&mut self.wire).poll_write(cx, &self.held))?;
            self.held.drain(..sent);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Corked {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes = slices.iter().map(|slice| slice.len()).sum();
        let mut sending = lock(&self.sending);
        if self.can_hold(&mut sending, bytes) {
            sending.hold(slices, cx);
            drop(sending);
            uncork_if_many_wait();
            return Poll::Ready(Ok(bytes));
        }
        ready!(sending.poll_send(cx))?;
        Pin::new(&mut sending.wire).poll_write_vectored(cx, slices)
    }

    /// What leaves by [`uncork`] is as good as sent: it needs no further poll.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut sending = lock(&self.sending);
        if sending.waits { Poll::Ready(Ok(())) } else { sending.poll_send(cx) }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut sending = lock(&self.sending);
        ready!(sending.poll_send(cx))?;
        Pin::new(&mut sending.wire).poll_shutdown(cx)
    }
}

impl AsyncRead for Corked {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.receiving).poll_read(cx, bytes)
    }
}

impl Connection for Corked {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// Puts a stream among those that wait, if any do on this thread.
fn wait(sending: &Arc<Mutex<Sending>>) -> bool {
    CORKED.with_borrow_mut(|corked| match corked {
        Some(streams) => {
            streams.push(Arc::clone(sending));
            true
        }
        None => false,
    })
}

fn uncork_if_many_wait() {
    let waiting = CORKED.with_borrow(|corked| corked.as_ref().map_or(0, Vec::len));
    if waiting >= WAITING {
        uncork();
    }
}

fn lock(sending: &Mutex<Sending>) -> MutexGuard<'_, Sending> {
    sending.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
