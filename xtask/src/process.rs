//! Running other programs: always from the workspace's root, always said aloud before.
//!
//! Invariant: a program that exits with anything but 0 becomes a [`Failure`] that names its command line.

use std::{
    env,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use crate::tally::Failure;

/// The root of the workspace.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Where cargo builds.
pub fn target_dir() -> PathBuf {
    root().join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// The files of the checkout as they would be committed, by a pattern of git's and by their paths in it.
pub fn checkout_files(pattern: &str) -> Result<Vec<String>, Failure> {
    let list = ["ls-files", "--cached", "--others", "--exclude-standard", pattern];
    let listed = capture(program("git").args(list))?;
    // What is not there is deleted, and not committed yet.
    Ok(listed.lines().filter(|path| root().join(path).exists()).map(str::to_owned).collect())
}

/// Where tools that this program installs are kept between runs and clones.
pub fn cache() -> PathBuf {
    let home = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    home("XDG_CACHE_HOME")
        .or_else(|| home("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(|| root().join("target"))
        .join("gemini-balance-xtask")
}

/// A program, run in the workspace's root and without standard input.
pub fn program(path: impl AsRef<Path>) -> Command {
    let mut command = Command::new(path.as_ref());
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// The cargo that runs this program.
pub fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command =
        program(env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from));
    command.args(arguments);
    command
}

/// Runs to the end with the output of the program going to ours.
pub fn run(command: &mut Command) -> Result<(), Failure> {
    let line = announce(command);
    let status = command.status().map_err(|error| did_not_start(&line, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("`{line}` ended with {status}")))
    }
}

/// Runs to the end and shows what the program wrote only if it fails.
pub fn run_quietly(command: &mut Command) -> Result<(), Failure> {
    announce(command);
    capture(command).map(|_| ())
}

/// Runs silently and returns what the program wrote to its standard output.
pub fn capture(command: &mut Command) -> Result<String, Failure> {
    Ok(String::from_utf8_lossy(&finished(command)?.stdout).into_owned())
}

/// Runs silently and returns what the program wrote to its standard error.
pub(crate) fn capture_errors(command: &mut Command) -> Result<String, Failure> {
    announce(command);
    Ok(String::from_utf8_lossy(&finished(command)?.stderr).into_owned())
}

fn finished(command: &mut Command) -> Result<Output, Failure> {
    let line = describe(command);
    let output = command.output().map_err(|error| did_not_start(&line, &error))?;
    if output.status.success() {
        return Ok(output);
    }
    let why = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(format!("`{line}` ended with {}: {}", output.status, why.trim())))
}

/// Whether the program can be started and ends with 0.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// After so much silence it is asked whether the program still runs.
const LULL: Duration = Duration::from_millis(100);

/// What [`run_and_read`] saw.
pub(crate) struct Spoken {
    pub(crate) lines: Vec<String>,
    pub(crate) result: Result<(), Failure>,
}

/// Runs to the end, passes every line on to our standard output and keeps it.
pub(crate) fn run_and_read(command: &mut Command) -> Result<Spoken, Failure> {
    let line = announce(command);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| did_not_start(&line, &error))?;
    let (sender, receiver) = mpsc::channel();
    for pipe in
        [child.stdout.take().map(boxed), child.stderr.take().map(boxed)].into_iter().flatten()
    {
        let sender = sender.clone();
        thread::spawn(move || {
            for bytes in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&bytes).into_owned()).is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);
    let mut lines = Vec::new();
    let status = loop {
        match receiver.recv_timeout(LULL) {
            Ok(text) => {
                println!("{text}");
                lines.push(text);
            }
            // not the end of the pipes, which a program left behind may hold open for ever
            Err(_) => match child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) => thread::sleep(LULL), // the pipes may have ended before the program
                Err(error) => return Err(did_not_start(&line, &error)),
            },
        }
    };
    let result = if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("`{line}` ended with {status}")))
    };
    Ok(Spoken { lines, result })
}

fn boxed(pipe: impl Read + Send + 'static) -> Box<dyn Read + Send> {
    Box::new(pipe)
}

fn announce(command: &Command) -> String {
    let line = describe(command);
    println!("$ {line}");
    line
}

/// The command line as a person would type it: the program by its name, without its folder.
fn describe(command: &Command) -> String {
    let name =
        Path::new(command.get_program()).file_name().unwrap_or_else(|| command.get_program());
    let mut line = name.to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

fn did_not_start(line: &str, error: &std::io::Error) -> Failure {
    Failure::new(format!("`{line}` could not be run: {error}"))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_program_left_behind_does_not_keep_the_run_from_ending() {
        let start = Instant::now();
        let spoken =
            run_and_read(program("sh").args(["-c", "sleep 5 & echo done; exit 3"])).unwrap();
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
        assert_eq!(spoken.lines, ["done"]);
        assert!(spoken.result.unwrap_err().to_string().contains("exit status: 3"));
    }
}
