//! What drives an HTTP/1.1 connection, on behalf of the request that uses it.
//!
//! The two ends of a connection, hyper's driver and the body or the sender in a request's hands, wake
//! each other at every step, though both are polled by one task, which is at it already. So a
//! connection has a waker of its own, which tells such calls from those of the socket.
//!
//! Invariant: a call of the socket wakes the task that drove last. A call from within wakes nobody:
//! the connection is polled once more instead, or is told to be.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures_util::task::AtomicWaker;

/// How often a connection may call itself before its task is woken to go on.
const TURNS: usize = 8;

/// A connection that is polled by whoever needs it.
pub(crate) struct Driver {
    /// `None` once it is over.
    connection: Option<Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>>,
    caller: Arc<Caller>,
    /// Wakes by the caller.
    waker: Waker,
}

impl Driver {
    pub(crate) fn of(connection: impl Future<Output = hyper::Result<()>> + Send + 'static) -> Self {
        let caller = Arc::new(Caller::default());
        let waker = Waker::from(Arc::clone(&caller));
        Self { connection: Some(Box::pin(connection)), caller, waker }
    }

    /// Does what there is to do on the connection; ready once it is over.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.caller.task.register(cx.waker());
        let mut own = Context::from_waker(&self.waker);
        for _ in 0..TURNS {
            let Some(connection) = &mut self.connection else { return Poll::Ready(()) };
            match self.caller.heed(|| connection.as_mut().poll(&mut own)) {
                // What ended it is told to whoever waits for its answer.
                (Poll::Ready(_), _) => self.connection = None,
                (Poll::Pending, true) => {}
                (Poll::Pending, false) => return Poll::Pending,
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    pub(crate) const fn is_over(&self) -> bool {
        self.connection.is_none()
    }

    /// Does something at the request's end of the connection; whether that calls for a poll.
    pub(crate) fn aside<T>(&self, act: impl FnOnce() -> T) -> (T, bool) {
        self.caller.heed(act)
    }
}

/// Who calls for a poll of the connection.
#[derive(Debug, Default)]
struct Caller {
    task: AtomicWaker,
    /// Of [`HEEDED`] and [`CALLED`].
    state: AtomicU8,
}

/// Somebody is at it, and looks for calls afterwards.
const HEEDED: u8 = 1;
/// There was a call.
const CALLED: u8 = 2;

impl Caller {
    /// Does something, and tells whether there was a call meanwhile, which then woke nobody.
    fn heed<T>(&self, act: impl FnOnce() -> T) -> (T, bool) {
        self.state.store(HEEDED, SeqCst);
        let done = act();
        (done, self.state.swap(0, SeqCst) & CALLED != 0)
    }
}

impl Wake for Caller {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.fetch_or(CALLED, SeqCst) & HEEDED == 0 {
            self.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        sync::{
            Mutex,
            atomic::{AtomicUsize, Ordering::Relaxed},
        },
    };

    use super::*;

    #[derive(Debug, Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    /// A connection that calls itself in its first polls; with how often it was polled, and its waker.
    struct Scene {
        driver: Driver,
        polls: Arc<AtomicUsize>,
        socket: Arc<Mutex<Option<Waker>>>,
        woken: Arc<Woken>,
    }

    impl Scene {
        fn of(own_calls: usize) -> Self {
            let polls = Arc::new(AtomicUsize::new(0));
            let socket = Arc::new(Mutex::new(None));
            let (counter, place) = (Arc::clone(&polls), Arc::clone(&socket));
            let driver = Driver::of(poll_fn(move |cx| {
                if counter.fetch_add(1, Relaxed) < own_calls {
                    cx.waker().wake_by_ref();
                }
                *place.lock().unwrap() = Some(cx.waker().clone());
                Poll::Pending
            }));
            Self { driver, polls, socket, woken: Arc::default() }
        }

        fn poll(&mut self) -> (usize, usize) {
            let waker = Waker::from(Arc::clone(&self.woken));
            assert!(self.driver.poll(&mut Context::from_waker(&waker)).is_pending());
            self.counts()
        }

        fn call_of_the_socket(&self) {
            self.socket.lock().unwrap().as_ref().unwrap().wake_by_ref();
        }

        /// Polls, and how often the task was woken.
        fn counts(&self) -> (usize, usize) {
            (self.polls.load(Relaxed), self.woken.0.load(Relaxed))
        }
    }

    #[test]
    fn a_connection_that_calls_itself_is_polled_again_and_its_task_is_not_woken() {
        assert_eq!(Scene::of(0).poll(), (1, 0));
        assert_eq!(Scene::of(2).poll(), (3, 0));
    }

    #[test]
    fn one_that_goes_on_calling_itself_lets_others_have_their_turn() {
        assert_eq!(Scene::of(usize::MAX).poll(), (TURNS, 1));
    }

    #[test]
    fn a_call_of_the_socket_wakes_the_task_that_drove_last() {
        let mut scene = Scene::of(0);
        scene.poll();
        scene.call_of_the_socket();
        assert_eq!(scene.counts(), (1, 1));
        let first = std::mem::take(&mut scene.woken);
        scene.poll();
        scene.call_of_the_socket();
        assert_eq!((scene.counts(), first.0.load(Relaxed)), ((2, 1), 1));
    }

    #[test]
    fn a_call_from_the_requests_end_wakes_nobody_and_is_told() {
        let mut scene = Scene::of(0);
        scene.poll();
        let ((), calls) = scene.driver.aside(|| scene.call_of_the_socket());
        assert!(calls);
        assert_eq!(scene.counts(), (1, 0));
        assert!(!scene.driver.aside(|| ()).1);
    }
}
