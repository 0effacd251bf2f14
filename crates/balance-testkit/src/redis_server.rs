//! A Redis or Valkey server of a test's own: started on a free port with a folder of its own, killed,
//! started again.
//!
//! Invariant: it does not outlive its handle, keeps nothing, and no other server is touched. Where none
//! is installed the test is told so, and goes on; but not in CI, where that is a failure.

#![expect(clippy::panic, reason = "a test without its server has failed")]

use std::{
    env, fs,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::shared::tell;

/// The programs that will do.
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];

/// The longest that a start may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running server.
#[derive(Debug)]
pub struct RedisServer {
    program: &'static str,
    child: Option<Child>,
    address: SocketAddr,
    folder: PathBuf,
}

impl RedisServer {
    /// A new server; `None` where none is installed.
    ///
    /// # Panics
    /// If it does not start, or, in CI, if none is installed.
    #[must_use]
    pub fn start() -> Option<Self> {
        let is_there = |program: &&str| {
            Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok()
        };
        let Some(program) = PROGRAMS.iter().copied().find(is_there) else {
            assert!(
                env::var_os("CI").is_none(),
                "no redis-server: `cargo xtask machine` installs it"
            );
            tell("no redis-server and no valkey-server here: what needs one is not tested");
            return None;
        };
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("gemini-balance-redis-{}-{count}", std::process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut server = Self { program, child: None, address: free_address(), folder };
        server.run();
        Some(server)
    }

    /// `redis://127.0.0.1:port`
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Ends it at once, and with it all that it knew.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ended = child.kill();
            let _reaped = child.wait();
        }
    }

    /// Starts it again, at the same address, knowing nothing.
    ///
    /// # Panics
    /// If it does not start.
    pub fn run(&mut self) {
        self.kill();
        let port = self.address.port().to_string();
        let child = Command::new(self.program)
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.child = Some(child.unwrap_or_else(|error| panic!("{}: {error}", self.program)));
        let start = Instant::now();
        while !self.answers() {
            assert!(start.elapsed() < PATIENCE, "{} does not listen", self.program);
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(self.address) else { return false };
        let mut answer = [0; 7];
        let asked = stream.write_all(b"PING\r\n").and_then(|()| stream.read_exact(&mut answer));
        asked.is_ok() && &answer == b"+PONG\r\n"
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        // What is left behind is in the system's folder for such.
        let _removed: io::Result<()> = fs::remove_dir_all(&self.folder);
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address.unwrap_or_else(|error| panic!("no free port: {error}"))
}
