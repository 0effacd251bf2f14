//! How long what is out stays out.
//!
//! Invariant: whatever Google asks for, a rest that comes back by itself ends within a day or so; no
//! single number from upstream can put a key away for a year.

use std::time::Duration;

use super::{roster::Shut, slots::scale};
use crate::{fault::ProjectFault, time::Timestamp};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The longest wait that Google is believed, but for days.
pub(super) const LONGEST_WAIT: Duration = HOUR;

/// The longest doubt.
pub(super) const LONGEST_DOUBT: Duration = Duration::from_secs(2 * 60 * 60);

/// How long a model that a project does not have is not asked of it again.
pub(super) const UNAVAILABLE: Duration = Duration::from_secs(24 * 60 * 60);

/// What makes a key doubtful for a model: it may work, but others are tried first.
#[derive(Debug, Clone, Copy)]
pub(super) enum Doubt {
    /// No room for the model.
    Capacity,
    /// Errors of the service, or of the way there.
    Service,
    /// A refusal that does not say why.
    Refusal,
}

/// How long a minute quota takes to come back. Google's word may be missing, or "0s"; whatever was
/// counted is out of any window of 60 s after that time.
pub(super) fn minute_quota(retry_after: Option<Duration>) -> Duration {
    retry_after.filter(|wait| !wait.is_zero()).map_or(MINUTE, |wait| wait.min(LONGEST_WAIT))
}

/// How long a key is doubtful after this many failures in a row: it doubles with each, with a share
/// by chance so that keys that failed together do not come back together.
pub(super) fn doubt(
    doubt: Doubt,
    failures: u32,
    retry_after: Option<Duration>,
    roll: u64,
) -> Duration {
    let (first, longest) = match doubt {
        Doubt::Capacity => (4 * SECOND, MINUTE),
        Doubt::Service => (2 * SECOND, MINUTE),
        Doubt::Refusal => (8 * SECOND, HOUR),
    };
    let doubled = first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(longest);
    let asked = retry_after.map_or(Duration::ZERO, |wait| wait.min(LONGEST_WAIT));
    let share = u32::try_from(scale(roll, 1024)).unwrap_or(0);
    asked.max(doubled / 2) + doubled / 2 * share / 1024
}

/// How often it is tried at a quick pace whether an outage is over: first it has to be found out
/// whether some project is spared by it.
const QUICK_TRIES: u32 = 32;

/// How long nothing is sent after an outage was noticed so many times: at most two seconds at first,
/// and eight later, as a request that waits must not miss its end.
pub(super) fn outage(openings: u32, roll: u64) -> Duration {
    let slower = openings.saturating_sub(QUICK_TRIES).min(2);
    let longest = SECOND.saturating_mul(1 << (openings.saturating_sub(1).min(1) + slower));
    let share = u32::try_from(scale(roll, 1024)).unwrap_or(0);
    longest / 2 + longest / 2 * share / 1024
}

/// How long a project is shut for all models.
pub(super) fn shut(fault: ProjectFault, now: Timestamp) -> Shut {
    let until = match fault {
        ProjectFault::Suspended | ProjectFault::Denied | ProjectFault::Invalid => None,
        // What an operator can put right.
        ProjectFault::ServiceDisabled | ProjectFault::Billing | ProjectFault::Forbidden => {
            Some(now + HOUR)
        }
        ProjectFault::Policy | ProjectFault::Country => Some(now + 24 * HOUR),
        ProjectFault::SpendingCap => Some(now.next_los_angeles_midnight()),
    };
    Shut { fault, until }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_quota_takes_the_time_google_names_within_reason() {
        let rows = [
            (None, MINUTE),
            (Some(Duration::ZERO), MINUTE),
            (Some(12 * SECOND), 12 * SECOND),
            (Some(540 * SECOND), 540 * SECOND),
            (Some(365 * 24 * HOUR), HOUR),
            (Some(Duration::MAX), HOUR),
        ];
        for (asked, rest) in rows {
            assert_eq!(minute_quota(asked), rest, "{asked:?}");
        }
    }

    #[test]
    fn doubts_double_and_are_bounded_and_scattered() {
        for kind in [Doubt::Capacity, Doubt::Service, Doubt::Refusal] {
            let mut before = Duration::ZERO;
            for failures in [1, 2, 3, 4, 40, u32::MAX] {
                let (least, most) =
                    (doubt(kind, failures, None, 0), doubt(kind, failures, None, u64::MAX));
                assert!(least >= before / 2 && least < most && most < 2 * least);
                assert!(most <= HOUR && most >= before);
                before = most;
            }
            let asked = doubt(kind, 1, Some(20 * SECOND), 0);
            assert!((20 * SECOND..30 * SECOND).contains(&asked));
            assert!(doubt(kind, u32::MAX, Some(Duration::MAX), u64::MAX) <= 2 * HOUR);
        }
    }

    #[test]
    fn projects_are_shut_for_as_long_as_the_fault_lasts() {
        let now = Timestamp::from_unix_millis(1_795_255_680_000);
        let rows = [
            (ProjectFault::Suspended, None),
            (ProjectFault::Denied, None),
            (ProjectFault::Invalid, None),
            (ProjectFault::ServiceDisabled, Some(now + HOUR)),
            (ProjectFault::Billing, Some(now + HOUR)),
            (ProjectFault::Policy, Some(now + 24 * HOUR)),
            (ProjectFault::Country, Some(now + 24 * HOUR)),
            (ProjectFault::SpendingCap, Some(now.next_los_angeles_midnight())),
        ];
        for (fault, until) in rows {
            assert_eq!(shut(fault, now).until, until, "{fault:?}");
        }
    }
}
