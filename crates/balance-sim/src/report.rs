//! The table of strategies side by side, and the time that a pick takes.
//!
//! Invariant: every row is measured here and now; nothing is remembered from another run.

use std::{
    fmt,
    time::{Duration, Instant},
};

use balance_core::{
    fault::{Blame, Fault, Limits, Quota},
    key::Key,
    pool::{Ask, Pool, Strategy},
};
use balance_dialect::summary::Usage;
use bytes::Bytes;
use http::StatusCode;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::Serialize;

use crate::{figures::Figures, setting::start};

/// All that is reported.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
    /// With dead keys, and in storms.
    pub(crate) trouble: Vec<Row>,
    /// With keys of which nobody says the project.
    pub(crate) untagged: Vec<Row>,
    pub(crate) pick: Vec<Pick>,
}

/// One run.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) strategy: String,
    pub(crate) projects: usize,
    /// Keys in each project.
    pub(crate) keys: usize,
    pub(crate) nodes: usize,
    pub(crate) load: f64,
    pub(crate) seed: u64,
    pub(crate) dead: usize,
    pub(crate) storm: f64,
    pub(crate) tagged: bool,
    pub(crate) infers: bool,
    #[serde(flatten)]
    pub(crate) figures: Figures,
}

/// How long a pick takes with so many keys, while a fifth of the answers are refusals.
#[derive(Debug, Serialize)]
pub(crate) struct Pick {
    keys: usize,
    p50_ns: u64,
    pub(crate) p99_ns: u64,
    /// Memory of the process that the pool added, whole pages of it; `None` where the system does not
    /// tell.
    bytes_per_key: Option<usize>,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { strategy, nodes, load, seed, .. } = self;
        write!(f, "{strategy}, {nodes} nodes, load {load}, seed {seed}")?;
        if self.dead > 0 {
            write!(f, ", {} keys dead", self.dead)?;
        }
        if self.storm > 0.0 {
            write!(f, ", storm {} on {} projects", self.storm, self.projects)?;
        }
        match (self.tagged, self.infers) {
            (true, _) => Ok(()),
            (false, true) => write!(f, ", {} a project, inferred", self.keys),
            (false, false) => write!(f, ", {} a project, unknown", self.keys),
        }
    }
}

/// How many picks are timed, after so many for each key that all is as it will stay.
const PICKS: usize = 200_000;
const PICKS_BEFORE: usize = 6;

/// How often each key is picked.
const ROUND: Duration = Duration::from_secs(12);

/// Measures picks on this machine.
pub(crate) fn picks() -> Vec<Pick> {
    [10, 1_000, 100_000].into_iter().map(pick).collect()
}

fn pick(size: usize) -> Pick {
    let keys: Vec<_> =
        (0..size).filter_map(|n| Key::parse(&format!("AIzaSy-simulated-{n:022}")).ok()).collect();
    let mut times = vec![u64::MAX; PICKS];
    let before = resident_bytes();
    let mut pool = Pool::new(keys, Strategy::Balanced);
    let mut chance = StdRng::seed_from_u64(1);
    let refused = refusal();
    let timed_from = size * PICKS_BEFORE;
    for number in 0..timed_from + PICKS {
        // A fifth of the keys rests at any time.
        let since = ROUND.as_millis() as u64 * number as u64 / size as u64;
        let now = start() + Duration::from_millis(since);
        let (roll, is_refused) = (chance.random(), chance.random_bool(0.2));
        let ask = Ask { model: Some("gemini-3.8-flash"), ..Ask::default() };
        let begun = Instant::now();
        let lease = pool.select(&ask, now, roll);
        let took = begun.elapsed();
        if let Some(time) = number.checked_sub(timed_from).and_then(|place| times.get_mut(place)) {
            *time = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        }
        if let Ok(lease) = lease {
            pool.settle(lease, if is_refused { Err(&refused) } else { Ok(Usage::default()) }, now);
        }
    }
    let added = before.zip(resident_bytes()).map(|(before, after)| after.saturating_sub(before));
    times.sort_unstable();
    let at = |place: usize| times.get(place).copied().unwrap_or(0);
    let bytes_per_key = added.map(|added| added / size);
    Pick { keys: size, p50_ns: at(PICKS / 2), p99_ns: at(PICKS * 99 / 100), bytes_per_key }
}

fn refusal() -> Fault {
    let retry_after = Some(ROUND);
    // More than is sent here: who is refused shares its quota with others.
    let limits = Limits { requests_per_minute: Some(30), ..Limits::default() };
    let quota = Quota::Minute { retry_after, limits };
    Fault {
        blame: Blame::Quota(quota),
        status: StatusCode::TOO_MANY_REQUESTS,
        message: String::new(),
        body: Bytes::new(),
        content_type: None,
        project_number: None,
        contradicts_itself: false,
    }
}

/// The memory that this process occupies, on Linux.
fn resident_bytes() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

/// The table for people.
pub(crate) fn print(report: &Report) {
    println!(
        "{:64} {:>10} {:>11} {:>11} {:>10} {:>6} {:>9} {:>8}",
        "",
        "efficiency",
        "waste 1st h",
        "waste later",
        "waste all",
        "blame",
        "fairness",
        "needless"
    );
    for row in report.rows.iter().chain(&report.trouble).chain(&report.untagged) {
        let figures = &row.figures;
        println!(
            "{:64} {:10.4} {:10.4}% {:10.4}% {:9.4}% {:6} {:9.2} {:8}",
            row.to_string(),
            figures.efficiency,
            figures.waste_first_hour * 100.0,
            figures.waste_after * 100.0,
            figures.waste_all * 100.0,
            figures.wrong_blame,
            figures.fairness,
            figures.failed_needlessly,
        );
    }
    for Pick { keys, p50_ns, p99_ns, bytes_per_key } in &report.pick {
        let memory = bytes_per_key.map_or_else(|| "?".into(), |bytes| bytes.to_string());
        println!("{keys:7} keys: a pick takes {p50_ns} ns, p99 {p99_ns} ns; {memory} bytes a key");
    }
}

/// How many projects a load needs: the first number of them at which a thousandth or less fails.
pub(crate) fn projects_needed(
    setting_of: impl Fn(usize) -> crate::setting::Setting,
    least: usize,
) -> Option<(usize, Figures)> {
    // Fractions of the least, as a large load need not be known to the last project.
    let step = (least / 50).max(1);
    (least..least * 2 + 20).step_by(step).find_map(|projects| {
        let figures = crate::run::run(&setting_of(projects), "balanced")?;
        (figures.failed * 1000 <= figures.offered).then_some((projects, figures))
    })
}
