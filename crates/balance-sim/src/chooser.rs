//! Who chooses the key of a request: the pool, or what is done without one.
//!
//! Invariant: the pool is the real one. The others know the keys and nothing else: they take one by
//! turns or by chance, and another one when it was refused.

use balance_core::{
    fault::Fault,
    key::{Key, KeyId},
    plan::Plan,
    pool::{Ask, Lease, Pool, PoolLimits, Resting, Sharing, Strategy, Why},
    time::Timestamp,
};
use balance_dialect::summary::Usage;

use crate::setting::Setting;

/// The ways that are held against each other, by name.
pub(crate) const ALL: [&str; 9] = [
    "balanced",
    "round-robin",
    "least-used",
    "random",
    "weighted",
    "time-window",
    "fill-first",
    "plain-round-robin",
    "plain-random",
];

#[derive(Debug)]
pub(crate) enum Chooser {
    Pool(Box<Pool>),
    Turns { keys: Vec<Key>, next: usize },
    Chance { keys: Vec<Key> },
}

/// A key for one try.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// The node that chose it.
    pub(crate) node: usize,
    pub(crate) key: KeyId,
    pub(crate) secret: String,
    lease: Option<Lease>,
}

impl Chosen {
    /// The same, chosen by a node.
    pub(crate) fn by(self, node: usize) -> Self {
        Self { node, ..self }
    }
}

/// What a request wants: its model, its tokens as guessed, and what it has tried.
pub(crate) type Wanted<'a> = (&'a str, u64, &'a Plan);

impl Chooser {
    /// The one of this name; `None` if there is none.
    pub(crate) fn new(name: &str, keys: Vec<Key>, setting: &Setting) -> Option<Self> {
        match name {
            "plain-round-robin" => Some(Self::Turns { keys, next: 0 }),
            "plain-random" => Some(Self::Chance { keys }),
            _ => {
                let strategy: Strategy = name.parse().ok()?;
                let instances = setting.nodes as u64;
                let sharing =
                    if instances > 1 { Sharing::Slices { instances } } else { Sharing::Alone };
                let limits = PoolLimits {
                    alike: true,
                    sharing,
                    infer_projects: setting.infers,
                    ..PoolLimits::default()
                };
                Some(Self::Pool(Box::new(Pool::new(keys, strategy).with_limits(limits))))
            }
        }
    }

    /// A key that this request has not tried.
    pub(crate) fn choose(
        &mut self,
        wanted: Wanted<'_>,
        is_last_chance: bool,
        now: Timestamp,
        roll: u64,
    ) -> Result<Chosen, Resting> {
        let tried = wanted.2.tried();
        let (keys, start) = match self {
            Self::Pool(pool) => {
                let ask = Ask { is_last_chance, ..ask(wanted) };
                let lease = pool.select(&ask, now, roll)?;
                let (key, secret) = (lease.key, lease.secret.expose().to_owned());
                return Ok(Chosen { node: 0, key, secret, lease: Some(lease) });
            }
            Self::Turns { keys, next } => {
                *next += 1;
                (&*keys, *next)
            }
            Self::Chance { keys } => {
                let start = (roll % keys.len().max(1) as u64).try_into().unwrap_or(0);
                (&*keys, start)
            }
        };
        let untried = |key: &&Key| !tried.contains(&key.id);
        let found = keys.iter().cycle().skip(start % keys.len().max(1)).take(keys.len());
        found
            .into_iter()
            .find(untried)
            .map(|key| Chosen {
                node: 0,
                key: key.id,
                secret: key.secret.expose().to_owned(),
                lease: None,
            })
            .ok_or(Resting { until: None, why: Why::AllTried })
    }

    /// When a key is ready that this request has not tried.
    pub(crate) fn next_untried(&mut self, wanted: Wanted<'_>, now: Timestamp) -> Option<Timestamp> {
        self.pool()?.next_untried(&ask(wanted), now)
    }

    /// The pool, if it is one.
    pub(crate) fn pool(&mut self) -> Option<&mut Pool> {
        match self {
            Self::Pool(pool) => Some(pool),
            Self::Turns { .. } | Self::Chance { .. } => None,
        }
    }

    /// An answer begins well.
    pub(crate) fn opened(&mut self, chosen: &Chosen, now: Timestamp) {
        if let (Self::Pool(pool), Some(lease)) = (self, &chosen.lease) {
            pool.note_opened(lease, now);
        }
    }

    /// What came of it: how many tokens it took, or what went wrong.
    pub(crate) fn settle(&mut self, chosen: Chosen, outcome: Result<u64, &Fault>, now: Timestamp) {
        if let (Self::Pool(pool), Some(lease)) = (self, chosen.lease) {
            let usage = |prompt_tokens| Usage { prompt_tokens, ..Usage::default() };
            pool.settle(lease, outcome.map(usage), now);
        }
    }

    /// How many keys were put out for good or for all models.
    pub(crate) fn out(&mut self, now: Timestamp) -> usize {
        match self {
            Self::Pool(pool) => pool.census(None, now).out.iter().map(|(_, count)| count).sum(),
            Self::Turns { .. } | Self::Chance { .. } => 0,
        }
    }
}

fn ask((model, tokens, plan): Wanted<'_>) -> Ask<'_> {
    Ask { model: Some(model), tried: plan.tried(), tokens, ..Ask::default() }
}
