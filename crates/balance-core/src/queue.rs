//! Who waits for a key: a line for each pool and model, first come, first served.
//!
//! Invariant: only the first of a line asks the pool, so what is freed wakes one waiter and no
//! more; whoever leaves, served or not, lets the next one step up. No lock is held over an await.

use std::{
    collections::{HashMap, VecDeque},
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use crate::{key::KeyId, pools::PoolId};

/// All lines.
#[derive(Debug, Clone, Default)]
pub(crate) struct Queue(Arc<Mutex<Lines>>);

/// What a line is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Wanted {
    pub(crate) pool: PoolId,
    pub(crate) model: Option<Box<str>>,
    /// The key that has to serve it, if only one can: those who take any do not wait behind.
    pub(crate) holder: Option<KeyId>,
}

/// A place in a line; dropping it is leaving.
#[derive(Debug)]
pub(crate) struct Ticket {
    queue: Queue,
    wanted: Wanted,
    number: u64,
}

/// The lines as such: who stands where, and who is to be woken.
#[derive(Debug, Default)]
struct Lines {
    lines: HashMap<Wanted, VecDeque<Waiter>>,
    last_number: u64,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    /// Something may have changed since it last looked.
    is_called: bool,
    waker: Option<Waker>,
}

impl Queue {
    /// Whether somebody waits for the same.
    pub(crate) fn has_line(&self, wanted: impl FnOnce() -> Wanted) -> bool {
        let lines = &self.lines().lines;
        !lines.is_empty() && lines.contains_key(&wanted())
    }

    /// Takes the last place.
    pub(crate) fn join(&self, wanted: Wanted) -> Ticket {
        let number = self.lines().join(&wanted);
        Ticket { queue: self.clone(), wanted, number }
    }

    /// Lets the first of each line of a pool look again: something that ended may have made room.
    pub(crate) fn call(&self, pool: PoolId) {
        self.lines().call(pool);
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        // The lines are whole before anything in them can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Whether it is the turn of this one.
    pub(crate) fn is_first(&self) -> bool {
        self.queue.lines().first(&self.wanted) == Some(self.number)
    }

    /// Resolves when it is time to look again: this one has become the first, or was called as such.
    pub(crate) async fn called(&self) {
        poll_fn(|cx| self.queue.lines().poll_called(&self.wanted, self.number, cx)).await;
    }
}

impl Drop for Ticket {
    /// A caller that hangs up drops whatever waits for it, and those behind it must not wait for a
    /// waiter that is gone: so leaving is the one thing here that is done in a destructor.
    fn drop(&mut self) {
        self.queue.lines().leave(&self.wanted, self.number);
    }
}

impl Lines {
    fn join(&mut self, wanted: &Wanted) -> u64 {
        self.last_number += 1;
        let number = self.last_number;
        let waiter = Waiter { number, is_called: false, waker: None };
        self.lines.entry(wanted.clone()).or_default().push_back(waiter);
        number
    }

    fn leave(&mut self, wanted: &Wanted, number: u64) {
        let Some(line) = self.lines.get_mut(wanted) else { return };
        let was_first = line.front().is_some_and(|first| first.number == number);
        line.retain(|waiter| waiter.number != number);
        match line.front_mut() {
            None => drop(self.lines.remove(wanted)),
            Some(next) if was_first => next.call(),
            Some(_) => {}
        }
    }

    fn call(&mut self, pool: PoolId) {
        let lines = self.lines.iter_mut().filter(|(wanted, _)| wanted.pool == pool);
        lines.filter_map(|(_, line)| line.front_mut()).for_each(Waiter::call);
    }

    fn first(&self, wanted: &Wanted) -> Option<u64> {
        Some(self.lines.get(wanted)?.front()?.number)
    }

    fn poll_called(&mut self, wanted: &Wanted, number: u64, cx: &Context<'_>) -> Poll<()> {
        let line = self.lines.get_mut(wanted);
        let waiter = line.and_then(|line| line.iter_mut().find(|waiter| waiter.number == number));
        let Some(waiter) = waiter else { return Poll::Ready(()) };
        if std::mem::take(&mut waiter.is_called) {
            return Poll::Ready(());
        }
        waiter.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Waiter {
    fn call(&mut self) {
        self.is_called = true;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt;

    use super::*;

    fn wanted(model: &str) -> Wanted {
        Wanted { pool: PoolId::Operator, model: Some(model.into()), holder: None }
    }

    fn is_called(ticket: &Ticket) -> bool {
        pin!(ticket.called()).now_or_never().is_some()
    }

    #[test]
    fn the_first_to_come_is_the_first_in_line_and_alone_is_called() {
        let queue = Queue::default();
        let tickets: Vec<_> = (0..3).map(|_| queue.join(wanted("m"))).collect();
        let first: Vec<_> = tickets.iter().map(Ticket::is_first).collect();
        assert_eq!(first, [true, false, false]);
        queue.call(PoolId::Operator);
        queue.call(PoolId::Operator);
        let called: Vec<_> = tickets.iter().map(is_called).collect();
        assert_eq!(called, [true, false, false]);
        assert!(!is_called(&tickets[0]), "a call is heard once");
    }

    #[test]
    fn whoever_leaves_lets_the_next_step_up() {
        let queue = Queue::default();
        let mut tickets: VecDeque<_> = (0..4).map(|_| queue.join(wanted("m"))).collect();
        drop(tickets.remove(1)); // one from the middle hangs up
        assert!(!tickets.iter().any(is_called));
        for _ in 0..2 {
            drop(tickets.pop_front());
            assert!(tickets[0].is_first() && is_called(&tickets[0]));
        }
        drop(tickets);
        assert!(!queue.has_line(|| wanted("m")), "an empty line takes no memory");
    }

    #[test]
    fn lines_of_other_models_and_pools_do_not_mix() {
        let queue = Queue::default();
        let (a, b) = (queue.join(wanted("a")), queue.join(wanted("b")));
        assert!(a.is_first() && b.is_first());
        queue.call(PoolId::Owner(7));
        assert!(!is_called(&a));
    }
}
