//! All tests of all crates: with nextest where it is installed, else with `cargo test`.
//!
//! Invariant: one failed test does not hide the others, and every test is counted.

use crate::{
    process::{Spoken, cargo, run_and_read, succeeds},
    tally::{Failure, Outcome, Tally, expect_no_arguments},
};

/// Further arguments are passed on to the test runner.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    if !succeeds(&mut cargo(["nextest", "--version"])) {
        return counted(run_and_read(
            cargo(["test", "--workspace", "--no-fail-fast"]).args(arguments),
        )?);
    }
    let config = "--config-file=xtask/nextest.toml";
    let mut nextest =
        cargo(["nextest", "run", "--workspace", "--no-fail-fast", "--no-tests=pass", config]);
    let tests = counted(run_and_read(nextest.args(arguments))?)?;
    if !arguments.is_empty() {
        return Ok(tests); // a filter is nextest's own language; doc tests do not understand it
    }
    let documents =
        counted(run_and_read(&mut cargo(["test", "--workspace", "--doc", "--no-fail-fast"]))?)?;
    Ok(tests.plus(documents))
}

/// The slow test with real clients, and what it tells of each.
pub(crate) fn clients(arguments: &[String]) -> Outcome {
    expect_no_arguments("clients", arguments)?;
    let test = ["test", "-p", "gemini-balance", "--test", "clients", "--", "--ignored"];
    counted(run_and_read(&mut cargo(test))?)
}

/// A runner that failed without a failed test, because the code did not compile, say, is a failure itself.
fn counted(spoken: Spoken) -> Result<Tally, Failure> {
    let tally = tally_of(spoken.lines.iter().map(String::as_str));
    match spoken.result {
        Err(failure) if tally.failed == 0 => Err(failure),
        Ok(()) | Err(_) => Ok(tally),
    }
}

/// Adds up the closing lines of nextest (`Summary … tests run: 3 passed, 1 failed`) and of
/// `cargo test` (`test result: ok. 3 passed; 0 failed; …`).
fn tally_of<'a>(lines: impl Iterator<Item = &'a str>) -> Tally {
    let closing = |line: &&str| line.contains(" run: ") || line.starts_with("test result: ");
    let mut tally = Tally::default();
    for line in lines.filter(closing) {
        let mut number = 0;
        for word in line.split([' ', ',', ';', '(']) {
            match word {
                "passed" => tally.passed += number,
                "failed" | "timed" => tally.failed += number,
                _ => {}
            }
            number = word.parse().unwrap_or(0);
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_lines_of_both_runners_are_counted() {
        let lines = [
            "        PASS [   0.005s] xtask tests::one",
            "     Summary [   1.204s] 12 tests run: 8 passed (1 slow), 3 failed, 1 timed out, 2 skipped",
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "the pool failed, 99 passed",
        ];
        assert_eq!(tally_of(lines.into_iter()), Tally { passed: 13, failed: 4 });
    }

    #[test]
    fn a_runner_that_fails_before_any_test_is_a_failure() {
        let spoken = Spoken {
            lines: vec!["error[E0308]: mismatched types".into()],
            result: Err(Failure::new("`cargo nextest run` ended with 101")),
        };
        assert!(counted(spoken).is_err());
    }
}
