//! How long a pick takes, and how much memory a key takes. Not run by default:
//! `cargo test --release -p balance-core -- --ignored --nocapture measure`.

use std::time::Instant;

use super::{
    slots::{reroll, scale},
    tests::{START, fault, keys, minute},
    *,
};

const PICKS: usize = 200_000;

#[test]
#[ignore = "a measurement, of use in a release build"]
#[expect(clippy::disallowed_methods, reason = "it measures real time")]
fn measure_picks_with_a_fifth_of_answers_429() {
    let strategies = [
        Strategy::Balanced,
        Strategy::RoundRobin,
        Strategy::LeastUsed,
        Strategy::Random,
        Strategy::Weighted,
        Strategy::TimeWindow,
        Strategy::FillFirst,
    ];
    for strategy in strategies {
        for size in [10, 1_000, 100_000] {
            let mut pool = Pool::new(keys(size), strategy);
            let refused = fault(minute(1));
            let (mut nanos, mut settled) = (Vec::with_capacity(PICKS), Duration::ZERO);
            let mut roll = 1;
            for number in 0..PICKS {
                roll = reroll(roll);
                // In a second as many picks as keys: a fifth of the keys rests at any time.
                let millis = u64::try_from(number * 1000 / size).unwrap();
                let now = START + Duration::from_millis(millis);
                let ask = Ask { model: Some("gemini-3.8-flash"), ..Ask::default() };
                let begun = Instant::now();
                let lease = pool.select(&ask, now, roll);
                nanos.push(u64::try_from(begun.elapsed().as_nanos()).unwrap());
                let Ok(lease) = lease else { continue };
                let outcome =
                    if scale(reroll(roll), 5) == 0 { Err(&refused) } else { Ok(Usage::default()) };
                let begun = Instant::now();
                pool.settle(lease, outcome, now);
                settled += begun.elapsed();
            }
            nanos.sort_unstable();
            let (p50, p99) = (nanos[PICKS / 2], nanos[PICKS * 99 / 100]);
            let settle = settled.as_nanos() / PICKS as u128;
            println!(
                "{strategy:12} {size:7} keys: pick p50 {p50} ns, p99 {p99} ns; settle {settle} ns"
            );
        }
    }
}
