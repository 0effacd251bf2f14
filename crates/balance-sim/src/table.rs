//! The table that holds ways to choose a key against each other.
//!
//! Invariant: its rows come in the same order however many run at a time.

use std::{
    sync::Mutex,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use anyhow::{Context, bail};
use lexopt::{Arg, Parser, ValueExt};

use crate::{
    chooser, count, positive,
    report::{self, Report, Row},
    run,
    setting::{Law, Setting, to_float},
};

/// What is to be reported.
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
    pick: bool,
}

/// One run that is to be made.
struct Planned {
    strategy: String,
    nodes: usize,
    load: f64,
    seed: u64,
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
            pick: true,
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

    fn print(&self) -> anyhow::Result<()> {
        let pick = if self.pick { report::picks() } else { Vec::new() };
        let report = Report { rows: self.rows()?, pick };
        if self.json {
            println!("{}", serde_json::to_string(&report)?);
        } else {
            report::print(&report);
        }
        Ok(())
    }

    /// All rows, as many at a time as there are processors.
    fn rows(&self) -> anyhow::Result<Vec<Row>> {
        let planned = self.planned();
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::new());
        let work = || {
            while let Some(one) = planned.get(next.fetch_add(1, Ordering::Relaxed)) {
                let row = self.row(one);
                if let Ok(mut done) = done.lock() {
                    done.push(row);
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(work);
            }
        });
        let rows = done.into_inner().ok().context("a run ended early")?;
        let mut rows = rows.into_iter().collect::<Option<Vec<_>>>().context("a run ended early")?;
        let place = |row: &Row| {
            let same = |one: &Planned| {
                (one.strategy.as_str(), one.nodes, one.seed)
                    == (row.strategy.as_str(), row.nodes, row.seed)
                    && one.load.total_cmp(&row.load).is_eq()
            };
            planned.iter().position(same)
        };
        rows.sort_by_key(place);
        Ok(rows)
    }

    fn planned(&self) -> Vec<Planned> {
        let mut planned = Vec::new();
        for strategy in &self.strategies {
            for nodes in &self.nodes {
                // Without a pool there is nothing to share.
                if strategy.starts_with("plain-") && self.nodes.first() != Some(nodes) {
                    continue;
                }
                for load in &self.loads {
                    planned.extend((1..=self.seeds).map(|seed| Planned {
                        strategy: strategy.clone(),
                        nodes: *nodes,
                        load: *load,
                        seed,
                    }));
                }
            }
        }
        planned
    }

    fn row(&self, planned: &Planned) -> Option<Row> {
        let Planned { strategy, nodes, load, seed } = planned;
        let standard = Setting::standard(self.projects, *load, self.hours, *seed);
        let setting = Setting {
            law: self.law.clone(),
            dead: self.dead,
            nodes: *nodes,
            storm: self.storm,
            keys: self.keys,
            callers: self.callers,
            ..standard
        };
        let figures = run::run(&setting, strategy)?;
        Some(Row { strategy: strategy.clone(), nodes: *nodes, load: *load, seed: *seed, figures })
    }
}

fn list<T: std::str::FromStr<Err: Into<anyhow::Error>>>(
    arguments: &mut Parser,
) -> anyhow::Result<Vec<T>> {
    let text = arguments.value()?.string()?;
    text.split(',').map(|item| item.trim().parse().map_err(Into::into)).collect()
}
