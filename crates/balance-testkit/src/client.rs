//! A plain HTTP client for tests: one connection for each request, no retries, no decoding.
//!
//! Invariant: what is given back is what came over the wire.

use std::{
    convert::Infallible,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, Request, Response, header};
use http_body::Frame;
use http_body_util::{BodyExt, Either, Full, StreamBody};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

use crate::scenario::{Leaves, Received};

/// The longest that any answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a request is sent and its answer read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// The body goes out in frames of so many bytes, without its length told.
    pub cut: Option<usize>,
    /// The caller hangs up.
    pub leaves: Option<Leaves>,
}

/// Asks a server and reads its answer.
///
/// # Errors
/// When no HTTP is spoken, or nothing ends.
pub async fn ask(
    to: SocketAddr,
    request: Request<Bytes>,
    manner: Manner,
) -> Result<Received, String> {
    let start = Instant::now();
    let (having, patience) = match manner.leaves {
        Some(Leaves::Having(bytes)) => (bytes, PATIENCE),
        Some(Leaves::After(span)) => (usize::MAX, span.0),
        None => (usize::MAX, PATIENCE),
    };
    let received = match timeout(patience, exchange(to, request, manner.cut, having)).await {
        Ok(received) => received?,
        Err(_) if matches!(manner.leaves, Some(Leaves::After(_))) => Received::default(),
        Err(_) => return Err(format!("no answer within {PATIENCE:?}")),
    };
    Ok(Received { took: start.elapsed(), ..received })
}

async fn exchange(
    to: SocketAddr,
    request: Request<Bytes>,
    cut: Option<usize>,
    having: usize,
) -> Result<Received, String> {
    let start = Instant::now();
    let stream = TcpStream::connect(to).await.map_err(|error| format!("{to}: {error}"))?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    // The connection ends when the sender and the body are dropped: that is how a caller hangs up.
    let running = tokio::spawn(connection);
    let (mut head, bytes) = request.into_parts();
    let host = HeaderValue::try_from(to.to_string()).map_err(|error| error.to_string())?;
    head.headers.entry(header::HOST).or_insert(host);
    let body = match cut {
        Some(size) => {
            let frames = bytes.chunks(size.max(1)).map(Bytes::copy_from_slice);
            let frames = frames.map(|frame| Ok::<_, Infallible>(Frame::data(frame)));
            Either::Left(StreamBody::new(stream::iter(frames.collect::<Vec<_>>())))
        }
        None => Either::Right(Full::new(bytes)),
    };
    let answer = sender.send_request(Request::from_parts(head, body)).await;
    let received = read(answer.map_err(|error| error.to_string())?, having, start).await;
    running.abort();
    Ok(received)
}

async fn read(answer: Response<Incoming>, having: usize, start: Instant) -> Received {
    let (head, mut body) = answer.into_parts();
    let (status, headers) = (head.status.as_u16(), head.headers);
    let mut received = Received { status, headers, ..Received::default() };
    while received.body.len() < having {
        match body.frame().await {
            None => break,
            Some(Ok(frame)) => {
                received.body.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
                received.arrivals.push(start.elapsed());
            }
            Some(Err(error)) => {
                received.broke = Some(error.to_string());
                break;
            }
        }
    }
    received
}
