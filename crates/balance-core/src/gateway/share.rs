//! The exchange with the instances that use the same keys, through a store that all of them reach.
//!
//! Invariant: no request waits for it, and no lock is held over an await. What this instance may use of a
//! quota is told by the last exchange. While the store is away, it goes on with what it holds, as long as
//! nobody else can have it, and then with its even part, in such an order that no quota is used twice.

use std::{
    collections::HashMap,
    fmt,
    pin::pin,
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::{Either, select};

use super::Gateway;
use crate::{
    digest::digest,
    fault::Limits,
    host::Host,
    pool::{Claim, Holding, Mark, Memory, ROUND, Sharing, Slice, TERM},
    pools::PoolId,
    store::{Bid, MOST, Note, Revision, Store, StoreError},
    time::Timestamp,
};

/// How long a store may take for one round.
const PATIENCE: Duration = Duration::from_secs(3);

/// In one of so many rounds everything is exchanged; in the others, what was asked since.
const WHOLE: u64 = 20;

/// How long this instance may use what it holds without a word of the store; it takes more than it holds
/// only once what others used of it cannot count any more.
const NARROWED_AFTER: Duration = Duration::from_secs(TERM.as_secs() / 2);
const EVEN_AFTER: Duration = Duration::from_secs(TERM.as_secs() - 15);

/// The ledger that every instance holds one of, so that they can be counted.
const INSTANCES: &str = "instances";

/// The quotas of a (project, model), as they are called in the names of ledgers.
const QUOTAS: [&str; 4] = ["rpm", "tpm", "rpd", "tpd"];

/// What came of a round, as facts for a log line.
#[derive(Debug)]
pub enum Round {
    /// There is no store, or it is not time yet.
    NotDue,
    /// The store was reached.
    Reached {
        /// How many instances use it, this one included.
        instances: u64,
        /// Whether it was away the last time, or never reached before.
        is_news: bool,
    },
    /// It was not.
    Away {
        /// Why.
        error: StoreError,
        /// How quotas are kept meanwhile.
        meanwhile: Meanwhile,
        /// Whether that was so the last time.
        is_news: bool,
    },
}

/// How quotas are kept while the store is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meanwhile {
    /// By the slices that this instance holds.
    Slices,
    /// By the even part of one of so many instances.
    Evenly {
        /// How many.
        instances: u64,
    },
}

impl fmt::Display for Meanwhile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slices => f.write_str("it uses what it holds of each quota"),
            Self::Evenly { instances } => write!(f, "it uses 1/{instances} of each quota"),
        }
    }
}

/// What is known of the store and the others.
#[derive(Debug, Default)]
pub(crate) struct Share {
    /// The name of this instance; 0 before it has one.
    node: u64,
    rounds: u64,
    /// The next round begins then, if the last one has ended.
    due: Timestamp,
    instances: u64,
    /// When the last round that succeeded began.
    reached: Option<Timestamp>,
    /// How quotas are kept while the store is away; `None` while it is there.
    meanwhile: Option<Meanwhile>,
    /// What was told to it, and by it.
    told: Mark,
    heard: Revision,
    /// The latest texts of all subjects, by their digests: so what was heard is not told again.
    texts: HashMap<String, u64>,
}

impl<H: Host> Gateway<H> {
    /// The same gateway, new and unused, sharing quotas and what it learns with all others that have the
    /// same keys and reach the same store. [`share`](Self::share) is to be called then.
    #[must_use]
    pub fn with_store(mut self, store: Arc<dyn Store>) -> Self {
        let instances = self.settings.instances.value();
        let now = self.host.now();
        self.pools().of(PoolId::Operator, now).set_sharing(Sharing::Slices { instances }, now);
        self.store = Some(store);
        self
    }

    /// Exchanges what is to be shared, if it is time. To be called once before the first request, and
    /// then every second or so, beside the requests; more often does no harm.
    pub async fn share(&self) -> Round {
        let now = self.host.now();
        let Some(store) = &self.store else { return Round::NotDue };
        let node = self.host.next_u64().max(1);
        let Some(whole) = self.shared().begin(node, now) else { return Round::NotDue };
        let round = pin!(self.round(&**store, whole));
        let done = match select(round, pin!(self.host.sleep(PATIENCE))).await {
            Either::Left((done, _)) => done,
            Either::Right(_) => Err(StoreError(format!("it took longer than {PATIENCE:?}").into())),
        };
        let round = match done {
            Ok(instances) => self.reached(instances, now),
            Err(error) => self.missed(error, self.host.now()),
        };
        self.queue.call(PoolId::Operator);
        round
    }

    /// Gives back what this instance holds of quotas and does not use, before it ends.
    pub async fn leave(&self) {
        let Some(store) = &self.store else { return };
        let now = self.host.now();
        let node = self.shared().node;
        let holdings = self.pools().of(PoolId::Operator, now).holdings(true, now);
        let modest = |holding: Holding| Holding { wanted: holding.used, ..holding };
        let bids: Vec<_> = holdings
            .into_iter()
            .map(modest)
            .flat_map(|holding| bids(&holding, node, now))
            .collect();
        let leaving = pin!(store.exchange(&bids, now));
        // Where it cannot be told, the others find out.
        let _told = select(leaving, pin!(self.host.sleep(PATIENCE))).await;
    }

    /// Tells and hears what is new, and exchanges slices. How many instances there are.
    async fn round(&self, store: &dyn Store, whole: bool) -> Result<u64, StoreError> {
        self.tell(store).await?;
        self.hear(store).await?;
        let now = self.host.now();
        let node = self.shared().node;
        let holdings = self.pools().of(PoolId::Operator, now).holdings(whole, now);
        let mut all = vec![presence(node)];
        all.extend(holdings.iter().flat_map(|holding| bids(holding, node, now)));
        let slices = store.exchange(&all, now).await?;
        let (Some(present), true) = (slices.first(), slices.len() == all.len()) else {
            return Err(StoreError("it gave fewer slices than it was asked for".into()));
        };
        let mut rest = slices.iter().skip(1);
        let now = self.host.now();
        let mut pools = self.pools();
        let pool = pools.of(PoolId::Operator, now);
        pool.set_sharing(Sharing::Slices { instances: present.holders }, now);
        for holding in &holdings {
            pool.hold(&holding.of, slices_of(holding, &mut rest), now);
        }
        Ok(present.holders)
    }

    async fn tell(&self, store: &dyn Store) -> Result<(), StoreError> {
        let now = self.host.now();
        let since = self.shared().told;
        let Memory { facts, mark, .. } =
            self.pools().of(PoolId::Operator, now).remember_learned(since, now);
        let notes: Vec<_> = facts.iter().filter_map(|fact| Note::of(fact, now)).collect();
        let news = self.shared().news(notes);
        if !news.is_empty() {
            store.save(&news, now).await?;
        }
        let mut shared = self.shared();
        news.iter().for_each(|note| shared.note(note));
        shared.told = mark;
        Ok(())
    }

    async fn hear(&self, store: &dyn Store) -> Result<(), StoreError> {
        loop {
            let now = self.host.now();
            let since = self.shared().heard;
            let news = store.load(since, now).await?;
            {
                let mut shared = self.shared();
                shared.heard = news.revision;
                if news.revision < since {
                    // It lost what it was told: it is told again.
                    (shared.told, shared.texts) = Default::default();
                }
                news.notes.iter().for_each(|note| shared.note(note));
            }
            if news.notes.is_empty() {
                return Ok(());
            }
            let facts = news.notes.iter().filter_map(Note::fact).collect();
            let memory = Memory { facts, ..Memory::default() };
            self.pools().of(PoolId::Operator, now).recall(&memory, now);
        }
    }

    fn reached(&self, instances: u64, begun: Timestamp) -> Round {
        let mut shared = self.shared();
        let is_news = shared.meanwhile.take().is_some() || shared.reached.is_none();
        (shared.instances, shared.reached) = (instances, Some(begun));
        // Timers do not strike to the millisecond.
        shared.due = begun + ROUND / 2;
        Round::Reached { instances, is_news }
    }

    /// Draws the consequences of a store that is away.
    fn missed(&self, error: StoreError, now: Timestamp) -> Round {
        let mut shared = self.shared();
        shared.due = now + ROUND / 2;
        // Whatever was not told is looked at as a whole, once it is back.
        shared.rounds = 0;
        let known = shared.instances.max(self.settings.instances.value());
        let away = shared.reached.map_or(Duration::MAX, |reached| now.since(reached));
        let meanwhile = if away < NARROWED_AFTER {
            Meanwhile::Slices
        } else {
            Meanwhile::Evenly { instances: known }
        };
        let is_news = shared.meanwhile.replace(meanwhile) != Some(meanwhile);
        drop(shared);
        if meanwhile != Meanwhile::Slices {
            let mut pools = self.pools();
            let pool = pools.of(PoolId::Operator, now);
            pool.set_sharing(Sharing::Evenly { instances: known }, now);
            if away >= EVEN_AFTER {
                pool.let_go(now);
            }
        }
        Round::Away { error, meanwhile, is_news }
    }

    /// How the store is, for those who ask; `None` if there is none.
    pub(super) fn sharing(&self) -> Option<String> {
        self.store.as_ref()?;
        let shared = self.shared();
        let instances = shared.instances;
        Some(match shared.meanwhile {
            None => format!("shared by {instances}"),
            Some(meanwhile) => format!("away; meanwhile {meanwhile}"),
        })
    }

    fn shared(&self) -> MutexGuard<'_, Share> {
        self.share.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Begins a round, unless it is too early or one is under way; whether it is about everything.
    fn begin(&mut self, node: u64, now: Timestamp) -> Option<bool> {
        if now < self.due && self.due <= now + PATIENCE + ROUND {
            return None;
        }
        if self.node == 0 {
            self.node = node;
        }
        // One that is never ended, because its platform dropped it, bars the next one no longer.
        self.due = now + PATIENCE + ROUND;
        let whole = self.rounds.is_multiple_of(WHOLE);
        self.rounds += 1;
        Some(whole)
    }

    /// The notes that say something new.
    fn news(&self, notes: Vec<Note>) -> Vec<Note> {
        let is_new = |note: &Note| self.texts.get(&note.subject) != Some(&digest(&note.text));
        notes.into_iter().filter(is_new).collect()
    }

    fn note(&mut self, note: &Note) {
        self.texts.insert(note.subject.clone(), digest(&note.text));
    }
}

fn presence(node: u64) -> Bid {
    let claim = Claim { node, used: 1, wanted: 1, counts_until: Timestamp::default() };
    Bid { ledger: INSTANCES.into(), limit: MOST, claim }
}

/// The claims on the quotas of a (project, model) that have limits.
fn bids(holding: &Holding, node: u64, now: Timestamp) -> Vec<Bid> {
    let Holding { of, limits, used, wanted } = holding;
    let day_ends = now.next_los_angeles_midnight();
    let mut bids = Vec::new();
    for (place, limit) in parts(limits).into_iter().enumerate() {
        let Some(limit) = limit.filter(|limit| *limit > 0) else { continue };
        let of_place =
            |limits: &Limits| parts(limits).get(place).copied().flatten().unwrap_or(0).min(MOST);
        let is_of_day = place >= 2;
        let counts_until = if is_of_day { day_ends } else { now + ROUND * 61 };
        let claim = Claim { node, used: of_place(used), wanted: of_place(wanted), counts_until };
        let quota = QUOTAS.get(place).unwrap_or(&"");
        let ledger = format!("{}/{}/{quota}", of.key, of.model);
        bids.push(Bid { ledger, limit: limit.min(MOST), claim });
    }
    bids
}

/// The slices for the bids of a holding, which come in their order.
fn slices_of<'a>(holding: &Holding, slices: &mut impl Iterator<Item = &'a Slice>) -> Limits {
    let [rpm, tpm, rpd, tpd] = parts(&holding.limits).map(|limit| {
        let slice = limit.filter(|limit| *limit > 0).and_then(|_| slices.next());
        slice.map(|slice| slice.held)
    });
    Limits {
        requests_per_minute: rpm,
        tokens_per_minute: tpm,
        requests_per_day: rpd,
        tokens_per_day: tpd,
    }
}

const fn parts(limits: &Limits) -> [Option<u64>; 4] {
    [
        limits.requests_per_minute,
        limits.tokens_per_minute,
        limits.requests_per_day,
        limits.tokens_per_day,
    ]
}
