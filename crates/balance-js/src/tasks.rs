//! Runs futures, in the calls from JavaScript that let them go on.
//!
//! Invariant: whatever is woken is polled before the call is over that woke it, or in a microtask of its own if
//! no such call was announced. What JavaScript throws through a poll ends this one future, and holds up no other.
//!
//! wasm-bindgen-futures polls each future in a microtask of its own, also when the call that wakes it has
//! nothing else to do; a request has four such turns.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Wake, Waker},
};

use wasm_bindgen::prelude::*;

use crate::slots::{Number, Slots};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = queueMicrotask)]
    fn queue_microtask(call: &Closure<dyn Fn()>);
}

/// Lets a future go on from now until it ends.
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    TASKS.with(|tasks| tasks.add(Box::pin(future)));
}

/// Takes a call from JavaScript: what it wakes goes on before it is over.
pub(crate) fn take<T>(call: impl FnOnce() -> T) -> T {
    TASKS.with(|tasks| tasks.take(call))
}

thread_local! {
    static TASKS: Tasks = Tasks::default();
}

enum Task {
    Waiting(Pin<Box<dyn Future<Output = ()>>>),
    Polled { is_woken: bool },
}

/// The futures of this instance of the module.
#[derive(Default)]
struct Tasks {
    tasks: RefCell<Slots<Task>>,
    woken: RefCell<VecDeque<Number>>,
    /// Whether a call is being taken, whose end sees to those that are woken.
    is_taking: Cell<bool>,
    turn: RefCell<Option<Closure<dyn Fn()>>>,
}

impl Tasks {
    fn add(&self, future: Pin<Box<dyn Future<Output = ()>>>) {
        let number = self.tasks.borrow_mut().add(Task::Waiting(future));
        self.wake(number);
    }

    fn wake(&self, number: Number) {
        self.woken.borrow_mut().push_back(number);
        if !self.is_taking.get() {
            let mut turn = self.turn.borrow_mut();
            queue_microtask(turn.get_or_insert_with(|| Closure::new(|| take(|| {}))));
        }
    }

    /// It polls even if another call seems to be taken: that one may have been thrown out of.
    fn take<T>(&self, call: impl FnOnce() -> T) -> T {
        let was_taking = self.is_taking.replace(true);
        let value = call();
        loop {
            // Not borrowed while it is polled, as it may wake others.
            let Some(number) = self.woken.borrow_mut().pop_front() else { break };
            self.poll(number);
        }
        self.is_taking.set(was_taking);
        value
    }

    fn poll(&self, number: Number) {
        let Some(mut future) = self.begin(number) else { return };
        let waker = Waker::from(Arc::new(ByNumber(number)));
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        let mut tasks = self.tasks.borrow_mut();
        if polled.is_ready() {
            tasks.remove(number);
        } else if let Some(task) = tasks.get(number) {
            if let Task::Polled { is_woken: true } = task {
                self.woken.borrow_mut().push_back(number);
            }
            *task = Task::Waiting(future);
        }
    }

    /// The future, unless it has ended or is being polled.
    fn begin(&self, number: Number) -> Option<Pin<Box<dyn Future<Output = ()>>>> {
        let mut tasks = self.tasks.borrow_mut();
        let task = tasks.get(number)?;
        match std::mem::replace(task, Task::Polled { is_woken: false }) {
            Task::Waiting(future) => Some(future),
            Task::Polled { .. } => {
                *task = Task::Polled { is_woken: true };
                None
            }
        }
    }
}

/// Wakes a future by its number, as no future may be where other threads might see it.
struct ByNumber(Number);

impl Wake for ByNumber {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Gone as a thread ends, where nobody waits any more.
        let _gone = TASKS.try_with(|tasks| tasks.wake(self.0));
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, rc::Rc, task::Poll};

    use super::*;

    /// A future that writes down each of its polls, and ends with the last of them.
    fn noting(name: char, polls: usize, notes: &Rc<RefCell<String>>, waker: &Place) {
        let (notes, waker) = (Rc::clone(notes), Rc::clone(waker));
        let mut left = polls;
        spawn(poll_fn(move |cx| {
            notes.borrow_mut().push(name);
            left -= 1;
            *waker.borrow_mut() = Some(cx.waker().clone());
            if left == 0 { Poll::Ready(()) } else { Poll::Pending }
        }));
    }

    type Place = Rc<RefCell<Option<Waker>>>;

    #[test]
    fn a_future_begins_at_once_and_goes_on_within_the_call_that_wakes_it() {
        let (notes, waker) = (Rc::default(), Place::default());
        take(|| noting('a', 2, &notes, &waker));
        assert_eq!(*notes.borrow(), "a");
        take(|| {
            waker.borrow().as_ref().unwrap().wake_by_ref();
            assert_eq!(*notes.borrow(), "a", "not before what was told is all told");
        });
        assert_eq!(*notes.borrow(), "aa");
        take(|| waker.borrow().as_ref().unwrap().wake_by_ref());
        assert_eq!(*notes.borrow(), "aa", "it has ended");
    }

    #[test]
    fn what_a_future_wakes_and_begins_waits_for_the_end_of_its_poll() {
        let (notes, waker) = (Rc::default(), Place::default());
        take(|| noting('a', 2, &notes, &waker));
        let (inner, woken) = (Rc::clone(&notes), Rc::clone(&waker));
        let future = async move {
            inner.borrow_mut().push('(');
            woken.borrow().as_ref().unwrap().wake_by_ref();
            noting('b', 1, &inner, &Place::default());
            inner.borrow_mut().push(')');
        };
        take(|| spawn(future));
        assert_eq!(*notes.borrow(), "a()ab");
    }

    #[test]
    fn a_future_that_is_woken_by_a_call_in_its_poll_is_polled_again() {
        let notes = Rc::new(RefCell::new(String::new()));
        let inner = Rc::clone(&notes);
        let mut is_first = true;
        let future = poll_fn(move |cx| {
            inner.borrow_mut().push('a');
            take(|| cx.waker().wake_by_ref());
            if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }
        });
        take(|| spawn(future));
        assert_eq!(*notes.borrow(), "aa");
    }
}
