//! One kept-alive HTTP/1.1 connection: a request as bytes in, an answer's figures out.
//!
//! Invariant: an exchange returns only when the body has ended by its own framing, so the next
//! request on the same connection starts clean.

mod chunked;

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use chunked::Chunked;

/// More header lines than any of the servers sends.
const MAX_HEADERS: usize = 64;
const READ_BYTES: usize = 64 * 1024;

/// A connection to one server.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: BytesMut,
}

/// What one exchange was like.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Bytes of the body, without its chunk framing.
    pub body_bytes: u64,
    /// From the last byte of the request to the first byte of the body.
    pub first: Duration,
    /// From the last byte of the request to the last byte of the body.
    pub whole: Duration,
}

/// Why an exchange brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The connection could not be opened, written or read.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// The server closed before the answer had ended.
    #[error("the server closed the connection before the answer ended")]
    Closed,
    /// The answer is not HTTP/1.1 as this client understands it.
    #[error("the answer is malformed: {0}")]
    Malformed(&'static str),
}

impl Connection {
    /// Connects, with Nagle's algorithm off.
    ///
    /// # Errors
    /// Where nobody listens.
    pub async fn open(address: SocketAddr) -> Result<Self, ExchangeError> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: BytesMut::with_capacity(READ_BYTES) })
    }

    /// Sends the request and reads its answer; `each` sees every piece of the body as it arrives.
    ///
    /// # Errors
    /// When the connection breaks or the answer cannot be understood; it is of no use afterwards.
    pub async fn exchange(
        &mut self,
        request: &[u8],
        mut each: impl FnMut(&[u8]),
    ) -> Result<Answer, ExchangeError> {
        self.buffer.clear();
        self.stream.write_all(request).await?;
        let sent = Instant::now();
        let head = self.head().await?;
        let mut framing = head.framing;
        let (mut body_bytes, mut first) = (0_u64, None);
        loop {
            let used = framing.push(&self.buffer, |piece| {
                first.get_or_insert_with(|| sent.elapsed());
                body_bytes += piece.len() as u64;
                each(piece);
            })?;
            if framing.ended() {
                if used < self.buffer.len() {
                    return Err(ExchangeError::Malformed("bytes after the end of the body"));
                }
                let whole = sent.elapsed();
                let first = first.unwrap_or(whole);
                return Ok(Answer { status: head.status, body_bytes, first, whole });
            }
            self.buffer.clear(); // a framing uses all it is given until it has ended
            self.read().await?;
        }
    }

    /// Reads up to the end of the head and leaves in the buffer what came after it.
    async fn head(&mut self) -> Result<Head, ExchangeError> {
        loop {
            self.read().await?;
            if let Some((head, used)) = Head::parse(&self.buffer)? {
                bytes::Buf::advance(&mut self.buffer, used);
                return Ok(head);
            }
        }
    }

    async fn read(&mut self) -> Result<(), ExchangeError> {
        self.buffer.reserve(READ_BYTES / 4);
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(ExchangeError::Closed),
            _ => Ok(()),
        }
    }
}

struct Head {
    status: u16,
    framing: Framing,
}

impl Head {
    /// The head and its length, once it is whole.
    fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, ExchangeError> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let parsed = response.parse(bytes).map_err(|_| ExchangeError::Malformed("its head"))?;
        let httparse::Status::Complete(used) = parsed else { return Ok(None) };
        let status = response.code.unwrap_or_default();
        let framing = Framing::of(status, response.headers)?;
        Ok(Some((Self { status, framing }, used)))
    }
}

/// How the end of a body is told.
enum Framing {
    Left(u64),
    Chunked(Chunked),
}

impl Framing {
    fn of(status: u16, headers: &[httparse::Header<'_>]) -> Result<Self, ExchangeError> {
        if matches!(status, 100..=199 | 204 | 304) {
            return Ok(Self::Left(0));
        }
        for header in headers {
            if header.name.eq_ignore_ascii_case("transfer-encoding") {
                return Ok(Self::Chunked(Chunked::default()));
            }
            if header.name.eq_ignore_ascii_case("content-length") {
                let length =
                    std::str::from_utf8(header.value).ok().and_then(|text| text.parse().ok());
                return length
                    .map(Self::Left)
                    .ok_or(ExchangeError::Malformed("its content-length"));
            }
        }
        Err(ExchangeError::Malformed("neither a length nor chunks"))
    }

    /// Hands the body's part of the bytes on and returns how many bytes were used.
    fn push(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) -> Result<usize, ExchangeError> {
        match self {
            Self::Left(left) => {
                let length = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                let piece = bytes.get(..length).unwrap_or_default();
                if !piece.is_empty() {
                    each(piece);
                }
                *left -= length as u64;
                Ok(length)
            }
            Self::Chunked(chunked) => chunked.push(bytes, each),
        }
    }

    fn ended(&self) -> bool {
        match self {
            Self::Left(left) => *left == 0,
            Self::Chunked(chunked) => chunked.ended(),
        }
    }
}

#[cfg(test)]
mod tests;
