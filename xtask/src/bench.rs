//! Builds what the benchmark compares and hands over to it.
//!
//! Invariant: each program is built by itself, with the features it is released with; built
//! together, each would get the features of all.

use crate::{
    machine,
    process::{cargo, run as execute},
    tally::{Outcome, Tally},
};

/// All arguments are the benchmark's own; `cargo xtask bench --help` tells them.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    machine::provide_nginx()?;
    for package in ["gemini-balance", "balance-mock"] {
        execute(&mut cargo(["build", "--release", "--package", package]))?;
    }
    for (program, options) in [
        ("bench-translation", &["--quick", "--json"][..]), // it has no other options
        ("balance-bench", &[]),
    ] {
        let known = |argument: &&String| options.is_empty() || options.contains(&argument.as_str());
        let mut bench = cargo(["run", "--quiet", "--release", "--package", "balance-bench"]);
        bench.args(["--bin", program, "--"]).args(arguments.iter().filter(known));
        execute(&mut bench)?;
    }
    Ok(Tally::PASSED)
}
