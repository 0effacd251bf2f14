//! Cloudflare: the Worker and its object, on bare workerd and under `wrangler dev`.
//!
//! Invariant: what runs here was built by the script that `wrangler deploy` runs, always as it is shipped, and is
//! configured by the `wrangler.toml` that it reads.

pub(crate) mod overhead;
pub(crate) mod proofs;
pub(crate) mod shared;

use std::{
    fmt::Write as _,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use balance_testkit::server::{Folder, Server, free_address};
use xtask::{cloudflare, process::root, tally::Failure};

use crate::runtime::{Running, Runtime, Settings, Start, awaken};

pub(crate) const WORKERD: Runtime =
    Runtime { name: "workerd", lacks: &[], prepare: |_| prepare(Worker::serve) };

pub(crate) const WRANGLER: Runtime =
    Runtime { name: "wrangler dev", lacks: &[], prepare: |_| prepare(Worker::develop) };

/// The same where the Worker calls Gemini, and the object keeps what is shared.
pub(crate) const WORKERD_WORKER: Runtime =
    Runtime { name: "worker mode", lacks: &[], prepare: |_| prepare(Worker::serve_from_worker) };

/// The way from the Worker to its object.
const OBJECT: &str = r#"(name = "POOL", durableObjectNamespace = "Pool")"#;

/// The Worker's files, as workerd is told of them; [`Worker::serve_by`] knows the name of the second.
const MODULES: &str = r#"(name = "worker.js", esModule = embed "worker.js"),
    (name = "MODULE", wasm = embed "MODULE"),"#;

const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the Worker with settings, and with its files and the object's database in a folder.
type Serve = fn(&Worker, &Settings, &Path) -> Result<Server, String>;

/// The Worker as it was built, and the packages that run it.
#[derive(Debug)]
struct Worker {
    build: PathBuf,
    packages: PathBuf,
}

/// It is built once for all that run it.
static WORKER: OnceLock<Worker> = OnceLock::new();

fn prepare(serve: Serve) -> Result<Start, Failure> {
    if WORKER.get().is_none() {
        let (build, packages) = cloudflare::build()?;
        // Another one would be the same.
        let _set = WORKER.set(Worker { build, packages });
    }
    Ok(Box::new(move |settings| {
        let folder = Folder::new()?;
        let server = serve(worker()?, settings, folder.path())?;
        // The Worker and its object are loaded then, so that no stream is timed that waits for that.
        awaken(server.address(), PATIENCE)
            .map_err(|error| format!("it does not answer: {error}"))?;
        Ok(Running::new(server.address(), vec![Box::new(server), Box::new(folder)]))
    }))
}

fn worker() -> Result<&'static Worker, String> {
    WORKER.get().ok_or_else(|| "the Worker is not built".to_owned())
}

impl Worker {
    /// On bare workerd.
    fn serve(&self, settings: &Settings, folder: &Path) -> Result<Server, String> {
        let address = free_address()?;
        self.serve_by(&capnp(settings, address)?, folder, address)
    }

    /// On bare workerd, with the calls from the Worker.
    fn serve_from_worker(&self, settings: &Settings, folder: &Path) -> Result<Server, String> {
        let mut settings = settings.clone();
        settings.insert("CLOUDFLARE_CALLS_FROM".into(), "worker".into());
        self.serve(&settings, folder)
    }

    /// On bare workerd, by a configuration.
    fn serve_by(&self, config: &str, folder: &Path, address: SocketAddr) -> Result<Server, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        let module = cloudflare::module(&self.build).map_err(|failure| failure.to_string())?;
        let module = module.file_name().unwrap_or_default().to_string_lossy();
        for file in [cloudflare::SCRIPT, &module] {
            fs::copy(self.build.join(file), folder.join(file)).map_err(failed)?;
        }
        fs::create_dir_all(folder.join("database")).map_err(failed)?;
        let config = config.replace("MODULE", &module);
        fs::write(folder.join("config.capnp"), config).map_err(failed)?;
        let mut command = Command::new(self.workerd()?);
        command.current_dir(folder).args(["serve", "config.capnp"]);
        Server::run(command, address, PATIENCE)
    }

    /// workerd itself, not the script that npm puts before it.
    fn workerd(&self) -> Result<PathBuf, String> {
        let folder = self.packages.join("@cloudflare");
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        let is_it = |path: &PathBuf| path.exists();
        let mut packages = fs::read_dir(&folder).map_err(failed)?.flatten();
        let found = packages.find_map(|package| {
            let is_of_workerd = package.file_name().to_string_lossy().starts_with("workerd-");
            is_of_workerd.then(|| package.path().join("bin/workerd")).filter(is_it)
        });
        found.ok_or_else(|| format!("{} has no workerd for this machine", folder.display()))
    }

    /// Under `wrangler dev`, as somebody who works on it would.
    fn develop(&self, settings: &Settings, folder: &Path) -> Result<Server, String> {
        let address = free_address()?;
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        let config = wrangler_toml()?.replace(
            "adapters/cloudflare/worker.mjs",
            &self.build.join(cloudflare::SCRIPT).to_string_lossy(),
        );
        // It was built before, and is not built again with each start.
        let mut config = without_section(&config, "[build]");
        config.push_str("\n[vars]\n");
        for (name, value) in settings {
            let _written = writeln!(config, "{name} = {}", quoted(value));
        }
        fs::write(folder.join("wrangler.toml"), config).map_err(failed)?;
        let mut command = cloudflare::wrangler(&self.packages);
        command
            .current_dir(folder)
            .args(["dev", "--local", "--config", "wrangler.toml", "--ip", "127.0.0.1"])
            .args(["--port", &address.port().to_string(), "--inspector-port", "0"]);
        Server::run(command, address, PATIENCE)
    }
}

/// The configuration of workerd, with what the project's `wrangler.toml` says.
fn capnp(settings: &Settings, address: SocketAddr) -> Result<String, String> {
    let config = wrangler_toml()?;
    let (date, flags) =
        (line(&config, "compatibility_date")?, line(&config, "compatibility_flags")?);
    let mut bindings = String::new();
    for (name, value) in settings {
        // Writing to a String cannot fail.
        let _written = write!(bindings, ", (name = {}, text = {})", quoted(name), quoted(value));
    }
    Ok(format!(
        r#"using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "internet", network = (allow = ["public", "private", "local"])),
    (name = "database", disk = (path = "database", writable = true)),
  ],
  sockets = [(name = "http", address = "{address}", http = (), service = "worker")],
);
const worker :Workerd.Worker = (
  modules = [
    {MODULES}
  ],
  compatibilityDate = {date},
  compatibilityFlags = {flags},
  bindings = [{OBJECT}{bindings}],
  durableObjectNamespaces = [(className = "Pool", uniqueKey = "pool", enableSql = true)],
  durableObjectStorage = (localDisk = "database"),
);
"#
    ))
}

fn wrangler_toml() -> Result<String, String> {
    let path = root().join("wrangler.toml");
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The value of a setting of `wrangler.toml`, as it stands there.
fn line<'a>(config: &'a str, name: &str) -> Result<&'a str, String> {
    let value = config.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_prefix('='));
    value.map(str::trim).ok_or_else(|| format!("wrangler.toml has no {name}"))
}

fn without_section(config: &str, title: &str) -> String {
    let mut is_in = false;
    let keeps = |line: &&str| {
        if line.starts_with('[') {
            is_in = *line == title;
        }
        !is_in
    };
    config.lines().filter(keeps).map(|line| format!("{line}\n")).collect()
}

/// A text as workerd's configuration and TOML both have it.
fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|char| match char {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\n' => "\\n".to_owned(),
            char => char.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_that_of_wrangler_toml() {
        let settings = [("API_KEYS".to_owned(), r#"["a\b"]"#.to_owned())].into();
        let text = capnp(&settings, ([127, 0, 0, 1], 8787).into()).unwrap();
        assert!(text.contains(r#"(name = "API_KEYS", text = "[\"a\\b\"]")"#), "{text}");
        assert!(text.contains("enable_request_signal"), "{text}");
        let without =
            without_section("a = 1\n[build]\ncommand = \"x\"\n[vars]\nb = 2\n", "[build]");
        assert_eq!(without, "a = 1\n[vars]\nb = 2\n");
    }
}
