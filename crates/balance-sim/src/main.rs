//! The command line of the simulator.
//!
//! Invariant: what is printed on standard output is the answer; everything else goes to standard
//! error.

mod agree;
mod bars;
mod chooser;
mod exchange;
mod figures;
mod need;
mod play;
mod report;
mod run;
mod setting;
mod table;

use anyhow::{Context, bail};
use lexopt::{Arg, Parser, ValueExt};

fn main() -> anyhow::Result<()> {
    let mut arguments = Parser::from_env();
    match arguments.next()? {
        Some(Arg::Value(command)) if command == "agree" => agree::agree(&mut arguments),
        Some(Arg::Value(command)) if command == "need" => need::need(&mut arguments),
        Some(Arg::Value(command)) if command == "play" => play::play(&mut arguments),
        Some(Arg::Value(command)) if command == "report" => table::report(&mut arguments),
        Some(Arg::Long("help") | Arg::Short('h')) => help(),
        Some(other) => Err(other.unexpected().into()),
        None => bail!("say `need`, `play`, `report` or `agree`; `--help` tells more"),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it stands for a command")]
fn help() -> anyhow::Result<()> {
    print!("{}", include_str!("help.txt"));
    Ok(())
}

fn positive(arguments: &mut Parser) -> anyhow::Result<u64> {
    let value = arguments.value()?.string()?;
    let number = value.parse().ok().filter(|number| (1..=1_000_000_000).contains(number));
    number.with_context(|| format!("wanted a whole number from 1 to 1000000000, not {value:?}"))
}

fn count(arguments: &mut Parser, most: usize) -> anyhow::Result<usize> {
    let number = usize::try_from(positive(arguments)?)?;
    if number > most {
        bail!("wanted at most {most}, not {number}");
    }
    Ok(number)
}
