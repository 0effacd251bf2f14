//! An answer of a fake platform, whose body may still be coming.
//!
//! Invariant: what is sent into it never waits for its reader, who may be gone.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Response, StatusCode, header};
use http_body::{Body, Frame};
use tokio::sync::mpsc;

/// The answer of a function to its caller.
pub(crate) type Answered = Response<Stream>;

/// A body, piece by piece.
#[derive(Debug)]
pub(crate) struct Stream(mpsc::UnboundedReceiver<Bytes>);

impl Stream {
    /// A body, and where its pieces come from.
    pub(crate) fn new() -> (mpsc::UnboundedSender<Bytes>, Self) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (sender, Self(receiver))
    }

    /// A body that is there as a whole.
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        let (sender, stream) = Self::new();
        let bytes = bytes.into();
        if !bytes.is_empty() {
            // The receiver is there.
            let _sent = sender.send(bytes);
        }
        stream
    }
}

/// What a platform itself says.
pub(crate) fn says(status: StatusCode, message: &str) -> Answered {
    let body = serde_json::json!({ "message": message }).to_string();
    let mut answer = Response::new(Stream::whole(body));
    *answer.status_mut() = status;
    let kind = http::HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}

impl Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_closed() && self.0.is_empty()
    }
}
