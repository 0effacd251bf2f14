//! A running `gemini-balance`, in a folder and an environment of its own.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{self, Child, Command, ExitStatus, Stdio},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// The longest that anything here may take.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A new, empty folder.
pub(crate) fn folder() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = env::temp_dir().join(format!("gemini-balance-binary-{}-{count}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The program, with these settings in its environment and nothing else.
pub(crate) fn command(folder: &Path, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gemini-balance"));
    command.current_dir(folder).env_clear().envs(settings.iter().copied());
    command
}

/// Runs the program to its end; gives its exit code and all that it wrote.
pub(crate) fn run(folder: &Path, settings: &[(&str, &str)], arguments: &[&str]) -> (i32, String) {
    let output = command(folder, settings).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

/// A server that is listening.
pub(crate) struct Server {
    child: Child,
    /// `127.0.0.1:<port>`.
    pub(crate) address: String,
    /// What it wrote until it was listening.
    pub(crate) greeting: String,
    outputs: Vec<JoinHandle<String>>,
}

impl Server {
    /// Starts a server on a free port of 127.0.0.1.
    pub(crate) fn start(folder: &Path, settings: &[(&str, &str)]) -> Self {
        let mut command = command(folder, settings);
        command.env("HOST", "127.0.0.1").env("PORT", "0");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        let outputs = vec![
            thread::spawn(move || {
                let mut all = String::new();
                for line in stdout.lines() {
                    let line = line.unwrap();
                    all.push_str(&line);
                    all.push('\n');
                    let _listener_gone = sender.send(line);
                }
                all
            }),
            thread::spawn(move || {
                let mut all = String::new();
                stderr.read_to_string(&mut all).unwrap();
                all
            }),
        ];
        let (mut greeting, mut address) = (String::new(), None);
        while !greeting.contains("tour of three minutes") {
            let line = lines.recv_timeout(SOON).unwrap();
            address = line.strip_prefix("listening on http://").map(Into::into).or(address);
            greeting.push_str(&line);
            greeting.push('\n');
        }
        Self { child, address: address.unwrap(), greeting, outputs }
    }

    /// Sends a request with a JSON body, if it is not empty, and reads the whole answer.
    pub(crate) fn ask(&self, request: &str, headers: &[(&str, &str)], body: &str) -> String {
        let mut answer = String::new();
        self.open(request, headers, body).read_to_string(&mut answer).unwrap();
        answer
    }

    /// Sends a request and leaves the answer to be read.
    pub(crate) fn open(&self, request: &str, headers: &[(&str, &str)], body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let mut text = format!("{request} HTTP/1.1\r\nHost: {}\r\n", self.address);
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("Connection: close\r\nContent-Length: {}\r\n\r\n", body.len()));
        stream.write_all((text + body).as_bytes()).unwrap();
        stream
    }

    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits until the process has ended by itself; gives all that it wrote.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < SOON, "the server goes on");
            thread::sleep(Duration::from_millis(10));
        };
        let outputs = self.outputs.drain(..).map(|output| output.join().unwrap());
        (status, outputs.collect())
    }

    /// Asks it to stop and gives all that it wrote.
    pub(crate) fn stop(self) -> String {
        self.signal("TERM");
        let (status, output) = self.wait();
        assert!(status.success(), "{status}: {output}");
        output
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended, or its test has failed.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
