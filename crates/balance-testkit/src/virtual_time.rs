//! Time that passes only when nothing else can happen, and an executor that runs on it.
//!
//! Invariant: the clock stands still while anything can go on; then it jumps to the earliest timer.
//! So a time-out of an hour costs a test nothing, and always falls at the same point.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    fmt,
    pin::{Pin, pin},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use balance_core::time::Timestamp;

/// 15 January 2027, 06:00 in Los Angeles: 18 hours before the day ends there.
pub const MORNING: Timestamp = Timestamp::from_unix_millis(1_800_021_600_000);

/// How often a future may be polled while the clock stands still. More means that it spins.
const MOST_POLLS: usize = 1_000_000;

/// A clock, the timers on it, and the executor that moves it.
#[derive(Debug)]
pub struct VirtualTime {
    now: Cell<Timestamp>,
    timers: RefCell<BTreeMap<Due, Waker>>,
    timers_made: Cell<u64>,
}

/// When a timer is due, and its number, as several may be due together.
type Due = (Timestamp, u64);

/// Why a future never ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stuck {
    /// It waits, and no timer is set that could wake it.
    Waiting,
    /// It wakes itself for ever, and time does not pass.
    Spinning,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiting => "everything waits, and no timer is set",
            Self::Spinning => "something wakes itself for ever while time stands still",
        })
    }
}

impl std::error::Error for Stuck {}

impl VirtualTime {
    /// A clock that shows `start`.
    #[must_use]
    pub fn starting_at(start: Timestamp) -> Rc<Self> {
        Rc::new(Self {
            now: Cell::new(start),
            timers: RefCell::default(),
            timers_made: Cell::default(),
        })
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now.get()
    }

    /// Lets time pass while nothing runs.
    pub fn advance(&self, duration: Duration) {
        self.now.set(self.now() + duration);
    }

    /// Resolves after `duration`.
    #[must_use]
    pub fn sleep(self: &Rc<Self>, duration: Duration) -> Sleep {
        let number = self.timers_made.get();
        self.timers_made.set(number + 1);
        Sleep { time: Rc::clone(self), due: (self.now() + duration, number) }
    }

    /// Runs a future to its end.
    ///
    /// # Errors
    /// When it can never end.
    pub fn block_on<F: Future>(&self, future: F) -> Result<F::Output, Stuck> {
        let mut future = pin!(future);
        let flag = Arc::new(Flag::default());
        let waker = Waker::from(Arc::clone(&flag));
        let mut context = Context::from_waker(&waker);
        let mut polls = 0;
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return Ok(output);
            }
            polls += 1;
            if flag.0.swap(false, Ordering::Relaxed) {
                if polls > MOST_POLLS {
                    return Err(Stuck::Spinning);
                }
            } else {
                self.jump()?;
                polls = 0;
            }
        }
    }

    /// Goes to the earliest timer and wakes whoever waits for it.
    fn jump(&self) -> Result<(), Stuck> {
        let first = self.timers.borrow_mut().pop_first();
        let ((at, _), waker) = first.ok_or(Stuck::Waiting)?;
        self.now.set(self.now().max(at));
        waker.wake();
        Ok(())
    }
}

/// A wait on virtual time; dropping it takes its timer back.
#[derive(Debug)]
pub struct Sleep {
    time: Rc<VirtualTime>,
    due: Due,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.time.now() >= self.due.0 {
            return Poll::Ready(());
        }
        self.time.timers.borrow_mut().insert(self.due, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.time.timers.borrow_mut().remove(&self.due);
    }
}

/// Whether the future was woken since it was last polled.
#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::{Either, join, select};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn waits_end_in_the_order_of_their_time_and_cost_none() {
        let time = VirtualTime::starting_at(MORNING);
        let order = RefCell::new(Vec::new());
        let wait = |seconds: u32| {
            let (sleep, order) = (time.sleep(SECOND * seconds), &order);
            async move {
                sleep.await;
                order.borrow_mut().push(seconds);
            }
        };
        time.block_on(join(wait(3600), join(wait(2), wait(30)))).unwrap();
        assert_eq!(*order.borrow(), [2, 30, 3600]);
        assert_eq!(time.now().since(MORNING), SECOND * 3600);
    }

    #[test]
    fn the_shorter_wait_wins_a_race_and_the_other_leaves_no_timer() {
        let time = VirtualTime::starting_at(MORNING);
        let race = select(time.sleep(SECOND * 50), time.sleep(SECOND * 45));
        assert!(matches!(time.block_on(race).unwrap(), Either::Right(_)));
        assert_eq!(time.now().since(MORNING), SECOND * 45);
        assert!(time.timers.borrow().is_empty());
    }

    #[test]
    fn what_can_never_end_is_told() {
        let time = VirtualTime::starting_at(MORNING);
        assert_eq!(time.block_on(std::future::pending::<()>()), Err(Stuck::Waiting));
        let spinning = std::future::poll_fn(|cx: &mut Context<'_>| -> Poll<()> {
            cx.waker().wake_by_ref();
            Poll::Pending
        });
        assert_eq!(time.block_on(spinning), Err(Stuck::Spinning));
    }

    #[test]
    fn the_morning_is_six_o_clock_in_los_angeles() {
        assert_eq!(MORNING.next_los_angeles_midnight().since(MORNING), SECOND * 18 * 3600);
    }
}
