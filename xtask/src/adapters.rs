//! Every adapter on its own runtime: hands over to `balance-adapters` and counts what it says.
//!
//! Invariant: a run whose closing line is missing is a failure, whatever it said before.

use crate::{
    process::{Spoken, cargo, run_and_read},
    tally::{Failure, Outcome, Tally},
};

/// All arguments are the runner's own; `cargo xtask adapters --help` tells them.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut runner = cargo(["run", "--quiet", "--package", "balance-adapters", "--"]);
    let Spoken { lines, result } = run_and_read(runner.args(arguments))?;
    if arguments.iter().any(|argument| argument == "--help" || argument == "--list") {
        return result.map(|()| Tally::PASSED);
    }
    let tally = lines.iter().rev().find_map(|line| closing(line));
    match (tally, result) {
        (Some(tally), Ok(())) => Ok(tally),
        (Some(tally), Err(_)) if tally.failed > 0 => Ok(tally),
        (_, Err(failure)) => Err(failure),
        (None, Ok(())) => Err(Failure::new("the run of the adapters did not tell how it ended")),
    }
}

/// Reads `adapters: 3 passed, 1 failed, 0 skipped`.
fn closing(line: &str) -> Option<Tally> {
    let rest = line.strip_prefix("adapters: ")?;
    let count = |word: &str| {
        let part = rest.split(", ").find_map(|part| part.strip_suffix(word))?;
        part.trim().parse().ok()
    };
    Some(Tally { passed: count("passed")?, failed: count("failed")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_is_read() {
        let tally = Some(Tally { passed: 21, failed: 1 });
        assert_eq!(closing("adapters: 21 passed, 1 failed, 2 skipped"), tally);
        assert_eq!(closing("adapters: all is well"), None);
        assert_eq!(closing("21 passed, 1 failed"), None);
    }
}
