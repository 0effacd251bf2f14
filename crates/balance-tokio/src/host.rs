//! The host: what tokio, hyper and the operating system give to a gateway.
//!
//! Invariant: a request is served upstream once or not at all. It is sent a second time only where
//! it was surely not served.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use balance_core::{
    host::{BoxError, Clock, Fetch, FetchError, Payload, Random, VisitError},
    reach::Reach,
    settings::Settings,
    time::Timestamp,
};
use bytes::Bytes;
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper_rustls::ConfigBuilderExt;
use rustls::{ClientConfig, crypto::ring};

use crate::{answer::Answer, body::Body, connection::Lost, egress::Egress, visit::Visitor};

/// How many connections one request may find dead; the next error is the request's own.
const DEAD_CONNECTIONS: usize = 8;

/// A host on tokio. `I` is the body of callers' requests, as the adapter's server hands it in.
///
/// Must be used inside a tokio runtime with time and I/O enabled.
#[derive(Debug)]
pub struct TokioHost<I = Incoming> {
    egress: Egress<I>,
    visitor: Visitor,
    /// How long an answer may be silent.
    idle: Duration,
}

impl<I> TokioHost<I>
where
    I: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin + Send + 'static,
{
    /// A host that trusts the certificate authorities that Mozilla trusts.
    ///
    /// # Errors
    /// What is wrong with a proxy, without its credentials.
    pub fn new(settings: &Settings) -> Result<Self, BoxError> {
        let tls = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()?
            .with_webpki_roots()
            .with_no_client_auth();
        Self::with_tls(settings, &tls)
    }

    /// A host with other rules for TLS: other authorities, or a client certificate.
    ///
    /// # Errors
    /// What is wrong with a proxy, without its credentials.
    pub fn with_tls(settings: &Settings, tls: &ClientConfig) -> Result<Self, BoxError> {
        Ok(Self {
            egress: Egress::new(settings, tls)?,
            visitor: Visitor::new(settings, tls)?,
            idle: settings.idle.0,
        })
    }
}

impl<I> Fetch for TokioHost<I>
where
    I: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin + Send + 'static,
{
    type Incoming = I;
    type Body = Body<Answer<I>>;

    async fn fetch(
        &self,
        mut request: Request<Payload<I>>,
    ) -> Result<Response<Self::Body>, FetchError> {
        // The version of the caller's request says nothing about upstream's.
        *request.version_mut() = Version::HTTP_11;
        let way = self.egress.pick(&request, || self.next_u64());
        let url = request.uri().clone();
        let mut dead = 0;
        loop {
            let connection = way.connection(&url, dead > 0).await;
            let (connection, home) = connection.map_err(|cause| no_connection(&*cause))?;
            match connection.send(request, home).await {
                Ok(answer) => return Ok(answer.map(|body| Body::new(body, self.idle))),
                Err(Lost { unserved: Some(again), .. }) if dead < DEAD_CONNECTIONS => {
                    request = again;
                    *request.uri_mut() = url.clone();
                    dead += 1;
                }
                Err(lost) => return Err(FetchError::Broken(whole_cause(&lost.cause))),
            }
        }
    }

    async fn visit(
        &self,
        request: Request<Bytes>,
        reach: Reach,
    ) -> Result<Response<Self::Body>, VisitError> {
        let response = self.visitor.visit(request, reach).await?;
        let answer = |body| Answer::alone(body);
        Ok(response.map(|body| Body::new(answer(body), self.idle)))
    }
}

impl<I> Clock for TokioHost<I> {
    fn now(&self) -> Timestamp {
        // A clock before 1970 counts as 1970.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_unix_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

impl<I> Random for TokioHost<I> {
    /// From a ChaCha generator of the thread, seeded by the operating system.
    fn next_u64(&self) -> u64 {
        rand::random()
    }
}

fn no_connection(error: &(dyn std::error::Error + 'static)) -> FetchError {
    FetchError::Connect(whole_cause(error))
}

/// The innermost causes say what happened ("connection refused"), the outer ones where.
pub(crate) fn whole_cause(error: &dyn std::error::Error) -> BoxError {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text.into()
}
