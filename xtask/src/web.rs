//! `cargo xtask web`: the module for Deno, Netlify, Node and other runtimes with web APIs, ready to
//! be deployed, in `target/web`.
//!
//! Invariant: what is made here needs no Rust where it runs, and is within its budget.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    neighbours::named_by_likeness,
    process::{program, root, run as execute},
    tally::{Failure, Outcome, Tally, expect_no_arguments},
    tools::{npm_tools, wasm_bindgen},
    wasm::{TARGET, cargo_for_small_wasm},
    weight::weigh,
};

/// The most bytes of the module, compressed as it is sent.
const BUDGET: u64 = 500_000;

/// Where it is said what npm brings.
pub const TOOLS: &str = "adapters/web/tools";

/// The name of the crate's library.
const NAME: &str = "gemini_balance";

/// What the compiler may use; every runtime of the last years has it.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

pub(crate) fn run(arguments: &[String]) -> Outcome {
    expect_no_arguments("web", arguments)?;
    let folder = build()?;
    let rehearsal = root().join(TOOLS).join("rehearse-panic.mjs");
    execute(program("node").arg(&rehearsal).arg(&folder))?;
    execute(program(deno()?).args(["run", "--allow-read"]).arg(&rehearsal).arg(&folder))?;
    println!(
        "web: {} is ready: deno.mjs, netlify.mjs and node.mjs are its ways in",
        folder.display()
    );
    Ok(Tally::PASSED)
}

/// Builds the module and gives the folder that it is in.
pub fn build() -> Result<PathBuf, Failure> {
    let mut cargo = cargo_for_small_wasm("build")?;
    let target_dir = cargo.target_dir;
    execute(cargo.command.args([
        "--package",
        "balance-web",
        "--profile",
        "wasm",
        "--target",
        TARGET,
    ]))?;
    let built = target_dir.join(TARGET).join("wasm").join(format!("{NAME}.wasm"));
    let folder = root().join("target/web");
    let bind = [
        "--target=web",
        "--no-typescript",
        "--experimental-reset-state-function", // so that a panic ends no process: instance.mjs
    ];
    execute(program(wasm_bindgen()?).args(bind).arg("--out-dir").arg(&folder).arg(built))?;
    let wasm = folder.join(format!("{NAME}_bg.wasm"));
    optimize(&wasm)?;
    add_javascript(&folder, &wasm)?;
    weigh("web", &[wasm], BUDGET)?;
    Ok(folder)
}

/// Makes a module small, then its functions stand so that it compresses well.
fn optimize(wasm: &Path) -> Result<(), Failure> {
    let optimizer = npm_tools(TOOLS)?.join("node_modules/.bin/wasm-opt");
    let rewrite = |passes: &[&str]| {
        let mut optimize = program(&optimizer);
        optimize.args(WASM_FEATURES).args(passes);
        // What is all zeros compresses better than the places of what is left without it.
        optimize.arg("--skip-pass=memory-packing");
        execute(optimize.arg("--strip-debug").arg(wasm).arg("-o").arg(wasm))
    };
    rewrite(&[
        "--flatten",
        "--rereloop",
        "-Oz",
        "-Oz",
        "--one-caller-inline-max-function-size=1000",
        "--dae-optimizing",
        "--converge",
        "--strip-producers",
    ])?;
    let module = fs::read(wasm).map_err(|error| failed(wasm, &error))?;
    fs::write(wasm, named_by_likeness(&module)?).map_err(|error| failed(wasm, &error))?;
    rewrite(&["--reorder-functions-by-name"])
}

/// Deno itself, not the script that npm puts before it, so that ending the process ends it.
pub fn deno() -> Result<PathBuf, Failure> {
    native("@deno", "deno")
}

/// Bun itself, likewise.
pub fn bun() -> Result<PathBuf, Failure> {
    native("@oven", "bin/bun")
}

/// A program out of the package that npm took for this machine, of those in `scope`.
fn native(scope: &str, program: &str) -> Result<PathBuf, Failure> {
    let folder = npm_tools(TOOLS)?.join("node_modules").join(scope);
    let packages = fs::read_dir(&folder).map_err(|error| failed(&folder, &error))?.flatten();
    let found = packages.map(|package| package.path().join(program)).find(|path| path.exists());
    found.ok_or_else(|| Failure::new(format!("npm has no {program} for this machine")))
}

/// The hand-written part, and the module as text for those that bundle JavaScript alone.
fn add_javascript(folder: &Path, wasm: &Path) -> Result<(), Failure> {
    for source in ["adapters/web/js", "crates/balance-js/js"].map(|source| root().join(source)) {
        for file in fs::read_dir(&source).map_err(|error| failed(&source, &error))?.flatten() {
            let to = folder.join(file.file_name());
            fs::copy(file.path(), &to).map_err(|error| failed(&to, &error))?;
        }
    }
    let text = folder.join("wasm_base64.mjs");
    let bytes = fs::read(wasm).map_err(|error| failed(wasm, &error))?;
    let module = format!("export default \"{}\";\n", STANDARD.encode(bytes));
    fs::write(&text, module).map_err(|error| failed(&text, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{}: {error}", path.display()))
}
