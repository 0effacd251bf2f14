//! What Netlify makes of the program: its own packer is asked.
//!
//! Invariant: what is packed is built as users are told to build it, however the scenarios are played.

use std::path::Path;

use balance_testkit::server::Folder;
use xtask::{
    lambda,
    process::{program, root, run_quietly},
    tools::npm_packages,
};

use crate::runtime::Proof;

pub(crate) const ALL: &[Proof] = &[Proof {
    runtime: "netlify-function",
    name: "Netlify's packer takes the program as it is",
    run: || Box::pin(async { pack() }),
}];

/// A program that has lost all its names is passed over in silence.
fn pack() -> Result<(), String> {
    let function = lambda::for_netlify().map_err(|failure| failure.to_string())?;
    let folder = Folder::new()?;
    let packer = npm_packages("netlify-packer-1", &["@netlify/zip-it-and-ship-it@16.2.3"]);
    let modules = packer.map_err(|failure| failure.to_string())?.join("node_modules");
    let script = root().join(file!()).with_file_name("pack.mjs");
    let arguments: [&Path; 4] = [&script, &modules, &function, folder.path()];
    run_quietly(program("node").args(arguments)).map_err(|failure| failure.to_string())
}
