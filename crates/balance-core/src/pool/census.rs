//! How many keys stand how.
//!
//! Invariant: every key is counted once.

use serde::Serialize;

use super::{Pool, roster::Membership};
use crate::time::Timestamp;

/// How many keys stand how, for one model. The numbers add up to `total`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Census {
    /// All keys.
    pub total: usize,
    /// Those that can be used at once.
    pub ready: usize,
    /// Those that are used when no other is ready: the service failed on them lately.
    pub doubtful: usize,
    /// Those that wait for their quota.
    pub resting: usize,
    /// Those of the paid tier, if it does not serve this model.
    pub reserved: usize,
    /// Those that the operator disabled.
    pub disabled: usize,
    /// Those that are out for all models, by the code of the fault.
    pub out: Vec<(&'static str, usize)>,
}

impl Pool {
    /// Counts the keys by how they stand for a model; `None` is for requests without a model.
    pub fn census(&mut self, model: Option<&str>, now: Timestamp) -> Census {
        let now = self.advance(now);
        let place = self.enter(model);
        let (mut ready, mut doubtful, mut reserved) = (self.roster.open().len(), 0, 0);
        if let Some(model) = self.models.at(place) {
            model.wake(&self.roster, now);
            (ready, doubtful) = model.counts(&self.roster);
            reserved = model.reserved(&self.roster);
        }
        let resting = self.roster.open().len() - ready - doubtful - reserved;
        let total = self.roster.len();
        let mut census = Census { total, ready, doubtful, resting, reserved, ..Census::default() };
        for slot in (0..total).filter(|slot| !self.roster.open().contains(*slot)) {
            let code = match self.roster.membership(slot) {
                Membership::Open => continue,
                Membership::Disabled => {
                    census.disabled += 1;
                    continue;
                }
                Membership::Dead(fault) => fault.code(),
                Membership::Shut(shut) => shut.fault.code(),
            };
            match census.out.iter_mut().find(|(known, _)| *known == code) {
                Some((_, count)) => *count += 1,
                None => census.out.push((code, 1)),
            }
        }
        census
    }
}
