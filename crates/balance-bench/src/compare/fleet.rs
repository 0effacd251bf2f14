//! The programs that are compared: the mock as everybody's upstream, nginx and the server before it.
//!
//! Invariant: what is measured has core 0 to itself; the load generator has core 1, and the mock
//! the last core, which on a machine of two is core 1 as well.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, bail};
use serde::Serialize;

use crate::client::Connection;

use super::{
    nginx,
    process::{Running, Usage, free_address, pinned},
};

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// The upstream without anything before it.
    Mock,
    /// nginx, `proxy_pass`.
    Nginx,
    /// Gemini Balance.
    Server,
}

impl Target {
    /// In the order in which they take turns.
    pub const ALL: [Self; 3] = [Self::Mock, Self::Nginx, Self::Server];

    /// As a person calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mock => "mock alone",
            Self::Nginx => "nginx",
            Self::Server => "gemini-balance",
        }
    }
}

/// Where the programs are.
#[derive(Debug, Clone)]
pub struct Programs {
    /// `gemini-balance`.
    pub server: PathBuf,
    /// `balance-mock`.
    pub mock: PathBuf,
}

/// On which core each part runs.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Cores {
    /// nginx and the server, in turn.
    pub measured: usize,
    /// This process.
    pub load: usize,
    /// The upstream of both.
    pub mock: usize,
}

impl Cores {
    /// As this machine allows; at least two cores are needed.
    ///
    /// # Errors
    /// On a machine of one core, where the load would slow down what it measures.
    pub fn of_this_machine() -> anyhow::Result<Self> {
        match std::thread::available_parallelism()?.get() {
            1 => bail!("the benchmark needs two cores: one for the server, one for the load"),
            cores => Ok(Self { measured: 0, load: 1, mock: (cores - 1).min(2) }),
        }
    }
}

/// How the upstream answers streams.
#[derive(Debug, Clone, Copy)]
pub(super) enum Upstream {
    /// All events at once.
    Burst { events: usize },
    /// One event each period.
    Paced { events: usize, period: Duration },
}

/// All three, running.
#[derive(Debug)]
pub(super) struct Fleet {
    // dropped in this order: nginx and the server before their upstream
    server: Member,
    nginx: Member,
    mock: Member,
    _folder: Folder,
}

/// One running program.
#[derive(Debug)]
pub(super) struct Member {
    running: Running,
    pub(super) address: SocketAddr,
    pub(super) credential: String,
}

impl Fleet {
    pub(super) async fn start(
        programs: &Programs,
        cores: Cores,
        upstream: Upstream,
    ) -> anyhow::Result<Self> {
        let folder = Folder::create()?;
        let mock =
            start_mock(programs, cores, upstream, &folder).context("starting balance-mock")?;
        let nginx = start_nginx(cores, mock.address, &folder).context("starting nginx")?;
        let server = pinned(cores.measured, &programs.server);
        let server = start_server(server, mock.address, &folder).await;
        Ok(Self {
            server: server.context("starting gemini-balance")?,
            nginx,
            mock,
            _folder: folder,
        })
    }

    pub(super) fn address(&self, target: Target) -> SocketAddr {
        self.member(target).address
    }

    /// What the target wants to see before it answers.
    pub(super) fn credential(&self, target: Target) -> &str {
        &self.member(target).credential
    }

    pub(super) fn usage(&self, target: Target) -> std::io::Result<Usage> {
        self.member(target).running.usage()
    }

    fn member(&self, target: Target) -> &Member {
        match target {
            Target::Mock => &self.mock,
            Target::Nginx => &self.nginx,
            Target::Server => &self.server,
        }
    }
}

/// The pool of keys. The mock takes any, without limits, so that only the way of a request is
/// measured.
fn keys() -> [String; 2] {
    ["a", "b"].map(|name| format!("AIzaSyBenchmark{name:0>24}"))
}

pub(super) fn start_mock(
    programs: &Programs,
    cores: Cores,
    upstream: Upstream,
    folder: &Folder,
) -> anyhow::Result<Member> {
    let address = free_address()?;
    let mut command = pinned(cores.mock, &programs.mock);
    command.args(["--port", &address.port().to_string()]);
    command.args(["--threads", "1", "--fixed", "--any-key", "--log", "0"]);
    match upstream {
        Upstream::Burst { events } => command.args(["--events", &events.to_string()]),
        Upstream::Paced { events, period } => {
            let pace = period.as_millis().to_string();
            command.args(["--events", &events.to_string(), "--pace", &pace])
        }
    };
    let [credential, _] = keys();
    Member::start(&mut command, address, credential, folder.0.join("mock.log"))
}

fn start_nginx(cores: Cores, mock: SocketAddr, folder: &Folder) -> anyhow::Result<Member> {
    let address = free_address()?;
    let file = folder.0.join("nginx.conf");
    fs::write(&file, nginx::configuration(address, mock, &folder.0))?;
    let mut command = pinned(cores.measured, &nginx::program()?);
    command.arg("-p").arg(&folder.0).arg("-e").arg(folder.0.join("error.log")).arg("-c").arg(&file);
    let [credential, _] = keys();
    Member::start(&mut command, address, credential, folder.0.join("nginx.log"))
}

/// The server as it comes, but for its address, keys and upstream, and without a line in the log
/// for each request, as nginx.
pub(super) async fn start_server(
    mut command: Command,
    mock: SocketAddr,
    folder: &Folder,
) -> anyhow::Result<Member> {
    let address = free_address()?;
    let credential = "benchmark-access-token";
    command
        .current_dir(&folder.0) // neither a .env nor a state file of the checkout
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOST", address.ip().to_string())
        .env("PORT", address.port().to_string())
        .env("API_KEYS", keys().join(","))
        .env("BASE_URL", format!("http://{mock}"))
        .env("ACCESS_TOKENS", credential)
        .env("LOG_LEVEL", "warn");
    let errors = folder.0.join("server.log");
    let member = Member::start(&mut command, address, credential.to_owned(), errors)?;
    let health = format!("GET /health HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let answer = Connection::open(address).await?.exchange(health.as_bytes(), |_| {}).await?;
    if answer.status != 200 {
        bail!("/health answered {}", answer.status);
    }
    Ok(member)
}

impl Member {
    fn start(
        command: &mut Command,
        address: SocketAddr,
        credential: String,
        errors: PathBuf,
    ) -> anyhow::Result<Self> {
        let mut running = Running::start(command, errors)?;
        running.wait_for(address)?;
        Ok(Self { running, address, credential })
    }
}

/// A folder for configuration and state, removed at the end.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn create() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("balance-bench-{}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("creating {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

impl Programs {
    /// The binaries of the build that this program comes from, or another server than that.
    ///
    /// # Errors
    /// Naming the program that is missing and how to get it.
    pub fn beside(this: &Path, server: Option<PathBuf>) -> anyhow::Result<Self> {
        let folder = this.parent().unwrap_or(this);
        let built = |name: &str| {
            let path = folder.join(name);
            if path.exists() {
                return Ok(path);
            }
            bail!("{} is missing: `cargo xtask bench` builds it", path.display())
        };
        let server = server.map_or_else(|| built("gemini-balance"), Ok)?;
        Ok(Self { server, mock: built("balance-mock")? })
    }
}
