//! The pool against a plain account of the same events, under seeded random actions and a clock that
//! jumps.
//!
//! After each step: no key is given that is dead, shut, out of quota, over a limit or tried; one is given whenever
//! there is one; waits are told to the millisecond; leases under way are counted; sets and timers
//! agree. A failure prints its seed.

mod account;

use std::sync::Arc;

use self::account::Account;
use super::{
    slots::{reroll, scale},
    tests::{START, fault, key},
    *,
};
use crate::fault::{Blame, KeyFault, ProjectFault, Quota};

const SEEDS: u64 = 256;
const STEPS: usize = 400;
const MODELS: [Option<&str>; 3] = [None, Some("a"), Some("b")];
const MILLISECOND: Duration = Duration::from_millis(1);

#[test]
fn the_pool_keeps_its_promises_whatever_happens() {
    for seed in 0..SEEDS {
        let _told = Seed(seed);
        let mut run = Run::new(seed);
        for _ in 0..STEPS {
            run.step();
            run.account.forget_past(run.now);
            // A check looks at all that is due; a pick alone does not.
            if run.chance(2) == 0 {
                run.check();
            }
        }
        run.wind_up();
    }
}

/// Names the seed of a run that fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the seed that failed: {}", self.0);
        }
    }
}

/// A lease under way, as the account sees it.
struct Out {
    lease: Lease,
    model: Option<&'static str>,
    until: Timestamp,
}

struct Run {
    pool: Pool,
    account: Account,
    strategy: Strategy,
    out: Vec<Out>,
    /// Leases that were dropped and wait for their time: of which key, and when it comes.
    lost: Vec<(KeyId, Timestamp)>,
    now: Timestamp,
    roll: u64,
    next_key: usize,
}

impl Run {
    fn new(seed: u64) -> Self {
        let strategies = [
            Strategy::Balanced,
            Strategy::RoundRobin,
            Strategy::LeastUsed,
            Strategy::Random,
            Strategy::Weighted,
            Strategy::TimeWindow,
            Strategy::FillFirst,
        ];
        let strategy = strategies[usize::try_from(seed).unwrap() % strategies.len()];
        let mut run = Self {
            pool: Pool::new(Vec::new(), strategy)
                .with_limits(PoolLimits { alike: true, ..PoolLimits::default() }),
            account: Account::default(),
            strategy,
            out: Vec::new(),
            lost: Vec::new(),
            now: START,
            roll: reroll(seed),
            next_key: 0,
        };
        for _ in 0..run.chance(12) {
            run.add_key();
        }
        run
    }

    /// A number below `bound`.
    fn chance(&mut self, bound: usize) -> usize {
        self.roll = reroll(self.roll);
        scale(self.roll, bound)
    }

    fn step(&mut self) {
        match self.chance(100) {
            0..40 => self.select(),
            40..75 => self.settle(),
            75..79 => self.lose(),
            79..82 => self.cancel(),
            82..84 => self.add_key(),
            84..86 => self.remove_key(),
            86 => self.switch_key(),
            87..95 => {
                let millis = [0, 1, 900, 20_000, 60_000, 3_600_000, 100_000_000];
                let by = millis[self.chance(millis.len())];
                self.go_to(self.now + Duration::from_millis(by));
            }
            95 => {
                let millis = [1, 4000, 6000, 3_600_000, 100_000_000];
                let by = millis[self.chance(millis.len())];
                self.go_to(self.now.before(Duration::from_millis(by)));
            }
            96 => self.take_all_in_turn(),
            _ => self.go_to_next_change(),
        }
    }

    fn select(&mut self) {
        let model = MODELS[self.chance(MODELS.len())];
        let ids: Vec<_> = self.account.keys.iter().map(|key| key.id).collect();
        let tried: Vec<_> = ids.iter().copied().filter(|_| self.chance(4) == 0).collect();
        let prefer = if ids.is_empty() { None } else { Some(ids[self.chance(ids.len())]) };
        let prefer = prefer.filter(|_| self.chance(3) == 0);
        let ask = Ask { model, tried: &tried, prefer, ..Ask::default() };
        let is_looked_at = self.chance(2) == 0;
        let ready = ids.iter().filter(|id| is_looked_at && self.is_ready(**id, model));
        let ready: Vec<_> = ready.copied().collect();
        let outage = self.outage(model);
        let untried = |id: &KeyId| !tried.contains(id);
        let usable = |key: &Key| self.account.usable_at(key, model, self.now) == Some(self.now);
        let exists = self.account.keys.iter().any(|key| usable(key) && untried(&key.id));
        let selected = self.pool.select(&ask, self.now, self.roll);
        if outage.is_some() {
            let why = selected.map(|_| ()).unwrap_err();
            assert_eq!(why, Resting { until: outage, why: Why::Outage });
            return;
        }
        assert!(selected.is_ok() || !exists, "{ask:?}");
        match selected {
            Ok(lease) => {
                let key = self.account.find(lease.key).unwrap();
                assert_eq!(lease.secret, key.secret);
                // Where nothing else is left, what is only presumed is put to the test.
                let may_have_more = || self.account.may_have_more(key, model, self.now);
                assert!(if exists { usable(key) } else { may_have_more() }, "{ask:?}");
                assert!(untried(&key.id));
                // Doubtful ones come last, and what is preferred comes first.
                assert!(ready.contains(&key.id) || !ready.iter().any(untried));
                if let Some(prefer) = ask.prefer.filter(|id| ready.contains(id) && untried(id)) {
                    assert_eq!(lease.key, prefer);
                }
                let key = key.clone();
                self.account.send(&key, model, self.now);
                self.out.push(Out { lease, model, until: self.now + LEASE_TIME });
            }
            Err(resting) if tried.is_empty() => assert_eq!(resting.until, self.first_usable(model)),
            Err(_) => {}
        }
    }

    /// Until when the pool sends nothing, as the model or all of them fail everywhere.
    fn outage(&mut self, model: Option<&str>) -> Option<Timestamp> {
        let all = self.pool.outage.blocked_until(self.now);
        let model = self.pool.models.find(model);
        all.max(model.and_then(|model| model.outage.blocked_until(self.now)))
    }

    /// Whether the pool holds a key for ready, neither resting nor doubtful.
    fn is_ready(&mut self, id: KeyId, model: Option<&str>) -> bool {
        self.pool.census(model, self.now);
        let slot = self.pool.roster.slot_of(id).unwrap();
        match self.pool.models.find(model) {
            Some(model) => model.is_ready(slot, &self.pool.roster),
            None => self.pool.roster.open().contains(slot),
        }
    }

    fn first_usable(&self, model: Option<&'static str>) -> Option<Timestamp> {
        let keys = self.account.keys.iter();
        keys.filter_map(|key| self.account.usable_at(key, model, self.now)).min()
    }

    fn settle(&mut self) {
        let Some(Out { lease, model, until }) = self.any_out() else { return };
        let (is_out, begun) = (until > self.now, until.before(LEASE_TIME));
        let seconds = [None, Some(1), Some(33), Some(3600)][self.chance(4)];
        let retry_after = seconds.map(Duration::from_secs);
        let limits = Limits {
            requests_per_minute: [None, Some(1), Some(3), Some(5)][self.chance(4)],
            requests_per_day: [None, None, Some(4), Some(20)][self.chance(4)],
            ..Limits::default()
        };
        let blame = match self.chance(24) {
            0..9 => {
                if is_out {
                    self.account.serve(lease.key, model, begun, self.now);
                }
                self.pool.settle(lease, Ok(Usage::default()), self.now);
                return;
            }
            9..13 => Blame::Quota(Quota::Minute { retry_after, limits }),
            13 => Blame::Quota(Quota::Day { limits }),
            14 => Blame::Quota(Quota::Unavailable),
            15 => Blame::Key(KeyFault::Invalid),
            16 => {
                Blame::Project([ProjectFault::Billing, ProjectFault::SpendingCap][self.chance(2)])
            }
            17 if self.chance(4) == 0 => Blame::Project(ProjectFault::Suspended),
            17 => Blame::Project(ProjectFault::Forbidden),
            18..20 => Blame::Capacity { retry_after },
            20..23 => Blame::Service { retry_after },
            _ => Blame::Request,
        };
        if is_out && !blame.is_counted() {
            self.account.unsend(lease.key, model, begun, self.now);
        }
        self.account.settle(lease.key, model, blame, self.now);
        self.pool.settle(lease, Err(&fault(blame)), self.now);
    }

    fn cancel(&mut self) {
        let Some(out) = self.any_out() else { return };
        if self.chance(2) == 0 {
            self.pool.cancel(out.lease, self.now);
            return;
        }
        if out.until > self.now {
            self.account.unsend(out.lease.key, out.model, out.until.before(LEASE_TIME), self.now);
        }
        self.pool.give_back(out.lease, self.now);
    }

    fn lose(&mut self) {
        if let Some(out) = self.any_out() {
            self.lost.push((out.lease.key, out.until));
        }
    }

    fn any_out(&mut self) -> Option<Out> {
        let place = self.chance(self.out.len());
        (!self.out.is_empty()).then(|| self.out.swap_remove(place))
    }

    fn add_key(&mut self) {
        let mut key = key(self.next_key);
        self.next_key += 1;
        if self.chance(2) == 0 {
            key.project = Some(Arc::from(["p", "q"][self.chance(2)]));
        }
        let weight = u32::try_from(self.chance(3)).unwrap();
        key.weight = key.weight.saturating_add(weight);
        let place = self.chance(self.account.keys.len() + 1);
        self.account.keys.insert(place, key);
        self.set_keys();
    }

    /// Leases of a key that is removed end there and then.
    fn remove_key(&mut self) {
        if self.account.keys.is_empty() {
            return;
        }
        let place = self.chance(self.account.keys.len());
        let id = self.account.keys.remove(place).id;
        self.account.dead.remove(&id);
        for out in self.out.iter_mut().filter(|out| out.lease.key == id) {
            out.until = Timestamp::default();
        }
        self.lost.retain(|(key, _)| *key != id);
        self.set_keys();
    }

    fn switch_key(&mut self) {
        if !self.account.keys.is_empty() {
            let place = self.chance(self.account.keys.len());
            self.account.keys[place].enabled ^= true;
            self.set_keys();
        }
    }

    /// What is known of a project is forgotten with its last key.
    fn set_keys(&mut self) {
        self.pool.set_keys(self.account.keys.clone(), self.now);
        let projects: Vec<_> = self.account.keys.iter().map(Account::project).collect();
        self.account.shut.retain(|project, _| projects.contains(project));
        self.account.quotas.retain(|(project, _), _| projects.contains(project));
        self.account.meters.retain(|(project, _), _| projects.contains(project));
        self.account.told.retain(|(project, _), _| projects.contains(project));
        for (_, _, source) in self.account.presumed.values_mut() {
            if !projects.contains(source) {
                source.clear();
            }
        }
    }

    fn go_to(&mut self, to: Timestamp) {
        if to + CLOCK_TOLERANCE < self.now {
            let by = self.now.since(to);
            self.account.rewind(by, to);
            let lost = self.lost.iter_mut().map(|(_, until)| until);
            for until in self.out.iter_mut().map(|out| &mut out.until).chain(lost) {
                *until = until.before(by);
            }
            self.now = to;
        } else {
            self.now = self.now.max(to);
        }
        // A time that seems to go back a little is a request that was slow to ask.
        self.pool.in_flight(to);
    }

    /// Nothing comes back a moment earlier, and something then.
    fn go_to_next_change(&mut self) {
        let before = self.census();
        let Some(change) = self.pool.next_change(self.now) else {
            self.go_to(self.now + Duration::from_secs(1_000_000));
            assert_eq!(self.census(), before);
            return;
        };
        assert!(change > self.now);
        self.go_to(change.before(MILLISECOND));
        assert_eq!(self.census(), before, "something changed before {change:?}");
        assert_eq!(self.pool.next_change(self.now), Some(change));
        self.go_to(change);
        assert_ne!(self.census(), before, "nothing changed at {change:?}");
    }

    fn census(&mut self) -> Vec<Census> {
        MODELS.iter().map(|model| self.pool.census(*model, self.now)).collect()
    }

    /// Round robin takes every ready key within as many picks as there are.
    fn take_all_in_turn(&mut self) {
        let model = MODELS[self.chance(MODELS.len())];
        let ready = self.pool.census(model, self.now).ready;
        let is_out = self.outage(model).is_some();
        if self.strategy != Strategy::RoundRobin || ready == 0 || is_out {
            return;
        }
        let mut taken: Vec<_> = (0..ready)
            .map(|_| {
                let lease =
                    self.pool.select(&Ask { model, ..Ask::default() }, self.now, 0).unwrap();
                let key = lease.key;
                self.pool.give_back(lease, self.now);
                key
            })
            .collect();
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken.len(), ready);
    }

    fn check(&mut self) {
        self.lost.retain(|(_, until)| *until > self.now);
        let under_way =
            self.out.iter().filter(|out| out.until > self.now).count() + self.lost.len();
        assert_eq!(self.pool.in_flight(self.now), under_way);
        let by_project: u64 = self.pool.roster.loads().in_flight();
        assert_eq!(by_project, under_way as u64);
        for model in MODELS {
            let census = self.pool.census(model, self.now);
            let out: usize = census.out.iter().map(|(_, count)| count).sum();
            let sum = census.ready + census.doubtful + census.resting + census.disabled + out;
            assert_eq!((census.total, sum), (self.account.keys.len(), self.account.keys.len()));
            let usable =
                |key: &&Key| self.account.usable_at(key, model, self.now) == Some(self.now);
            let usable = self.account.keys.iter().filter(usable).count();
            if census.ready + census.doubtful != usable {
                eprintln!(
                    "{census:?} keys {:?} dead {:?} shut {:?} quotas {:?} now {:?}\n{:#?}",
                    self.account.keys,
                    self.account.dead,
                    self.account.shut,
                    self.account.quotas,
                    self.now,
                    self.pool
                );
            }
            if self.pool.models.find(model).is_some() {
                assert_eq!(census.ready + census.doubtful, usable, "{model:?}");
            }
        }
        for model in self.pool.models.all() {
            model.check(&self.pool.roster);
        }
    }

    /// At the end every lease is over, settled or not.
    fn wind_up(&mut self) {
        while let Some(out) = self.any_out() {
            self.pool.settle(out.lease, Ok(Usage::default()), self.now);
        }
        self.go_to(self.now + LEASE_TIME);
        assert_eq!(self.pool.in_flight(self.now), 0);
        assert_eq!(self.pool.roster.loads().in_flight(), 0);
    }
}
