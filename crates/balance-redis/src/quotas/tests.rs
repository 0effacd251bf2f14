use std::{cell::Cell, time::Duration};

use balance_core::{
    pool::{Claim, Ledger},
    store::MOST,
};
use balance_testkit::redis_server::RedisServer;
use proptest::{prelude::*, test_runner::TestRunner};
use redis::Client;

use super::*;

const START: Timestamp = Timestamp::from_unix_millis(1_795_255_680_000);

/// A claim of one of some nodes, and how much time has passed since the one before.
fn claims() -> impl Strategy<Value = Vec<(u64, Claim, Duration)>> {
    let amount = prop_oneof![0..40_u64, Just(0), Just(MOST), 0..=MOST];
    let node = prop_oneof![1..6_u64, Just(u64::MAX), 100..200_u64];
    let limit = prop_oneof![1..60_u64, Just(MOST), 1..=MOST];
    let span = prop_oneof![0..3_000_u64, 0..400_000_u64];
    let counts = 0..2_000_000_u64;
    let one = (limit, node, amount.clone(), amount, counts, span);
    let claim = |(limit, node, used, wanted, counts, span): (u64, u64, u64, u64, u64, u64)| {
        let counts_until = START + Duration::from_millis(counts);
        (limit, Claim { node, used, wanted, counts_until }, Duration::from_millis(span))
    };
    prop::collection::vec(one.prop_map(claim), 1..300)
}

#[test]
fn the_script_gives_what_the_ledger_gives() {
    let Some(server) = RedisServer::start() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = Client::open(server.url()).unwrap();
    let connection = runtime.block_on(client.get_multiplexed_async_connection()).unwrap();
    let number = Cell::new(0);
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) };
    let tested = TestRunner::new(config).run(&claims(), |claims| {
        number.set(number.get() + 1);
        let (quotas, mut connection) =
            (Quotas::new(&format!("test-{}", number.get())), connection.clone());
        let mut ledgers = [Ledger::default(), Ledger::default()];
        let mut now = START;
        for (limit, claim, span) in claims {
            now = now + span;
            let bid = |ledger: &str| Bid { ledger: ledger.into(), limit, claim };
            let bids = [bid("a"), bid("b")];
            let given = runtime.block_on(quotas.exchange(&mut connection, &bids, now)).unwrap();
            let expected = ledgers.each_mut().map(|ledger| ledger.exchange(claim, limit, now));
            prop_assert_eq!(given, expected);
        }
        Ok(())
    });
    tested.unwrap();
}
