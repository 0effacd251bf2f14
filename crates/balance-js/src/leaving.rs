//! Learns that a caller has left.
//!
//! Invariant: the platform's signal has no listener of ours left once this is dropped.

use std::{
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use crate::bell::Bell;

/// Ready once the caller of a request has left.
#[derive(Debug)]
pub(crate) struct Leaving {
    signal: AbortSignal,
    bell: Rc<Bell>,
    _call: Closure<dyn FnMut()>,
}

impl Leaving {
    pub(crate) fn of(signal: AbortSignal) -> Self {
        let (bell, call) = Bell::hang();
        if signal.aborted() {
            bell.ring();
        }
        signal.set_onabort(Some(call.as_ref().unchecked_ref()));
        Self { signal, bell, _call: call }
    }
}

impl Future for Leaving {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.bell.listen(cx)
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.signal.set_onabort(None);
    }
}
