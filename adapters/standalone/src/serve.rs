//! Accepts connections and serves HTTP on them, until it is told to stop.
//!
//! Invariant: a caller cannot hold a connection without using it for longer than [`HEAD_LIMIT`];
//! and once stopping, what runs is finished, within [`DRAIN_LIMIT`].

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    io,
    mem::replace,
    pin::pin,
    task::Poll,
    time::Duration,
};

use anyhow::Context;
use balance_core::{host::BoxError, settings::Settings};
use balance_tokio::Corked;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::Service,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::graceful::GracefulConnection,
};
use tokio::{
    net::{TcpListener, TcpStream},
    select,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, info, warn};

use crate::signals::Signals;

/// How long a caller may take to send the head of a request, counted from the end of the one
/// before; so an idle connection is kept this long.
const HEAD_LIMIT: Duration = Duration::from_secs(60);
const HEAD_LIMIT_BYTES: usize = 64 * 1024;
/// How long requests may take to finish once the server is stopping.
const DRAIN_LIMIT: Duration = Duration::from_secs(30);
/// What an HTTP/2 caller may ask at the same time.
const STREAMS: u32 = 256;
/// Finds callers that are gone without a word.
const PING: Duration = Duration::from_secs(30);

/// Takes the address to listen on.
///
/// # Errors
/// It is taken or not ours; the error names it and the settings to change.
pub(crate) async fn listen(settings: &Settings) -> anyhow::Result<TcpListener> {
    let host = settings.host.trim_start_matches('[').trim_end_matches(']');
    let port = u16::try_from(settings.port.value()).unwrap_or(u16::MAX);
    TcpListener::bind((host, port)).await.with_context(|| {
        format!("cannot listen on port {port} of {host}. Set PORT or HOST to another")
    })
}

/// Serves callers until the first signal, then lets running requests and `tasks` finish.
pub(crate) async fn serve<S, B>(
    listener: TcpListener,
    service: S,
    tasks: TaskTracker,
    mut signals: Signals,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let door = Door::new();
    let stopping = CancellationToken::new();
    loop {
        select! {
            stream = accept(&listener) => {
                let serving = door.clone().serve(stream, service.clone(), stopping.clone());
                tasks.spawn(serving);
            }
            () = signals.next() => break,
        }
    }
    drop(listener);
    stopping.cancel();
    tasks.close();
    if !tasks.is_empty() {
        info!("stopping: {} connections and jobs are being finished", tasks.len());
    }
    select! {
        () = tasks.wait() => {}
        () = sleep(DRAIN_LIMIT) => warn!("{} connections and jobs are cut off", tasks.len()),
        () = signals.next() => warn!("{} connections and jobs are cut off", tasks.len()),
    }
}

/// The next connection.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            // Such as too many open files: it passes when others have closed theirs.
            Err(error) => {
                warn!(%error, "a connection cannot be accepted");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// How HTTP is spoken with callers.
#[derive(Debug, Clone)]
struct Door {
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
}

impl Door {
    fn new() -> Self {
        let mut http1 = http1::Builder::new();
        http1
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_LIMIT)
            .max_header_size(HEAD_LIMIT_BYTES);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(u32::try_from(HEAD_LIMIT_BYTES).unwrap_or(u32::MAX));
        Self { http1, http2 }
    }

    /// Serves one connection until it is closed or the server stops.
    async fn serve<S, B>(self, stream: TcpStream, service: S, stopping: CancellationToken)
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
        S: Send + 'static,
        S::Future: Send,
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let http2 = select! {
            http2 = timeout(HEAD_LIMIT, speaks_http2(&stream)) => http2,
            () = stopping.cancelled() => return,
        };
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "a connection is served with delays");
        }
        let stream = TokioIo::new(Corked::new(stream));
        match http2 {
            Ok(Ok(true)) => finish(self.http2.serve_connection(stream, service), stopping).await,
            Ok(Ok(false)) => finish(self.http1.serve_connection(stream, service), stopping).await,
            Ok(Err(_)) | Err(_) => {}
        }
    }
}

/// Runs a connection to its end; when the server stops, that is the end of the running requests.
async fn finish<C>(connection: C, stopping: CancellationToken)
where
    C: GracefulConnection<Error = hyper::Error>,
{
    let mut connection = pin!(connection);
    let mut stop = pin!(stopping.cancelled());
    let mut listens = false;
    let ended = poll_fn(|cx| {
        if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
            return Poll::Ready(Some(ended));
        }
        // A task's waker stays the same, so that it is to be told but once.
        let listened = replace(&mut listens, true);
        let stops =
            if listened { stopping.is_cancelled() } else { stop.as_mut().poll(cx).is_ready() };
        if stops { Poll::Ready(None) } else { Poll::Pending }
    });
    let ended = match ended.await {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "a connection ended early");
    }
}

/// Whether the caller begins with the preface of HTTP/2 (RFC 9113 §3.4), as those do who know that
/// the server speaks it. Looks at the bytes and leaves them where they are.
async fn speaks_http2(stream: &TcpStream) -> io::Result<bool> {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut start = [0; PREFACE.len()];
    loop {
        let count = stream.peek(&mut start).await?;
        let seen = start.get(..count).unwrap_or_default();
        if count == 0 || !PREFACE.starts_with(seen) {
            return Ok(false);
        }
        if seen == PREFACE {
            return Ok(true);
        }
        // Bytes that were looked at are ready still, so there is nothing to wait for but time.
        sleep(Duration::from_millis(10)).await;
    }
}

#[cfg(test)]
mod tests;
