//! Formatting, lints and documentation of every crate.
//!
//! Invariant: a warning is an error.

use crate::{
    process::{cargo, run as execute},
    tally::{Outcome, Tally, expect_no_arguments},
};

pub(crate) fn run(arguments: &[String]) -> Outcome {
    expect_no_arguments("check", arguments)?;
    execute(&mut cargo(["fmt", "--all", "--check"]))?;
    execute(&mut cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    // for those who work on it: private items too, and links to them
    let mut docs = cargo(["doc", "--workspace", "--no-deps", "--document-private-items"]);
    execute(docs.env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links"))?;
    Ok(Tally::PASSED)
}
