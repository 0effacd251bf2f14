//! The web module on the runtimes that it is made for: Deno, Netlify's bundle on Deno, Node,
//! Bun.
//!
//! Invariant: each is started as its documentation tells users to start it, on a port of its own; the
//! module is always the one that is shipped, as a debug build would be too large to start.

mod overhead;
pub(crate) mod proofs;

use std::{
    env,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use balance_testkit::server::{Folder, Server, free_address};
use xtask::{
    process::{program, root, run},
    tally::Failure,
    tools::npm_tools,
    web::{self, TOOLS},
};

use crate::runtime::{Profile, Running, Runtime, Start};

pub(crate) const DENO: Runtime = Runtime { name: "deno", lacks: &[], prepare: deno };
pub(crate) const NETLIFY: Runtime = Runtime { name: "netlify-edge", lacks: &[], prepare: netlify };
pub(crate) const NODE: Runtime = Runtime { name: "node", lacks: &[], prepare: node };
pub(crate) const BUN: Runtime = Runtime { name: "bun", lacks: &[], prepare: bun };

/// The longest that a start may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The folder of the module, which is built once for all that run it.
fn module() -> Result<&'static Path, Failure> {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    if let Some(folder) = MODULE.get() {
        return Ok(folder);
    }
    let folder = web::build()?;
    Ok(MODULE.get_or_init(|| folder))
}

fn deno(_: Profile) -> Result<Start, Failure> {
    serve_by_deno(module()?.join("deno.mjs"))
}

/// What Netlify's own bundler makes of the checkout, without the checkout.
fn netlify(_: Profile) -> Result<Start, Failure> {
    module()?;
    let folder = root().join("target/netlify");
    let deno = web::deno()?;
    // The bundler looks for Deno there.
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = deno.parent().map(PathBuf::from).into_iter().chain(env::split_paths(&path));
    let path = env::join_paths(folders).map_err(|error| Failure::new(error.to_string()))?;
    let mut bundle = program("node");
    bundle.arg(root().join(TOOLS).join("bundle-netlify.mjs"));
    bundle.args([&npm_tools(TOOLS)?.join("node_modules"), &root(), &folder]).env("PATH", path);
    run(&mut bundle)?;
    serve_by_deno(folder.join("serve.mjs"))
}

fn node(_: Profile) -> Result<Start, Failure> {
    let main = module()?.join("node.mjs");
    Ok(start("node".into(), move |command, address, _| {
        command.arg(&main).env("HOST", "127.0.0.1").env("PORT", address.port().to_string());
    }))
}

fn bun(_: Profile) -> Result<Start, Failure> {
    let main = module()?.join("deno.mjs");
    Ok(start(web::bun()?, move |command, address, _| {
        command.arg(&main).env("PORT", address.port().to_string());
    }))
}

fn serve_by_deno(main: PathBuf) -> Result<Start, Failure> {
    Ok(start(web::deno()?, move |command, address, folder| {
        let readable = main.parent().unwrap_or(&main).display();
        command
            .args(["serve", "--allow-net", "--allow-env", &format!("--allow-read={readable}")])
            .args(["--host", "127.0.0.1", "--port", &address.port().to_string()])
            .arg(&main)
            .env("DENO_DIR", folder)
            .env("DENO_NO_UPDATE_CHECK", "1");
    }))
}

/// Starts a program with the settings alone, after `complete` told it its address and a folder.
fn start(program: PathBuf, complete: impl Fn(&mut Command, SocketAddr, &Path) + 'static) -> Start {
    Box::new(move |settings| {
        let (address, folder) = (free_address()?, Folder::new()?);
        let mut command = Command::new(&program);
        command.env_clear().envs(settings).env("PATH", env::var_os("PATH").unwrap_or_default());
        complete(&mut command, address, folder.path());
        let server = Server::run(command, address, PATIENCE)?;
        Ok(Running::new(address, vec![Box::new(server), Box::new(folder)]))
    })
}
