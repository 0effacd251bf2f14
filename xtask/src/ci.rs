//! Everything CI runs, step by step, with one line per step, a table at the end and a closing count.
//!
//! Invariant: a failed step never hides the ones after it, and any failure makes the whole fail.

use std::time::{Duration, Instant};

use crate::{
    run_command,
    tally::{Outcome, Tally, expect_no_arguments},
};

/// The steps in their order: a command of the door and its arguments.
pub(crate) const STEPS: &[(&str, &[&str])] = &[
    ("machine", &[]),
    ("check", &[]),
    ("test", &[]),
    ("clients", &[]),
    ("purity", &[]),
    ("wasm", &[]),
    // Unoptimised, but for what runs as WebAssembly and what Vercel builds: programs that are linked as a whole take
    // long.
    ("adapters", &["--debug"]),
    ("cloudflare", &[]),
    ("weights", &[]),
    ("sizes", &[]),
    ("deny", &[]),
    ("machete", &[]),
    ("typos", &[]),
    ("deploy", &[]),
    ("docs", &["--check"]),
    ("fuzz", &["--seconds", "10"]),
    ("agree", &["--seconds", "60"]),
    ("bench", &["--quick"]),
];

struct Report {
    name: &'static str,
    tally: Tally,
    took: Duration,
}

pub(crate) fn run(arguments: &[String]) -> Outcome {
    expect_no_arguments("ci", arguments)?;
    let mut reports = Vec::new();
    for (name, arguments) in STEPS {
        println!("\n==> {name}");
        let report = run_step(name, arguments);
        println!("{}", line(&report));
        reports.push(report);
    }
    println!("\n==> summary");
    for report in &reports {
        println!("{}", line(report));
    }
    let took: Duration = reports.iter().map(|report| report.took).sum();
    let total = reports.iter().fold(Tally::default(), |sum, report| sum.plus(report.tally));
    println!("all steps took {:.0} s\n", took.as_secs_f64());
    println!("{} passed, {} failed", total.passed, total.failed);
    Ok(total)
}

fn run_step(name: &'static str, arguments: &[&str]) -> Report {
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let start = Instant::now();
    let tally = run_command(name, &arguments).unwrap_or_else(|failure| {
        println!("error: {failure}");
        Tally { passed: 0, failed: 1 }
    });
    Report { name, tally, took: start.elapsed() }
}

fn line(report: &Report) -> String {
    let Tally { passed, failed } = report.tally;
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    let seconds = report.took.as_secs_f64();
    format!("{verdict:<7}{:<9}{seconds:>7.1} s  {passed:>5} passed {failed:>3} failed", report.name)
}
