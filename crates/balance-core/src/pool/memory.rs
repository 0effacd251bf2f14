//! What the pool knows, in a form that a store can keep and another instance can read.
//!
//! Invariant: a memory that is read twice, or late, or of a newer kind, does no harm: what is over is
//! left out, and of two rests the longer one holds. It tells no key, only their names.

use serde::{Deserialize, Serialize};

use super::{
    Pool,
    bucket::Record,
    estimate::Sizes,
    model::{Doubted, Rest},
    outage::Outage,
    roster::Shut,
};
use crate::{
    fault::{KeyFault, Limits, ProjectFault},
    key::KeyId,
    time::Timestamp,
};

/// The kind of memory that this version writes, and the newest that it reads.
pub const MEMORY_VERSION: u32 = 1;

/// What changed in a pool since a mark.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// How it is written.
    pub version: u32,
    /// The mark to ask from the next time.
    pub mark: Mark,
    /// What is known of keys and models.
    pub facts: Vec<Fact>,
}

/// A point in the history of one pool; the default stands before everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(pub Timestamp);

/// One thing that is known. A project goes by the name of one of its keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Fact {
    /// A key is out for good.
    Dead {
        /// The key.
        key: KeyId,
        /// Why.
        fault: KeyFault,
    },
    /// A key works that was out.
    Works {
        /// The key.
        key: KeyId,
    },
    /// A project is out for all models.
    Shut {
        /// A key of it.
        key: KeyId,
        /// Why.
        fault: ProjectFault,
        /// Until when; `None` for good.
        until: Option<Timestamp>,
    },
    /// What is known of a project and a model.
    Quota {
        /// A key of the project.
        key: KeyId,
        /// The model.
        model: String,
        /// Until when it rests, and why.
        rest: Option<Rest>,
        /// What was sent.
        sent: Option<Record>,
        /// What Google said of its limits, and until when that is believed.
        told: Option<(Limits, Timestamp)>,
        /// Until when others are asked first.
        #[serde(default)]
        doubt: Option<Doubted>,
    },
    /// How large requests to a model turn out to be.
    Sizes {
        /// The model.
        model: String,
        /// That.
        sizes: Sizes,
    },
    /// A model fails everywhere; without a name, all do.
    Outage {
        /// The model.
        model: String,
        /// Until when nothing is sent.
        until: Timestamp,
        /// How often that was so in a row.
        openings: u32,
    },
}

impl Pool {
    /// What changed since `since`, or all that is known if that is the default.
    pub fn remember(&mut self, since: Mark, now: Timestamp) -> Memory {
        self.recollect(since, true, now)
    }

    /// The same without what was sent: what is true for other instances, too.
    pub fn remember_learned(&mut self, since: Mark, now: Timestamp) -> Memory {
        self.recollect(since, false, now)
    }

    fn recollect(&mut self, since: Mark, whole: bool, now: Timestamp) -> Memory {
        let now = self.advance(now);
        let mut facts = Vec::new();
        let roster = &self.roster;
        for (key, dead) in roster.fates(since.0) {
            facts.push(dead.map_or(Fact::Works { key }, |fault| Fact::Dead { key, fault }));
        }
        for (key, Shut { fault, until }) in roster.shut_since(since.0) {
            facts.push(Fact::Shut { key, fault, until });
        }
        for (name, model) in self.models.named_mut() {
            for known in model.changed(since.0, whole, now) {
                let Some(key) = roster.name_of(known.project) else { continue };
                let model = name.to_owned();
                let (rest, sent, told, doubt) = (known.rest, known.sent, known.told, known.doubt);
                facts.push(Fact::Quota { key, model, rest, sent, told, doubt });
            }
            if name.is_empty() {
                continue; // That stands for all of them here.
            }
            if let Some(sizes) = model.correction.sizes(since.0) {
                facts.push(Fact::Sizes { model: name.to_owned(), sizes });
            }
            facts.extend(outage(name, &model.outage, since));
        }
        facts.extend(outage("", &self.outage, since));
        Memory { version: MEMORY_VERSION, mark: Mark(now), facts }
    }

    /// Takes in what another pool of the same keys knew, or this one before. How many facts were
    /// left out, because their keys are gone, or the memory is of a newer kind.
    pub fn recall(&mut self, memory: &Memory, now: Timestamp) -> usize {
        let now = self.advance(now);
        if memory.version > MEMORY_VERSION {
            return memory.facts.len();
        }
        memory.facts.iter().filter(|fact| self.recall_one(fact, now).is_none()).count()
    }

    fn recall_one(&mut self, fact: &Fact, now: Timestamp) -> Option<()> {
        let key = match fact {
            Fact::Dead { key, .. }
            | Fact::Works { key }
            | Fact::Shut { key, .. }
            | Fact::Quota { key, .. } => key,
            Fact::Sizes { model, .. } | Fact::Outage { model, .. } => {
                return self.recall_of_model(fact, model, now);
            }
        };
        let slot = self.roster.slot_of(*key)?;
        let project = self.roster.project_of(slot)?;
        match fact {
            Fact::Dead { fault, .. } => self.kill(slot, *fault, now),
            Fact::Works { .. } => self.note_check(*key, Ok(()), now),
            Fact::Shut { fault, until, .. } => {
                if until.is_none_or(|until| until > now) {
                    self.roster.shut(project, Shut { fault: *fault, until: *until }, now);
                    for model in self.models.all_mut() {
                        model.refresh(project, &self.roster, now);
                    }
                }
            }
            Fact::Quota { model, rest, sent, told, doubt, .. } => {
                let place = self.enter(Some(model));
                let model = self.models.at(place)?;
                // Of two words of Google's the later one counts, in whatever order they are heard.
                let known_until = model.told_until(project, now).unwrap_or(now);
                if let Some((limits, until)) = told.filter(|(_, until)| *until > known_until) {
                    let at = until.before(super::LEARNED_FOR).min(now);
                    model.learn(project, limits, &self.roster, at);
                }
                if let Some(doubt) = doubt {
                    model.recall_doubt(project, *doubt, &self.roster, now);
                }
                if let Some(sent) = sent {
                    model.recall_sent(project, sent, now);
                }
                let longest = (now + super::rest::UNAVAILABLE).max(now.next_los_angeles_midnight());
                if let Some(rest) = rest.filter(|rest| rest.until > now) {
                    let rest = Rest { until: rest.until.min(longest), ..rest };
                    model.rest(project, rest, &self.roster, now);
                }
                model.refresh(project, &self.roster, now);
            }
            Fact::Sizes { .. } | Fact::Outage { .. } => {}
        }
        Some(())
    }

    fn recall_of_model(&mut self, fact: &Fact, model: &str, now: Timestamp) -> Option<()> {
        let place = self.enter(Some(model));
        let known = self.models.at(place)?;
        match fact {
            Fact::Sizes { sizes, .. } => known.correction.recall(sizes),
            Fact::Outage { until, openings, .. } if model.is_empty() => {
                self.outage.recall(*until, *openings, now);
            }
            Fact::Outage { until, openings, .. } => known.outage.recall(*until, *openings, now),
            Fact::Dead { .. } | Fact::Works { .. } | Fact::Shut { .. } | Fact::Quota { .. } => {}
        }
        Some(())
    }
}

fn outage(model: &str, outage: &Outage, since: Mark) -> Option<Fact> {
    let (until, openings) = outage.memory(since.0)?;
    Some(Fact::Outage { model: model.to_owned(), until, openings })
}

#[cfg(test)]
mod tests {
    use balance_dialect::summary::Usage;

    use super::{
        super::tests::{START, ask, fail, keys, of_minute},
        *,
    };
    use crate::{
        fault::{Blame, Quota},
        pool::{Ask, Census, PoolLimits, Spent, Strategy, Why},
        store::Note,
    };
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits() -> PoolLimits {
        let default = Limits { requests_per_day: Some(5), ..Limits::default() };
        PoolLimits { default, ..PoolLimits::default() }
    }

    fn used() -> Pool {
        let all = keys(6);
        let mut pool = Pool::new(all.clone(), Strategy::RoundRobin).with_limits(limits());
        for (place, blame) in [
            (0, Blame::Key(KeyFault::Leaked)),
            (1, Blame::Project(ProjectFault::SpendingCap)),
            (2, of_minute(3)),
            (3, Blame::Quota(Quota::Day { limits: Limits::default() })),
        ] {
            fail(&mut pool, all[place].id, "a", blame, START);
        }
        for _ in 0..7 {
            let lease = pool.select(&ask("a"), START, 0).unwrap();
            pool.cancel(lease, START);
        }
        pool
    }

    fn census(pool: &mut Pool, now: Timestamp) -> Census {
        pool.census(Some("a"), now)
    }

    #[test]
    fn a_pool_goes_on_where_another_one_stopped() {
        let mut old = used();
        let memory = old.remember(Mark::default(), START + SECOND);
        let text = serde_json::to_string(&memory).unwrap();
        let read: Memory = serde_json::from_str(&text).unwrap();
        assert_eq!(read, memory);
        let mut new = Pool::new(keys(6), Strategy::RoundRobin).with_limits(limits());
        for _ in 0..2 {
            assert_eq!(new.recall(&read, START + 2 * SECOND), 0);
        }
        for seconds in [2, 20, 70, 4000, 100_000] {
            let now = START + seconds * SECOND;
            assert_eq!(census(&mut new, now), census(&mut old, now), "after {seconds} s");
        }
        assert!(!keys(6).iter().any(|key| text.contains(key.secret.expose())));
        assert_eq!(new.limits(keys(6)[2].id, Some("a")).requests_per_minute, Some(3));
    }

    #[test]
    fn doubts_outages_and_sizes_are_known_to_others() {
        let all = keys(8);
        let mut old = Pool::new(all.clone(), Strategy::RoundRobin);
        let service = Blame::Service { retry_after: None };
        all[1..4].iter().for_each(|key| fail(&mut old, key.id, "b", service, START));
        let lease = old.select(&Ask { tokens: 100, ..ask("a") }, START, 0).unwrap();
        let usage = Usage { prompt_tokens: 300, ..Usage::default() };
        old.settle(lease, Ok(usage), START);
        fail(&mut old, all[0].id, "a", service, START);
        let told = old.remember_learned(Mark::default(), START);
        let notes = told.facts.iter().map(|fact| Note::of(fact, START).unwrap());
        let facts: Vec<_> = notes.map(|note| note.fact().unwrap()).collect();
        assert_eq!(facts, told.facts, "all of it can be written down");
        let mut new = Pool::new(all, Strategy::RoundRobin);
        assert_eq!(new.recall(&Memory { facts, ..Memory::default() }, START), 0);
        assert_eq!(census(&mut new, START), census(&mut old, START));
        assert_eq!(census(&mut new, START).doubtful, 1);
        assert_eq!(new.select(&ask("b"), START, 0).unwrap_err().why, Why::Outage);
        let sizes = |pool: &mut Pool| {
            let facts = pool.remember_learned(Mark::default(), START).facts;
            facts.into_iter().find(|fact| matches!(fact, Fact::Sizes { .. }))
        };
        assert!(sizes(&mut old).is_some());
        assert_eq!(sizes(&mut new), sizes(&mut old));
    }

    #[test]
    fn only_what_changed_since_the_mark_is_told() {
        let mut pool = used();
        let first = pool.remember(Mark::default(), START + SECOND);
        assert_eq!(first.facts.len(), 1 + 1 + 6, "{:?}", first.facts);
        assert_eq!(pool.remember(first.mark, START + 2 * SECOND).facts, []);
        let lease = pool.select(&ask("b"), START + 3 * SECOND, 0).unwrap();
        pool.cancel(lease, START + 3 * SECOND);
        let second = pool.remember(first.mark, START + 4 * SECOND);
        let [Fact::Quota { model, .. }] = second.facts.as_slice() else { panic!("{second:?}") };
        assert_eq!(model, "b");
    }

    #[test]
    fn what_cannot_be_used_is_left_out_and_counted() {
        let memory = used().remember(Mark::default(), START);
        let mut strangers = Pool::new(Vec::new(), Strategy::Balanced);
        assert_eq!(strangers.recall(&memory, START), memory.facts.len());
        let newer = Memory { version: MEMORY_VERSION + 1, ..memory.clone() };
        let mut pool = Pool::new(keys(6), Strategy::Balanced);
        assert_eq!(pool.recall(&newer, START), memory.facts.len());
        assert_eq!(census(&mut pool, START).ready, 6);
        // Days later only what lasts is left.
        assert_eq!(pool.recall(&memory, START + 200_000 * SECOND), 0);
        assert_eq!(census(&mut pool, START + 200_000 * SECOND).ready, 5);
    }

    #[test]
    fn an_absurd_memory_puts_no_key_away_for_years() {
        let all = keys(1);
        let far = Timestamp::from_unix_millis(u64::MAX);
        let rest = Some(Rest { until: far, spent: Spent::Minute });
        let model = "a".to_owned();
        let fact = Fact::Quota { key: all[0].id, model, rest, sent: None, told: None, doubt: None };
        let memory = Memory { version: 1, mark: Mark(far), facts: vec![fact] };
        let mut pool = Pool::new(all, Strategy::Balanced);
        pool.recall(&memory, START);
        assert!(pool.next_ready(Some("a"), START).unwrap() <= START + 90_000 * SECOND);
    }

    #[test]
    fn what_was_sent_counts_where_it_is_recalled() {
        let rpm = Limits { requests_per_minute: Some(2), ..Limits::default() };
        let limits = PoolLimits { default: rpm, ..PoolLimits::default() };
        let mut old = Pool::new(keys(1), Strategy::Balanced).with_limits(limits.clone());
        let lease = old.select(&ask("a"), START, 0).unwrap();
        old.cancel(lease, START);
        let memory = old.remember(Mark::default(), START);
        let mut new = Pool::new(keys(1), Strategy::Balanced).with_limits(limits);
        new.recall(&memory, START + SECOND);
        new.recall(&memory, START + SECOND);
        let lease = new.select(&ask("a"), START + SECOND, 0).unwrap();
        new.cancel(lease, START + SECOND);
        let resting = new.select(&ask("a"), START + SECOND, 0).unwrap_err();
        assert_eq!(resting.until, Some(START + super::super::bucket::WINDOW));
    }
}
