//! The README's tour, taken as it is written: each of its blocks `sh terminal-…` is typed into a
//! shell of its own, the first two of which hold servers.
//!
//! Invariant: what is run stands in the README, letter by letter.

use std::{
    iter,
    net::TcpStream,
    time::{Duration, Instant},
};

use super::{
    fences::{Block, blocks},
    pages_by_hand,
    shell::{Shell, run_to_end},
};
use crate::{
    process::{cargo, run as execute},
    tally::Failure,
};

/// The blocks that start servers, and where those listen.
const SERVERS: [(&str, &str); 2] =
    [("sh terminal-1", "127.0.0.1:8090"), ("sh terminal-2", "127.0.0.1:8000")];
/// The blocks of the visitor, a command in each.
const VISITOR: &str = "sh terminal-3";
const START_TIME: Duration = Duration::from_secs(60);

/// What a terminal showed.
#[derive(Debug)]
pub(super) struct Terminal {
    pub(super) title: &'static str,
    pub(super) lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// Typed by the visitor.
    Typed(String),
    /// Written by a program.
    Shown(String),
}

/// What the translation of the README says otherwise than the README, in commands.
pub(super) fn differences() -> Result<Vec<String>, Failure> {
    let pages = pages_by_hand()?;
    let commands = |wanted: &str| -> Vec<Block<'_>> {
        let page = pages.iter().find(|(path, _)| *path == wanted);
        page.map_or_else(Vec::new, |(_, page)| blocks(page))
    };
    let (ours, theirs) = (commands("README.md"), commands("README.zh.md"));
    let pairs = ours.iter().zip(&theirs).filter(|(one, other)| one != other);
    let mut complaints: Vec<String> = pairs
        .map(|(one, other)| {
            format!("README.zh.md has `{}` where README.md has `{}`", other.code, one.code)
        })
        .collect();
    if ours.len() != theirs.len() {
        let (ours, theirs) = (ours.len(), theirs.len());
        complaints.push(format!("README.md has {ours} code blocks, README.zh.md has {theirs}"));
    }
    Ok(complaints)
}

/// A command as a terminal shows it.
pub(super) fn typed(code: &str) -> impl Iterator<Item = Line> {
    let prompts = iter::once("$ ").chain(iter::repeat("  "));
    prompts.zip(code.lines()).map(|(prompt, line)| Line::Typed(format!("{prompt}{line}")))
}

/// Takes the tour. What the server and the visitor's terminal showed.
pub(super) fn take() -> Result<[Terminal; 2], Failure> {
    let pages = pages_by_hand()?;
    let all: Vec<Block<'_>> = pages.iter().take(1).flat_map(|(_, page)| blocks(page)).collect();
    for (_, address) in SERVERS {
        if TcpStream::connect(address).is_ok() {
            return Err(Failure::new(format!(
                "something listens on {address} already, where the README's tour wants to start a server: stop it"
            )));
        }
    }
    // Built beforehand, so that the time to start holds no time to compile; and apart, as they are run, since
    // together they would have features of each other.
    for one in [["--package", "balance-mock"], ["--bin", "gemini-balance"]] {
        execute(cargo(["build"]).args(one))?;
    }
    let [mock, server] = SERVERS;
    let mock = start(&all, mock)?;
    let server = start(&all, server)?;
    let mut lines = Vec::new();
    for block in all.iter().filter(|block| block.info == VISITOR) {
        println!("docs: {}", block.code.trim_end());
        let shown = run_to_end(&block.code)?;
        lines.extend(typed(&block.code));
        lines.extend(shown.lines().map(|line| Line::Shown(line.into())));
        if shown.trim().is_empty() || shown.contains("\"error\"") {
            return Err(Failure::new(format!(
                "the README's tour: {} answered: {shown}",
                block.code.trim_end()
            )));
        }
    }
    let server = Terminal { title: "Gemini Balance", lines: server.stop() };
    drop(mock);
    Ok([server, Terminal { title: "a client", lines }])
}

fn start(blocks: &[Block<'_>], (info, address): (&str, &str)) -> Result<Shell, Failure> {
    let block = blocks.iter().find(|block| block.info == info).ok_or_else(|| {
        Failure::new(format!("README.md: the tour has no block that begins with ```{info}"))
    })?;
    println!("docs: {}", block.code.trim_end());
    let mut shell = Shell::start(&block.code)?;
    let begun = Instant::now();
    while TcpStream::connect(address).is_err() {
        if shell.has_ended() || begun.elapsed() > START_TIME {
            let shown: Vec<String> =
                shell.stop().into_iter().map(|line| format!("{line:?}")).collect();
            return Err(Failure::new(format!(
                "the README's tour: nothing listens on {address} after {}:\n  {}",
                block.code.trim_end(),
                shown.join("\n  ")
            )));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(shell)
}
