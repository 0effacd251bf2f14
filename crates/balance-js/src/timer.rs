//! Waiting, by `setTimeout`.
//!
//! Invariant: a timer that is dropped is cleared, so nothing is called after its end.

use std::{
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use wasm_bindgen::prelude::*;

use crate::bell::Bell;

#[wasm_bindgen]
extern "C" {
    // Node gives an object, the others a number.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(call: &Closure<dyn FnMut()>, millis: i32) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);
}

/// Ready once its time is over.
#[derive(Debug)]
pub(crate) struct Timer {
    bell: Rc<Bell>,
    call: Closure<dyn FnMut()>,
    id: JsValue,
    /// What is left after the wait that is going on, as one wait has a longest length.
    left_millis: u64,
}

impl Timer {
    pub(crate) fn new(duration: Duration) -> Self {
        let (bell, call) = Bell::hang();
        let mut timer = Self { bell, call, id: JsValue::UNDEFINED, left_millis: 0 };
        timer.reset(duration);
        timer
    }

    /// Starts it anew.
    pub(crate) fn reset(&mut self, duration: Duration) {
        if !self.id.is_undefined() {
            clear_timeout(&self.id);
        }
        // Rounded up, so that nothing is due a moment too early.
        let millis = duration.as_nanos().div_ceil(1_000_000);
        self.left_millis = u64::try_from(millis).unwrap_or(u64::MAX);
        self.wait();
    }

    fn wait(&mut self) {
        let millis = i32::try_from(self.left_millis).unwrap_or(i32::MAX);
        self.left_millis = self.left_millis.saturating_sub(u64::from(millis.unsigned_abs()));
        self.bell.quiet();
        self.id = set_timeout(&self.call, millis);
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.left_millis > 0 && self.bell.listen(cx).is_ready() {
            self.wait();
        }
        self.bell.listen(cx)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.id);
    }
}
