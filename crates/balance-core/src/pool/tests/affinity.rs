//! Conversations stay on their keys, while there is room.

use super::*;

fn turn(conversation: u64) -> Ask<'static> {
    Ask { conversation: Some(conversation), ..ask("a") }
}

fn key_of(pool: &mut Pool, conversation: u64, roll: u64) -> KeyId {
    let lease = pool.select(&turn(conversation), START, roll).unwrap();
    let key = lease.key;
    pool.settle(lease, Ok(Usage::default()), START);
    key
}

#[test]
fn a_conversation_stays_on_its_key_whichever_instance_serves_it() {
    for strategy in [Strategy::Balanced, Strategy::LeastUsed, Strategy::Random] {
        let mut pool = Pool::new(keys(50), strategy);
        let mut other = Pool::new(keys(50).into_iter().rev().collect(), strategy);
        for conversation in 0..20 {
            let key = key_of(&mut pool, conversation, 0);
            for roll in 0..20 {
                assert_eq!(key_of(&mut pool, conversation, slots::reroll(roll)), key);
                assert_eq!(key_of(&mut other, conversation, slots::reroll(roll)), key);
            }
        }
    }
}

#[test]
fn it_goes_elsewhere_while_its_key_has_no_room_and_comes_back() {
    let mut pool = Pool::new(keys(10), Strategy::Balanced);
    let key = key_of(&mut pool, 7, 0);
    fail(&mut pool, key, "a", minute(30), START);
    assert_ne!(key_of(&mut pool, 7, 1), key);
    let lease = pool.select(&turn(7), START + MINUTE, 1).unwrap();
    assert_eq!(lease.key, key);
    pool.cancel(lease, START + MINUTE);
}

#[test]
fn conversations_are_spread_over_the_keys_and_few_move_when_one_is_added() {
    let mut pool = Pool::new(keys(20), Strategy::Balanced);
    let before: Vec<_> = (0..4000).map(|n| key_of(&mut pool, slots::reroll(n), 0)).collect();
    let most = keys(20).iter().map(|k| before.iter().filter(|id| **id == k.id).count()).max();
    assert!(most < Some(3 * 4000 / 20), "{most:?}");
    pool.set_keys(keys(21), START);
    let after = (0..4000).map(|n| key_of(&mut pool, slots::reroll(n), 0));
    let moved = before.iter().zip(after).filter(|(before, after)| *before != after).count();
    assert!(moved < 2 * 4000 / 21 + 100, "{moved}");
}

#[test]
fn the_same_request_many_times_at_once_is_not_one_conversation() {
    let mut pool = Pool::new(keys(10), Strategy::Balanced);
    let leases: Vec<_> =
        (0..100).map(|n| pool.select(&turn(7), START, slots::reroll(n)).unwrap()).collect();
    let most = keys(10).iter().map(|key| leases.iter().filter(|l| l.key == key.id).count()).max();
    assert!(most < Some(40), "{most:?}");
    leases.into_iter().for_each(|lease| pool.cancel(lease, START));
}

#[test]
fn a_strategy_that_promises_an_order_keeps_it() {
    let mut pool = Pool::new(keys(3), Strategy::RoundRobin);
    let order = [0, 1, 2, 0].map(|_| key_of(&mut pool, 7, 0));
    assert_eq!(order, [0, 1, 2, 0].map(|n| keys(3)[n].id));
}
