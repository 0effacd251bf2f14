//! Commands as a person types them into a shell, and what they show.
//!
//! Invariant: a shell that was started ends with all that it started, at the latest when it is
//! dropped.

use std::{
    io::{BufRead, BufReader, Read},
    os::unix::process::CommandExt,
    process::{Child, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use super::tour::{Line, typed};
use crate::{
    process::{capture, program, succeeds},
    tally::Failure,
};

/// A shell whose command runs until it is stopped.
#[derive(Debug)]
pub(super) struct Shell {
    child: Child,
    lines: Arc<Mutex<Vec<Line>>>,
}

impl Shell {
    pub(super) fn start(code: &str) -> Result<Self, Failure> {
        let mut child = program("sh")
            .args(["-c", code])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| Failure::new(format!("sh: {error}")))?;
        let lines = Arc::new(Mutex::new(typed(code).collect()));
        if let Some(pipe) = child.stdout.take() {
            collect(pipe, &lines);
        }
        if let Some(pipe) = child.stderr.take() {
            collect(pipe, &lines);
        }
        Ok(Self { child, lines })
    }

    pub(super) fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Ends the command; what its terminal showed.
    pub(super) fn stop(self) -> Vec<Line> {
        let lines = Arc::clone(&self.lines);
        drop(self);
        let shown = lines.lock().unwrap_or_else(PoisonError::into_inner);
        shown.clone()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        if !self.has_ended() {
            let group = format!("-{}", self.child.id());
            succeeds(program("kill").args(["-TERM", "--", &group]));
        }
        let _ = self.child.wait();
    }
}

/// Runs a command to its end; what it wrote to its standard output.
pub(super) fn run_to_end(code: &str) -> Result<String, Failure> {
    capture(program("sh").args(["-c", code]))
}

/// Keeps the lines of a pipe, without colours and without what cargo says of building.
fn collect(pipe: impl Read + Send + 'static, lines: &Arc<Mutex<Vec<Line>>>) {
    let lines = Arc::clone(lines);
    thread::spawn(move || {
        for bytes in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let line = plain(&String::from_utf8_lossy(&bytes));
            let of_cargo = ["Finished `", "Running `", "Compiling ", "Blocking "];
            if !of_cargo.iter().any(|begin| line.trim_start().starts_with(begin)) {
                lines.lock().unwrap_or_else(PoisonError::into_inner).push(Line::Shown(line));
            }
        }
    });
}

/// The text without the escape sequences of colours.
fn plain(text: &str) -> String {
    let mut pieces = text.split('\u{1b}');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |plain, piece| plain + piece.split_once('m').map_or("", |(_, after)| after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_taken_out() {
        assert_eq!(plain("\u{1b}[32m INFO\u{1b}[0m it \u{1b}[1;3mm\u{1b}[0m"), " INFO it m");
        assert_eq!(plain("m"), "m");
    }

    #[test]
    fn a_dropped_shell_ends_what_it_started() {
        let shell = Shell::start("sleep 1000 & echo $!; wait").unwrap();
        let pid = loop {
            let lines = shell.lines.lock().unwrap();
            if let Some(Line::Shown(pid)) = lines.get(1) {
                break pid.clone();
            }
        };
        assert!(succeeds(program("kill").args(["-0", &pid])));
        drop(shell);
        assert!((0..100).any(|_| {
            thread::sleep(std::time::Duration::from_millis(20));
            !succeeds(program("kill").args(["-0", &pid]))
        }));
    }
}
