//! Every adapter on its own runtime, against the scenarios in `scenarios/adapters/`.
//!
//! Invariant: no hole is silent. What a platform cannot do is told by the scenario, which then says
//! what happens instead; what could not be run is counted as skipped, and where `CI` is set as failed.

mod options;
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
use runtime::{Runtime, Start};

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
            return Column { name: runtime.name, cells, first_answer: None };
        }
    };
    let mut cells = Vec::new();
    for scenario in scenarios {
        let cell = play(scenario, &start, runtime).await;
        match &cell {
            Cell::Failed(why) => println!("FAILED  {}\n{why}\n", scenario.name),
            Cell::Passed | Cell::Instead | Cell::Skipped => println!("ok      {}", scenario.name),
        }
        cells.push(cell);
    }
    let first_answer = startup::first_answer(&start).await;
    Column { name: runtime.name, cells, first_answer }
}

async fn play(scenario: &Scenario, start: &Start, runtime: &Runtime) -> Cell {
    let begin = |settings: &_| start(settings).map(|running| (running.door, running));
    match over_http::play_at(scenario, begin, runtime.lacks).await {
        Err(why) => Cell::Failed(why),
        Ok(()) if scenario.needs.is_some_and(|need| runtime.lacks.contains(&need)) => Cell::Instead,
        Ok(()) => Cell::Passed,
    }
}
