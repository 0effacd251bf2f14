//! The pure crates also compile for wasm32, where there is neither clock nor socket nor thread.
//!
//! Invariant: the toolchain pinned for the project is used where it has, or can fetch, the target's
//! standard library; only where it cannot, Debian's own Rust builds one, once per version.

use std::{
    env, fs, iter,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    machine,
    process::{cache, capture, cargo, program, run as execute, succeeds, target_dir},
    purity::PURE,
    tally::{Failure, Outcome, Tally, expect_no_arguments},
};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Debian's second Rust, the one that builds browsers: newer than its first, and with its sources.
const DEBIAN_RUST: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-19"];
const DEBIAN_LINKER: &str = "wasm-ld-19";

/// What LLVM is to leave undone, as it makes code longer for what processors like: a pointer of its own
/// for each array that a loop goes through, and loads moved to where a value may be at hand already.
/// The engines that run WebAssembly do as they like there anyway; no difference in speed was seen.
const SMALL: &str =
    "-Cllvm-args=-disable-lsr -Cllvm-args=-enable-pre=false -Cllvm-args=-enable-load-pre=false";

/// A panic is a trap at once: what it would say, and where, is a twentieth of a module.
const MUTE: &str = "-Zunstable-options -Cpanic=immediate-abort";

/// Digests of a few hundred bytes at a time need no loop that is unrolled for speed.
const COMPACT: &str = "--cfg=sha2_backend_soft=\"compact\"";

/// Where a toolchain has the sources of the standard library, if it has them.
const STD_SOURCES: &str = "lib/rustlib/src/rust/library/Cargo.lock";

pub(crate) fn run(arguments: &[String]) -> Outcome {
    expect_no_arguments("wasm", arguments)?;
    let mut check = cargo_for_wasm("check")?.command;
    check.args(["--target", TARGET]);
    for package in PURE {
        check.args(["--package", package]);
    }
    execute(&mut check)?;
    Ok(Tally::PASSED)
}

/// A cargo that can compile for [`TARGET`], and where it puts what it makes.
pub(crate) struct CargoForWasm {
    pub(crate) command: Command,
    pub(crate) target_dir: PathBuf,
}

/// The pinned toolchain's cargo, or Debian's where that has no standard library for wasm.
pub(crate) fn cargo_for_wasm(subcommand: &str) -> Result<CargoForWasm, Failure> {
    let target_dir = target_dir();
    if pinned_toolchain_has_std() || rustup_adds_target() {
        return Ok(CargoForWasm { command: cargo([subcommand]), target_dir });
    }
    let target_dir = target_dir.join("debian"); // apart: another compiler's artefacts
    let mut command = debian_cargo(subcommand, &target_dir);
    let sysroot = format!("--sysroot={}", debian_sysroot()?.display());
    command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", sysroot);
    Ok(CargoForWasm { command, target_dir })
}

/// The same with a standard library of its own, built for size as the rest is: the one that comes with
/// a compiler is built for speed, and has its sorts once for each type.
pub(crate) fn cargo_for_small_wasm(subcommand: &str) -> Result<CargoForWasm, Failure> {
    let target_dir = target_dir();
    let mut small = if pinned_toolchain_has_sources() || rustup_adds_sources() {
        CargoForWasm { command: cargo([subcommand]), target_dir }
    } else {
        println!("wasm: rustup cannot fetch the sources of std here, taking Debian's Rust");
        machine::install(&DEBIAN_RUST)?;
        let target_dir = target_dir.join("debian"); // apart: another compiler's artefacts
        CargoForWasm { command: debian_cargo(subcommand, &target_dir), target_dir }
    };
    small
        .command
        .args(["-Z", "build-std=std,panic_abort", "-Z", "build-std-features=optimize_for_size"])
        .env("RUSTC_BOOTSTRAP", "1") // -Z on a stable compiler
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", format!("{SMALL} {MUTE} {COMPACT}"));
    Ok(small)
}

fn pinned_toolchain_has_sources() -> bool {
    let sysroot = capture(program("rustc").args(["--print", "sysroot"]));
    sysroot.is_ok_and(|folder| Path::new(folder.trim()).join(STD_SOURCES).exists())
}

fn rustup_adds_sources() -> bool {
    println!("wasm: the toolchain has no sources of the standard library, asking rustup for them");
    succeeds(program("rustup").args(["component", "add", "rust-src"]))
        && pinned_toolchain_has_sources()
}

fn pinned_toolchain_has_std() -> bool {
    let mut rustc = program("rustc");
    let folder = capture(rustc.args(["--print", "target-libdir", "--target", TARGET]));
    folder.is_ok_and(|folder| has_std(Path::new(folder.trim())))
}

fn has_std(folder: &Path) -> bool {
    let Ok(files) = fs::read_dir(folder) else { return false };
    files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
}

fn rustup_adds_target() -> bool {
    println!("wasm: the toolchain has no {TARGET}, asking rustup for it");
    succeeds(program("rustup").args(["target", "add", TARGET])) && pinned_toolchain_has_std()
}

/// Lets a script compile for [`TARGET`] by the `cargo` and the `rustc` that it finds on its way.
pub(crate) fn let_script_compile(script: &mut Command) -> Result<(), Failure> {
    if pinned_toolchain_has_std() || rustup_adds_target() {
        return Ok(());
    }
    let sysroot = debian_sysroot()?;
    let folder = sysroot.join("bin");
    let rustc = format!(
        "#!/bin/sh\ncase \" $* \" in *\" {TARGET} \"*) set -- --sysroot={} \"$@\" ;; esac\n\
         exec /usr/bin/rustc \"$@\"\n",
        sysroot.display()
    );
    let failed = |error: std::io::Error| Failure::new(format!("{}: {error}", folder.display()));
    fs::create_dir_all(&folder).map_err(failed)?;
    fs::write(folder.join("rustc"), rustc).map_err(failed)?;
    fs::write(folder.join("cargo"), "#!/bin/sh\nexec /usr/bin/cargo \"$@\"\n").map_err(failed)?;
    execute(program("chmod").arg("+x").args(["rustc", "cargo"].map(|tool| folder.join(tool))))?;
    forget_rustup(script);
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = iter::once(folder).chain(env::split_paths(&path));
    let path = env::join_paths(folders).map_err(|error| Failure::new(error.to_string()))?;
    script
        .env("PATH", path)
        .env("CARGO_TARGET_DIR", target_dir().join("debian"))
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", DEBIAN_LINKER);
    Ok(())
}

/// Debian's cargo.
fn debian_cargo(subcommand: &str, target_dir: &Path) -> Command {
    let mut cargo = debian("cargo");
    cargo
        .arg(subcommand)
        .arg("--target-dir")
        .arg(target_dir)
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", DEBIAN_LINKER); // it brings none
    cargo
}

/// Installs Debian's Rust and builds the standard library, where they are not there yet.
fn debian_sysroot() -> Result<PathBuf, Failure> {
    println!("wasm: rustup cannot fetch {TARGET} here, taking Debian's Rust");
    machine::install(&DEBIAN_RUST)?;
    let version = capture(debian("rustc").arg("--version"))?;
    let version = version.split_whitespace().nth(1).unwrap_or("unknown");
    let sysroot = cache().join(format!("wasm-std-{version}-lto"));
    let folder = sysroot.join("lib/rustlib").join(TARGET).join("lib");
    if !has_std(&folder) {
        println!(
            "wasm: building the standard library of {version} once, into {}",
            sysroot.display()
        );
        build_std(&sysroot, &folder)?;
    }
    Ok(sysroot)
}

/// Builds `std` as the dependency of an empty crate and keeps the libraries.
fn build_std(sysroot: &Path, folder: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("{}: {error}", sysroot.display()));
    let package = sysroot.join("build");
    let manifest = "[package]\nname = \"std-for-wasm\"\nedition = \"2024\"\n[workspace]\n";
    fs::create_dir_all(package.join("src")).map_err(failed)?;
    fs::write(package.join("Cargo.toml"), manifest).map_err(failed)?;
    fs::write(package.join("src/lib.rs"), "#![no_std]\n").map_err(failed)?;
    let mut build = debian("cargo");
    build
        .current_dir(&package)
        .args(["build", "--release", "-Z", "build-std=std,panic_abort,proc_macro"])
        .args(["--target", TARGET, "--target-dir", "target"])
        .env("RUSTFLAGS", "-Cembed-bitcode=yes") // wanted by link-time optimisation
        .env("RUSTC_BOOTSTRAP", "1"); // -Z on a stable compiler: for the standard library alone
    execute(&mut build)?;
    fs::create_dir_all(folder).map_err(failed)?;
    for file in
        fs::read_dir(package.join("target").join(TARGET).join("release/deps")).map_err(failed)?
    {
        let path = file.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with("libstd_for_wasm") {
            fs::copy(&path, folder.join(name)).map_err(failed)?;
        }
    }
    fs::remove_dir_all(&package).map_err(failed)
}

/// A tool of Debian's Rust, free of what rustup's cargo set for this process.
fn debian(tool: &str) -> Command {
    let mut command = program(PathBuf::from("/usr/bin").join(tool));
    forget_rustup(&mut command);
    command.env("RUSTC", "/usr/bin/rustc").env("RUSTDOC", "/usr/bin/rustdoc");
    command
}

fn forget_rustup(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name == "LD_LIBRARY_PATH" || name.starts_with("RUST") || name.starts_with("CARGO_") {
            command.env_remove(name);
        }
    }
}
