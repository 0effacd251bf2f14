//! What the pool promises, and which rows of a report miss it.
//!
//! Invariant: the bars are the same for every way to make a report, short or long.

use crate::report::{Pick, Report, Row};

/// The least that is served of what is offered and allowed.
const EFFICIENCY: f64 = 0.99;

/// The most refusals, as a share of all calls: once limits are known, and over all.
const WASTE_AFTER: f64 = 0.001;
const WASTE_ALL: f64 = 0.01;

/// How much longer one pick of a hundred may take with 100,000 keys than with ten.
const PICK: u64 = 3;

/// Each bar that is missed, in words.
pub(crate) fn misses(report: &Report) -> Vec<String> {
    let rows =
        report.rows.iter().chain(&report.untagged).filter(|row| !row.strategy.contains("plain"));
    let mut misses: Vec<_> = rows.flat_map(of_row).collect();
    misses.extend(report.trouble.iter().filter_map(needless));
    misses.extend(of_picks(&report.pick));
    misses
}

fn of_row(row: &Row) -> impl Iterator<Item = String> {
    let figures = &row.figures;
    let bars = [
        (figures.efficiency < EFFICIENCY, format!("efficiency {:.4}", figures.efficiency)),
        (figures.waste_after > WASTE_AFTER, format!("waste later {:.5}", figures.waste_after)),
        (figures.waste_all > WASTE_ALL, format!("waste over all {:.5}", figures.waste_all)),
        (figures.wrong_blame > 0, format!("{} keys wrongly out", figures.wrong_blame)),
    ];
    let name = row.to_string();
    bars.into_iter()
        .filter(|(is_missed, _)| *is_missed)
        .map(move |(_, bar)| format!("{name}: {bar}"))
}

fn needless(row: &Row) -> Option<String> {
    let failed = row.figures.failed_needlessly;
    (failed > 0).then(|| format!("{row}: {failed} requests failed needlessly"))
}

fn of_picks(picks: &[Pick]) -> Option<String> {
    let (first, last) = picks.first().zip(picks.last())?;
    let is_missed = last.p99_ns > PICK * first.p99_ns;
    is_missed.then(|| format!("p99 of a pick: {} ns and {} ns", first.p99_ns, last.p99_ns))
}
