//! Waiting for what JavaScript promises.
//!
//! Invariant: whatever is promised is told once, under the number of the future that waits for it; if that
//! was dropped, nobody hears it.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/steps.js")]
extern "C" {
    fn listen(
        told: &Closure<dyn Fn(u32, String, JsValue)>,
        brought: &Closure<dyn Fn(u32, Vec<u8>)>,
        thrown: &Closure<dyn Fn(u32, JsValue)>,
    );
    fn follow(promise: &js_sys::Promise, number: u32);
}

/// Waits for a promise.
///
/// # Errors
/// What was thrown.
pub async fn kept(promise: &js_sys::Promise) -> Result<JsValue, JsValue> {
    match Promised::follow(promise).await? {
        Kept::Told(_, value) => Ok(value),
        Kept::Brought(_) => Ok(JsValue::UNDEFINED),
    }
}

/// What came of a promise.
#[derive(Debug)]
pub(crate) enum Kept {
    /// A value, perhaps with words about it.
    Told(String, JsValue),
    /// Bytes.
    Brought(Vec<u8>),
}

/// Ready with what was promised, or with what was thrown.
#[derive(Debug)]
pub(crate) struct Promised {
    number: u32,
}

impl Promised {
    /// Waits for what `begin` lets JavaScript tell under the number that it is given.
    pub(crate) fn by<T>(begin: impl FnOnce(u32) -> T) -> (Self, T) {
        let number = WAITING.with(Waiting::add);
        let promised = Self { number };
        (promised, begin(number))
    }

    pub(crate) fn follow(promise: &js_sys::Promise) -> Self {
        Self::by(|number| follow(promise, number)).0
    }
}

impl Future for Promised {
    type Output = Result<Kept, JsValue>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        WAITING.with(|waiting| waiting.hear(self.number, cx))
    }
}

impl Drop for Promised {
    fn drop(&mut self) {
        // Gone as a thread ends, where nobody waits any more.
        let _gone = WAITING.try_with(|waiting| waiting.numbers.borrow_mut().remove(&self.number));
    }
}

thread_local! {
    static WAITING: Waiting = Waiting::default();
}

/// Who waits in this instance of the module.
#[derive(Default)]
struct Waiting {
    last: Cell<u32>,
    numbers: RefCell<HashMap<u32, State>>,
}

enum State {
    Asked(Option<Waker>),
    Ended(Result<Kept, JsValue>),
}

impl Waiting {
    fn add(&self) -> u32 {
        let number = self.last.get().wrapping_add(1);
        if self.last.replace(number) == 0 {
            lend_ears();
        }
        self.numbers.borrow_mut().insert(number, State::Asked(None));
        number
    }

    fn hear(&self, number: u32, cx: &Context<'_>) -> Poll<Result<Kept, JsValue>> {
        let mut numbers = self.numbers.borrow_mut();
        match numbers.remove(&number) {
            Some(State::Ended(result)) => Poll::Ready(result),
            Some(State::Asked(_)) => {
                numbers.insert(number, State::Asked(Some(cx.waker().clone())));
                Poll::Pending
            }
            None => Poll::Pending,
        }
    }

    fn end(&self, number: u32, result: Result<Kept, JsValue>) {
        let waker = match self.numbers.borrow_mut().get_mut(&number) {
            Some(state) => match std::mem::replace(state, State::Ended(result)) {
                State::Asked(waker) => waker,
                State::Ended(_) => None,
            },
            None => None,
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Closures that stay, as to make some for each promise costs more than all else about it.
fn lend_ears() {
    let end = |number, result| WAITING.with(|waiting| waiting.end(number, result));
    let told = Closure::new(move |number, words, value| end(number, Ok(Kept::Told(words, value))));
    let brought = Closure::new(move |number, bytes| end(number, Ok(Kept::Brought(bytes))));
    let thrown = Closure::new(move |number, error| end(number, Err(error)));
    listen(&told, &brought, &thrown);
    told.forget();
    brought.forget();
    thrown.forget();
}
