//! The store on a real server.

#![cfg(test)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use balance_core::{
    pool::Claim,
    secret::Secret,
    store::{Bid, Note, Revision, Store},
    time::Timestamp,
};
use balance_redis::RedisStore;
use balance_testkit::{redis_server::RedisServer, store_contract};

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_unix_millis(u64::try_from(since.as_millis()).unwrap())
}

fn open(server: &RedisServer, prefix: &str) -> RedisStore {
    RedisStore::open(&Secret::new(&server.url()), prefix).unwrap()
}

fn note(subject: &str) -> Note {
    Note { subject: subject.into(), text: "1".into(), until: None }
}

#[tokio::test]
async fn it_keeps_to_the_contract_of_every_store() {
    let Some(server) = RedisServer::start() else { return };
    let store = open(&server, "contract");
    for scope in ["one", "two"] {
        store_contract::check(&store, scope, now()).await;
    }
}

#[tokio::test]
async fn many_bids_and_notes_go_in_batches() {
    let Some(server) = RedisServer::start() else { return };
    let store = open(&server, "many");
    let claim = Claim { node: 1, used: 0, wanted: 3, counts_until: now() };
    let bids: Vec<_> =
        (0..1000).map(|n| Bid { ledger: format!("ledger {n}"), limit: 1 + n, claim }).collect();
    let slices = store.exchange(&bids, now()).await.unwrap();
    let held: Vec<_> = slices.iter().map(|slice| slice.held).collect();
    assert_eq!((&held[..4], held.len()), (&[1, 2, 3, 3][..], 1000));
    let notes: Vec<_> = (0..1700).map(|n| note(&format!("subject {n}"))).collect();
    store.save(&notes, now()).await.unwrap();
    let (mut told, mut revision) = (Vec::new(), Revision::default());
    loop {
        let news = store.load(revision, now()).await.unwrap();
        revision = news.revision;
        if news.notes.is_empty() {
            break;
        }
        told.extend(news.notes);
    }
    assert_eq!(told, notes);
}

#[tokio::test]
async fn it_comes_back_by_itself_when_the_server_does() {
    let Some(mut server) = RedisServer::start() else { return };
    let store = open(&server, "again");
    store.save(&[note("a"), note("b")], now()).await.unwrap();
    let before = store.load(Revision::default(), now()).await.unwrap().revision;
    server.kill();
    assert!(store.load(before, now()).await.is_err());
    server.run();
    let mut news = store.load(before, now()).await;
    for _ in 0..50 {
        if news.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        news = store.load(before, now()).await;
    }
    assert!(news.unwrap().revision < before, "it lost what it knew, and says so");
}

#[tokio::test]
async fn an_address_that_is_none_is_told_without_repeating_it() {
    for address in ["nonsense", "http://user:hidden@host", "redis://user:hidden@host:port"] {
        let wrong = RedisStore::open(&Secret::new(address), "p").unwrap_err().to_string();
        assert!(wrong.contains("wanted redis://") && !wrong.contains("hidden"), "{wrong}");
    }
    let shown = RedisStore::open(&Secret::new("redis://:hidden@host"), "p").unwrap();
    assert!(!format!("{shown:?}").contains("hidden"));
}
