//! Builds what the benchmark compares and hands over to it.
//!
//! Invariant: each program is built by itself, with the features it is released with; built
//! together, each would get the features of all. What is quick is to show that everything works:
//! there the server is built without training, which takes minutes.

use crate::{
    machine,
    process::{cargo, run as execute},
    release,
    tally::{Outcome, Tally},
};

/// All arguments are the benchmark's own; `cargo xtask bench --help` tells them.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    machine::provide_nginx()?;
    let built = |package| execute(&mut cargo(["build", "--release", "--package", package]));
    let trained = if arguments.iter().any(|argument| argument == "--quick") {
        built("gemini-balance")?;
        None
    } else {
        Some(release::server_for_here()?)
    };
    built("balance-mock")?;
    for (program, options) in [
        ("bench-translation", &["--quick", "--json"][..]), // it has no other options
        ("balance-bench", &[]),
    ] {
        let known = |argument: &&String| options.is_empty() || options.contains(&argument.as_str());
        let mut bench = cargo(["run", "--quiet", "--release", "--package", "balance-bench"]);
        bench.args(["--bin", program, "--"]).args(arguments.iter().filter(known));
        if let (Some(trained), true) = (&trained, options.is_empty()) {
            bench.arg("--server").arg(trained);
        }
        execute(&mut bench)?;
    }
    Ok(Tally::PASSED)
}
