//! `balance-bench`: measures the server beside nginx and prints how they compare.
//!
//! Invariant: it ends with 0 only if every target did all its work.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use balance_bench::compare::{Plan, Programs, compare, train};
use lexopt::{Arg, Parser};
use tokio::signal::unix::{SignalKind, signal};

const HELP: &str = "\
usage: balance-bench [--server PATH] [--quick] [--json] [--rounds N] [--streams N]
       balance-bench --train PATH

Puts load on balance-mock alone, on nginx before it and on gemini-balance before it, in turn,
and prints the figures with their ratios to nginx. Each program is pinned to a core.

  --server     the program to measure; else the one beside this one
  --quick      one short round, to see that everything works
  --json       print the report as JSON
  --rounds N   measure every cell N times and take the median
  --streams N  how many paced streams at once
  --train      puts load on a program that writes down for the compiler what it runs through";

struct Options {
    plan: Plan,
    json: bool,
    server: Option<PathBuf>,
    is_training: bool,
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("balance-bench: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> anyhow::Result<ExitCode> {
    let Some(Options { plan, json, server, is_training }) = options()? else {
        println!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    let programs = Programs::beside(&std::env::current_exe()?, server)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        let work = async {
            if is_training {
                return train(&programs).await.map(|()| None);
            }
            compare(&programs, &plan).await.map(Some)
        };
        tokio::select! {
            report = work => report,
            interrupted = interruption() => Err(interrupted),
        }
    })?;
    let Some(report) = report else { return Ok(ExitCode::SUCCESS) };
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{report}");
    }
    Ok(if report.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// `None` when help was asked for.
fn options() -> anyhow::Result<Option<Options>> {
    let mut options = Options { plan: Plan::full(), json: false, server: None, is_training: false };
    let mut parser = Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("server") => options.server = Some(parser.value()?.into()),
            Arg::Long("train") => {
                options.server = Some(parser.value()?.into());
                options.is_training = true;
            }
            Arg::Long("quick") => options.plan = Plan::quick(),
            Arg::Long("json") => options.json = true,
            Arg::Long("rounds") => options.plan.rounds = number(&mut parser)?,
            Arg::Long("streams") => options.plan.streams = number(&mut parser)?,
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            other @ (Arg::Long(_) | Arg::Short(_) | Arg::Value(_)) => {
                return Err(other.unexpected()).context("`balance-bench --help` lists the options");
            }
        }
    }
    Ok(Some(options))
}

fn number(parser: &mut Parser) -> anyhow::Result<usize> {
    let value = parser.value()?.to_string_lossy().into_owned();
    value
        .parse::<std::num::NonZeroUsize>()
        .map(usize::from)
        .with_context(|| format!("`{value}` is no number above 0"))
}

/// Comes back when somebody wants this program to end; dropping the comparison then ends its programs.
async fn interruption() -> anyhow::Error {
    let wait = async || {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
        std::io::Result::Ok(())
    };
    match wait().await {
        Ok(()) => anyhow::anyhow!("interrupted; all programs were ended"),
        Err(error) => error.into(),
    }
}
