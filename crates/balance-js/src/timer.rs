//! Waiting, by one `setTimeout` for all timers of a place.
//!
//! Invariant: no timer rings before its time. The platform's is never set for longer than [`TURN`], so that
//! those that nobody waits for need not be cleared: setting and clearing one for each wait costs more than
//! all else about it.

use std::{
    cell::RefCell,
    pin::{Pin, pin},
    rc::{Rc, Weak},
    task::{Context, Poll, Waker},
    time::Duration,
};

use balance_core::time::millis;
use wasm_bindgen::prelude::*;

use crate::{
    slots::{Number, Slots},
    tasks::take,
};

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

/// Ready once its time is over.
#[derive(Debug)]
pub(crate) struct Timer {
    number: Number,
    wheel: Rc<Wheel>,
}

impl Timer {
    pub(crate) fn new(duration: Duration) -> Self {
        let wheel = WHEEL.with(|wheel| Rc::clone(&wheel.borrow()));
        let number = wheel.add(duration);
        Self { number, wheel }
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut waits = self.wheel.waits.borrow_mut();
        // It is taken away when it rings.
        let Some(wait) = waits.get(self.number) else { return Poll::Ready(()) };
        wait.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.wheel.waits.borrow_mut().remove(self.number);
    }
}

/// A timer that has not rung.
#[derive(Debug)]
struct Wait {
    /// By the clock that only goes forward.
    due_millis: u64,
    waker: Option<Waker>,
}

/// The timers of a place. All are looked through when the platform's timer rings, which is hardly ever beside how
/// often some come and go.
#[derive(Debug)]
struct Wheel {
    waits: RefCell<Slots<Wait>>,
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
            let (waits, set) = Default::default();
            Self { waits, set, call }
        })
    }

    fn add(&self, duration: Duration) -> Number {
        // Rounded up, so that nothing is due a moment too early.
        let now = whole(now().ceil());
        let due_millis = now.saturating_add(millis(duration));
        self.set_for(due_millis, now);
        self.waits.borrow_mut().add(Wait { due_millis, waker: None })
    }

    /// Rings for those that are due, and sees to the others.
    fn turn(&self) {
        self.set.take();
        let now = whole(now());
        let due = self.waits.borrow_mut().remove_if(|wait| wait.due_millis <= now);
        let next = self.waits.borrow().values().map(|wait| wait.due_millis).min();
        if let Some(next) = next {
            self.set_for(next, now);
        }
        due.into_iter().filter_map(|wait| wait.waker).for_each(Waker::wake);
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

/// Whole milliseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it begins at 0")]
fn whole(now: f64) -> u64 {
    now as u64
}
