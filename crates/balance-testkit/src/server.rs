//! A server under test as a process of its own: started with settings, asked, stopped.
//!
//! Invariant: it gets these settings and nothing of this process' environment; all that it writes
//! is kept; it does not outlive its handle.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufRead, BufReader, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// The longest that a start may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    /// Where it keeps its state.
    folder: PathBuf,
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
        let folder = empty_folder().map_err(|error| format!("no folder to run in: {error}"))?;
        command.current_dir(&folder);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let written = Arc::new(Mutex::new(String::new()));
        let (sender, addresses) = mpsc::channel();
        let stdout = child.stdout.take().map(|out| keep(out, &written, Some(sender)));
        let stderr = child.stderr.take().map(|out| keep(out, &written, None));
        let readers = stdout.into_iter().chain(stderr).collect();
        // From here on dropping the server ends the process.
        let address = SocketAddr::from(([0; 4], 0));
        let mut server = Self { child, address, folder, written, readers };
        let address = addresses.recv_timeout(PATIENCE);
        server.address =
            address.map_err(|_| format!("it does not listen: {}", server.written()))?;
        Ok(server)
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
        // It may have ended by itself.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
        // What is left behind is in the system's folder for such.
        let _removed = fs::remove_dir_all(&self.folder);
    }
}

/// A new folder that nothing else uses.
fn empty_folder() -> io::Result<PathBuf> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("gemini-balance-testkit-{}-{count}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    fs::create_dir_all(&folder)?;
    Ok(folder)
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
