//! The command line.
//!
//! Invariant: it says where settings are and what to do with them, and is no place for settings
//! themselves: a command line shows in every list of processes.

use std::path::PathBuf;

use balance_core::settings::ROWS;
use lexopt::{Arg, Parser, ValueExt};

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) action: Action,
    /// The file to read settings from, in place of `gemini-balance.toml`.
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Serve,
    /// Read the settings and stop.
    Check,
    /// Ask a running server whether it is well.
    Health,
    Help,
    Version,
}

impl Arguments {
    /// # Errors
    /// Names the argument that is unknown or incomplete.
    pub(crate) fn read(mut parser: Parser) -> Result<Self, lexopt::Error> {
        let mut arguments = Self { action: Action::Serve, config: None };
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("config") => arguments.config = Some(parser.value()?.parse()?),
                Arg::Long("check") => arguments.action = Action::Check,
                Arg::Long("health") => arguments.action = Action::Health,
                Arg::Long("help") | Arg::Short('h') => arguments.action = Action::Help,
                Arg::Long("version") | Arg::Short('V') => arguments.action = Action::Version,
                Arg::Long(_) | Arg::Short(_) | Arg::Value(_) => return Err(argument.unexpected()),
            }
        }
        Ok(arguments)
    }
}

/// The text of `--help`, with every setting.
pub(crate) fn help() -> String {
    let mut text = String::from(
        "Gemini Balance: one endpoint over many Gemini keys.\n\n\
         Usage: gemini-balance [OPTIONS]\n\n\
         \x20 --config FILE   read settings from FILE instead of gemini-balance.toml\n\
         \x20 --check         read the settings, say whether they are right, and stop\n\
         \x20 --health        ask the server that runs with these settings whether it is well\n\
         \x20 -h, --help      show this text\n\
         \x20 -V, --version   show the version\n\n\
         Settings are read from the environment, then .env, then gemini-balance.toml (there in\n\
         lower case):\n\n",
    );
    for row in ROWS {
        let name = row.names.first().copied().unwrap_or_default();
        let default = if row.default.is_empty() { "nothing" } else { row.default };
        text.push_str(&format!("  {name} ({}; default: {default})\n     {}\n", row.kind, row.doc));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Arguments, String> {
        Arguments::read(Parser::from_args(arguments)).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_means_serve() {
        assert_eq!(read(&[]).unwrap(), Arguments { action: Action::Serve, config: None });
    }

    #[test]
    fn options_are_read() {
        assert_eq!(read(&["--config", "a.toml"]).unwrap().config, Some("a.toml".into()));
        assert_eq!(read(&["--config=a.toml", "--check"]).unwrap().action, Action::Check);
        assert_eq!(read(&["--health"]).unwrap().action, Action::Health);
        assert_eq!(read(&["-h"]).unwrap().action, Action::Help);
        assert_eq!(read(&["--version"]).unwrap().action, Action::Version);
    }

    #[test]
    fn what_is_unknown_or_incomplete_is_named() {
        assert!(read(&["--port", "1"]).unwrap_err().contains("--port"));
        assert!(read(&["serve"]).unwrap_err().contains("serve"));
        assert!(read(&["--config"]).unwrap_err().contains("--config"));
    }

    #[test]
    fn help_names_every_setting() {
        let help = help();
        for row in ROWS {
            assert!(help.contains(row.names[0]));
        }
    }
}
