//! The connections of one way to upstream: which of them the next request goes by.
//!
//! HTTP/2 connections are shared, but not by more requests than servers surely take: they take
//! about a hundred streams on one (RFC 9113 §6.5.2 advises no fewer; Google takes 100), and a
//! further request would wait in silence until another answer has ended, which takes a model a
//! minute. In quiet times that is one connection.
//!
//! Invariant: an HTTP/1.1 connection is used by one request at a time and is idle when its answer
//! was read to the end; what is idle for [`IDLE`] is closed.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Waker},
    time::{Duration, Instant},
};

use balance_core::host::BoxError;
use bytes::Bytes;
use http::{
    HeaderValue, Uri,
    uri::{Authority, Scheme},
};
use http_body::Body;

use crate::{
    connection::{Connection, Http1, Http2},
    connector::Connector,
};

/// Fewer than servers allow, as they count streams that are being closed too.
const SEATS: usize = 64;
/// With more answers under way than on so many connections, seats are shared more tightly.
const MOST_SHARED: usize = 64;

/// Shorter than the idle time-outs of common servers (nginx 75 s, Google 240 s), so that a
/// connection is rarely closed under a request.
const IDLE: Duration = Duration::from_secs(60);

/// The connections of one way, by the server they lead to.
#[derive(Debug)]
pub(crate) struct Connections<I> {
    connector: Connector,
    origins: Mutex<Vec<Arc<Origin<I>>>>,
}

/// The connections to one server.
#[derive(Debug)]
pub(crate) struct Origin<I> {
    scheme: Scheme,
    authority: Authority,
    /// The server's name, as requests show it.
    host: HeaderValue,
    /// Never held over an await.
    open: Mutex<Open<I>>,
}

#[derive(Debug)]
struct Open<I> {
    /// Idle, the one used last at the end, each with the moment since when.
    http1: Vec<(Box<Http1<I>>, Instant)>,
    /// In use or idle, each with the moment it was last taken.
    http2: Vec<(Http2<I>, Instant)>,
    /// Whether a task closes what is idle for too long.
    is_swept: bool,
}

impl<I> Connections<I>
where
    I: Body<Data = Bytes, Error: Into<BoxError>> + Unpin + Send + 'static,
{
    pub(crate) fn new(connector: Connector) -> Self {
        Self { connector, origins: Mutex::default() }
    }

    /// A connection to the server of a URL, and where it belongs when it is idle: one that is
    /// there, or a new one. Who is wary, having been given a dead one, gets none that was not
    /// listened to.
    ///
    /// # Errors
    /// Why there can be no connection.
    pub(crate) async fn connection(
        &self,
        url: &Uri,
        is_wary: bool,
    ) -> Result<(Connection<I>, Arc<Origin<I>>), BoxError> {
        let origin = self.origin(url).ok_or("a URL wants a scheme and a host")?;
        if let Some(connection) = origin.take(is_wary) {
            return Ok((connection, origin));
        }
        // Boxed, as it is seldom needed and larger than all else that a request keeps.
        Ok((Box::pin(self.connect(&origin, url)).await?, origin))
    }

    async fn connect(&self, origin: &Arc<Origin<I>>, url: &Uri) -> Result<Connection<I>, BoxError> {
        let (stream, is_http2) = self.connector.connect(url.clone()).await?;
        if !is_http2 {
            return Ok(Connection::Http1(Http1::begin(stream, origin.host.clone()).await?));
        }
        // Of many that connected at the same time, one connection is kept.
        let shared = origin.open().seat();
        Ok(Connection::Http2(match shared {
            Some(connection) => connection,
            None => origin.share(Http2::begin(stream).await?),
        }))
    }

    fn origin(&self, url: &Uri) -> Option<Arc<Origin<I>>> {
        let (scheme, authority) = (url.scheme()?, url.authority()?);
        let mut origins = lock(&self.origins);
        let known = origins.iter().find(|known| known.is(scheme, authority));
        if let Some(origin) = known {
            return Some(origin.clone());
        }
        origins.retain(|known| Arc::strong_count(known) > 1 || !known.open().is_empty());
        let origin = Arc::new(Origin::new(scheme, authority)?);
        origins.push(origin.clone());
        Some(origin)
    }
}

impl<I> Origin<I>
where
    I: Body<Data = Bytes, Error: Into<BoxError>> + Unpin + Send + 'static,
{
    fn new(scheme: &Scheme, authority: &Authority) -> Option<Self> {
        let name = authority.as_str().rsplit('@').next().unwrap_or_default();
        let standard = if *scheme == Scheme::HTTPS { ":443" } else { ":80" };
        let host = HeaderValue::from_str(name.strip_suffix(standard).unwrap_or(name)).ok()?;
        let open = Open { http1: Vec::new(), http2: Vec::new(), is_swept: false };
        Some(Self {
            scheme: scheme.clone(),
            authority: authority.clone(),
            host,
            open: Mutex::new(open),
        })
    }

    fn is(&self, scheme: &Scheme, authority: &Authority) -> bool {
        self.scheme == *scheme && self.authority == *authority
    }

    /// Keeps a connection whose answer was read to the end.
    pub(crate) fn keep(self: &Arc<Self>, connection: Box<Http1<I>>) {
        let mut open = self.open();
        open.http1.push((connection, Instant::now()));
        self.sweep(&mut open);
    }

    fn share(self: &Arc<Self>, connection: Http2<I>) -> Http2<I> {
        let mut open = self.open();
        open.http2.push((connection.clone(), Instant::now()));
        self.sweep(&mut open);
        connection
    }

    /// A connection that is there.
    fn take(&self, is_wary: bool) -> Option<Connection<I>> {
        loop {
            let idle = self.open().http1.pop();
            let Some((mut connection, _)) = idle else { break };
            // A request on one that has just died comes back unsent, so that is left to chance.
            let is_warm = !is_wary && connection.is_warm();
            // Whoever uses it next gives it a waker of its own.
            if is_warm || connection.is_ready(&mut Context::from_waker(Waker::noop())) {
                return Some(Connection::Http1(connection));
            }
        }
        self.open().seat().map(Connection::Http2)
    }

    /// Sees to it that somebody closes what is idle for too long.
    fn sweep(self: &Arc<Self>, open: &mut Open<I>) {
        if std::mem::replace(&mut open.is_swept, true) {
            return;
        }
        let origin = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(IDLE).await;
                let Some(origin) = origin.upgrade() else { break };
                let mut open = origin.open();
                open.close_idle(Instant::now());
                if open.is_empty() {
                    open.is_swept = false;
                    break;
                }
            }
        });
    }
}

impl<I> Origin<I> {
    fn open(&self) -> MutexGuard<'_, Open<I>> {
        lock(&self.open)
    }
}

impl<I> Open<I> {
    const fn is_empty(&self) -> bool {
        self.http1.is_empty() && self.http2.is_empty()
    }
}

impl<I> Open<I>
where
    I: Body<Data = Bytes, Error: Into<BoxError>> + Unpin + Send + 'static,
{
    /// A seat on the first shared connection with a free one; `None` if a new connection is better.
    fn seat(&mut self) -> Option<Http2<I>> {
        self.http2.retain(|(connection, _)| connection.is_open());
        let free = self.http2.iter().position(|(connection, _)| connection.seat.others() < SEATS);
        let emptiest = self.http2.iter().enumerate();
        let emptiest = emptiest.min_by_key(|(_, (connection, _))| connection.seat.others());
        let emptiest = emptiest.map(|(n, _)| n).filter(|_| self.http2.len() >= MOST_SHARED);
        let (connection, taken) = self.http2.get_mut(free.or(emptiest)?)?;
        *taken = Instant::now();
        Some(connection.clone())
    }

    fn close_idle(&mut self, now: Instant) {
        let fresh = |since: &Instant| now.duration_since(*since) < IDLE;
        self.http1.retain(|(_, since)| fresh(since));
        self.http2.retain(|(shared, taken)| {
            shared.is_open() && (shared.seat.others() > 0 || fresh(taken))
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in here is left half done by a panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
