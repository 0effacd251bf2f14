//! A quota that several instances share: each holds slices of it, and sends no more than it holds.
//!
//! Invariant: a unit of a quota is held by one instance at a time, and is given back only when what it
//! was used for counts no longer. So the instances together never send more requests than the limit
//! from when all know it; of tokens, one request each may be larger than the slice it is sent from.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Pool, bucket::Used};
use crate::{fault::Limits, key::KeyId, time::Timestamp};

/// How long a slice is held without a word of its holder: longer than what was sent counts, so that
/// one that falls silent, and stops sending half a term later, takes nothing of another's.
pub const TERM: Duration = Duration::from_secs(180);

/// How many holders that fell silent are told apart; more of them are added up.
pub const MOST_GONE: usize = 64;

/// How often slices are exchanged: so long a request may wait for what another instance holds.
pub const ROUND: Duration = Duration::from_secs(1);

/// How the quotas of a pool are shared with other instances that use the same keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sharing {
    /// Nobody else uses them.
    #[default]
    Alone,
    /// In slices, which are exchanged. Of a quota that this instance holds no slice of yet, it takes
    /// an eighth of its even part beforehand.
    Slices {
        /// How many there are.
        instances: u64,
    },
    /// Evenly, without a word to each other.
    Evenly {
        /// How many there are.
        instances: u64,
    },
}

/// What all instances know of one quota: who holds how much. It lives where all reach it, and
/// [`Ledger::exchange`] is one step there, undivided.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    holders: Vec<Holder>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    node: u64,
    held: u64,
    wanted: u64,
    used: u64,
    until: Timestamp,
    counts_until: Timestamp,
}

/// What an instance says of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Who says it; 0 is nobody.
    pub node: u64,
    /// What it has used and cannot give back.
    pub used: u64,
    /// How much it would like to hold, `used` included.
    pub wanted: u64,
    /// Until when what it has used counts at the most.
    pub counts_until: Timestamp,
}

/// What an instance is given of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// How much it may use, what it has used included.
    pub held: u64,
    /// How many instances hold some, itself included.
    pub holders: u64,
}

impl Ledger {
    /// Gives an instance its slice, for [`TERM`] at the most: what it wants, as far as others leave
    /// it. Where all want more than there is, each gets its even part. Of one that fell silent, what
    /// it had used stays used for as long as that counts.
    pub fn exchange(&mut self, claim: Claim, limit: u64, now: Timestamp) -> Slice {
        self.holders.retain(|holder| holder.node != claim.node && holder.counts(now));
        self.add_up_gone(now);
        let (live, gone): (Vec<_>, Vec<_>) =
            self.holders.iter().copied().partition(|holder| holder.until > now);
        let left = gone.iter().fold(limit, |left, holder| left.saturating_sub(holder.used));
        let free = live.iter().fold(left, |free, holder| free.saturating_sub(holder.held));
        let even = left.div_ceil(live.len() as u64 + 1);
        let modest = live.iter().map(|other| other.wanted.min(even));
        let part = even.max(modest.fold(left, u64::saturating_sub));
        let held = claim.wanted.min(part).min(free).max(claim.used);
        let Claim { node, used, wanted, counts_until } = claim;
        self.holders.push(Holder { node, held, wanted, used, until: now + TERM, counts_until });
        Slice { held, holders: live.len() as u64 + 1 }
    }

    fn add_up_gone(&mut self, now: Timestamp) {
        let is_gone = |holder: &&Holder| holder.until <= now;
        if self.holders.iter().filter(is_gone).count() <= MOST_GONE {
            return;
        }
        let gone = self.holders.extract_if(.., |holder| holder.until <= now);
        let all = gone.fold(Holder::NOBODY, |all, one| Holder {
            used: all.used.saturating_add(one.used),
            counts_until: all.counts_until.max(one.counts_until),
            ..all
        });
        self.holders.push(all);
    }
}

impl Holder {
    /// Stands for several that fell silent.
    const NOBODY: Self = Self {
        node: 0,
        held: 0,
        wanted: 0,
        used: 0,
        until: Timestamp::from_unix_millis(0),
        counts_until: Timestamp::from_unix_millis(0),
    };

    /// Whether it says anything still.
    fn counts(&self, now: Timestamp) -> bool {
        self.until > now || self.counts_until > now && self.used > 0
    }
}

/// One shared quota of a (project, model) as an instance sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Quotum {
    /// A key of the project.
    pub key: KeyId,
    /// The model.
    pub model: Box<str>,
}

/// What an instance has of one (project, model) and would like to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Of which.
    pub of: Quotum,
    /// What Google allows.
    pub limits: Limits,
    /// What counts now.
    pub used: Limits,
    /// What would be good to hold.
    pub wanted: Limits,
}

impl Pool {
    /// What is to be exchanged with the other instances: all (project, model)s that were asked since
    /// the last time and whose limits are known, or, if `all` is set, all that anything counts of.
    pub fn holdings(&mut self, all: bool, now: Timestamp) -> Vec<Holding> {
        let now = self.advance(now);
        let mut holdings = Vec::new();
        let roster = &self.roster;
        for (name, model) in self.models.named_mut() {
            for project in model.take_touched(all) {
                let limits = model.known_limits(project, roster, now);
                // The same one for all instances, in whatever order they have their keys.
                let keys = roster.slots_of(project).iter().filter_map(|slot| roster.key(*slot));
                let first = keys.map(|key| key.id).min();
                let Some(key) = first.filter(|_| limits != Limits::default()) else { continue };
                let used = counted(model.used(project, now));
                let wanted = wanted(used, limits, model.typical_tokens());
                // What is not wanted is given up before others can hear of it.
                model.give_up(project, wanted, roster, now);
                let of = Quotum { key, model: name.into() };
                holdings.push(Holding { of, limits, used, wanted });
            }
        }
        holdings
    }

    /// Takes the slices that this instance was given of a (project, model).
    pub fn hold(&mut self, of: &Quotum, slices: Limits, now: Timestamp) {
        let now = self.advance(now);
        let project = self.roster.slot_of(of.key).and_then(|slot| self.roster.project_of(slot));
        let model = self.models.find(Some(&of.model));
        if let Some((model, project)) = model.zip(project) {
            model.hold(project, slices, &self.roster, now);
        }
    }
}

impl Pool {
    /// Takes note of how quotas are shared. What this instance holds of them it keeps.
    pub fn set_sharing(&mut self, sharing: Sharing, now: Timestamp) {
        let now = self.advance(now);
        if self.limits.sharing == sharing {
            return;
        }
        self.limits.sharing = sharing;
        for model in self.models.all_mut() {
            model.set_sharing(sharing, &self.roster, now);
        }
    }

    /// Gives up the slices that this instance holds: others may have them by now.
    pub fn let_go(&mut self, now: Timestamp) {
        let now = self.advance(now);
        for model in self.models.all_mut() {
            model.let_go(&self.roster, now);
        }
    }
}

/// So much of what is held as is wanted.
pub(super) fn lesser(held: Limits, wanted: Limits) -> Limits {
    let lesser = |held: Option<u64>, wanted: Option<u64>| {
        held.map(|held| wanted.map_or(held, |wanted| held.min(wanted)))
    };
    Limits {
        requests_per_minute: lesser(held.requests_per_minute, wanted.requests_per_minute),
        tokens_per_minute: lesser(held.tokens_per_minute, wanted.tokens_per_minute),
        requests_per_day: lesser(held.requests_per_day, wanted.requests_per_day),
        tokens_per_day: lesser(held.tokens_per_day, wanted.tokens_per_day),
    }
}

impl Sharing {
    /// What may be used of quotas by one who holds so much of them.
    pub(super) fn usable(self, limits: Limits, held: Option<&Limits>) -> Limits {
        let parts = match self {
            Self::Alone => return limits,
            Self::Slices { instances } => instances.max(1).saturating_mul(8),
            Self::Evenly { instances } => instances.max(1),
        };
        let usable = |of: fn(&Limits) -> Option<u64>| {
            let limit = of(&limits)?;
            let part = (limit / parts).max(limit.min(1));
            Some(match (held.and_then(of), self) {
                (None, _) => part,
                (Some(held), Self::Evenly { .. }) => part.min(held),
                (Some(held), Self::Slices { .. } | Self::Alone) => limit.min(held),
            })
        };
        Limits {
            requests_per_minute: usable(|limits| limits.requests_per_minute),
            tokens_per_minute: usable(|limits| limits.tokens_per_minute),
            requests_per_day: usable(|limits| limits.requests_per_day),
            tokens_per_day: usable(|limits| limits.tokens_per_day),
        }
    }
}

fn counted(used: Used) -> Limits {
    Limits {
        requests_per_minute: Some(used.requests_in_minute),
        tokens_per_minute: Some(used.tokens_in_minute),
        requests_per_day: Some(used.requests_in_day),
        tokens_per_day: Some(used.tokens_in_day),
    }
}

/// What is used, and an eighth of the limit to go on with; of tokens, as much as two requests take.
fn wanted(used: Limits, limits: Limits, typical_tokens: u64) -> Limits {
    let more = |used: Option<u64>, limit: Option<u64>, least: u64| {
        let (used, limit) = (used.unwrap_or(0), limit?);
        Some(used.saturating_add((limit / 8).max(least)).min(limit.max(used)))
    };
    let tokens = typical_tokens.saturating_mul(2);
    Limits {
        requests_per_minute: more(used.requests_per_minute, limits.requests_per_minute, 1),
        tokens_per_minute: more(used.tokens_per_minute, limits.tokens_per_minute, tokens),
        requests_per_day: more(used.requests_per_day, limits.requests_per_day, 1),
        tokens_per_day: more(used.tokens_per_day, limits.tokens_per_day, tokens),
    }
}

#[cfg(test)]
mod tests;
