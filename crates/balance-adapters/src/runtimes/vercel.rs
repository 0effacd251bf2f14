//! Vercel: the function that `vercel build` makes, behind a small fake of the platform's bridge; and
//! `vercel dev`.
//!
//! Invariant: either sees the checkout's files as they would be pushed, in a folder of its own, and asks nobody
//! on the net.

pub(crate) mod output;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use balance_testkit::{
    scenario::Ability,
    server::{Server, free_address},
    vercel_bridge::Bridge,
};
use xtask::{
    process::{checkout_files, program, root, run, target_dir},
    tally::Failure,
    tools::npm_tools,
};

use crate::runtime::{Profile, Running, Runtime, Settings, Start, awaken};

/// Vercel takes no request of more than 4.5 MB.
pub(crate) const BUILD: Runtime =
    Runtime { name: "vercel build", lacks: &[Ability::LargeRequests], prepare: build };

/// It starts the function anew for each request, of any size.
pub(crate) const DEVELOP: Runtime =
    Runtime { name: "vercel dev", lacks: &[Ability::Memory], prepare: develop };

/// Where the version of Vercel's program is told.
const ADAPTER: &str = "adapters/vercel";

/// What `vercel build` must know of a project, which it would ask Vercel for.
const PROJECT: &str =
    r#"{"projectId":"prj_local","orgId":"team_local","settings":{"framework":null}}"#;

/// The longest that `vercel dev` may take to listen,
const PATIENCE: Duration = Duration::from_secs(60);
/// and to answer first, as it builds the function then.
const BUILDING: Duration = Duration::from_secs(600);

/// The function as it would be deployed.
fn build(_: Profile) -> Result<Start, Failure> {
    let checkout = built();
    check_out(&checkout)?;
    let project = checkout.join(".vercel/project.json");
    fs::create_dir_all(checkout.join(".vercel"))
        .and_then(|()| fs::write(&project, PROJECT))
        .map_err(|error| failed(&project, &error))?;
    // Vercel's own machines are told to build for themselves so; others would need a linker for them.
    run(vercel(&checkout)?.args(["build", "--yes"]).env("VERCEL_BUILD_IMAGE", "1"))?;
    let program = output::program().map_err(Failure::new)?;
    Ok(Box::new(move |settings| {
        let mut command = Command::new(&program);
        command.env_clear().envs(settings);
        let bridge = Bridge::start(command)?;
        Ok(Running::new(bridge.address(), vec![Box::new(bridge)]))
    }))
}

/// The function as somebody runs it who works on it.
fn develop(_: Profile) -> Result<Start, Failure> {
    let checkout = developed();
    check_out(&checkout)?;
    let start = move |settings: &Settings| {
        let address = free_address()?;
        let mut command = vercel(&checkout).map_err(|failure| failure.to_string())?;
        command.args(["dev", "--local", "--yes", "--listen", &address.to_string()]).envs(settings);
        Server::run(command, address, PATIENCE)
    };
    let first = start(&Settings::new()).map_err(Failure::new)?;
    awaken(first.address(), BUILDING)
        .map_err(|error| Failure::new(format!("{error}: {}", first.stop())))?;
    Ok(Box::new(move |settings| start(settings).map(Running::from)))
}

/// Vercel's program in a checkout, with what it keeps for its user there too.
fn vercel(checkout: &Path) -> Result<Command, Failure> {
    let mut command = program(npm_tools(ADAPTER)?.join("node_modules/.bin/vercel"));
    command
        .current_dir(checkout)
        .arg("--global-config")
        .arg(checkout.join(".vercel/user"))
        .env("VERCEL_TELEMETRY_DISABLED", "1")
        // What is built of others' crates serves here too.
        .env("CARGO_TARGET_DIR", target_dir());
    Ok(command)
}

/// Puts the checkout's files into a new folder, each as old as it is, so that cargo sees no change.
fn check_out(folder: &Path) -> Result<(), Failure> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| failed(folder, &error))?;
    }
    for path in checkout_files(".")? {
        let to = folder.join(&path);
        copy(&root().join(&path), &to).map_err(|error| failed(&to, &error))?;
    }
    Ok(())
}

/// Where the function is built,
fn built() -> PathBuf {
    root().join("target/vercel/build")
}

/// and where it is worked on.
fn developed() -> PathBuf {
    root().join("target/vercel/dev")
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to.parent().unwrap_or(to))?;
    fs::copy(from, to)?;
    File::options().write(true).open(to)?.set_modified(from.metadata()?.modified()?)
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("{}: {error}", path.display()))
}
