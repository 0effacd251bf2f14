//! The error of a question that no key answers.
//!
//! Invariant: a caller is never blamed for what is the operator's matter, nor sent away without a
//! time to come back where one is known.

use std::time::Duration;

use super::Gateway;
use crate::{
    error::Error,
    fault::{Blame, Fault, ProjectFault, Remedy},
    host::Host,
    pools::PoolId,
    search::Search,
};

impl<H: Host> Gateway<H> {
    /// The error of a search that is not gone on with after `fault`.
    pub(super) fn give_up(&self, search: &Search<H::Incoming>, fault: Fault) -> Error {
        let now = self.host.now();
        let model = search.call.model.as_deref();
        let ready = self.pools().of(search.pool, now).next_ready(model, now);
        unanswered(search.pool, ready.map(|ready| ready.since(now)), Some(fault))
    }
}

/// The error of a call that no key answers, the first being ready in `ready_in`.
pub(super) fn unanswered(pool: PoolId, ready_in: Option<Duration>, last: Option<Fault>) -> Error {
    let Some(fault) = last.map(Box::new) else {
        return match ready_in {
            Some(_) => Error::Exhausted { retry_after: ready_in, last: None },
            None => Error::Unhealthy { last: None },
        };
    };
    let nobody_knows = fault.blame == Blame::Project(ProjectFault::Forbidden);
    match (pool, fault.remedy(), ready_in) {
        // It is about the request, or about all keys alike: Google's answer says it best.
        (_, Remedy::Never | Remedy::AfterPause, _) | (PoolId::Owner(_), Remedy::NextKey, _) => {
            let retry_after =
                ready_in.filter(|after| fault.remedy() != Remedy::Never && !after.is_zero());
            Error::Upstream { fault, retry_after }
        }
        (PoolId::Operator | PoolId::Paid, Remedy::NextKey, _) if nobody_knows => {
            Error::Upstream { fault, retry_after: None }
        }
        (PoolId::Operator | PoolId::Paid, Remedy::NextKey, Some(Duration::ZERO)) => {
            Error::OutOfTries { fault }
        }
        (PoolId::Operator | PoolId::Paid, Remedy::NextKey, Some(_)) => {
            Error::Exhausted { retry_after: ready_in, last: Some(fault) }
        }
        (PoolId::Operator | PoolId::Paid, Remedy::NextKey, None) => {
            Error::Unhealthy { last: Some(fault) }
        }
    }
}
