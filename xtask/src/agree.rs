//! Holds the simulator against the real server.
//!
//! Invariant: what is compared is built from this checkout.

use crate::{
    process::{cargo, run as execute},
    tally::{Outcome, Tally},
};

/// All arguments are the comparison's own: `--seconds N`, 180 unless said otherwise.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    execute(&mut cargo(["build", "--package", "gemini-balance"]))?;
    let agree = ["run", "--quiet", "--package", "balance-sim", "--", "agree"];
    let server = ["--server", "target/debug/gemini-balance"];
    execute(cargo(agree).args(server).args(arguments))?;
    Ok(Tally::PASSED)
}
