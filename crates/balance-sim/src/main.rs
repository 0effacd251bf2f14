//! The command line of the simulator.
//!
//! Invariant: what is printed on standard output is the answer; everything else goes to standard
//! error.

mod chooser;
mod figures;
mod report;
mod run;
mod setting;

use anyhow::{Context, bail};
use balance_mock::Limits;
use lexopt::{Arg, Parser, ValueExt};

use crate::{
    report::{Report, Row},
    setting::{Law, Model, Setting, to_float},
};

const HELP: &str = include_str!("help.txt");

fn main() -> anyhow::Result<()> {
    let mut arguments = Parser::from_env();
    match arguments.next()? {
        Some(Arg::Value(command)) if command == "need" => need(&mut arguments),
        Some(Arg::Value(command)) if command == "report" => report(&mut arguments),
        Some(Arg::Long("help") | Arg::Short('h')) => {
            print!("{HELP}");
            Ok(())
        }
        Some(other) => Err(other.unexpected().into()),
        None => bail!("say `need` or `report`; `--help` tells more"),
    }
}

/// What a load needs.
struct Need {
    rpm: u64,
    rpd: u64,
    limits: Limits,
    largest_prompt: u64,
}

fn need(arguments: &mut Parser) -> anyhow::Result<()> {
    let limits = Limits { rpm: Some(5), tpm: Some(250_000), rpd: Some(20) };
    let mut need = Need { rpm: 0, rpd: 0, limits, largest_prompt: 4_000 };
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("rpm") => need.rpm = positive(arguments)?,
            Arg::Long("rpd") => need.rpd = positive(arguments)?,
            Arg::Long("limit-rpm") => need.limits.rpm = Some(positive(arguments)?),
            Arg::Long("limit-rpd") => need.limits.rpd = Some(positive(arguments)?),
            Arg::Long("limit-tpm") => need.limits.tpm = Some(positive(arguments)?),
            Arg::Long("tokens") => need.largest_prompt = positive(arguments)?,
            Arg::Long("help") => {
                print!("{HELP}");
                return Ok(());
            }
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => {
                return Err(argument.unexpected().into());
            }
        }
    }
    if need.rpm == 0 || need.rpd == 0 {
        bail!("say how much is asked: --rpm and --rpd");
    }
    need.answer()
}

impl Need {
    fn answer(&self) -> anyhow::Result<()> {
        let by_minute = self.rpm.div_ceil(self.limits.rpm.unwrap_or(u64::MAX));
        let by_day = self.rpd.div_ceil(self.limits.rpd.unwrap_or(u64::MAX));
        let tokens_per_minute = self.rpm * self.largest_prompt / 2;
        let by_token = tokens_per_minute.div_ceil(self.limits.tpm.unwrap_or(u64::MAX));
        let least = usize::try_from(by_minute.max(by_day).max(by_token))?;
        if least > 100_000 {
            bail!("that is {least} projects at the least: more than can be played here");
        }
        println!(
            "At the least, by arithmetic: {by_minute} projects for the minute, {by_day} for the \
             day, {by_token} for the tokens."
        );
        let found = report::projects_needed(|projects| self.setting(projects), least);
        let (projects, figures) = found.context("no number of projects near that is enough")?;
        println!(
            "Played for as long as the day's requests take: {projects} projects, a key of each. \
             {} of {} requests were served, {:.2} % of the calls were refused while the limits were \
             learned.",
            figures.served,
            figures.offered,
            figures.waste_all * 100.0
        );
        println!("More keys of the same projects would not help: Google counts by project.");
        Ok(())
    }

    fn setting(&self, projects: usize) -> Setting {
        let hours = self.rpd.div_ceil(self.rpm).div_ceil(60).clamp(1, 24);
        let model = Model {
            name: "model",
            limits: self.limits,
            requests: self.rpd.min(self.rpm * 60 * hours),
            largest_prompt: self.largest_prompt,
        };
        Setting {
            projects,
            keys: 1,
            models: vec![model],
            ..Setting::standard(projects, 1.0, hours, 1)
        }
    }
}

/// What is to be reported.
struct Wanted {
    json: bool,
    seeds: u64,
    hours: u64,
    loads: Vec<f64>,
    strategies: Vec<String>,
    law: Law,
    dead: usize,
    pick: bool,
}

fn report(arguments: &mut Parser) -> anyhow::Result<()> {
    let strategies = ["balanced", "round-robin", "plain-round-robin", "plain-random"];
    let mut wanted = Wanted {
        json: false,
        seeds: 3,
        hours: 24,
        loads: vec![0.95, 1.2],
        strategies: strategies.map(str::to_owned).into(),
        law: Law::Poisson,
        dead: 0,
        pick: true,
    };
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("json") => wanted.json = true,
            Arg::Long("seeds") => wanted.seeds = positive(arguments)?,
            Arg::Long("hours") => wanted.hours = positive(arguments)?.min(24 * 30),
            Arg::Long("load") => {
                let loads = arguments.value()?.string()?;
                wanted.loads = loads.split(',').map(str::parse).collect::<Result<_, _>>()?;
            }
            Arg::Long("strategies") => {
                let names = arguments.value()?.string()?;
                wanted.strategies = names.split(',').map(str::to_owned).collect();
            }
            Arg::Long("bursts") => wanted.law = Law::Bursts,
            Arg::Long("dead") => wanted.dead = arguments.value()?.parse::<usize>()?.min(300),
            Arg::Long("no-pick") => wanted.pick = false,
            Arg::Long("help") => {
                print!("{HELP}");
                return Ok(());
            }
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => {
                return Err(argument.unexpected().into());
            }
        }
    }
    wanted.print()
}

impl Wanted {
    fn print(&self) -> anyhow::Result<()> {
        let mut rows = Vec::new();
        for strategy in &self.strategies {
            for load in &self.loads {
                for seed in 1..=self.seeds {
                    rows.push(self.row(strategy, *load, seed)?);
                }
            }
        }
        let pick = if self.pick { report::picks() } else { Vec::new() };
        let report = Report { rows, pick };
        if self.json {
            println!("{}", serde_json::to_string(&report)?);
        } else {
            report::print(&report);
        }
        Ok(())
    }

    fn row(&self, strategy: &str, load: f64, seed: u64) -> anyhow::Result<Row> {
        if !load.is_finite() || load <= 0.0 || load > to_float(100) {
            bail!("--load wants numbers from 0 to 100, such as 0.95");
        }
        let mut setting = Setting::standard(100, load, self.hours, seed);
        (setting.law, setting.dead) = (self.law, self.dead);
        let figures = run::run(&setting, strategy).with_context(|| {
            format!("there is no strategy {strategy:?}: known are {}", chooser::ALL.join(", "))
        })?;
        Ok(Row { strategy: strategy.into(), nodes: 1, load, seed, figures })
    }
}

fn positive(arguments: &mut Parser) -> anyhow::Result<u64> {
    let value = arguments.value()?.string()?;
    let number = value.parse().ok().filter(|number| (1..=1_000_000_000).contains(number));
    number.with_context(|| format!("wanted a whole number from 1 to 1000000000, not {value:?}"))
}
