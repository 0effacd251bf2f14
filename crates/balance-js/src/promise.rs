//! Waiting for what JavaScript promises.
//!
//! Invariant: whatever is promised is told once, under the number of the future that waits for it; if that
//! was dropped, nobody hears it.

use std::{
    cell::{Cell, RefCell},
    pin::Pin,
    task::{Context, Poll, Waker},
};

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

use crate::{
    slots::{Number, Slots},
    tasks::{spawn, take},
};

#[wasm_bindgen(module = "/src/steps.js")]
extern "C" {
    fn listen(
        told: &Closure<dyn Fn(f64, String, JsValue)>,
        brought: &Closure<dyn Fn(f64, Vec<u8>)>,
        thrown: &Closure<dyn Fn(f64, JsValue)>,
    );
    fn follow(promise: &Promise, number: f64);
}

/// Waits for a promise.
///
/// # Errors
/// What was thrown.
pub async fn kept(promise: &Promise) -> Result<JsValue, JsValue> {
    match Promised::follow(promise).await? {
        Kept::Told(_, value) => Ok(value),
        Kept::Brought(_) => Ok(JsValue::UNDEFINED),
    }
}

/// Begins a future at once and tells what comes of it by a call of `resolve`, or of `reject` with what was thrown.
pub fn resolve_by<T: Into<JsValue> + 'static>(
    future: impl Future<Output = Result<T, JsValue>> + 'static,
    resolve: Function,
    reject: Function,
) {
    take(|| spawn(told(future, resolve, reject)));
}

/// Begins a future and promises what comes of it.
pub fn promise<T: Into<JsValue> + 'static>(
    future: impl Future<Output = Result<T, JsValue>> + 'static,
) -> Promise {
    let mut future = Some(future);
    // It is called once.
    Promise::new(&mut |resolve, reject| {
        if let Some(future) = future.take() {
            spawn(told(future, resolve, reject));
        }
    })
}

async fn told<T: Into<JsValue>>(
    future: impl Future<Output = Result<T, JsValue>>,
    resolve: Function,
    reject: Function,
) {
    let (tell, value) = match future.await {
        Ok(value) => (resolve, value.into()),
        Err(thrown) => (reject, thrown),
    };
    // Whether they throw is no matter of ours.
    let _told = tell.call1(&JsValue::UNDEFINED, &value);
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
    number: Number,
}

impl Promised {
    /// Waits for what `begin` lets JavaScript tell under the number that it is given.
    pub(crate) fn by<T>(begin: impl FnOnce(f64) -> T) -> (Self, T) {
        let number = WAITING.with(Waiting::add);
        let promised = Self { number };
        (promised, begin(number.into()))
    }

    pub(crate) fn follow(promise: &Promise) -> Self {
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
        let _gone = WAITING.try_with(|waiting| waiting.numbers.borrow_mut().remove(self.number));
    }
}

thread_local! {
    static WAITING: Waiting = Waiting::default();
}

/// Who waits in this instance of the module.
#[derive(Default)]
struct Waiting {
    numbers: RefCell<Slots<State>>,
    has_ears: Cell<bool>,
}

enum State {
    Asked(Option<Waker>),
    Ended(Result<Kept, JsValue>),
    Heard,
}

impl Waiting {
    fn add(&self) -> Number {
        if !self.has_ears.replace(true) {
            lend_ears();
        }
        self.numbers.borrow_mut().add(State::Asked(None))
    }

    fn hear(&self, number: Number, cx: &Context<'_>) -> Poll<Result<Kept, JsValue>> {
        let mut numbers = self.numbers.borrow_mut();
        let Some(state) = numbers.get(number) else { return Poll::Pending };
        match std::mem::replace(state, State::Heard) {
            State::Ended(result) => Poll::Ready(result),
            State::Asked(_) => {
                *state = State::Asked(Some(cx.waker().clone()));
                Poll::Pending
            }
            State::Heard => Poll::Pending,
        }
    }

    fn end(&self, number: f64, result: Result<Kept, JsValue>) {
        let asked = {
            let mut numbers = self.numbers.borrow_mut();
            let Some(state) = numbers.get(number.into()) else { return };
            std::mem::replace(state, State::Ended(result))
        };
        if let State::Asked(Some(waker)) = asked {
            waker.wake();
        }
    }
}

/// Closures that stay, as to make some for each promise costs more than all else about it.
fn lend_ears() {
    let end = |number, result| take(|| WAITING.with(|waiting| waiting.end(number, result)));
    let told = Closure::new(move |number, words, value| end(number, Ok(Kept::Told(words, value))));
    let brought = Closure::new(move |number, bytes| end(number, Ok(Kept::Brought(bytes))));
    let thrown = Closure::new(move |number, error| end(number, Err(error)));
    listen(&told, &brought, &thrown);
    told.forget();
    brought.forget();
    thrown.forget();
}
