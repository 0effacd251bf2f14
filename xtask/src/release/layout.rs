//! Moves the code of a program that is built: each piece beside the one that mostly runs after it,
//! and what no load reaches out of the way.
//!
//! Invariant: the program does what it did, and what cannot be moved is left as it was built. Static
//! programs cannot: the tool's counters end them, or are never written down.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    machine::install,
    process::{program, run_quietly, succeeds},
    tally::Failure,
};

/// What lets the linker leave a note of each address, without which nothing can be moved.
pub(super) const MOVABLE: &str = "-Clink-arg=-Wl,--emit-relocs";

/// How pieces of functions, and functions, are put in order; in the place that they had, which takes
/// closer packing than the tool would choose.
const ORDER: [&str; 8] = [
    "--reorder-blocks=ext-tsp",
    "--reorder-functions=cdsort",
    "--split-functions",
    "--split-all-cold",
    "--split-eh",
    "--use-old-text",
    "--align-text=4096",
    "--align-functions=8",
];

/// The program that moves code, where it finds its library, and what brings it.
const TOOLS: [&str; 2] = ["llvm-bolt", "/usr/lib/llvm-19/bin/llvm-bolt"];
const PACKAGES: [&str; 2] = ["bolt-19", "libbolt-19-dev"];

/// Moves the code of `server` by what `train` runs through in a copy of it that counts.
pub(super) fn renew(
    server: &Path,
    train: impl Fn(&Path) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let tool = tool()?;
    let beside = |what: &str| server.with_extension(what);
    let (trainee, counts, moved) = (beside("trainee"), beside("counts"), beside("moved"));
    let mut counting = program(&tool);
    counting.arg(server).arg("--instrument").arg("--instrumentation-file").arg(&counts);
    run_quietly(counting.arg("-o").arg(&trainee))?;
    train(&trainee)?;
    let mut moving = program(&tool);
    moving.arg(server).args(ORDER).arg("--data").arg(&counts);
    run_quietly(moving.arg("-o").arg(&moved))?;
    run_quietly(program(&moved).arg("--version"))?;
    let failed = |error| Failure::new(format!("{}: {error}", server.display()));
    fs::rename(&moved, server).map_err(failed)?;
    for left in [trainee, counts] {
        fs::remove_file(left).map_err(failed)?;
    }
    Ok(())
}

fn tool() -> Result<PathBuf, Failure> {
    let known = |name: &&&str| succeeds(program(**name).arg("--version"));
    if let Some(name) = TOOLS.iter().find(known) {
        return Ok(name.into());
    }
    install(&PACKAGES)?;
    let name = TOOLS.iter().find(known);
    name.map(Into::into).ok_or_else(|| Failure::new("llvm-bolt does not run"))
}
