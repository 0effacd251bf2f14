//! One try: the request that goes upstream with one key, and how its answer begins.
//!
//! Invariant: exactly one credential is sent. Nothing of an answer has reached the caller while it
//! is judged here, so whatever is wrong with it can still be tried with another key.

use std::{collections::VecDeque, future::poll_fn, pin::Pin, task::Poll};

use balance_dialect::{
    framing::Framing,
    gemini::error::ErrorBody,
    opening::{Opening, Verdict},
    summary::{Ending, Summary},
};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, Response, header, response};
use http_body_util::BodyExt;

use crate::{
    call::{Call, Credential, Via},
    classify::classify,
    fault::Fault,
    headers::GOOGLE_KEY,
    host::{BoxError, FetchError, Payload},
    key::KeyId,
    secret::Secret,
    settings::BaseUrl,
};

/// How much of an error's body is read: Google's are a few KiB.
const MOST_ERROR_BYTES: usize = 256 * 1024;

/// How much of a whole answer tells whether it is an error.
const TELLING_BYTES: usize = 32;

/// How much of an answer is read ahead of the caller.
const MOST_READY_BYTES: usize = 64 * 1024;

/// An answer that begins well.
#[derive(Debug)]
pub(crate) struct Opened<B> {
    pub(crate) head: response::Parts,
    /// What was read of the body.
    pub(crate) start: VecDeque<Bytes>,
    /// The rest; `None` if all of it was read.
    pub(crate) rest: Option<B>,
    /// How the body is cut into pieces, if it is looked at.
    pub(crate) framing: Option<Framing>,
}

impl<B> Opened<B> {
    /// Takes the head off, and says how the body is cut.
    pub(crate) fn take_head(&mut self) -> (response::Parts, Option<Framing>) {
        let (empty, ()) = Response::new(()).into_parts();
        (std::mem::replace(&mut self.head, empty), self.framing)
    }

    /// The body of an answer that came whole and in one piece; none of one that is still coming.
    pub(crate) fn all_there(&self) -> Option<Bytes> {
        let mut pieces = self.start.iter();
        let whole = pieces.next().filter(|_| self.framing == Some(Framing::Whole))?;
        (self.rest.is_none() && pieces.next().is_none()).then(|| whole.clone())
    }

    /// The body of an answer that was read as a whole.
    pub(crate) fn into_whole(mut self) -> Bytes {
        self.start.pop_front().unwrap_or_default()
    }
}

/// The request that asks `call` with a key.
///
/// # Errors
/// A fault of ours, if the call cannot be written as a request or was sent already.
pub(crate) fn request<I>(
    call: &mut Call<I>,
    key: KeyId,
    secret: &Secret,
    base_url: &BaseUrl,
) -> Result<Request<Payload<I>>, Fault> {
    let uri = base_url.join(&call.target).map_err(|_| Fault::ours("the path is no URI"))?;
    let payload = call.payload(key).ok_or_else(|| Fault::ours("a stream was sent already"))?;
    let mut request = Request::new(payload);
    *request.method_mut() = call.method.clone();
    *request.uri_mut() = uri;
    // The caller's own map goes first: it has the room that a copy would have to make.
    let spare = call.headers.clone();
    *request.headers_mut() = std::mem::replace(&mut call.headers, spare);
    show_key(request.headers_mut(), call.credential, secret)?;
    request.extensions_mut().insert(key);
    Ok(request)
}

fn show_key(headers: &mut HeaderMap, how: Credential, secret: &Secret) -> Result<(), Fault> {
    let (name, value) = match how {
        Credential::GoogleHeader => (GOOGLE_KEY, HeaderValue::from_str(secret.expose())),
        Credential::Bearer => {
            let bearer = format!("Bearer {}", secret.expose());
            (header::AUTHORIZATION, HeaderValue::try_from(bearer))
        }
    };
    let mut value = value.map_err(|_| Fault::ours("a key is no header value"))?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

/// Reads as much of an answer as it takes to judge how it begins.
///
/// # Errors
/// What is wrong with it.
pub(crate) async fn open<B>(
    response: Response<B>,
    via: &Via,
    key: &Secret,
) -> Result<Box<Opened<B>>, Fault>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    let (head, mut body) = response.into_parts();
    if head.status.is_client_error() || head.status.is_server_error() {
        let said = read_up_to(&mut body, MOST_ERROR_BYTES).await;
        return Err(classify(head.status, &head.headers, &said, key));
    }
    let framing = via.framing(&head.headers);
    let (start, rest) = match (via, framing) {
        (Via::Whole, _) => {
            let whole = body.collect().await.map_err(broken)?.to_bytes();
            (judged(whole, key)?, None)
        }
        (Via::Stream | Via::Watch(_), Some(framing @ (Framing::Sse | Framing::Array))) => {
            let empty_is_fault = matches!(via, Via::Stream);
            (begin(&mut body, framing, empty_is_fault, key).await?, Some(body))
        }
        (Via::Watch(_), Some(Framing::Whole)) => {
            let mut start = unless_error(&mut body, &head.headers, key).await?;
            let is_whole = read_ready(&mut body, &mut start).await?;
            (start, Some(body).filter(|_| !is_whole))
        }
        (Via::Pass | Via::Watch(_) | Via::Stream, _) => (VecDeque::new(), Some(body)),
    };
    Ok(Box::new(Opened { head, start, rest, framing }))
}

/// Reads a stream up to its first content.
async fn begin<B>(
    body: &mut B,
    framing: Framing,
    empty_is_fault: bool,
    key: &Secret,
) -> Result<VecDeque<Bytes>, Fault>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    let mut opening = Opening::new(framing);
    let mut start = VecDeque::new();
    loop {
        let verdict = match body.frame().await {
            Some(frame) => {
                let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
                let verdict = opening.push(&data);
                start.push_back(data);
                verdict
            }
            None => Some(opening.finish()),
        };
        match verdict {
            None => {}
            Some(Verdict::Content) => return Ok(start),
            Some(Verdict::Empty) if !empty_is_fault => return Ok(start),
            Some(Verdict::Empty) => return Err(Fault::empty()),
            Some(Verdict::Failed(error)) => return Err(Fault::from_event(&error, key)),
        }
    }
}

/// Reads the first bytes of a whole native answer; all of it, if it begins as an error does.
async fn unless_error<B>(
    body: &mut B,
    headers: &HeaderMap,
    key: &Secret,
) -> Result<VecDeque<Bytes>, Fault>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    let mut start = VecDeque::new();
    let mut read = 0;
    let mut begin = Vec::with_capacity(TELLING_BYTES);
    while read < TELLING_BYTES || (begins_as_error(&begin) && read < MOST_ERROR_BYTES) {
        let Some(frame) = body.frame().await else { break };
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        begin.extend(data.iter().take(TELLING_BYTES.saturating_sub(begin.len())));
        read += data.len();
        start.push_back(data);
    }
    if !begins_as_error(&begin) {
        return Ok(start);
    }
    let said = Bytes::from(start.iter().flatten().copied().collect::<Vec<u8>>());
    match ErrorBody::parse(&said) {
        Some(error) => {
            let status = Fault::from_event(&error, key).status;
            Err(classify(status, headers, &said, key))
        }
        None => Ok(start),
    }
}

/// Reads on while more is there already; whether that was all.
async fn read_ready<B>(body: &mut B, start: &mut VecDeque<Bytes>) -> Result<bool, Fault>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    let mut read = 0;
    poll_fn(|cx| {
        while !body.is_end_stream() {
            match Pin::new(&mut *body).poll_frame(cx) {
                Poll::Ready(Some(Err(cause))) => return Poll::Ready(Err(broken(cause))),
                Poll::Ready(Some(Ok(frame))) => start.extend(frame.into_data()),
                Poll::Ready(None) => break,
                Poll::Pending => return Poll::Ready(Ok(false)),
            }
            read += start.back().map_or(0, Bytes::len);
            if read > MOST_READY_BYTES {
                return Poll::Ready(Ok(false));
            }
        }
        Poll::Ready(Ok(true))
    })
    .await
}

/// Whether a body's first member is `error`: in an object, in an array of one, or as an event.
fn begins_as_error(head: &[u8]) -> bool {
    let mut bytes = head.iter().filter(|byte| !byte.is_ascii_whitespace() && **byte != b'[');
    let mut begins = |with: &[u8]| with.iter().all(|byte| bytes.next() == Some(byte));
    if head.trim_ascii_start().starts_with(b"data:") { true } else { begins(b"{\"error\":") }
}

/// Judges an answer that is there as a whole.
fn judged(whole: Bytes, key: &Secret) -> Result<VecDeque<Bytes>, Fault> {
    match Verdict::on_whole(&whole) {
        Verdict::Content => Ok([whole].into()),
        Verdict::Empty => Err(Fault::empty()),
        Verdict::Failed(error) => Err(Fault::from_event(&error, key)),
    }
}

/// What the end of an answer says against its key or the service; `None` if nothing.
pub(crate) fn fault_at_end(summary: &Summary, key: &Secret) -> Option<Fault> {
    match &summary.ending {
        Ending::Finished => None,
        Ending::Truncated => Some(Fault::truncated()),
        Ending::Failed(error) => Some(Fault::from_event(error, key)),
    }
}

/// The first bytes of an error's body; what breaks off is judged by what was there.
async fn read_up_to<B>(body: &mut B, most: usize) -> Bytes
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let mut read = BytesMut::new();
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        read.extend_from_slice(
            data.get(..most.saturating_sub(read.len()).min(data.len())).unwrap_or_default(),
        );
        if read.len() >= most {
            break;
        }
    }
    read.freeze()
}

fn broken(cause: impl Into<BoxError>) -> Fault {
    Fault::lost(&FetchError::Broken(cause.into()))
}
