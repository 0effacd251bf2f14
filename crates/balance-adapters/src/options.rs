//! The command line.
//!
//! Invariant: a name that no runtime has is an error, so that a slip of the pen tests nothing in
//! silence.

use lexopt::{Arg, Parser, ValueExt};

use crate::{
    runtime::{Profile, Runtime},
    runtimes::RUNTIMES,
};

pub(crate) const HELP: &str = "\
usage: cargo xtask adapters [--only NAMES] [--scenario TEXT] [--debug] [--list]

Builds every adapter, runs it on its own runtime and plays the scenarios of scenarios/adapters/
against it over HTTP. What a runtime needs is installed from the package registries.

  --only NAMES     only these runtimes, by commas
  --scenario TEXT  only scenarios with this text in their names
  --debug          build without optimising where the platform leaves it to us, which is quicker; figures
                   then mean nothing
  --list           name the runtimes and stop

Where CI is set, what cannot be run is a failure.";

/// What was asked for.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) help: bool,
    pub(crate) list: bool,
    pub(crate) is_ci: bool,
    is_debug: bool,
    only: Vec<String>,
    scenario: String,
}

impl Options {
    /// # Errors
    /// Names the argument that is unknown or incomplete.
    pub(crate) fn read(mut parser: Parser) -> Result<Self, lexopt::Error> {
        let is_ci = std::env::var("CI").is_ok_and(|value| !matches!(&*value, "" | "false" | "0"));
        let mut options = Self { is_ci, ..Self::default() };
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("only") => {
                    let names: String = parser.value()?.parse()?;
                    options.only.extend(names.split(',').map(|name| name.trim().to_owned()));
                }
                Arg::Long("scenario") => options.scenario = parser.value()?.parse()?,
                Arg::Long("debug") => options.is_debug = true,
                Arg::Long("list") => options.list = true,
                Arg::Long("help") | Arg::Short('h') => options.help = true,
                Arg::Long(_) | Arg::Short(_) | Arg::Value(_) => return Err(argument.unexpected()),
            }
        }
        Ok(options)
    }

    /// The runtimes that are asked for.
    ///
    /// # Errors
    /// The name that none has.
    pub(crate) fn runtimes(&self) -> Result<Vec<&'static Runtime>, String> {
        let unknown = self.only.iter().find(|name| RUNTIMES.iter().all(|one| one.name != **name));
        if let Some(name) = unknown {
            return Err(format!("there is no runtime {name:?}; --list names them"));
        }
        let is_wanted =
            |one: &&Runtime| self.only.is_empty() || self.only.iter().any(|n| n == one.name);
        Ok(RUNTIMES.iter().filter(is_wanted).collect())
    }

    pub(crate) fn wants_scenario(&self, name: &str) -> bool {
        name.contains(&self.scenario)
    }

    pub(crate) const fn profile(&self) -> Profile {
        if self.is_debug { Profile::Debug } else { Profile::Release }
    }
}
