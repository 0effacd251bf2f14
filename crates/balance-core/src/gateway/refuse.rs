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
    pool::Bottleneck,
    pools::PoolId,
    search::Search,
};

impl<H: Host> Gateway<H> {
    /// The error of a search that is not gone on with after `fault`.
    pub(super) fn give_up(&self, search: &Search<H::Incoming>, fault: Fault) -> Error {
        let now = self.host.now();
        let model = search.call.model.as_deref();
        let ready = self.pools().of(search.pool, now).next_ready(model, now);
        let error = unanswered(search.pool, ready.map(|ready| ready.since(now)), Some(fault));
        self.naming_limit(error, search)
    }

    /// The same error; where it is about quotas, with the limit that ends first.
    pub(super) fn naming_limit(&self, error: Error, search: &Search<H::Incoming>) -> Error {
        let Error::Exhausted { retry_after, limit: None, last } = error else { return error };
        let now = self.host.now();
        let model = search.call.model.as_deref();
        let told = self.pools().of(search.pool, now).bottleneck(model, now);
        let limit = told.zip(model).map(|(told, model)| name(&told, model));
        Error::Exhausted { retry_after, limit, last }
    }
}

/// The error of a call that no key answers, the first being ready in `ready_in`.
pub(super) fn unanswered(pool: PoolId, ready_in: Option<Duration>, last: Option<Fault>) -> Error {
    let Some(fault) = last.map(Box::new) else {
        return match ready_in {
            Some(_) => Error::Exhausted { retry_after: ready_in, limit: None, last: None },
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
            Error::Exhausted { retry_after: ready_in, limit: None, last: Some(fault) }
        }
        (PoolId::Operator | PoolId::Paid, Remedy::NextKey, None) => {
            Error::Unhealthy { last: Some(fault) }
        }
    }
}

/// Which limit a key waits for, in words.
fn name(told: &Bottleneck, model: &str) -> String {
    let levels = &told.levels;
    let counted = [
        ("requests of the day", levels.requests_per_day),
        ("tokens of the day", levels.tokens_per_day),
        ("requests of the minute", levels.requests_per_minute),
        ("tokens of the minute", levels.tokens_per_minute),
    ];
    let full = counted.iter().find_map(|(what, level)| {
        let limit = level.limit.filter(|limit| level.used >= *limit)?;
        Some(format!("its {what} ({} of {limit})", level.used))
    });
    let limit = full.unwrap_or_else(|| match told.why {
        "day_quota" => "its quota of the day, as Google says".into(),
        "model_unavailable" => "this model, which its tier does not have".into(),
        "minute_quota" => "its quota of the minute, as Google says".into(),
        _ => "room for a request of this size".into(),
    });
    format!("No key is ready for {model}: the first to come back waits for {limit}.")
}
