//! Bodies: reading the caller's, and giving the reply's.
//!
//! Invariant: plain data inside, no box around the host's body, so `Send` and `Sync` follow it. An
//! upstream answer that breaks ends with an error in its caller's dialect, or breaks in turn; it
//! never ends as if it were whole.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::{
    error::Error,
    feed::{Feed, Piece},
    host::{BoxError, Payload},
    relay::Relay,
    route::{Native, NativeMethod, Route},
    weave::Weave,
};

/// The body of a [`Reply`](crate::reply::Reply); `B` is the host's own upstream body.
#[derive(Debug)]
pub enum Body<B> {
    /// All of it.
    Full(Bytes),
    /// What a running [`Job`](crate::job::Job) makes.
    Feed(Feed),
    /// A native answer, passed on as it arrives.
    Relay(Box<Relay<B>>),
    /// Streamed answers, translated as they arrive.
    Weave(Box<Weave<B>>),
}

impl<B> http_body::Body for Body<B>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
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
            Self::Feed(feed) => {
                let bytes = |(Piece::Answer(bytes) | Piece::Aside(bytes))| Frame::data(bytes);
                Poll::Ready(ready!(feed.poll(cx)).map(|piece| piece.map(bytes)))
            }
            Self::Relay(relay) => relay.poll_frame(cx),
            Self::Weave(weave) => weave.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_empty(),
            Self::Feed(_) => false,
            Self::Relay(relay) => relay.is_end_stream(),
            Self::Weave(weave) => weave.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Feed(_) | Self::Weave(_) => SizeHint::default(),
            Self::Relay(relay) => relay.size_hint(),
        }
    }
}

/// Receives the caller's body: whole, so that another key can be tried with it, or, for the bytes
/// of an upload, as the stream that it is.
///
/// # Errors
/// [`Error::TooLarge`], as soon as that is known; [`Error::Incomplete`] if the caller breaks off.
pub(crate) async fn receive<I>(
    body: I,
    route: &Route,
    headers: &HeaderMap,
    limit: u64,
) -> Result<Payload<I>, Error>
where
    I: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    if carries_upload(route, headers) {
        return Ok(Payload::Stream(body));
    }
    if body.size_hint().lower() > limit {
        return Err(Error::TooLarge { limit });
    }
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    match Limited::new(body, most).collect().await {
        Ok(collected) => Ok(Payload::Full(collected.to_bytes())),
        Err(cause) if cause.is::<LengthLimitError>() => Err(Error::TooLarge { limit }),
        Err(cause) => Err(Error::Incomplete(cause.to_string())),
    }
}

/// Whether the body is the bytes of an upload. The commands of the resumable protocol that carry
/// none (`start`, `query`, `cancel`) are small and may be tried again.
fn carries_upload(route: &Route, headers: &HeaderMap) -> bool {
    let Route::Native(Native { method: NativeMethod::Upload, .. }) = route else { return false };
    let command = headers.get("x-goog-upload-command").and_then(|value| value.to_str().ok());
    command.is_none_or(|command| command.contains("upload"))
}
