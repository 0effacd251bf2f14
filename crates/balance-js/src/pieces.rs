//! The body of a reply as a stream of the web's.
//!
//! Invariant: nothing is taken from the body before somebody wants it, and it is dropped at its end and
//! when its reader leaves.
//!
//! wasm-streams does the same, but brings three classes for JavaScript where one is needed, and each stays
//! in the module.

use std::{
    cell::RefCell,
    fmt,
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use balance_core::host::BoxError;
use bytes::Bytes;
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::ReadableStream;

use crate::{promise::promise, tasks::take};

#[wasm_bindgen(module = "/src/steps.js")]
extern "C" {
    fn stream(pieces: Pieces) -> ReadableStream;
}

/// The next piece, or `undefined` at the end.
type Next = dyn FnMut(&mut Context<'_>) -> Poll<Result<JsValue, JsValue>>;

/// The pieces of a body that are left; none behind its end.
#[wasm_bindgen]
pub struct Pieces(Rc<RefCell<Option<Box<Next>>>>);

impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pieces")
    }
}

#[wasm_bindgen]
impl Pieces {
    /// Promises the next piece, or `undefined` at the end.
    pub fn next(&self) -> Promise {
        let left = Rc::clone(&self.0);
        let next = poll_fn(move |cx| {
            let mut left = left.borrow_mut();
            let Some(next) = left.as_mut() else { return Poll::Ready(Ok(JsValue::UNDEFINED)) };
            let piece = ready!(next(cx));
            if !piece.as_ref().is_ok_and(|piece| !piece.is_undefined()) {
                *left = None;
            }
            Poll::Ready(piece)
        });
        take(|| promise(next))
    }

    /// Nobody wants more.
    pub fn leave(&self) {
        take(|| drop(self.0.take()));
    }
}

/// A body as a stream, which is pulled.
pub(crate) fn to_stream<B>(mut body: B) -> ReadableStream
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin + 'static,
{
    let next = move |cx: &mut Context<'_>| loop {
        let Some(frame) = ready!(Pin::new(&mut body).poll_frame(cx)) else {
            return Poll::Ready(Ok(JsValue::UNDEFINED));
        };
        let frame = frame.map_err(|error| JsError::new(&error.into().to_string()))?;
        let bytes = frame.into_data().unwrap_or_default();
        if !bytes.is_empty() {
            return Poll::Ready(Ok(Uint8Array::from(&*bytes).into()));
        }
    };
    stream(Pieces(Rc::new(RefCell::new(Some(Box::new(next))))))
}
