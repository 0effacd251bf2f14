//! Runs futures, in the calls from JavaScript that let them go on.
//!
//! Invariant: no future is polled within the poll of another; whatever is woken is polled before the call is
//! over that woke it, or in a microtask of its own if no such call was announced.
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
pub(crate) fn take(call: impl FnOnce()) {
    TASKS.with(|tasks| tasks.take(call));
}

thread_local! {
    static TASKS: Tasks = Tasks::default();
}

/// A future, unless it is being polled.
type Task = Option<Pin<Box<dyn Future<Output = ()>>>>;

/// The futures of this instance of the module.
#[derive(Default)]
struct Tasks {
    tasks: RefCell<Slots<Task>>,
    woken: RefCell<VecDeque<Number>>,
    /// Whether those that are woken are seen to already.
    is_busy: Cell<bool>,
    turn: RefCell<Option<Closure<dyn Fn()>>>,
}

impl Tasks {
    fn add(&self, future: Pin<Box<dyn Future<Output = ()>>>) {
        let number = self.tasks.borrow_mut().add(Some(future));
        self.take(|| self.wake(number));
    }

    fn wake(&self, number: Number) {
        self.woken.borrow_mut().push_back(number);
        if !self.is_busy.replace(true) {
            let mut turn = self.turn.borrow_mut();
            queue_microtask(
                turn.get_or_insert_with(|| Closure::new(|| TASKS.with(|tasks| tasks.poll_woken()))),
            );
        }
    }

    fn take(&self, call: impl FnOnce()) {
        let was_busy = self.is_busy.replace(true);
        call();
        if !was_busy {
            self.poll_woken();
        }
    }

    fn poll_woken(&self) {
        loop {
            // Not borrowed while it is polled, as it may wake others.
            let Some(number) = self.woken.borrow_mut().pop_front() else { break };
            self.poll(number);
        }
        self.is_busy.set(false);
    }

    fn poll(&self, number: Number) {
        let Some(mut future) = self.tasks.borrow_mut().get(number).and_then(Option::take) else {
            return;
        };
        let waker = Waker::from(Arc::new(Bell(number)));
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        let mut tasks = self.tasks.borrow_mut();
        if polled.is_ready() {
            tasks.remove(number);
        } else if let Some(task) = tasks.get(number) {
            *task = Some(future);
        }
    }
}

/// Wakes a future by its number, as no future may be where other threads might see it.
struct Bell(Number);

impl Wake for Bell {
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
        noting('a', 2, &notes, &waker);
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
    fn no_future_is_polled_within_the_poll_of_another() {
        let (notes, waker) = (Rc::default(), Place::default());
        noting('a', 2, &notes, &waker);
        let (inner, woken) = (Rc::clone(&notes), Rc::clone(&waker));
        spawn(async move {
            inner.borrow_mut().push('(');
            woken.borrow().as_ref().unwrap().wake_by_ref();
            noting('b', 1, &inner, &Place::default());
            inner.borrow_mut().push(')');
        });
        assert_eq!(*notes.borrow(), "a()ab");
    }
}
