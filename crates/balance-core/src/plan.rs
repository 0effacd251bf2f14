//! How often, and for how long, one request may be tried.
//!
//! Invariant: no key is tried twice, and no pause ends after the deadline.

use std::time::Duration;

use crate::{
    fault::{Fault, Remedy},
    key::KeyId,
    time::Timestamp,
};

/// The longest pause after the first failure that another key may not help against; it doubles with
/// each, up to four times as long. What fails everywhere is the pool's to notice and to stop.
const PAUSE: Duration = Duration::from_millis(500);

/// What is left for one request to try.
#[derive(Debug)]
pub struct Plan {
    attempts_left: usize,
    deadline: Timestamp,
    /// Failures so far that another key may not help against.
    general_failures: u32,
    /// Does not allocate before the first failure.
    tried: Vec<KeyId>,
}

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Try another key.
    Retry {
        /// Not before this has passed; zero means at once.
        after: Duration,
    },
    /// Answer with the failure.
    GiveUp,
}

impl Plan {
    /// A plan of this many tries (at least one) until `deadline`.
    #[must_use]
    pub fn new(attempts: usize, deadline: Timestamp) -> Self {
        Self { attempts_left: attempts.max(1), deadline, general_failures: 0, tried: Vec::new() }
    }

    /// The keys that failed, in order.
    #[must_use]
    pub fn tried(&self) -> &[KeyId] {
        &self.tried
    }

    /// Sets another deadline.
    pub const fn extend(&mut self, deadline: Timestamp) {
        self.deadline = deadline;
    }

    /// How long is left until the deadline.
    #[must_use]
    pub const fn time_left(&self, now: Timestamp) -> Duration {
        self.deadline.since(now)
    }

    /// Notes that `key` failed, and says what to do. `roll` is chance, for the length of the pause.
    pub fn next(&mut self, key: KeyId, fault: &Fault, now: Timestamp, roll: u64) -> Step {
        self.tried.push(key);
        self.attempts_left = self.attempts_left.saturating_sub(1);
        let after = match fault.remedy() {
            Remedy::NextKey => Duration::ZERO,
            Remedy::AfterPause => {
                self.general_failures += 1;
                pause(self.general_failures, roll)
            }
            Remedy::Never => return Step::GiveUp,
        };
        if self.attempts_left > 0 && after < self.time_left(now) {
            Step::Retry { after }
        } else {
            Step::GiveUp
        }
    }
}

/// Between half of the longest pause and the whole, so that requests that failed together do not
/// come back together.
fn pause(failures: u32, roll: u64) -> Duration {
    let longest = PAUSE * (1 << (failures - 1).min(2));
    let half = longest / 2;
    let share = u32::try_from(roll >> 32).map_or(0, |share| share >> 22); // 0 to 1023
    half + half * share / 1023
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Blame, KeyFault, Limits, ProjectFault, Quota};
    use http::StatusCode;

    const START: Timestamp = Timestamp::from_unix_millis(1_000_000);
    const MINUTE: Duration = Duration::from_secs(60);

    fn fault(blame: Blame) -> Fault {
        let status = StatusCode::BAD_GATEWAY;
        let (message, body) = Default::default();
        Fault {
            blame,
            status,
            message,
            body,
            content_type: None,
            project_number: None,
            contradicts_itself: false,
        }
    }

    fn service() -> Fault {
        fault(Blame::Service { retry_after: None })
    }

    fn key(n: usize) -> KeyId {
        KeyId::of(&n.to_string())
    }

    #[test]
    fn what_follows_a_failure_depends_on_its_blame() {
        let limits = Limits::default();
        let at_once = [
            Blame::Key(KeyFault::Invalid),
            Blame::Project(ProjectFault::Billing),
            Blame::Project(ProjectFault::Forbidden),
            Blame::Quota(Quota::Minute { retry_after: Some(MINUTE), limits }),
            Blame::Quota(Quota::Day { limits }),
            Blame::Quota(Quota::Unavailable),
        ];
        for blame in at_once {
            assert_eq!(first_step(blame), Step::Retry { after: Duration::ZERO }, "{blame:?}");
        }
        let hour = Some(MINUTE * 60);
        for blame in [Blame::Capacity { retry_after: hour }, Blame::Service { retry_after: None }] {
            let step = first_step(blame);
            assert!(matches!(step, Step::Retry { after } if !after.is_zero()), "{blame:?}");
        }
        for blame in [Blame::Egress, Blame::Request, Blame::Gateway] {
            assert_eq!(first_step(blame), Step::GiveUp, "{blame:?}");
        }
    }

    fn first_step(blame: Blame) -> Step {
        Plan::new(5, START + MINUTE).next(key(1), &fault(blame), START, 77)
    }

    #[test]
    fn attempts_are_counted() {
        let dead = fault(Blame::Key(KeyFault::Leaked));
        for (attempts, retries) in [(0, 0), (1, 0), (2, 1), (10, 9), (100, 99)] {
            let mut plan = Plan::new(attempts, START + MINUTE);
            for n in 0..retries {
                assert_ne!(plan.next(key(n), &dead, START, 0), Step::GiveUp);
            }
            assert_eq!(plan.next(key(retries), &dead, START, 0), Step::GiveUp);
            assert_eq!(plan.tried(), (0..=retries).map(key).collect::<Vec<_>>());
        }
    }

    #[test]
    fn service_failures_are_followed_by_other_tries_after_growing_pauses() {
        for roll in [0, 1, 12_345, u64::MAX] {
            let mut plan = Plan::new(13, START + MINUTE);
            let mut pauses = Vec::new();
            while let Step::Retry { after } = plan.next(key(pauses.len()), &service(), START, roll)
            {
                pauses.push(after.as_millis());
                // Failures of keys make no pause longer.
                let dead = fault(Blame::Key(KeyFault::Invalid));
                assert_eq!(
                    plan.next(key(99), &dead, START, roll),
                    Step::Retry { after: Duration::ZERO }
                );
            }
            assert!((250..=500).contains(&pauses[0]) && (500..=1000).contains(&pauses[1]));
            assert!(pauses.len() == 6 && (1000..=2000).contains(&pauses[5]), "{pauses:?}");
        }
    }

    #[test]
    fn no_pause_ends_after_the_deadline() {
        let mut plan = Plan::new(10, START + Duration::from_millis(249));
        assert_eq!(plan.next(key(1), &service(), START, 0), Step::GiveUp);
        let mut plan = Plan::new(10, START);
        let dead = fault(Blame::Key(KeyFault::Invalid));
        assert_eq!(plan.next(key(1), &dead, START, 0), Step::GiveUp);
        assert_eq!(plan.time_left(START + MINUTE), Duration::ZERO);
    }
}
