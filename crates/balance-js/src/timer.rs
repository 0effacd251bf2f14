//! Waiting, by one `setTimeout` for all timers of a place.
//!
//! Invariant: no timer rings before its time. The platform's is never set for longer than [`TURN`], so that
//! those that nobody waits for need not be cleared: setting and clearing one for each wait costs more than
//! all else about it.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    pin::{Pin, pin},
    rc::{Rc, Weak},
    task::{Context, Poll},
    time::Duration,
};

use wasm_bindgen::prelude::*;

use crate::{bell::Bell, tasks::take};

/// How often is looked whether there is still somebody who waits.
const TURN: u32 = 1_000;

#[wasm_bindgen]
extern "C" {
    // Node gives an object, the others a number.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(call: &Closure<dyn Fn()>, millis: u32) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn now() -> f64;
}

thread_local! {
    /// The wheel of what runs now.
    static WHEEL: RefCell<Rc<Wheel>> = RefCell::new(Wheel::new());
}

/// Gives a future timers of its own, for platforms that end the timers of a request with it.
pub async fn apart<T>(future: impl Future<Output = T>) -> T {
    on(Wheel::new(), future).await
}

/// Gives a future, wherever it will run, the timers of what runs now.
pub fn here<T>(future: impl Future<Output = T>) -> impl Future<Output = T> {
    on(WHEEL.with(|wheel| Rc::clone(&wheel.borrow())), future)
}

/// Forgets all timers, for a place that begins anew and was not told that the last one ended.
pub fn begin_anew() {
    WHEEL.set(Wheel::new());
}

async fn on<T>(wheel: Rc<Wheel>, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    std::future::poll_fn(move |cx| {
        let other = WHEEL.replace(Rc::clone(&wheel));
        let polled = future.as_mut().poll(cx);
        WHEEL.set(other);
        polled
    })
    .await
}

/// A moment by the clock that only goes forward, and a number that tells moments apart.
type Moment = (u64, u32);

/// Ready once its time is over.
#[derive(Debug)]
pub(crate) struct Timer {
    bell: Rc<Bell>,
    due: Moment,
    wheel: Rc<Wheel>,
}

impl Timer {
    pub(crate) fn new(duration: Duration) -> Self {
        let bell = Rc::new(Bell::default());
        let wheel = WHEEL.with(|wheel| Rc::clone(&wheel.borrow()));
        let due = wheel.add(&bell, duration);
        Self { bell, due, wheel }
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.bell.listen(cx)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.wheel.timers.borrow_mut().remove(&self.due);
    }
}

/// Timers, by when they are due.
#[derive(Debug)]
struct Wheel {
    timers: RefCell<BTreeMap<Moment, Rc<Bell>>>,
    added: Cell<u32>,
    /// The platform's timer that is set, and for when.
    set: RefCell<Option<(u64, JsValue)>>,
    call: Closure<dyn Fn()>,
}

impl Wheel {
    fn new() -> Rc<Self> {
        Rc::new_cyclic(|wheel: &Weak<Self>| {
            let wheel = Weak::clone(wheel);
            let turn = move || take(|| wheel.upgrade().into_iter().for_each(|wheel| wheel.turn()));
            let call = Closure::new(turn);
            let (timers, added, set) = Default::default();
            Self { timers, added, set, call }
        })
    }

    fn add(&self, bell: &Rc<Bell>, duration: Duration) -> Moment {
        // Rounded up, so that nothing is due a moment too early.
        let now = millis(now().ceil());
        let wait = u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        let due = (now.saturating_add(wait), self.added.get());
        self.added.set(self.added.get().wrapping_add(1));
        self.timers.borrow_mut().insert(due, Rc::clone(bell));
        self.set_for(due.0, now);
        due
    }

    /// Rings for those that are due, and sees to the others.
    fn turn(&self) {
        self.set.take();
        let now = millis(now());
        let due = {
            let mut timers = self.timers.borrow_mut();
            let later = timers.split_off(&(now + 1, 0));
            std::mem::replace(&mut *timers, later)
        };
        let next = self.timers.borrow().first_key_value().map(|((next, _), _)| *next);
        if let Some(next) = next {
            self.set_for(next, now);
        }
        due.into_values().for_each(|bell| bell.ring());
    }

    /// Sets the platform's timer, unless it rings early enough.
    fn set_for(&self, due: u64, now: u64) {
        let wait = u32::try_from(due.saturating_sub(now)).unwrap_or(u32::MAX).min(TURN);
        let at = now + u64::from(wait);
        let mut set = self.set.borrow_mut();
        if let Some((set_for, id)) = &*set {
            // One that is long overdue was lost, as happens where a platform stops and goes on.
            if *set_for <= at && now < set_for + u64::from(TURN) {
                return;
            }
            clear_timeout(id);
        }
        *set = Some((at, set_timeout(&self.call, wait)));
    }
}

impl Drop for Wheel {
    fn drop(&mut self) {
        if let Some((_, id)) = self.set.take() {
            clear_timeout(&id);
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it begins at 0")]
fn millis(now: f64) -> u64 {
    now as u64
}
