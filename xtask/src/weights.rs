//! The native programs that are deployed, built as they are shipped and held to their budgets. The web
//! module and the Worker are always built so, and weighed there.
//!
//! Invariant: nothing is weighed but what users get, or more than that.

use std::fs;

use crate::{
    lambda,
    process::{cargo, run as execute, target_dir},
    tally::{Failure, Outcome, Tally, expect_no_arguments},
    weight::hold,
};

/// The most bytes of the image: one program on nothing else.
const IMAGE_BUDGET: u64 = 20_000_000;

pub(crate) fn run(arguments: &[String]) -> Outcome {
    expect_no_arguments("weights", arguments)?;
    lambda::package()?;
    image()?;
    Ok(Tally { passed: 2, failed: 0 })
}

/// The program with its names, which the one in the image has lost.
fn image() -> Result<(), Failure> {
    execute(&mut cargo(["build", "--release", "--package", "gemini-balance"]))?;
    let program = target_dir().join("release/gemini-balance");
    let size = fs::metadata(&program);
    let size = size.map_err(|error| Failure::new(format!("{}: {error}", program.display())))?;
    hold("image", size.len(), IMAGE_BUDGET)
}
