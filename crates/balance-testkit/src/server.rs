//! A server under test as a process of its own: started with settings, asked, stopped.
//!
//! Invariant: it gets these settings and nothing of this process' environment; all that it writes
//! is kept; it does not outlive its handle.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// The longest that a start may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether a server listens that does not tell.
const LOOK: Duration = Duration::from_millis(5);

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    /// Where it keeps its state.
    _folder: Option<Folder>,
    written: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Server {
    /// Starts `program` on a free port of 127.0.0.1, and waits until it is listening.
    ///
    /// # Errors
    /// What it wrote, if it does not listen.
    pub fn start(program: &Path, settings: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut command = Command::new(program);
        command.env_clear().envs(settings).env("HOST", "127.0.0.1").env("PORT", "0");
        let folder = Folder::new()?;
        command.current_dir(folder.path());
        let (mut server, addresses) = Self::spawn(command, Some(folder))?;
        match addresses.recv_timeout(PATIENCE) {
            Ok(address) => server.address = address,
            Err(_) => return Err(format!("it does not listen: {}", server.stop())),
        }
        Ok(server)
    }

    /// Runs `command`, which shall listen at `address` within `patience`. Processes that it starts
    /// end with it.
    ///
    /// # Errors
    /// What it wrote, if it does not listen.
    pub fn run(command: Command, address: SocketAddr, patience: Duration) -> Result<Self, String> {
        let (mut server, _) = Self::spawn(command, None)?;
        server.address = address;
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            if start.elapsed() > patience || server.child.try_wait().is_ok_and(|end| end.is_some())
            {
                // What it wrote last may not be read yet.
                thread::sleep(10 * LOOK);
                return Err(format!("it does not listen at {address}: {}", server.written()));
            }
            thread::sleep(LOOK);
        }
        Ok(server)
    }

    /// Runs `command`, which need not listen: others ask it, or it asks them.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn attend(command: Command) -> Result<Self, String> {
        Self::spawn(command, None).map(|(server, _)| server)
    }

    /// The process, in a group of its own, and the addresses that it tells of.
    fn spawn(
        mut command: Command,
        folder: Option<Folder>,
    ) -> Result<(Self, mpsc::Receiver<SocketAddr>), String> {
        let name = command.get_program().display().to_string();
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{name}: {error}"))?;
        let written = Arc::new(Mutex::new(String::new()));
        let (sender, addresses) = mpsc::channel();
        let stdout = child.stdout.take().map(|out| keep(out, &written, Some(sender)));
        let stderr = child.stderr.take().map(|out| keep(out, &written, None));
        let readers = stdout.into_iter().chain(stderr).collect();
        // From here on dropping the server ends the process.
        let address = SocketAddr::from(([0; 4], 0));
        Ok((Self { child, address, _folder: folder, written, readers }, addresses))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:port`
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All that it wrote so far, to both outputs.
    #[must_use]
    pub fn written(&self) -> String {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends it, and gives all that it wrote.
    #[must_use]
    pub fn stop(mut self) -> String {
        self.end();
        for reader in self.readers.drain(..) {
            // A reader that failed has kept what it read.
            let _ended = reader.join();
        }
        self.written()
    }

    fn end(&mut self) {
        // Those that it started are in its group. All may have ended by themselves.
        let group = format!("-{}", self.child.id());
        let mut kill = Command::new("kill");
        kill.args(["-KILL", "--", &group]).stdout(Stdio::null()).stderr(Stdio::null());
        let _ended = kill.status();
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// A port of 127.0.0.1 that nobody listens at now. It is none of those that a system gives out by
/// itself: one of these may be given to others, as the end of a connection, before it is listened
/// at.
///
/// # Errors
/// There is none.
pub fn free_address() -> Result<SocketAddr, String> {
    const FIRST: u16 = 10_000;
    const PORTS: u16 = 22_000;
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    // Processes that run side by side begin far from each other.
    let begin = (std::process::id() as usize).wrapping_mul(7_919);
    for _ in 0..PORTS {
        let place = begin.wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed)) % usize::from(PORTS);
        let port = FIRST + u16::try_from(place).unwrap_or_default();
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return listener.local_addr().map_err(|error| format!("port {port}: {error}"));
        }
    }
    Err("no port is free".into())
}

/// A new folder that nothing else uses, and that goes when this is dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes it.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new() -> Result<Self, String> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("gemini-balance-testkit-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let made = fs::create_dir_all(&folder);
        made.map_err(|error| format!("no folder to run in: {}: {error}", folder.display()))?;
        Ok(Self(folder))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind is in the system's folder for such.
        let _removed = fs::remove_dir_all(&self.0);
    }
}

/// Keeps what comes out of `output`, and tells the address that it listens on.
fn keep(
    output: impl Read + Send + 'static,
    written: &Arc<Mutex<String>>,
    listens: Option<mpsc::Sender<SocketAddr>>,
) -> JoinHandle<()> {
    let written = Arc::clone(written);
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            let url = line.trim().strip_prefix("listening on http://");
            if let (Some(listens), Some(address)) = (&listens, url.and_then(|url| url.parse().ok()))
            {
                // Whoever started it has given up if this fails.
                let _told = listens.send(address);
            }
            let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
            written.push_str(&line);
            written.push('\n');
        }
    })
}
