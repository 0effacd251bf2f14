//! Builds the server as it is released: laid out by what the processor runs under a load of requests.
//!
//! Invariant: what is trained and what is built in the end are the same code, for the same target.
//!
//! The way of a request leads through much code, more than the nearest cache of a processor holds,
//! so the server's speed is that of fetching code. A compiler that knows which parts are used puts
//! those beside each other, which saves a seventh to a fifth of the time of a request; once more, and
//! finer, does [`layout`] when the program is built.

mod layout;

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use crate::{
    process::{capture, cargo, program, root, run as execute, target_dir},
    tally::{Failure, Outcome, Tally},
    tools::python_packages,
};

const PACKAGE: &str = "gemini-balance";

pub(crate) fn run(arguments: &[String]) -> Outcome {
    let host = host()?;
    let target = match arguments {
        [] => &host,
        [flag, target] if flag == "--target" => target,
        _ => return Err(Failure::new("`release` takes `--target TRIPLE` or nothing")),
    };
    println!("{}", server(target)?.display());
    Ok(Tally::PASSED)
}

/// The server for this machine.
pub(crate) fn server_for_here() -> Result<PathBuf, Failure> {
    server(&host()?)
}

/// Builds it for a target and tells where it is.
fn server(target: &str) -> Result<PathBuf, Failure> {
    if target != host()? {
        execute(program("rustup").args(["target", "add", target]))?;
    }
    let why = if runs_here(target) {
        match compilers_tools() {
            Ok(tools) => return trained(target, &tools),
            Err(why) => why.to_string(),
        }
    } else {
        format!("{target} does not run here")
    };
    println!("{why}; so it is built without training");
    built(target, "", "target")
}

/// Builds it to write down what it runs through, puts load on it, and builds it again.
fn trained(target: &str, tools: &Path) -> Result<PathBuf, Failure> {
    let folder = root().join("target/training");
    // What an earlier one has left was made by other code.
    if folder.join("profiles").exists() {
        let failed = |error| Failure::new(format!("{}: {error}", folder.display()));
        fs::remove_dir_all(folder.join("profiles")).map_err(failed)?;
    }
    let profiles = folder.join("profiles").display().to_string();
    let is_static = target.ends_with("-musl");
    let mut counting = format!("-Cprofile-generate={profiles}");
    if is_static {
        // Zig's linker takes the symbol that brings the counters along for a file.
        counting += " -Clinker=rust-lld -Clinker-flavor=ld.lld";
    }
    let trainee = built(target, &counting, "target/training")?;
    for package in ["balance-mock", "balance-bench"] {
        execute(&mut cargo(["build", "--locked", "--release", "--package", package]))?;
    }
    let bench = target_dir().join("release/balance-bench");
    let train = |trainee: &Path| execute(program(&bench).arg("--train").arg(trainee));
    train(&trainee)?;
    let merged = format!("{profiles}/merged.profdata");
    execute(program(tools.join("llvm-profdata")).args(["merge", "--output", &merged, &profiles]))?;
    let counted = format!("-Cprofile-use={merged}");
    let server = if is_static {
        built(target, &counted, "target")?
    } else {
        let server = built(target, &format!("{counted} {}", layout::MOVABLE), "target")?;
        if let Err(why) = layout::renew(&server, train) {
            println!("{why}; so its code stays where the linker has put it");
        }
        server
    };
    execute(program(tools.join("llvm-strip")).arg(&server))?;
    Ok(server)
}

/// Builds it with flags for the compiler.
fn built(target: &str, flags: &str, folder: &str) -> Result<PathBuf, Failure> {
    let folder = if folder == "target" { target_dir() } else { root().join(folder) };
    // Zig brings musl, and a C compiler for it.
    let mut build = if target.ends_with("-musl") {
        let zig = python_packages("zigbuild-1", &["cargo-zigbuild==0.24.0", "ziglang==0.17.0"])?
            .join("bin");
        let mut build = program(zig.join("cargo-zigbuild"));
        build.arg("zigbuild").env("PATH", before_path(zig)?);
        build
    } else {
        cargo(["build"])
    };
    // What is trained is stripped in the end: to move code takes its symbols.
    let strip = if flags.is_empty() { "true" } else { "'none'" };
    build.args(["--locked", "--release", "--config", &format!("profile.release.strip={strip}")]);
    build.args(["--package", PACKAGE, "--target", target]);
    execute(build.arg("--target-dir").arg(&folder).env("RUSTFLAGS", flags))?;
    Ok(folder.join(target).join("release").join(PACKAGE))
}

/// The folders in which programs are looked for, after this one.
fn before_path(first: PathBuf) -> Result<OsString, Failure> {
    let others = env::var_os("PATH").unwrap_or_default();
    env::join_paths([first].into_iter().chain(env::split_paths(&others)))
        .map_err(|error| Failure::new(format!("PATH: {error}")))
}

/// The target that this machine's compiler builds for.
fn host() -> Result<String, Failure> {
    Ok(capture(program("rustc").args(["--print", "host-tuple"]))?.trim().to_owned())
}

/// Whether a program for that target can be trained on this machine.
fn runs_here(target: &str) -> bool {
    cfg!(target_os = "linux")
        && target.contains("-linux-")
        && target.split('-').next() == Some(env::consts::ARCH)
}

/// The folder with the tools that fit the compiler: what merges its profiles, and strips programs.
fn compilers_tools() -> Result<PathBuf, Failure> {
    let libraries = capture(program("rustc").args(["--print", "target-libdir"]))?;
    let tools = PathBuf::from(libraries.trim()).with_file_name("bin");
    if !tools.join("llvm-profdata").exists() {
        execute(program("rustup").args(["component", "add", "llvm-tools"]))?;
    }
    Ok(tools)
}
