//! The table that holds ways to choose a key against each other.
//!
//! Invariant: its rows come in the same order however many run at a time; standard output holds the
//! table alone, standard error how far it is and what misses its bar.

use std::{
    sync::Mutex,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use anyhow::{Context, bail};
use lexopt::{Arg, Parser, ValueExt};

use crate::{
    bars, chooser, count, positive,
    report::{self, Report, Row},
    run,
    setting::{Law, Setting, to_float},
};

/// The most runs with keys of which nobody says the project.
const UNTAGGED_SEEDS: u64 = 3;

/// A storm leaves few of so many.
const FEW_PROJECTS: usize = 20;

/// What is to be reported.
#[derive(Clone)]
struct Wanted {
    json: bool,
    seeds: u64,
    hours: u64,
    projects: usize,
    keys: usize,
    callers: usize,
    loads: Vec<f64>,
    strategies: Vec<String>,
    nodes: Vec<usize>,
    law: Law,
    dead: usize,
    storm: f64,
    trouble: bool,
    pick: bool,
    check: bool,
}

/// One run that is to be made.
struct Planned {
    strategy: String,
    setting: Setting,
    load: f64,
}

pub(crate) fn report(arguments: &mut Parser) -> anyhow::Result<()> {
    let mut wanted = Wanted::default();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("json") => wanted.json = true,
            Arg::Long("seeds") => wanted.seeds = positive(arguments)?,
            Arg::Long("hours") => wanted.hours = positive(arguments)?.min(24 * 30),
            Arg::Long("projects") => wanted.projects = count(arguments, 10_000)?,
            Arg::Long("keys") => wanted.keys = count(arguments, 100)?,
            Arg::Long("callers") => wanted.callers = count(arguments, 10_000)?,
            Arg::Long("load") => wanted.loads = list(arguments)?,
            Arg::Long("strategies") => wanted.strategies = list(arguments)?,
            Arg::Long("nodes") => wanted.nodes = list(arguments)?,
            Arg::Long("bursts") => wanted.law = Law::Bursts,
            Arg::Long("dead") => wanted.dead = arguments.value()?.parse()?,
            Arg::Long("storm") => wanted.storm = arguments.value()?.parse()?,
            Arg::Long("no-pick") => wanted.pick = false,
            Arg::Long("no-trouble") => wanted.trouble = false,
            Arg::Long("check") => wanted.check = true,
            Arg::Long("short") => wanted.shorten(),
            Arg::Long("help") => return crate::help(),
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => {
                return Err(argument.unexpected().into());
            }
        }
    }
    wanted.check()?;
    wanted.print()
}

impl Default for Wanted {
    fn default() -> Self {
        let strategies = ["balanced", "plain-round-robin", "plain-random"];
        Self {
            json: false,
            seeds: 20,
            hours: 24,
            projects: 100,
            keys: 3,
            callers: 20,
            loads: vec![0.95, 1.2],
            strategies: strategies.map(str::to_owned).into(),
            nodes: vec![1, 4],
            law: Law::Poisson,
            dead: 0,
            storm: 0.0,
            trouble: true,
            pick: true,
            check: false,
        }
    }
}

impl Wanted {
    fn check(&self) -> anyhow::Result<()> {
        if self.loads.iter().any(|load| !(*load > 0.0 && *load <= to_float(100))) {
            bail!("--load wants numbers from 0 to 100, such as 0.95");
        }
        if self.nodes.iter().any(|nodes| !(1..=64).contains(nodes)) {
            bail!("--nodes wants whole numbers from 1 to 64, such as 1,4");
        }
        if self.dead > self.projects * self.keys {
            bail!("--dead wants no more than there are keys: {}", self.projects * self.keys);
        }
        if !(0.0..=1.0).contains(&self.storm) {
            bail!("--storm wants a number from 0 to 1, such as 0.5");
        }
        let unknown = self.strategies.iter().find(|name| !chooser::ALL.contains(&name.as_str()));
        if let Some(name) = unknown {
            bail!("there is no strategy {name:?}: known are {}", chooser::ALL.join(", "));
        }
        Ok(())
    }

    /// A part of it that takes a minute, held to the same bars.
    fn shorten(&mut self) {
        self.seeds = 1;
        self.check = true;
        self.strategies = vec!["balanced".to_owned()];
    }

    fn print(&self) -> anyhow::Result<()> {
        let pick = if self.pick { report::picks() } else { Vec::new() };
        let rows = play(&self.planned())?;
        let trouble = if self.trouble { play(&self.troubles())? } else { Vec::new() };
        let untagged = if self.trouble { play(&self.untagged())? } else { Vec::new() };
        let report = Report { rows, trouble, untagged, pick };
        if self.json {
            println!("{}", serde_json::to_string(&report)?);
        } else {
            report::print(&report);
        }
        let misses = bars::misses(&report);
        misses.iter().for_each(|miss| eprintln!("{miss}"));
        if self.check && !misses.is_empty() {
            bail!("{} bars are missed", misses.len());
        }
        Ok(())
    }

    fn planned(&self) -> Vec<Planned> {
        let mut planned = Vec::new();
        for strategy in &self.strategies {
            // Who knows the keys and nothing else does the same on one node as on several.
            let is_plain = strategy.starts_with("plain-");
            for nodes in self.nodes.iter().take(if is_plain { 1 } else { usize::MAX }) {
                for load in &self.loads {
                    planned.extend((1..=self.seeds).map(|seed| {
                        let setting = Setting { nodes: *nodes, ..self.setting(*load, seed) };
                        Planned { strategy: strategy.clone(), setting, load: *load }
                    }));
                }
            }
        }
        planned
    }

    /// The pool with a fifth of the keys dead, and with an hour of storms.
    fn troubles(&self) -> Vec<Planned> {
        let plan = |setting, load| Planned { strategy: "balanced".to_owned(), setting, load };
        let short = Self { hours: self.hours.min(3), ..self.clone() };
        let calm = |seed| short.setting(0.3, seed);
        let mut planned = Vec::new();
        for seed in 1..=self.seeds {
            let dead = self.projects * self.keys / 5;
            planned.push(plan(Setting { dead, ..calm(seed) }, 0.3));
            for storm in [0.2, 0.5, 1.0] {
                planned.push(plan(Setting { storm, ..calm(seed) }, 0.3));
            }
            let few = Self { projects: FEW_PROJECTS, ..short.clone() };
            planned.push(plan(Setting { storm: 0.6, ..few.setting(0.3, seed) }, 0.3));
        }
        planned
    }

    /// The pool with keys of which nobody says the project: some share one, or none does.
    fn untagged(&self) -> Vec<Planned> {
        let mut planned = Vec::new();
        for keys in [self.keys, 1] {
            for load in self.loads.iter().copied() {
                planned.extend((1..=self.seeds.min(UNTAGGED_SEEDS)).map(|seed| {
                    let setting = Setting { tagged: false, keys, ..self.setting(load, seed) };
                    Planned { strategy: "balanced".to_owned(), setting, load }
                }));
            }
        }
        planned
    }

    fn setting(&self, load: f64, seed: u64) -> Setting {
        Setting {
            law: self.law.clone(),
            dead: self.dead,
            storm: self.storm,
            keys: self.keys,
            callers: self.callers,
            ..Setting::standard(self.projects, load, self.hours, seed)
        }
    }
}

/// Makes all runs, as many at a time as there are processors.
fn play(planned: &[Planned]) -> anyhow::Result<Vec<Row>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let work = || {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(one) = planned.get(place) else { return };
            let row = row(one);
            if let Ok(mut done) = done.lock() {
                done.push((place, row));
                let Planned { strategy, setting, load } = one;
                let Setting { nodes, seed, .. } = setting;
                let (so_far, all) = (done.len(), planned.len());
                eprintln!("{so_far} of {all}: {strategy}, {nodes} nodes, load {load}, seed {seed}");
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let mut rows = done.into_inner().ok().context("a run ended early")?;
    rows.sort_unstable_by_key(|(place, _)| *place);
    rows.into_iter().map(|(_, row)| row).collect::<Option<Vec<_>>>().context("a run ended early")
}

fn row(Planned { strategy, setting, load }: &Planned) -> Option<Row> {
    let Setting { projects, keys, nodes, seed, dead, storm, tagged, infers, .. } = *setting;
    let figures = run::run(setting, strategy)?;
    let (strategy, load) = (strategy.clone(), *load);
    Some(Row { strategy, projects, keys, nodes, load, seed, dead, storm, tagged, infers, figures })
}

fn list<T: std::str::FromStr<Err: Into<anyhow::Error>>>(
    arguments: &mut Parser,
) -> anyhow::Result<Vec<T>> {
    let text = arguments.value()?.string()?;
    text.split(',').map(|item| item.trim().parse().map_err(Into::into)).collect()
}
