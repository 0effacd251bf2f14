//! Several clients side by side, so that no request waits for a free HTTP/2 stream.
//!
//! hyper's client keeps one HTTP/2 connection to a server, and servers take about a hundred streams
//! on one (RFC 9113 §6.5.2 advises no fewer; Google takes 100). A further request would wait in
//! silence until another answer has ended, which takes a model a minute. So a request takes a seat
//! in the first lane with a free one; in quiet times that is always the first lane, and its
//! connections are reused.
//!
//! Invariant: a seat is given back when the answer's body is dropped, and never twice.

use std::{sync::Arc, time::Duration};

use balance_core::host::{BoxError, Payload};
use bytes::Bytes;
use http_body::Body;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};

use crate::connector::Connector;

/// Fewer than servers allow, as they count streams that are being closed too.
const SEATS: usize = 64;
/// With more answers under way than `LANES × SEATS`, lanes are shared more tightly.
const LANES: usize = 64;

/// Shorter than the idle time-outs of common servers (nginx 75 s, Google 240 s), so that a
/// connection is rarely closed under a request.
const IDLE: Duration = Duration::from_secs(60);
/// Finds out that a connection is dead before a request does.
const PING: Duration = Duration::from_secs(20);
const PONG: Duration = Duration::from_secs(10);

/// What a slow reader may leave unread in one stream.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
/// Room for all streams of a lane, so that slow readers do not hold up their neighbours.
const CONNECTION_WINDOW_BYTES: u32 = STREAM_WINDOW_BYTES * 64;

/// The clients of one way to upstream.
#[derive(Debug)]
pub(crate) struct Lanes<I>(Box<[Lane<I>; LANES]>);

#[derive(Debug)]
struct Lane<I> {
    client: Client<Connector, Payload<I>>,
    /// Counts its own clones: one for each seat taken.
    seats: Seat,
}

/// A place in a lane, taken until it is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Seat(Arc<()>);

impl<I> Lanes<I>
where
    I: Body<Data = Bytes, Error: Into<BoxError>> + Unpin + Send + 'static,
{
    pub(crate) fn new(connector: &Connector) -> Self {
        let lane = || Lane { client: client(connector.clone()), seats: Seat(Arc::new(())) };
        Self(Box::new(std::array::from_fn(|_| lane())))
    }

    /// The client to send the next request with, and its seat there.
    pub(crate) fn seat(&self) -> (&Client<Connector, Payload<I>>, Seat) {
        let [first, ..] = &*self.0;
        let free = self.0.iter().find(|lane| lane.taken() < SEATS);
        let emptiest = || self.0.iter().min_by_key(|lane| lane.taken()).unwrap_or(first);
        let lane = free.unwrap_or_else(emptiest);
        (&lane.client, lane.seats.clone())
    }
}

impl<I> Lane<I> {
    fn taken(&self) -> usize {
        Arc::strong_count(&self.seats.0) - 1
    }
}

fn client<I>(connector: Connector) -> Client<Connector, Payload<I>>
where
    I: Body<Data = Bytes, Error: Into<BoxError>> + Unpin + Send + 'static,
{
    Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .http2_keep_alive_interval(PING)
        .http2_keep_alive_timeout(PONG)
        .http2_keep_alive_while_idle(true)
        .http2_initial_stream_window_size(STREAM_WINDOW_BYTES)
        .http2_initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .build(connector)
}
