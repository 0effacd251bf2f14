//! A program under measurement: started on its own core, watched through `/proc`, ended by its pid.
//!
//! Invariant: nothing outlives its [`Running`], not even when the benchmark is interrupted.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

/// The kernel tells CPU time in this unit, on every architecture that Rust's Linux runs on.
const TICK: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(10);

/// A started program.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    errors: PathBuf,
}

/// What a program and its children have used so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    pub(super) cpu: Duration,
    pub(super) resident_bytes: u64,
}

/// A free port on the loopback interface.
pub(super) fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// How many programs wanted to run in the last minute.
pub(super) fn load_average() -> anyhow::Result<f64> {
    let text = fs::read_to_string("/proc/loadavg").context("reading /proc/loadavg")?;
    let first = text.split_whitespace().next().unwrap_or_default();
    first.parse().with_context(|| format!("/proc/loadavg begins with `{first}`"))
}

/// Puts this process itself on a core.
pub(super) fn pin_self(core: usize) -> anyhow::Result<()> {
    let pid = std::process::id().to_string();
    let mut taskset = Command::new("taskset");
    taskset.args(["--all-tasks", "--cpu-list", "--pid", &core.to_string(), &pid]);
    let output = taskset.output().context("taskset, from the package util-linux, pins to cores")?;
    if !output.status.success() {
        bail!("taskset: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// A command line that will run on this core alone.
pub(super) fn pinned(core: usize, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &core.to_string()]).arg(program);
    command
}

impl Running {
    /// Starts a program whose errors go to a file of its own.
    pub(super) fn start(command: &mut Command, errors: PathBuf) -> anyhow::Result<Self> {
        let file =
            fs::File::create(&errors).with_context(|| format!("creating {}", errors.display()))?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        let child = command.spawn().with_context(|| format!("starting {command:?}"))?;
        Ok(Self { child, errors })
    }

    /// Waits until somebody accepts connections there, as long as the program lives.
    pub(super) fn wait_for(&mut self, address: SocketAddr) -> anyhow::Result<()> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if std::net::TcpStream::connect(address).is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                let reason = fs::read_to_string(&self.errors).unwrap_or_default();
                bail!("it ended at once, with {status}: {}", reason.trim());
            }
            thread::sleep(PAUSE);
        }
        bail!("nobody listened on {address} within {PATIENCE:?}")
    }

    /// What it and its children use.
    pub(super) fn usage(&self) -> io::Result<Usage> {
        let mut sum = Usage::default();
        for pid in family(self.child.id())? {
            // a child may end between the look at the list and the look at the child
            let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
            let Some(stat) = Stat::parse(&stat) else { continue };
            sum.cpu += TICK * stat.ticks;
            sum.resident_bytes += resident_bytes(pid)?;
        }
        Ok(sum)
    }
}

impl Drop for Running {
    /// Asks it to end, so that it can end its own children, and insists after a while.
    fn drop(&mut self) {
        // by the shell, which always has `kill`; the program of that name is a package of its own
        let pid = self.child.id().to_string();
        _ = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &pid]).status();
        let start = Instant::now();
        while start.elapsed() < PATIENCE / 2 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(PAUSE);
        }
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// The process and all that descend from it.
fn family(root: u32) -> io::Result<Vec<u32>> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        parents.extend(Stat::parse(&stat).map(|stat| (pid, stat.parent)));
    }
    let mut family = vec![root];
    let mut index = 0;
    while let Some(&parent) = family.get(index) {
        family.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        index += 1;
    }
    Ok(family)
}

/// The fields of `/proc/PID/stat` that matter here.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    /// CPU time in user and kernel mode.
    ticks: u32,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        let (_, fields) = text.rsplit_once(") ")?; // the name before it may hold spaces and brackets
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<u32>().ok();
        Some(Self { parent: number(1)?, ticks: number(11)? + number(12)? })
    }
}

fn resident_bytes(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes =
        line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    Ok(kibibytes.unwrap_or_default() * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_known_by_its_parent_and_its_ticks_whatever_its_name() {
        let text = "42 (a) b (c) S 7 42 42 0 -1 4194304 90 0 0 0 31 11 5 5 20 0 1 0 100 0 0";
        assert_eq!(Stat::parse(text), Some(Stat { parent: 7, ticks: 42 }));
    }

    #[test]
    fn a_program_and_its_child_are_measured_together_and_end_together() {
        let mut command = Command::new("sh");
        command.args(["-c", "trap 'kill $!; exit 0' TERM; sh -c 'while :; do :; done' & wait"]);
        let errors =
            std::env::temp_dir().join(format!("balance-bench-test-{}", std::process::id()));
        let running = Running::start(&mut command, errors.clone()).unwrap();
        let root = running.child.id();
        let start = Instant::now();
        while running.usage().unwrap().cpu < 2 * TICK {
            assert!(start.elapsed() < PATIENCE, "the child's work never showed");
            thread::sleep(PAUSE);
        }
        let members = family(root).unwrap();
        assert!(members.len() > 1, "{members:?}");
        assert!(running.usage().unwrap().resident_bytes > 100_000);
        drop(running);
        let alive = |pid: &u32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
            stat.is_ok_and(|stat| !stat.contains(") Z "))
        };
        let start = Instant::now();
        while members.iter().any(alive) {
            assert!(start.elapsed() < PATIENCE, "{members:?} go on");
            thread::sleep(PAUSE);
        }
        fs::remove_file(errors).unwrap();
    }
}
