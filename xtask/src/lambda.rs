//! The package for AWS Lambda and for Netlify's functions, as it is shipped.
//!
//! Invariant: what is packed is within its budget, and linked for Lambda's own system.

use std::{env, ffi::OsString, path::PathBuf, process::Command};

use crate::{
    process::{cargo, root, run as execute},
    tally::Failure,
    tools::python_tool,
    weight::weigh,
};

/// The most bytes of the package.
const BUDGET: u64 = 5_000_000;

/// Builds the package, and gives the program that is in it.
pub fn package() -> Result<PathBuf, Failure> {
    for format in ["zip", "binary"] {
        execute(release()?.args(["--output-format", format]))?;
    }
    weigh("lambda", &[program().with_extension("zip")], BUDGET)?;
    Ok(program())
}

/// Builds the program for Netlify, by the command that `deploy/netlify-function/netlify.toml` names: it
/// keeps its names, as Netlify knows by them that it is a function.
pub fn for_netlify() -> Result<PathBuf, Failure> {
    execute(release()?.env("CARGO_PROFILE_RELEASE_STRIP", "none"))?;
    Ok(program())
}

/// `cargo-lambda`.
pub fn tool() -> Result<PathBuf, Failure> {
    python_tool("cargo-lambda", "1.9.2")
}

fn release() -> Result<Command, Failure> {
    let mut path = OsString::from(tool()?.parent().unwrap_or(&root()));
    path.push(":");
    path.push(env::var_os("PATH").unwrap_or_default());
    let mut build = cargo(["lambda", "build", "--release", "--package", "balance-lambda"]);
    build.env("PATH", &path);
    Ok(build)
}

fn program() -> PathBuf {
    root().join("target/lambda/bootstrap/bootstrap")
}
