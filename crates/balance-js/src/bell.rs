//! A call out of JavaScript that wakes a future: a timer's end, a caller's leave.
//!
//! Invariant: it is heard, however much later than it rang.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    task::{Context, Poll, Waker},
};

use wasm_bindgen::closure::Closure;

use crate::tasks::take;

/// Rung from JavaScript, heard by one future.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rang: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Bell {
    /// A bell, and the function that rings it.
    pub(crate) fn hang() -> (Rc<Self>, Closure<dyn FnMut()>) {
        let bell = Rc::new(Self::default());
        let ringing = Rc::clone(&bell);
        (bell, Closure::new(move || take(|| ringing.ring())))
    }

    pub(crate) fn ring(&self) {
        self.rang.set(true);
        let waker = self.waker.borrow_mut().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Ready once it rang.
    pub(crate) fn listen(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.rang.get() {
            return Poll::Ready(());
        }
        *self.waker.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }
}
