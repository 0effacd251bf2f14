//! Several gateways of one operator: what they share through a store, and what they do without it.

#![cfg(test)]

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use balance_core::{
    gateway::{Meanwhile, Round},
    host::Clock,
    key::KeyId,
    pool::{Claim, Slice},
    store::{Bid, MemoryStore, News, Note, Revision, Store, StoreError},
    time::Timestamp,
};
use balance_testkit::{answer::Answer, fake_host::FakeHost, in_process::Stage, scenario::Asked};
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

/// A store that can be taken away.
#[derive(Debug, Default)]
struct Fickle {
    store: MemoryStore,
    is_away: AtomicBool,
}

impl Fickle {
    fn there(&self) -> Result<&MemoryStore, StoreError> {
        let away = self.is_away.load(Ordering::Relaxed);
        if away { Err(StoreError("taken away".into())) } else { Ok(&self.store) }
    }
}

#[async_trait]
impl Store for Fickle {
    async fn exchange(&self, bids: &[Bid], now: Timestamp) -> Result<Vec<Slice>, StoreError> {
        self.there()?.exchange(bids, now).await
    }

    async fn save(&self, notes: &[Note], now: Timestamp) -> Result<(), StoreError> {
        self.there()?.save(notes, now).await
    }

    async fn load(&self, since: Revision, now: Timestamp) -> Result<News, StoreError> {
        self.there()?.load(since, now).await
    }
}

/// Gateways with the same settings, on one clock.
struct Fleet {
    stages: Vec<Stage>,
    host: FakeHost,
    store: Arc<Fickle>,
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// The requests a minute that the key's project is allowed, and what instances that have not exchanged
/// slices of it yet may take beforehand.
const LIMIT: usize = 30;
const BEFOREHAND: usize = LIMIT / 8;

impl Fleet {
    fn new(size: usize, settings: &[(&str, &str)]) -> Self {
        let common = [("OPEN_POOL", "true"), ("DEFAULT_RPM", "30"), ("QUEUE_SECONDS", "0")];
        let settings = common.iter().chain(settings);
        let settings: BTreeMap<String, String> =
            settings.map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let host = FakeHost::answering(|_, sent| match sent.credentials().first() {
            Some(key) if key == "bad" => Answer::json(400, &invalid()),
            Some(_) | None => Answer::json(200, &good()),
        });
        let store = Arc::new(Fickle::default());
        let stages = (0..size).map(|_| {
            let Stage { gateway, host } = Stage::on(host.clone(), &settings).unwrap();
            Stage { gateway: gateway.with_store(store.clone()), host }
        });
        Self { stages: stages.collect(), host: host.clone(), store }
    }

    /// Every gateway shares once.
    fn round(&self) -> Vec<Round> {
        let share = |stage: &Stage| self.host.time().block_on(stage.gateway.share()).unwrap();
        self.stages.iter().map(share).collect()
    }

    /// Second by second all share, and some are asked.
    fn ask_for(&self, time: Duration, places: &[usize]) {
        for _ in 0..time.as_secs() {
            self.round();
            for place in places {
                self.ask(*place);
            }
            self.host.time().advance(SECOND);
        }
    }

    fn ask(&self, place: usize) -> u16 {
        let body = Bytes::from_static(br#"{"contents":[{"parts":[{"text":"Hi"}]}]}"#);
        let path = "http://door.test/v1beta/models/gemini-2.5-flash:generateContent";
        let request = Request::post(path).body(body).unwrap();
        self.stages[place].ask(request, &Asked::default()).unwrap().status
    }

    fn take_away(&self, is_away: bool) {
        self.store.is_away.store(is_away, Ordering::Relaxed);
    }

    /// The most requests that reached upstream in any minute, and all of them.
    fn sent(&self) -> (usize, usize) {
        let at: Vec<Timestamp> = self.host.sent().iter().map(|sent| sent.at).collect();
        let in_minute = at.iter().enumerate().map(|(place, first)| {
            at[place..].iter().take_while(|at| at.since(*first) < MINUTE).count()
        });
        (in_minute.max().unwrap_or(0), at.len())
    }
}

fn good() -> Value {
    json!({ "candidates": [{ "finishReason": "STOP", "content": { "parts": [{ "text": "Ho" }] } }] })
}

fn invalid() -> Value {
    let info = json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
    });
    let message = "API key not valid. Please pass a valid API key.";
    json!({ "error": {
        "code": 400, "message": message, "status": "INVALID_ARGUMENT", "details": [info],
    } })
}

#[test]
fn together_they_send_what_the_quota_allows_and_no_more() {
    let fleet = Fleet::new(3, &[("API_KEYS", "a")]);
    fleet.ask_for(10 * MINUTE, &[0, 1, 2]);
    let (in_minute, all) = fleet.sent();
    assert!(in_minute <= LIMIT + BEFOREHAND, "{in_minute} in a minute");
    assert!(all >= 10 * LIMIT * 95 / 100, "{all} in ten minutes");
}

#[test]
fn one_that_is_asked_alone_gets_all_and_leaves_it_when_others_are() {
    let fleet = Fleet::new(3, &[("API_KEYS", "a")]);
    fleet.ask_for(5 * MINUTE, &[0]);
    let (_, alone) = fleet.sent();
    assert!(alone >= 5 * LIMIT * 95 / 100, "{alone} in five minutes");
    fleet.host.forget_sent();
    fleet.ask_for(5 * MINUTE, &[1, 2]);
    let (in_minute, all) = fleet.sent();
    assert!(in_minute <= LIMIT + BEFOREHAND, "{in_minute} in a minute");
    assert!(all >= 4 * LIMIT, "{all} in five minutes");
}

#[test]
fn what_one_learns_of_a_key_all_know() {
    let fleet = Fleet::new(2, &[("API_KEYS", "bad,a"), ("STRATEGY", "round-robin")]);
    fleet.round();
    assert_eq!((fleet.ask(0), fleet.sent().1), (200, 2), "one of them was refused");
    fleet.ask_for(3 * SECOND, &[]);
    fleet.host.forget_sent();
    fleet.ask_for(4 * SECOND, &[1]);
    assert_eq!(fleet.sent().1, 4, "the other one was told");
}

#[test]
fn nothing_is_told_twice_in_a_circle() {
    let fleet = Fleet::new(2, &[("API_KEYS", "bad,a")]);
    fleet.ask_for(MINUTE, &[0, 1]);
    let last = || {
        let load = fleet.store.store.load(Revision::default(), fleet.host.now());
        fleet.host.time().block_on(load).unwrap().unwrap().revision
    };
    let before = last();
    assert!(before > Revision::default());
    fleet.ask_for(MINUTE, &[]);
    assert_eq!(last(), before, "where nothing happens nothing is told");
}

#[test]
fn while_the_store_is_away_each_uses_what_it_holds_and_then_its_part() {
    let fleet = Fleet::new(3, &[("API_KEYS", "a")]);
    fleet.ask_for(3 * MINUTE, &[0, 1, 2]);
    fleet.take_away(true);
    let away = fleet.round();
    let slices = Meanwhile::Slices;
    let is_slices = |round: &Round| matches!(round, Round::Away { meanwhile, is_news: true, .. } if *meanwhile == slices);
    assert!(away.iter().all(is_slices), "{away:?}");
    fleet.ask_for(10 * MINUTE, &[0, 1, 2]);
    let rounds = fleet.round();
    let is_even = |round: &Round| {
        let even = Meanwhile::Evenly { instances: 3 };
        matches!(round, Round::Away { meanwhile, is_news: false, .. } if *meanwhile == even)
    };
    assert!(rounds.iter().all(is_even), "{rounds:?}");
    let (in_minute, all) = fleet.sent();
    assert!(in_minute <= LIMIT + BEFOREHAND, "{in_minute} in a minute");
    assert!(all >= 13 * LIMIT * 90 / 100, "{all} in thirteen minutes");
    fleet.take_away(false);
    fleet.host.time().advance(SECOND);
    let rounds = fleet.round();
    let is_back = |round: &Round| matches!(round, Round::Reached { is_news: true, .. });
    assert!(rounds.iter().all(is_back), "{rounds:?}");
    fleet.host.time().advance(SECOND);
    let rounds = fleet.round();
    let is_all = |round: &Round| matches!(round, Round::Reached { instances: 3, is_news: false });
    assert!(rounds.iter().all(is_all), "{rounds:?}");
}

#[test]
fn a_store_that_was_never_there_leaves_each_its_part() {
    let fleet = Fleet::new(3, &[("API_KEYS", "a"), ("INSTANCES", "3")]);
    fleet.take_away(true);
    fleet.ask_for(5 * MINUTE, &[0]);
    assert_eq!(fleet.sent().0, LIMIT / 3);
    fleet.ask_for(5 * MINUTE, &[0, 1, 2]);
    assert_eq!(fleet.sent().0, LIMIT);
}

#[test]
fn one_that_leaves_gives_back_what_it_holds() {
    let fleet = Fleet::new(2, &[("API_KEYS", "a")]);
    fleet.ask_for(5 * SECOND, &[0]);
    fleet.round();
    let left = || {
        let ledger = format!("{}/gemini-2.5-flash/rpm", KeyId::of("a"));
        let claim = Claim { node: 7, used: 0, wanted: 30, counts_until: Timestamp::default() };
        let bids = [Bid { ledger, limit: 30, claim }];
        let exchange = fleet.store.exchange(&bids, fleet.host.now());
        fleet.host.time().block_on(exchange).unwrap().unwrap()[0].held
    };
    assert_eq!(left(), 30 - 5 - 3);
    fleet.host.time().block_on(fleet.stages[0].gateway.leave()).unwrap();
    assert_eq!(left(), 30 - 5);
}
