//! Why a key would be taken or passed over, for people.
//!
//! Invariant: it shows the state that the pick goes by, and changes nothing of it; no key is shown
//! but masked.

use std::cmp::Reverse;

use serde::Serialize;

use super::{Ask, Census, Pool, bucket::Used, model::View, roster::Membership};
use crate::{
    fault::Limits,
    key::{KeyId, Tier},
    time::Timestamp,
};

/// How the keys of a pool stand for a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The model that is asked.
    pub model: Option<String>,
    /// How a key is chosen among those that are ready.
    pub strategy: String,
    /// When the first key is ready: now, later, or, if `None`, not by itself.
    #[serde(rename = "ready_at_unix_ms")]
    pub ready_at: Option<Timestamp>,
    /// All keys, counted by how they stand.
    pub keys: Census,
    /// The keys in the order of their chances, as many as were asked for.
    pub candidates: Vec<Candidate>,
    /// How many more there are.
    pub omitted: usize,
    /// What the pool does not use of its settings, and did not believe of answers, in words.
    pub ignored: Vec<String>,
}

/// How one key stands for a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// The name of the key, in 16 hex digits.
    pub key: String,
    /// What may be shown of its text.
    pub masked: String,
    /// The tag of its project, if it has one.
    pub project: Option<String>,
    /// The first key of those that share its project, where that was told by answers.
    pub shares_with: Option<String>,
    /// What its project is granted.
    pub tier: Tier,
    /// Its weight.
    pub weight: u32,
    /// How it stands.
    pub standing: Standing,
    /// Why it is passed over, as a stable word; `None` if it is not.
    pub why: Option<&'static str>,
    /// Until when that lasts, if it ends by itself.
    #[serde(rename = "until_unix_ms")]
    pub until: Option<Timestamp>,
    /// How many requests are under way on its project.
    pub in_flight: u64,
    /// What is used of the quotas of its project for this model.
    pub levels: Levels,
}

/// How a key stands, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is taken before any other, as it holds what the request is about.
    Preferred,
    /// It can be taken.
    Ready,
    /// It is taken when no other is ready.
    Doubtful,
    /// It waits for its quota.
    Resting,
    /// It is paid, and kept for other models.
    Reserved,
    /// This request has tried it.
    Tried,
    /// Its project is out for all models, for a while or for good.
    Shut,
    /// It is out for good.
    Dead,
    /// The operator disabled it.
    Disabled,
}

/// What is used of each quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Levels {
    /// Requests in the last minute.
    pub requests_per_minute: Level,
    /// Tokens in the last minute, those of requests under way as expected.
    pub tokens_per_minute: Level,
    /// Requests since midnight in Los Angeles.
    pub requests_per_day: Level,
    /// Tokens since then.
    pub tokens_per_day: Level,
}

/// What is used of one quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Level {
    /// How much counts now.
    pub used: u64,
    /// How much there is, if that is known.
    pub limit: Option<u64>,
}

impl Levels {
    pub(super) fn new(used: Used, limits: Limits) -> Self {
        let level = |used, limit| Level { used, limit };
        Self {
            requests_per_minute: level(used.requests_in_minute, limits.requests_per_minute),
            tokens_per_minute: level(used.tokens_in_minute, limits.tokens_per_minute),
            requests_per_day: level(used.requests_in_day, limits.requests_per_day),
            tokens_per_day: level(used.tokens_in_day, limits.tokens_per_day),
        }
    }
}

impl Pool {
    /// How the keys stand for a request, the best `most` of them one by one.
    pub fn explain(&mut self, ask: &Ask<'_>, most: usize, now: Timestamp) -> Explanation {
        let ready_at = self.next_ready(ask.model, now);
        let keys = self.census(ask.model, now);
        let mut slots: Vec<_> = (0..self.roster.len())
            .map(|slot| {
                let (standing, why, until) = self.standing(slot, ask);
                (standing, until.map_or(Reverse(None), |at| Reverse(Some(Reverse(at)))), slot, why)
            })
            .collect();
        slots.sort_unstable();
        let omitted = slots.len().saturating_sub(most);
        slots.truncate(most);
        let candidates = slots.into_iter().filter_map(|(standing, until, slot, why)| {
            let until = until.0.map(|at| at.0);
            self.candidate(slot, ask.model, standing, why, until)
        });
        let candidates = candidates.collect();
        Explanation {
            model: ask.model.map(str::to_owned),
            strategy: self.strategy.to_string(),
            ready_at,
            keys,
            candidates,
            omitted,
            ignored: self.ignored(),
        }
    }

    /// How a slot stands, why, and until when. The model was woken.
    fn standing(
        &mut self,
        slot: usize,
        ask: &Ask<'_>,
    ) -> (Standing, Option<&'static str>, Option<Timestamp>) {
        match self.roster.membership(slot) {
            Membership::Open => {}
            Membership::Disabled => return (Standing::Disabled, Some("disabled"), None),
            Membership::Dead(fault) => return (Standing::Dead, Some(fault.code()), None),
            Membership::Shut(shut) => {
                return (Standing::Shut, Some(shut.fault.code()), shut.until);
            }
        }
        let is = |id: &KeyId| self.roster.slot_of(*id) == Some(slot);
        if ask.tried.iter().any(is) {
            return (Standing::Tried, Some("tried"), None);
        }
        let is_preferred = ask.prefer.as_ref().is_some_and(is);
        let project = self.roster.project_of(slot);
        let model = self.models.find(ask.model);
        if model.as_ref().zip(project).is_some_and(|(m, project)| !m.serves(project, &self.roster))
        {
            return (Standing::Reserved, Some("paid_models"), None);
        }
        match model.zip(project).map_or(View::Ready, |(model, project)| model.view(project)) {
            View::Ready if is_preferred => (Standing::Preferred, None, None),
            View::Ready => (Standing::Ready, None, None),
            View::Doubtful(until) => (Standing::Doubtful, Some("failed_lately"), Some(until)),
            View::Resting(why, until) => (Standing::Resting, Some(why), Some(until)),
        }
    }

    fn candidate(
        &mut self,
        slot: usize,
        model: Option<&str>,
        standing: Standing,
        why: Option<&'static str>,
        until: Option<Timestamp>,
    ) -> Option<Candidate> {
        let (now, roster) = (self.latest, &self.roster);
        let (key, project) = (roster.key(slot)?, roster.project_of(slot)?);
        let model = self.models.find(model);
        let levels = model.map_or_else(Levels::default, |model| {
            Levels::new(model.used(project, now), model.limits(project, roster, now))
        });
        Some(Candidate {
            key: key.id.to_string(),
            masked: key.secret.masked(),
            project: key.project.as_deref().map(str::to_owned),
            shares_with: self.kin.leader_of(key.id).map(|first| first.to_string()),
            tier: roster.tier_of(project),
            weight: key.weight.get(),
            standing,
            why,
            until,
            in_flight: roster.loads().in_flight_of(project),
            levels,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{START, ask, fail, keys, of_minute},
        *,
    };
    use crate::{
        fault::{Blame, KeyFault, ProjectFault, Quota},
        pool::{PoolLimits, Strategy},
    };
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    fn standings(explanation: &Explanation) -> Vec<(Standing, Option<&'static str>)> {
        explanation.candidates.iter().map(|one| (one.standing, one.why)).collect()
    }

    #[test]
    fn each_key_is_listed_with_its_reason_the_best_first() {
        let mut all = keys(9);
        all[6].enabled = false;
        let mut pool = Pool::new(all.clone(), Strategy::Balanced);
        let now = START;
        fail(&mut pool, all[0].id, "a", of_minute(3), now);
        fail(&mut pool, all[1].id, "a", Blame::Quota(Quota::Unavailable), now);
        fail(&mut pool, all[2].id, "a", Blame::Service { retry_after: None }, now);
        fail(&mut pool, all[3].id, "a", Blame::Key(KeyFault::Leaked), now);
        fail(&mut pool, all[4].id, "a", Blame::Project(ProjectFault::Billing), now);
        let tried = [all[5].id];
        let request = Ask { tried: &tried, prefer: Some(all[7].id), ..ask("a") };
        let told = pool.explain(&request, 100, now);
        let expected = [
            (Standing::Preferred, None),
            (Standing::Ready, None),
            (Standing::Doubtful, Some("failed_lately")),
            (Standing::Resting, Some("minute_quota")),
            (Standing::Resting, Some("model_unavailable")),
            (Standing::Tried, Some("tried")),
            (Standing::Shut, Some("project_billing")),
            (Standing::Dead, Some("key_leaked")),
            (Standing::Disabled, Some("disabled")),
        ];
        assert_eq!(standings(&told), expected);
        assert_eq!((told.ready_at, told.omitted, told.keys.total), (Some(now), 0, 9));
        assert_eq!(told.candidates[3].levels.requests_per_minute.limit, Some(3));
        assert_eq!(told.candidates[6].until, Some(now + 3600 * SECOND));
        let text = serde_json::to_string(&told).unwrap();
        assert!(!all.iter().any(|key| text.contains(key.secret.expose())), "{text}");
    }

    #[test]
    fn a_full_bucket_is_told_with_its_levels_and_when_it_has_room() {
        let rpm = Limits { requests_per_minute: Some(1), ..Limits::default() };
        let limits = PoolLimits { default: rpm, ..PoolLimits::default() };
        let mut pool = Pool::new(keys(3), Strategy::RoundRobin).with_limits(limits);
        for _ in 0..2 {
            let lease = pool.select(&ask("a"), START, 0).unwrap();
            pool.cancel(lease, START);
        }
        let told = pool.explain(&ask("a"), 2, START + SECOND);
        let no_room = (Standing::Resting, Some("no_room"));
        assert_eq!(standings(&told), [(Standing::Ready, None), no_room]);
        assert_eq!(told.omitted, 1);
        let level = told.candidates[1].levels.requests_per_minute;
        assert_eq!(level, Level { used: 1, limit: Some(1) });
        assert_eq!(told.candidates[1].until, Some(START + Duration::from_millis(60_200)));
        assert!(pool.select(&ask("a"), START + SECOND, 0).is_ok(), "nothing was taken");
    }

    #[test]
    fn a_model_that_was_never_asked_is_explained_and_not_kept() {
        let mut pool = Pool::new(keys(1), Strategy::Balanced);
        let told = pool.explain(&ask("new"), 10, START);
        assert_eq!(standings(&told), [(Standing::Ready, None)]);
        assert_eq!(pool.explain(&Ask::default(), 0, START).omitted, 1);
    }
}
