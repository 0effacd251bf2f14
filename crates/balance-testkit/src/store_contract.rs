//! What every store keeps to, whatever it is made of.
//!
//! Invariant: nothing here waits, and names are given by `scope`, so that one store can be put to the
//! test more than once.

#![expect(clippy::unwrap_used, reason = "a store that fails has failed the test")]

use balance_core::{
    pool::{Claim, Ledger, Slice},
    store::{Bid, Note, Revision, Store},
    time::Timestamp,
};

/// Puts a store to the test. `now` is the time by the store's own clock, if it has one, give or take
/// some seconds; `scope` is a name that it was not tested under before.
///
/// # Panics
/// If the store does not keep to the contract.
pub async fn check(store: &dyn Store, scope: &str, now: Timestamp) {
    slices_are_those_of_the_ledger(store, scope, now).await;
    notes_are_told_once_and_in_order(store, scope, now).await;
    what_is_over_is_not_told(store, scope, now).await;
    a_store_that_forgot_tells_from_its_beginning(store, scope, now).await;
}

async fn slices_are_those_of_the_ledger(store: &dyn Store, scope: &str, now: Timestamp) {
    let mut ledgers = [Ledger::default(), Ledger::default()];
    let counts_until = now + std::time::Duration::from_secs(60);
    let mut numbers = 1_u64;
    for _ in 0..60 {
        let mut bids = Vec::new();
        let mut expected: Vec<Slice> = Vec::new();
        for (place, ledger) in ledgers.iter_mut().enumerate() {
            numbers = numbers.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(place as u64);
            let (node, used, more) =
                (u64::MAX - (numbers >> 60) % 4, (numbers >> 33) % 9, (numbers >> 40) % 20);
            let claim = Claim { node, used, wanted: used + more, counts_until };
            expected.push(ledger.exchange(claim, 30, now));
            bids.push(Bid { ledger: format!("{scope}/{place}"), limit: 30, claim });
        }
        assert_eq!(store.exchange(&bids, now).await.unwrap(), expected);
    }
    assert_eq!(store.exchange(&[], now).await.unwrap(), []);
}

async fn notes_are_told_once_and_in_order(store: &dyn Store, scope: &str, now: Timestamp) {
    let start = all_since(store, Revision::default(), now).await.1;
    assert_eq!(store.load(start, now).await.unwrap().notes, [], "nothing new");
    let [a, b, c] = ["a", "b", "c"].map(|name| note(scope, name, "1"));
    store.save(&[a.clone(), b.clone()], now).await.unwrap();
    store.save(&[], now).await.unwrap();
    let (notes, later) = all_since(store, start, now).await;
    assert_eq!(notes, [a.clone(), b]);
    assert!(later > start);
    let newer = note(scope, "b", "{\"two\": \"\u{1f511} 2\"}");
    store.save(&[c.clone(), newer.clone()], now).await.unwrap();
    assert_eq!(all_since(store, later, now).await.0, [c.clone(), newer.clone()]);
    assert_eq!(all_since(store, start, now).await.0, [a, c, newer], "one note for a subject");
}

async fn what_is_over_is_not_told(store: &dyn Store, scope: &str, now: Timestamp) {
    let start = all_since(store, Revision::default(), now).await.1;
    let over = Note { until: Some(now.before(HOUR)), ..note(scope, "over", "1") };
    let lasting = Note { until: Some(now + HOUR), ..note(scope, "lasting", "1") };
    store.save(&[over, lasting.clone()], now).await.unwrap();
    assert_eq!(all_since(store, start, now).await.0, [lasting]);
}

async fn a_store_that_forgot_tells_from_its_beginning(
    store: &dyn Store,
    scope: &str,
    now: Timestamp,
) {
    store.save(&[note(scope, "first", "1")], now).await.unwrap();
    let news = store.load(Revision(1 << 40), now).await.unwrap();
    assert!(news.revision < Revision(1 << 40) && !news.notes.is_empty());
}

const HOUR: std::time::Duration = std::time::Duration::from_secs(3600);

fn note(scope: &str, subject: &str, text: &str) -> Note {
    Note { subject: format!("{scope}/{subject}"), text: text.into(), until: None }
}

/// All notes since a revision, in however many parts they come.
async fn all_since(store: &dyn Store, since: Revision, now: Timestamp) -> (Vec<Note>, Revision) {
    let (mut notes, mut revision) = (Vec::new(), since);
    loop {
        let news = store.load(revision, now).await.unwrap();
        revision = news.revision;
        if news.notes.is_empty() {
            return (notes, revision);
        }
        notes.extend(news.notes);
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use balance_core::{
        host::BoxError,
        store::{
            MemoryStore,
            rpc::{self, RpcStore, Transport},
        },
    };

    use super::*;

    /// Brings calls to a store in this process.
    #[derive(Debug, Default)]
    struct Here(MemoryStore);

    #[async_trait]
    impl Transport for Here {
        async fn send(&self, call: String) -> Result<String, BoxError> {
            Ok(rpc::answer(&self.0, &call).await)
        }
    }

    #[tokio::test]
    async fn a_store_in_memory_keeps_to_the_contract() {
        let now = Timestamp::from_unix_millis(1_795_255_680_000);
        let store = MemoryStore::default();
        for scope in ["one", "two"] {
            check(&store, scope, now).await;
        }
    }

    #[tokio::test]
    async fn a_store_behind_calls_keeps_to_it_too() {
        let now = Timestamp::from_unix_millis(1_795_255_680_000);
        check(&RpcStore(Here::default()), "one", now).await;
        let garbled = rpc::answer(&MemoryStore::default(), "{").await;
        assert!(garbled.starts_with("{\"Err\":"), "{garbled}");
    }
}
