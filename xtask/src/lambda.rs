//! The package for AWS Lambda and for Netlify's functions, as it is shipped.
//!
//! Invariant: what is packed is within its budget, and linked for Lambda's own system.

use std::{env, ffi::OsString, path::PathBuf};

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
    let mut path = OsString::from(tool()?.parent().unwrap_or(&root()));
    path.push(":");
    path.push(env::var_os("PATH").unwrap_or_default());
    for format in ["zip", "binary"] {
        let mut build = cargo(["lambda", "build", "--release", "--package", "balance-lambda"]);
        execute(build.args(["--output-format", format]).env("PATH", &path))?;
    }
    let folder = root().join("target/lambda/bootstrap");
    weigh("lambda", &[folder.join("bootstrap.zip")], BUDGET)?;
    Ok(folder.join("bootstrap"))
}

/// `cargo-lambda`.
pub fn tool() -> Result<PathBuf, Failure> {
    python_tool("cargo-lambda", "1.9.2")
}
