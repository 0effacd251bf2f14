//! Visits addresses that callers or the operator name, a connection for each visit, by the proxies
//! where there are any.
//!
//! Invariant: where the reach is limited, the address that is connected to is the one that was
//! judged. A name is resolved once, here, so that it cannot lead elsewhere after it was looked at;
//! and no proxy resolves it anew.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use balance_core::{
    host::{BoxError, VisitError},
    reach::Reach,
    settings::Settings,
};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, header, uri::Scheme};
use http_body_util::Full;
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::lookup_host,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::{
    connector::{PATIENCE, Way, Wire},
    host::whole_cause,
    proxy::Proxy,
};

/// Goes to one address and back.
pub(crate) struct Visitor {
    tls: TlsConnector,
    /// Through the proxies, or directly; never empty.
    ways: Vec<Way>,
    /// How often a way was taken; they take turns.
    taken: AtomicUsize,
}

impl std::fmt::Debug for Visitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Visitor").finish_non_exhaustive()
    }
}

impl Visitor {
    /// # Errors
    /// What is wrong with a proxy.
    pub(crate) fn new(settings: &Settings, tls: &ClientConfig) -> Result<Self, String> {
        let proxies = settings.proxies.0.iter();
        let ways = proxies.map(|url| Way::new(Some(&Proxy::read(url)?), tls));
        let mut ways = ways.collect::<Result<Vec<_>, String>>()?;
        if ways.is_empty() {
            ways.push(Way::new(None, tls)?);
        }
        let tls = TlsConnector::from(Arc::new(tls.clone()));
        Ok(Self { tls, ways, taken: AtomicUsize::new(0) })
    }

    /// Sends a request and gives the head of its response; the body ends the connection.
    ///
    /// # Errors
    /// [`VisitError::OutOfReach`] before anything is sent, else why there is no response.
    pub(crate) async fn visit(
        &self,
        mut request: Request<Bytes>,
        reach: Reach,
    ) -> Result<Response<Incoming>, VisitError> {
        let uri = std::mem::take(request.uri_mut());
        let place = Place::of(&uri).ok_or_else(|| lost("that is no address"))?;
        *request.uri_mut() =
            uri.path_and_query().map_or("/", |path| path.as_str()).parse().map_err(lost)?;
        let host = HeaderValue::try_from(uri.authority().map_or("", |name| name.as_str()));
        request.headers_mut().insert(header::HOST, host.map_err(lost)?);
        let request = request.map(Full::new);
        let stream = timeout(PATIENCE, self.connect(&place, reach));
        let stream = stream.await.map_err(|_| lost(format!("not connected in {PATIENCE:?}")))??;
        if !place.is_secure {
            return exchange(stream, request).await;
        }
        let name = ServerName::try_from(place.host).map_err(lost)?;
        let secure = timeout(PATIENCE, self.tls.connect(name, stream));
        let secure = secure.await.map_err(|_| lost(format!("no TLS in {PATIENCE:?}")))?;
        exchange(secure.map_err(lost)?, request).await
    }

    /// Connects to the first of the place's addresses that is within reach and answers.
    async fn connect(&self, place: &Place, reach: Reach) -> Result<TokioIo<Wire>, VisitError> {
        let turn = self.taken.fetch_add(1, Ordering::Relaxed) % self.ways.len().max(1);
        let way = self.ways.get(turn).ok_or_else(|| lost("there is no way out"))?;
        if reach == Reach::Anywhere && way.is_proxied() {
            // Whoever may go anywhere may have the proxy look for it.
            return way.connect(&place.host, place.port).await.map_err(|error| caused(&*error));
        }
        let found = lookup_host((place.host.as_str(), place.port)).await.map_err(lost)?;
        let found: Vec<SocketAddr> = found.filter(|address| reach.admits(address.ip())).collect();
        let mut last = VisitError::OutOfReach;
        for address in found {
            match way.connect(&address.ip().to_string(), address.port()).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = caused(&*error),
            }
        }
        Err(last)
    }
}

/// Where a request goes.
struct Place {
    host: String,
    port: u16,
    is_secure: bool,
}

impl Place {
    fn of(uri: &Uri) -> Option<Self> {
        let is_secure = uri.scheme() == Some(&Scheme::HTTPS);
        let port = uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        (is_secure || uri.scheme() == Some(&Scheme::HTTP)).then_some(Self { host, port, is_secure })
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, VisitError> {
    let io = TokioIo::new(stream);
    let (mut sender, connection) = http1::handshake(io).await.map_err(|error| caused(&error))?;
    // It ends with the response's body, or with the sender and whoever waits for it.
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(|error| caused(&error))
}

fn caused(error: &dyn std::error::Error) -> VisitError {
    VisitError::Lost(whole_cause(error))
}

fn lost(cause: impl Into<BoxError>) -> VisitError {
    VisitError::Lost(cause.into())
}
