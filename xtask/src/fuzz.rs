//! Chance against the decoders and the translation: every target of `fuzz/` for some seconds.
//!
//! Invariant: nothing but the stable toolchain is needed, and what once broke a law stays in
//! `fuzz/artifacts` under the name that the failure tells.

use crate::{
    process::{capture_errors, program, root, run as execute},
    tally::{Failure, Outcome, Tally},
    tools::cargo_tool,
};

/// The targets: requests, whole answers, streams, and the decoders below them.
const TARGETS: [&str; 4] = ["request", "answer", "stream", "decoders"];
/// Where every target begins: the examples of the translation.
const SEEDS: &str = "fixtures/translate";
const DEFAULT_SECONDS: u64 = 60;

pub(crate) fn run(arguments: &[String]) -> Outcome {
    let Plan { seconds, targets } = plan(arguments)?;
    let tool = cargo_tool("cargo-fuzz", "0.13.2")?;
    // Sanitizers need a nightly compiler; without `unsafe` there is little for them to find.
    let stable = ["--fuzz-dir", "fuzz", "--sanitizer", "none"];
    execute(program(&tool).arg("build").args(stable))?;
    let limits = [
        "-dict=fuzz/tokens.dict".to_owned(),
        format!("-max_total_time={seconds}"),
        "-max_len=8192".to_owned(),
        "-timeout=10".to_owned(),
        "-verbosity=0".to_owned(),
        "-print_final_stats=1".to_owned(),
    ];
    for target in &targets {
        let corpus = root().join("fuzz/corpus").join(target);
        std::fs::create_dir_all(&corpus)
            .map_err(|error| Failure::new(format!("{}: {error}", corpus.display())))?;
        let mut fuzz = program(&tool);
        fuzz.arg("run").args(stable).arg(target).arg(&corpus).arg(SEEDS).arg("--").args(&limits);
        let said = capture_errors(&mut fuzz)?;
        println!("fuzz: {target}: {} runs, nothing broken", runs(&said).unwrap_or("no"));
    }
    Ok(Tally { passed: targets.len(), failed: 0 })
}

/// How often the target ran, by its closing figures.
fn runs(said: &str) -> Option<&str> {
    let figure = "stat::number_of_executed_units:";
    said.lines().find_map(|line| line.strip_prefix(figure)).map(str::trim)
}

/// What is fuzzed, and for how long each.
#[derive(Debug, PartialEq)]
struct Plan {
    seconds: u64,
    targets: Vec<String>,
}

fn plan(arguments: &[String]) -> Result<Plan, Failure> {
    let mut plan = Plan { seconds: DEFAULT_SECONDS, targets: Vec::new() };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--seconds" {
            let seconds = arguments.next().and_then(|seconds| seconds.parse().ok());
            plan.seconds = seconds
                .filter(|seconds| *seconds > 0) // 0 would mean for ever
                .ok_or_else(|| Failure::new("`--seconds` takes a number above 0"))?;
        } else if TARGETS.contains(&argument.as_str()) {
            plan.targets.push(argument.clone());
        } else {
            return Err(Failure::new(format!(
                "`fuzz` takes `--seconds N` and targets ({}), not `{argument}`",
                TARGETS.join(", ")
            )));
        }
    }
    if plan.targets.is_empty() {
        plan.targets = TARGETS.map(str::to_owned).to_vec();
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(line: &str) -> Result<Plan, Failure> {
        plan(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn all_targets_are_fuzzed_unless_some_are_named() {
        assert_eq!(planned("").unwrap().targets, TARGETS);
        let plan = planned("stream --seconds 600").unwrap();
        assert_eq!(plan, Plan { seconds: 600, targets: vec!["stream".to_owned()] });
    }

    #[test]
    fn the_runs_are_read_from_the_closing_figures() {
        let said =
            "Done\nstat::number_of_executed_units: 54793\nstat::average_exec_per_sec:     13698\n";
        assert_eq!(runs(said), Some("54793"));
    }

    #[test]
    fn neither_endless_fuzzing_nor_unknown_targets_are_taken() {
        assert!(planned("--seconds 0").is_err());
        assert!(planned("--seconds").is_err());
        assert!(planned("steam").is_err());
    }
}
