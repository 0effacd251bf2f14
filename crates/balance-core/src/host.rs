//! What the gateway asks of the place it runs in: fetch, time, chance.
//!
//! Invariant: no bound here says `Send`. A future of the core is `Send` exactly when the concrete
//! host makes it so, and only an adapter, where types are concrete, needs to know.

use std::{fmt, pin::Pin, task::Context, task::Poll, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};

use crate::{reach::Reach, time::Timestamp};

/// An error of a host, whatever its type there.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Sends one request upstream.
///
/// The gateway puts the [`KeyId`](crate::key::KeyId) of the key in use into the request's
/// extensions, so that a host with several proxies can tie a key to one of them.
/// Dropping the future, or the body of its response, must cancel the upstream request.
pub trait Fetch {
    /// A caller's request body as the door hands it in; streamed uploads pass through as it is.
    type Incoming: Body<Data = Bytes, Error: Into<BoxError>> + Unpin + 'static;
    /// The body of an upstream response. It ends with an error when upstream stays silent longer
    /// than the idle time-out: only a host has timers that a body can hold.
    type Body: Body<Data = Bytes, Error: Into<BoxError>> + Unpin + 'static;

    /// Sends the request; resolves when the head of the response is there.
    fn fetch(
        &self,
        request: Request<Payload<Self::Incoming>>,
    ) -> impl Future<Output = Result<Response<Self::Body>, FetchError>>;

    /// Sends a request to an address that is not upstream's, which a caller or the operator named;
    /// resolves when the head of the response is there. Redirections are not followed.
    ///
    /// The host asks [`Reach::admits`] about the very address that it connects to. One whose
    /// platform resolves names out of its sight asks about addresses that are written as such, and
    /// must run where nothing but the open network can be reached.
    fn visit(
        &self,
        request: Request<Bytes>,
        reach: Reach,
    ) -> impl Future<Output = Result<Response<Self::Body>, VisitError>>;
}

/// Tells the time and lets it pass.
pub trait Clock {
    /// The time now.
    fn now(&self) -> Timestamp;
    /// Resolves after `duration`.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()>;
}

/// Gives random numbers.
pub trait Random {
    /// A number, uniform over all of `u64`, that a caller cannot predict.
    fn next_u64(&self) -> u64;
}

/// A place to run in: all three at once.
pub trait Host: Fetch + Clock + Random {}

impl<T: Fetch + Clock + Random> Host for T {}

/// The body of a request to upstream.
#[derive(Debug)]
pub enum Payload<I> {
    /// All of it, so that another key can be tried with the same bytes.
    Full(Bytes),
    /// The caller's own stream, passed on as it arrives; it can be sent once.
    Stream(I),
}

impl<I> Body for Payload<I>
where
    I: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.get_mut() {
            Self::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Stream(stream) => {
                Pin::new(stream).poll_frame(cx).map(|frame| frame.map(|f| f.map_err(Into::into)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_empty(),
            Self::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream(stream) => stream.size_hint(),
        }
    }
}

/// Why no response came.
#[derive(Debug)]
pub enum FetchError {
    /// No connection: name not resolved, refused, proxy or TLS failed. Nothing was sent.
    Connect(BoxError),
    /// The connection broke, or upstream spoke no HTTP, after the request was under way.
    Broken(BoxError),
    /// No response in time.
    TimedOut(Duration),
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(cause) => write!(f, "no connection to upstream: {cause}"),
            Self::Broken(cause) => write!(f, "the upstream connection broke: {cause}"),
            Self::TimedOut(limit) => write!(f, "upstream sent nothing for {limit:?}"),
        }
    }
}

impl std::error::Error for FetchError {}

/// Why no response came from an address that is not upstream's.
#[derive(Debug)]
pub enum VisitError {
    /// The address must not be reached. Nothing was sent.
    OutOfReach,
    /// It was not reached, or gave no answer, for this reason.
    Lost(BoxError),
}

impl fmt::Display for VisitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfReach => f.write_str("the address is not on the open network"),
            Self::Lost(cause) => cause.fmt(f),
        }
    }
}

impl std::error::Error for VisitError {}
