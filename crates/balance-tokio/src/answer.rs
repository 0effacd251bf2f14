//! The body of an upstream answer, with the connection that brings it.
//!
//! Invariant: the connection goes back to the idle ones when the last byte was read, and hangs up
//! if the body is dropped before.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use balance_core::host::BoxError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::{
    connection::{Http1, Seat},
    connections::Origin,
};

/// An upstream answer's body. `I` is the body of callers' requests.
#[derive(Debug)]
pub struct Answer<I> {
    body: Incoming,
    /// What drives the body; `None` once it is over or shared.
    connection: Option<Box<Http1<I>>>,
    /// Where that goes back to.
    home: Option<Arc<Origin<I>>>,
    _seat: Option<Seat>,
}

impl<I> Answer<I>
where
    I: Body<Data = Bytes, Error: Into<BoxError>> + Unpin + Send + 'static,
{
    pub(crate) fn http1(
        body: Incoming,
        connection: Option<Box<Http1<I>>>,
        home: Arc<Origin<I>>,
    ) -> Self {
        let mut answer = Self { body, connection, home: Some(home), _seat: None };
        answer.give_back_if_over();
        answer
    }

    /// Of a connection that is used once, and drives itself.
    pub(crate) const fn alone(body: Incoming) -> Self {
        Self { body, connection: None, home: None, _seat: None }
    }

    pub(crate) fn http2(body: Incoming, seat: Seat) -> Self {
        Self { body, connection: None, home: None, _seat: Some(seat) }
    }

    fn give_back_if_over(&mut self) {
        if self.body.is_end_stream() {
            self.give_back();
        }
    }

    fn give_back(&mut self) {
        if let (Some(connection), Some(home)) = (self.connection.take(), self.home.take()) {
            home.keep(connection);
        }
    }
}

impl<I> Body for Answer<I>
where
    I: Body<Data = Bytes, Error: Into<BoxError>> + Unpin + Send + 'static,
{
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        let Some(connection) = &mut this.connection else {
            return Pin::new(&mut this.body).poll_frame(cx);
        };
        let frame = connection.poll_frame(Pin::new(&mut this.body), cx);
        if connection.is_over() {
            this.connection = None;
        }
        match &frame {
            Poll::Ready(Some(Ok(_))) => this.give_back_if_over(),
            Poll::Ready(None) => this.give_back(),
            Poll::Ready(Some(Err(_))) => this.connection = None,
            Poll::Pending => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
