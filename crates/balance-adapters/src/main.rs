//! Every adapter on its own runtime, against the scenarios in `scenarios/adapters/`.
//!
//! Invariant: no hole is silent. What a platform cannot do is told by the scenario, which then says
//! what happens instead; what could not be run is counted as skipped, and where `CI` is set as failed.

mod options;
mod overhead;
mod report;
mod runtime;
mod runtimes;
mod startup;

use std::process::ExitCode;

use balance_testkit::{
    over_http,
    scenario::{self, Scenario},
};
use options::Options;
use report::{Cell, Column, Report};
use runtime::{Proof, Runtime, Start};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(why) => {
            eprintln!("balance-adapters: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<ExitCode, String> {
    let options = match Options::read(lexopt::Parser::from_env()).map_err(|e| e.to_string())? {
        Options { help: true, .. } => {
            println!("{}", options::HELP);
            return Ok(ExitCode::SUCCESS);
        }
        Options { list: true, .. } => {
            runtimes::RUNTIMES.iter().for_each(|runtime| println!("{}", runtime.name));
            return Ok(ExitCode::SUCCESS);
        }
        options => options,
    };
    let scenarios: Vec<_> = scenario::load_of_adapters()?
        .into_iter()
        .filter(|scenario| options.wants_scenario(&scenario.name))
        .collect();
    let mut report = Report::new(&scenarios, options.is_ci);
    for runtime in options.runtimes()? {
        println!("\n==> {}", runtime.name);
        report.add(column(runtime, &scenarios, &options).await);
    }
    Ok(report.conclude())
}

/// All scenarios on one runtime.
async fn column(runtime: &Runtime, scenarios: &[Scenario], options: &Options) -> Column {
    let start = match (runtime.prepare)(options.profile()) {
        Ok(start) => start,
        Err(failure) => {
            println!("it cannot be run here: {failure}");
            let cells = scenarios.iter().map(|_| Cell::Skipped).collect();
            let proofs = proofs_of(runtime, options).map(|proof| (proof.name, Cell::Skipped));
            let proofs = proofs.collect();
            return Column { name: runtime.name, cells, proofs, first_answer: None };
        }
    };
    let mut cells = Vec::new();
    for scenario in scenarios {
        let cell = play(scenario, &start, runtime).await;
        tell(&scenario.name, &cell);
        cells.push(cell);
    }
    let mut proofs = Vec::new();
    for proof in proofs_of(runtime, options) {
        let cell = (proof.run)().await.map_or_else(Cell::Failed, |()| Cell::Passed);
        tell(proof.name, &cell);
        proofs.push((proof.name, cell));
    }
    let first_answer = startup::first_answer(&start, &startup::settings()).await;
    Column { name: runtime.name, cells, proofs, first_answer }
}

/// What this runtime must show beside the scenarios, as far as it is asked for.
fn proofs_of(runtime: &Runtime, options: &Options) -> impl Iterator<Item = &'static Proof> {
    let is_wanted =
        |proof: &&Proof| proof.runtime == runtime.name && options.wants_scenario(proof.name);
    runtimes::PROOFS.iter().copied().flatten().filter(is_wanted)
}

fn tell(name: &str, cell: &Cell) {
    match cell {
        Cell::Failed(why) => println!("FAILED  {name}\n{why}\n"),
        Cell::Passed | Cell::Instead | Cell::Skipped => println!("ok      {name}"),
    }
}

async fn play(scenario: &Scenario, start: &Start, runtime: &Runtime) -> Cell {
    let begin = |settings: &_| start(settings).map(|running| (running.door, running));
    match over_http::play_at(scenario, begin, runtime.lacks).await {
        Err(why) => Cell::Failed(why),
        Ok(()) if scenario.needs.is_some_and(|need| runtime.lacks.contains(&need)) => Cell::Instead,
        Ok(()) => Cell::Passed,
    }
}
