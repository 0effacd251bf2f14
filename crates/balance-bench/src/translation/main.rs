//! `bench-translation`: how fast the translation is by itself, and how much memory it asks for.
//!
//! Invariant: every measured answer and request is checked to hold what went in, so that an error
//! can never pass for speed.

mod load;

use std::alloc::System;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use balance_bench::statistics::median;
use serde::Serialize;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

use load::{Load, loads};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const HELP: &str = "\
usage: bench-translation [--quick] [--json]

Translates streams, answers and requests in memory, on one core, and prints the medians.

  --quick  a few rounds, to see that everything works
  --json   print the figures as JSON";

/// What was found of one kind of work.
#[derive(Debug, Serialize)]
struct Row {
    work: &'static str,
    input_bytes: usize,
    /// Events of a stream; 1 for what comes whole.
    events: usize,
    /// Input bytes a second, in millions.
    megabytes_per_second: f64,
    /// Of a stream each event, else the whole.
    ns_per_event: f64,
    /// All that was ever asked for, whether it was given back or not, by the size of the input.
    allocated_by_input: f64,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-translation: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let (mut time, mut as_json) = (Duration::from_secs(2), false);
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--quick" => time = Duration::from_millis(100),
            "--json" => as_json = true,
            "--help" | "-h" => {
                println!("{HELP}");
                return Ok(());
            }
            other => anyhow::bail!("`{other}` is no option; --help tells them"),
        }
    }
    let rows: Vec<Row> =
        loads().iter().map(|load| measure(load, time)).collect::<anyhow::Result<_>>()?;
    if as_json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        print(&rows);
    }
    Ok(())
}

/// Translates again and again for about this time; the first round is for warming up.
fn measure(load: &Load, time: Duration) -> anyhow::Result<Row> {
    let made = (load.translate)(load).with_context(|| load.name)?;
    ensure!(made.holds(load), "{}: something was lost", load.name);
    drop(made);
    let region = Region::new(ALLOCATOR);
    let made = (load.translate)(load)?;
    let allocated = region.change().bytes_allocated;
    drop(made);
    let mut rounds = Vec::new();
    let start = Instant::now();
    while rounds.len() < 5 || start.elapsed() < time {
        let round = Instant::now();
        black_box((load.translate)(black_box(load))?);
        rounds.push(round.elapsed().as_secs_f64());
    }
    let seconds = median(&mut rounds).unwrap_or_default();
    let (bytes, events) = (load.input.len(), load.events.max(1));
    Ok(Row {
        work: load.name,
        input_bytes: bytes,
        events,
        megabytes_per_second: count(bytes) / seconds / 1e6,
        ns_per_event: seconds * 1e9 / count(events),
        allocated_by_input: count(allocated) / count(bytes),
    })
}

fn print(rows: &[Row]) {
    println!("Translation alone, in memory, on one core");
    println!("{:<44}{:>12}{:>12}{:>14}{:>12}", "", "bytes", "MB/s", "ns/event", "allocated");
    for row in rows {
        println!(
            "  {:<42}{:>12}{:>12.0}{:>14.0}{:>11.2}x",
            row.work,
            row.input_bytes,
            row.megabytes_per_second,
            row.ns_per_event,
            row.allocated_by_input
        );
    }
    println!(
        "`ns/event`: of a stream each event, else the whole. `allocated`: all memory ever asked for, by the\n\
         size of the input; the output is part of it, so 1x is one copy of everything."
    );
}

#[expect(clippy::cast_precision_loss, reason = "numbers far below the 53 bits that are exact")]
fn count(number: usize) -> f64 {
    number as f64
}
