//! Learns that a caller has left.
//!
//! Invariant: the platform's signal has no listener of ours left once this is dropped.

use std::{
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use wasm_bindgen::prelude::*;
use web_sys::{AbortSignal, Request};

use crate::{bell::Bell, timer::Timer};

/// Nobody is watched for before this time: most answers are there by then, and to watch takes a platform a
/// good part of the time that a small answer does.
const UNWATCHED: Duration = Duration::from_millis(50);

/// Ready once the caller of a request has left.
#[derive(Debug)]
pub(crate) struct Leaving {
    request: Request,
    unwatched: Timer,
    watch: Option<Watch>,
}

impl Leaving {
    pub(crate) fn of(request: &Request) -> Self {
        Self { request: Clone::clone(request), unwatched: Timer::new(UNWATCHED), watch: None }
    }
}

impl Future for Leaving {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.watch.is_none() {
            ready!(Pin::new(&mut self.unwatched).poll(cx));
        }
        let Self { request, watch, .. } = &mut *self;
        watch.get_or_insert_with(|| Watch::over(request.signal())).bell.listen(cx)
    }
}

#[derive(Debug)]
struct Watch {
    signal: AbortSignal,
    bell: Rc<Bell>,
    _call: Closure<dyn FnMut()>,
}

impl Watch {
    fn over(signal: AbortSignal) -> Self {
        let (bell, call) = Bell::hang();
        if signal.aborted() {
            bell.ring();
        }
        signal.set_onabort(Some(call.as_ref().unchecked_ref()));
        Self { signal, bell, _call: call }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.signal.set_onabort(None);
    }
}
