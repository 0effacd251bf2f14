//! A body that tells when it is over.
//!
//! Invariant: it tells once, whether it was read to its end or dropped because the caller left.

use std::{
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
};

use balance_tokio::Outgoing;
use bytes::Bytes;
use futures_channel::oneshot;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use vercel_runtime::{Error, ResponseBody};

/// A reply's body. The platform wants one that threads could share; no two ever do, so the lock is
/// never waited for.
#[derive(Debug)]
pub(crate) struct Guarded {
    body: Mutex<Outgoing>,
    size: SizeHint,
    /// Dropped with the body.
    _over: oneshot::Sender<()>,
}

impl Guarded {
    /// The body, and what resolves when it is over.
    pub(crate) fn new(body: Outgoing) -> (Self, impl Future<Output = ()> + Send) {
        let (sender, over) = oneshot::channel();
        let size = body.size_hint();
        let ended = async move {
            // Nothing is ever sent: it resolves when the sender is gone.
            let _gone = over.await;
        };
        (Self { body: Mutex::new(body), size, _over: sender }, ended)
    }

    /// As the platform takes it.
    pub(crate) fn boxed(self) -> ResponseBody {
        ResponseBody(BodyExt::boxed(self))
    }
}

impl Body for Guarded {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let body = self.get_mut().body.get_mut().unwrap_or_else(PoisonError::into_inner);
        Pin::new(body).poll_frame(cx)
    }

    fn size_hint(&self) -> SizeHint {
        self.size
    }
}
