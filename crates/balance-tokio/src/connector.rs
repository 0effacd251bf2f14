//! Opens connections to upstream: directly or through a proxy, with TLS where the URL asks for it.
//!
//! Invariant: name, connection, proxy and TLS together take at most [`PATIENCE`], or fail.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use balance_core::host::BoxError;
use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::{
    client::legacy::connect::{
        Connection, HttpConnector,
        proxy::{SocksV5, Tunnel},
    },
    rt::TokioIo,
};
use rustls::ClientConfig;
use tower_service::Service;

use crate::{
    cork::Corked,
    line::Line,
    proxy::{Protocol, Proxy},
};

/// How long a connection may take until it is ready for a request.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// Idle connections are probed this often, so that dead ones are found.
const TCP_KEEP_ALIVE: Duration = Duration::from_secs(60);

/// What an attempt to connect is, while it runs.
type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;
/// A connection to upstream, or to a proxy, which may itself want TLS.
pub(crate) type Wire = MaybeHttpsStream<TokioIo<Corked>>;

/// A connection to upstream, as HTTP is spoken on it.
pub(crate) type Stream = TokioIo<Line<TokioIo<MaybeHttpsStream<Wire>>>>;

/// Connects to whatever a URL names.
#[derive(Debug, Clone)]
pub(crate) struct Connector(HttpsConnector<Way>);

impl Connector {
    /// # Errors
    /// What is wrong with the credentials of the proxy.
    pub(crate) fn new(proxy: Option<&Proxy>, tls: &ClientConfig) -> Result<Self, String> {
        let mut tls_upstream = tls.clone();
        tls_upstream.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let way = Way::new(proxy, tls)?;
        Ok(Self(HttpsConnector::from((way, Arc::new(tls_upstream)))))
    }
}

impl Connector {
    /// A new connection to the server of a URL, and whether HTTP/2 was agreed on for it.
    ///
    /// # Errors
    /// What failed on the way there.
    pub(crate) async fn connect(&self, destination: Uri) -> Result<(Stream, bool), BoxError> {
        let mut https = self.0.clone();
        let connecting = async {
            poll_fn(|cx| https.poll_ready(cx)).await?;
            https.call(destination).await
        };
        let connected = tokio::time::timeout(PATIENCE, connecting).await;
        let stream = connected.map_err(|_| format!("not connected in {PATIENCE:?}"))??;
        let is_http2 = stream.connected().is_negotiated_h2();
        Ok((TokioIo::new(Line::new(TokioIo::new(stream))), is_http2))
    }
}

/// The way to a server, below TLS.
#[derive(Debug, Clone)]
pub(crate) enum Way {
    Direct(Tcp),
    Connect(Tunnel<HttpsConnector<Tcp>>),
    Socks5(SocksV5<HttpsConnector<Tcp>>),
}

impl Way {
    /// # Errors
    /// What is wrong with the credentials of the proxy.
    pub(crate) fn new(proxy: Option<&Proxy>, tls: &ClientConfig) -> Result<Self, String> {
        let Some(proxy) = proxy else { return Ok(Self::Direct(Tcp::new())) };
        let to_proxy = HttpsConnector::from((Tcp::new(), Arc::new(tls.clone())));
        let address = proxy.address.clone();
        Ok(match proxy.protocol {
            Protocol::Connect => {
                let tunnel = Tunnel::new(address, to_proxy);
                Self::Connect(match &proxy.credentials {
                    Some(credentials) => tunnel.with_auth(credentials.basic()?),
                    None => tunnel,
                })
            }
            Protocol::Socks5 => {
                let socks = SocksV5::new(address, to_proxy);
                Self::Socks5(match proxy.credentials.clone() {
                    Some(credentials) => socks.with_auth(credentials.user, credentials.password),
                    None => socks,
                })
            }
        })
    }
}

impl Way {
    /// Whether it leads through a proxy.
    pub(crate) const fn is_proxied(&self) -> bool {
        !matches!(self, Self::Direct(_))
    }

    /// A new connection to a host, by its name or its address.
    ///
    /// # Errors
    /// What failed on the way there.
    pub(crate) async fn connect(&self, host: &str, port: u16) -> Result<TokioIo<Wire>, BoxError> {
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let url = Uri::builder().scheme("http").authority(format!("{host}:{port}"));
        let url = url.path_and_query("/").build()?;
        let mut way = self.clone();
        poll_fn(|cx| way.poll_ready(cx)).await?;
        way.call(url).await.map(TokioIo::new)
    }
}

impl Service<Uri> for Way {
    type Response = Wire;
    type Error = BoxError;
    type Future = Connecting<Wire>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match self {
            Self::Direct(tcp) => tcp.poll_ready(cx),
            Self::Connect(tunnel) => tunnel.poll_ready(cx).map_err(Into::into),
            Self::Socks5(socks) => socks.poll_ready(cx).map_err(Into::into),
        }
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        match self {
            Self::Direct(tcp) => {
                let connecting = tcp.call(destination);
                Box::pin(async { Ok(connecting.await?.into()) })
            }
            Self::Connect(tunnel) => {
                let connecting = tunnel.call(with_port(destination));
                Box::pin(async { Ok(connecting.await?) })
            }
            Self::Socks5(socks) => {
                let connecting = socks.call(with_port(destination));
                Box::pin(async { Ok(connecting.await?) })
            }
        }
    }
}

/// The way without a proxy.
#[derive(Debug, Clone)]
pub(crate) struct Tcp(HttpConnector);

impl Tcp {
    fn new() -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(TCP_KEEP_ALIVE));
        Self(tcp)
    }
}

impl Service<Uri> for Tcp {
    type Response = TokioIo<Corked>;
    type Error = BoxError;
    type Future = Connecting<TokioIo<Corked>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let connecting = self.0.call(destination);
        Box::pin(async { Ok(TokioIo::new(Corked::new(connecting.await?.into_inner()))) })
    }
}

/// The same URL with its port written out: proxies are told 443 otherwise, whatever the scheme.
fn with_port(url: Uri) -> Uri {
    match (url.port(), url.scheme_str(), url.host()) {
        (None, Some("http"), Some(host)) => {
            let port_80 = Uri::builder().scheme("http").authority(format!("{host}:80"));
            port_80.path_and_query("/").build().unwrap_or(url)
        }
        _ => url,
    }
}
