//! `cargo xtask web`: the module for Deno, Netlify, Node and other runtimes with web APIs, ready to
//! be deployed, in `target/web`.
//!
//! Invariant: what is made here needs no Rust where it runs, and is within its budget.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    process::{program, root, run as execute, run_quietly},
    tally::{Failure, Outcome, Tally, expect_no_arguments},
    tools::{npm_tools, wasm_bindgen},
    wasm::{TARGET, cargo_for_wasm},
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
    let mut cargo = cargo_for_wasm("build")?;
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
        "--experimental-reset-state-function", // so that a panic ends no process: gateway.mjs
    ];
    execute(program(wasm_bindgen()?).args(bind).arg("--out-dir").arg(&folder).arg(built))?;
    let wasm = folder.join(format!("{NAME}_bg.wasm"));
    let optimizer = npm_tools(TOOLS)?.join("node_modules/.bin/wasm-opt");
    let mut optimize = program(optimizer);
    optimize.args(WASM_FEATURES).args(["-O3", "--strip-debug", "--strip-producers"]);
    execute(optimize.arg(&wasm).arg("-o").arg(&wasm))?;
    add_javascript(&folder, &wasm)?;
    weigh(&wasm)?;
    Ok(folder)
}

/// Deno itself, not the script that npm puts before it, so that ending the process ends it.
pub fn deno() -> Result<PathBuf, Failure> {
    native("@deno", "", "deno")
}

/// workerd itself, likewise.
pub fn workerd() -> Result<PathBuf, Failure> {
    native("@cloudflare", "workerd-", "bin/workerd")
}

/// A program out of the package, of those in `scope`, that npm took for this machine.
fn native(scope: &str, package: &str, program: &str) -> Result<PathBuf, Failure> {
    let folder = npm_tools(TOOLS)?.join("node_modules").join(scope);
    let packages = fs::read_dir(&folder).map_err(|error| failed(&folder, &error))?.flatten();
    let found = packages
        .filter(|found| found.file_name().to_string_lossy().starts_with(package))
        .map(|found| found.path().join(program))
        .find(|path| path.exists());
    found.ok_or_else(|| Failure::new(format!("npm has no {program} for this machine")))
}

/// The hand-written part, and the module as text for those that bundle JavaScript alone.
fn add_javascript(folder: &Path, wasm: &Path) -> Result<(), Failure> {
    let source = root().join("adapters/web/js");
    for file in fs::read_dir(&source).map_err(|error| failed(&source, &error))?.flatten() {
        let to = folder.join(file.file_name());
        fs::copy(file.path(), &to).map_err(|error| failed(&to, &error))?;
    }
    let text = folder.join("wasm_base64.mjs");
    let module = format!("export default \"{}\";\n", base64(&read(wasm)?));
    fs::write(&text, module).map_err(|error| failed(&text, &error))
}

/// Fails if the module is heavier than it may be.
fn weigh(wasm: &Path) -> Result<(), Failure> {
    let packed = std::env::temp_dir().join(format!("gemini-balance-{}.gz", std::process::id()));
    let line = format!("gzip -9 -c '{}' > '{}'", wasm.display(), packed.display());
    run_quietly(program("sh").args(["-c", &line]))?;
    let weight = |path: &Path| {
        fs::metadata(path).map(|file| file.len()).map_err(|error| failed(path, &error))
    };
    let (whole, packed_bytes) = (weight(wasm)?, weight(&packed)?);
    fs::remove_file(&packed).map_err(|error| failed(&packed, &error))?;
    println!("web: the module has {whole} bytes, {packed_bytes} compressed, of {BUDGET} allowed");
    if packed_bytes > BUDGET {
        return Err(Failure::new(format!(
            "the web module has {packed_bytes} bytes compressed and may have {BUDGET}; see what \
             grew, or raise BUDGET in xtask/src/web.rs"
        )));
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{}: {error}", path.display()))
}

/// RFC 4648 §4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits =
            (0..3).fold(0, |bits, at| bits << 8 | u32::from(group.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let index = (bits >> (18 - 6 * at)) & 63;
            let letter = LETTERS.get(index as usize).filter(|_| at <= group.len());
            text.push(letter.map_or('=', |&letter| char::from(letter)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
