//! A runtime: what it needs, how the adapter is built for it, how it is started and stopped.
//!
//! Invariant: what was started ends when its [`Running`] is dropped.

use std::{
    any::Any,
    collections::BTreeMap,
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    pin::Pin,
    time::Duration,
};

use balance_testkit::{over_http::Door, scenario::Ability, server::Server};
use xtask::{
    process::{cargo, run, target_dir},
    tally::Failure,
};

/// Settings by their names.
pub(crate) type Settings = BTreeMap<String, String>;

/// Starts an adapter with these settings, and waits until it can be asked.
pub(crate) type Start = Box<dyn Fn(&Settings) -> Result<Running, String>>;

/// One adapter on one runtime: a column of the table.
pub(crate) struct Runtime {
    pub(crate) name: &'static str,
    /// What it cannot do by its nature; scenarios say what happens instead.
    pub(crate) lacks: &'static [Ability],
    /// Installs what is needed, builds, and gives what starts it.
    pub(crate) prepare: fn(Profile) -> Result<Start, Failure>,
}

/// What a proof comes to: nothing, or what was not as it should be.
pub(crate) type Proving = Pin<Box<dyn Future<Output = Result<(), String>>>>;

/// Something that one runtime alone must show.
pub(crate) struct Proof {
    /// The name of the runtime, which is prepared by then.
    pub(crate) runtime: &'static str,
    pub(crate) name: &'static str,
    pub(crate) run: fn() -> Proving,
}

/// An adapter that can be asked.
pub(crate) struct Running {
    pub(crate) door: Door,
    _kept: Vec<Box<dyn Any>>,
}

impl Running {
    /// At `address`, for as long as `kept` is there: processes, tasks, folders.
    pub(crate) fn new(address: SocketAddr, kept: Vec<Box<dyn Any>>) -> Self {
        Self { door: Door { address, prefix: "" }, _kept: kept }
    }

    /// The same where callers put `prefix` before each path.
    pub(crate) fn under(mut self, prefix: &'static str) -> Self {
        self.door.prefix = prefix;
        self
    }
}

/// Asks for `/health` and waits for the answer, for runtimes that load or build what they run with the first
/// request.
///
/// # Errors
/// There is no answer within `patience`.
pub(crate) fn awaken(address: SocketAddr, patience: Duration) -> io::Result<()> {
    let mut connection = TcpStream::connect(address)?;
    connection.set_read_timeout(Some(patience))?;
    connection.write_all(b"GET /health HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")?;
    connection.read_to_end(&mut Vec::new()).map(drop)
}

impl From<Server> for Running {
    fn from(server: Server) -> Self {
        Self::new(server.address(), vec![Box::new(server)])
    }
}

/// How an adapter is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// As it is shipped.
    Release,
    /// Quickly.
    Debug,
}

impl Profile {
    /// Builds a program of the workspace by itself, with the features that it is shipped with, and
    /// says where it is.
    pub(crate) fn build(self, package: &str, program: &str) -> Result<PathBuf, Failure> {
        let mut build = cargo(["build", "--package", package, "--bin", program]);
        if self == Self::Release {
            build.arg("--release");
        }
        run(&mut build)?;
        let folder = if self == Self::Release { "release" } else { "debug" };
        Ok(target_dir().join(folder).join(program))
    }
}
