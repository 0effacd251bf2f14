//! One connection to upstream, and one request on it.
//!
//! HTTP/1.1 has no task of its own: whoever waits for the answer drives the connection, so that a
//! request is one task from the caller's socket to upstream's. HTTP/2 is shared by many, so that a
//! task of its own drives it.
//!
//! Invariant: an HTTP/1.1 connection that is dropped hangs up; a seat on an HTTP/2 connection is
//! given back when the answer's body is dropped, and never twice.

use std::{
    fmt,
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use balance_core::host::{BoxError, Payload};
use bytes::Bytes;
use futures_util::future::Either;
use http::{HeaderValue, Request, Response, Uri, header};
use http_body::{Body, Frame};
use hyper::{
    body::Incoming,
    client::conn::{TrySendError, http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::{
    answer::Answer,
    connections::Origin,
    connector::Stream,
    driver::Driver,
    line::Ear,
    unserved::{copy, may_be_dead, unserved},
};

/// Finds out that a connection is dead before a request does.
const PING: Duration = Duration::from_secs(20);
const PONG: Duration = Duration::from_secs(10);

/// What a slow reader may leave unread in one stream.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
/// Room for all streams of a connection, so that slow readers do not hold up their neighbours.
const CONNECTION_WINDOW_BYTES: u32 = STREAM_WINDOW_BYTES * 64;

/// A connection that a request may be sent on.
#[derive(Debug)]
pub(crate) enum Connection<I> {
    /// Boxed, as it goes from hand to hand with each request.
    Http1(Box<Http1<I>>),
    Http2(Http2<I>),
}

/// Why no answer came.
#[derive(Debug)]
pub(crate) struct Lost<I> {
    pub(crate) cause: hyper::Error,
    /// The request, if upstream surely did not serve it.
    pub(crate) unserved: Option<Request<Payload<I>>>,
}

impl<I> Connection<I>
where
    I: Body<Data = Bytes, Error: Into<BoxError>> + Unpin + Send + 'static,
{
    /// Sends the request; resolves when the head of the answer is there.
    pub(crate) fn send(
        self,
        request: Request<Payload<I>>,
        home: Arc<Origin<I>>,
    ) -> impl Future<Output = Result<Response<Answer<I>>, Lost<I>>> {
        match self {
            Self::Http1(connection) => Either::Left(connection.send(request, home)),
            // Boxed, so that a request over HTTP/1.1 is not as large as both.
            Self::Http2(connection) => Either::Right(Box::pin(connection.send(request))),
        }
    }
}

/// A connection for one request at a time, driven by its user.
pub(crate) struct Http1<I> {
    sender: http1::SendRequest<Payload<I>>,
    driver: Driver,
    ear: Ear,
    /// What the server is called in `host`.
    host: HeaderValue,
}

impl<I> Http1<I>
where
    I: Body<Data = Bytes, Error: Into<BoxError>> + Unpin + Send + 'static,
{
    pub(crate) async fn begin(stream: Stream, host: HeaderValue) -> hyper::Result<Box<Self>> {
        let ear = stream.inner().ear();
        let (sender, driver) = http1::handshake(stream).await?;
        Ok(Box::new(Self { sender, driver: Driver::of(driver), ear, host }))
    }

    /// Does what there is to do on the connection; ready once it is over.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.driver.poll(cx)
    }

    /// The next piece of the body of its answer.
    pub(crate) fn poll_frame(
        &mut self,
        mut body: Pin<&mut Incoming>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        // What comes, comes by the connection, which has the waker.
        let mut none = Context::from_waker(Waker::noop());
        let mut take = |driver: &Driver| driver.aside(|| body.as_mut().poll_frame(&mut none));
        // The first piece is often there with the head.
        let (frame, _) = take(&self.driver);
        if frame.is_ready() {
            return frame;
        }
        loop {
            let is_over = self.drive(cx).is_ready();
            // Whoever takes a piece polls for the next one, whatever that calls for.
            let (frame, calls) = take(&self.driver);
            if frame.is_ready() || is_over || !calls {
                return frame;
            }
        }
    }

    pub(crate) const fn is_over(&self) -> bool {
        self.driver.is_over()
    }

    /// Whether it waits for the next request, as far as was heard, and has been used so lately that
    /// it is hardly dead.
    pub(crate) fn is_warm(&self) -> bool {
        self.sender.is_ready() && !may_be_dead(&self.ear, Instant::now())
    }

    /// Whether the next request can be sent on it; hears what came while it lay idle.
    pub(crate) fn is_ready(&mut self, cx: &mut Context<'_>) -> bool {
        self.drive(cx).is_pending() && self.sender.is_ready()
    }

    fn send(
        mut self: Box<Self>,
        mut request: Request<Payload<I>>,
        home: Arc<Origin<I>>,
    ) -> impl Future<Output = Result<Response<Answer<I>>, Lost<I>>> {
        let start = Instant::now();
        // Only then can an error say that the request was not served.
        let spare = if may_be_dead(&self.ear, start) { copy(&request) } else { None };
        let spare = spare.map(|spare| (spare, self.ear.clone()));
        self.address(&mut request);
        let (answer, _) = self.driver.aside(|| self.sender.try_send_request(request));
        async move {
            let mut answer = pin!(answer);
            let mut connection = Some(self);
            let sent = poll_fn(|cx| {
                if connection.as_mut().is_some_and(|connection| connection.drive(cx).is_ready()) {
                    connection = None;
                }
                // The answer comes by the connection, so it needs no waker of its own.
                answer.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            });
            match sent.await {
                Ok(response) => Ok(response.map(|body| Answer::http1(body, connection, home))),
                Err(error) => Err(Lost::of(error, |cause| {
                    let (spare, ear) = spare?;
                    unserved(start, &ear, cause).then_some(spare)
                })),
            }
        }
    }

    /// Writes the request's target as a server wants to see it (RFC 9112 §3.2.1).
    fn address(&self, request: &mut Request<Payload<I>>) {
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = path.map_or_else(Uri::default, Uri::from);
        request.headers_mut().entry(header::HOST).or_insert_with(|| self.host.clone());
    }
}

/// A seat on a connection that many requests share.
pub(crate) struct Http2<I> {
    sender: http2::SendRequest<Payload<I>>,
    ear: Ear,
    pub(crate) seat: Seat,
}

/// A place on a shared connection, taken until it is dropped. Counts its own clones.
#[derive(Debug, Clone)]
pub(crate) struct Seat(Arc<()>);

impl Seat {
    /// How many others there are.
    pub(crate) fn others(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

impl<I> Http2<I>
where
    I: Body<Data = Bytes, Error: Into<BoxError>> + Unpin + Send + 'static,
{
    pub(crate) async fn begin(stream: Stream) -> hyper::Result<Self> {
        let ear = stream.inner().ear();
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .keep_alive_timeout(PONG)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .handshake(stream)
            .await?;
        // It ends when the last sender is dropped, or with the connection.
        tokio::spawn(connection);
        Ok(Self { sender, ear, seat: Seat(Arc::new(())) })
    }

    /// Whether streams can be opened on it still.
    pub(crate) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    async fn send(mut self, request: Request<Payload<I>>) -> Result<Response<Answer<I>>, Lost<I>> {
        let start = Instant::now();
        let spare = copy(&request);
        match self.sender.try_send_request(request).await {
            Ok(response) => Ok(response.map(|body| Answer::http2(body, self.seat))),
            Err(error) => {
                Err(Lost::of(error, |cause| spare.filter(|_| unserved(start, &self.ear, cause))))
            }
        }
    }
}

impl<I> Clone for Http2<I> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), ear: self.ear.clone(), seat: self.seat.clone() }
    }
}

impl<I> Lost<I> {
    fn of(
        mut error: TrySendError<Request<Payload<I>>>,
        spare: impl FnOnce(&hyper::Error) -> Option<Request<Payload<I>>>,
    ) -> Self {
        // hyper hands back what it did not write.
        let unwritten = error.take_message();
        let cause = error.into_error();
        let unserved = unwritten.or_else(|| spare(&cause));
        Self { cause, unserved }
    }
}

impl<I> fmt::Debug for Http1<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http1").field("ear", &self.ear).finish_non_exhaustive()
    }
}

impl<I> fmt::Debug for Http2<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2").field("seat", &self.seat).finish_non_exhaustive()
    }
}
