//! The command line. Invariant: a wrong flag or value ends the start with a line that names it.

use std::ffi::OsString;
use std::fmt::Display;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use balance_mock::{Population, Setup, Strangers};
use lexopt::prelude::{Long, Short, Value, ValueExt};

/// What `--help` prints.
pub(crate) const HELP: &str = "\
A fake Gemini API with true quotas, scripted faults and a log of what reached it.

Usage: balance-mock [flags]

Listen
  --port N          port, default 8090 (0 takes a free one)
  --host ADDRESS    address, default 127.0.0.1
  --threads N       worker threads, default one a core

Keys (they are printed at the start)
  --keys N          keys that work, default 2
  --projects N      projects that they are spread over, default one for each
  --dead N          keys that were reported as leaked, default 1
  --limited N       keys that allow two requests a minute, default 1
  --any-key         every other key works, too, each as a project of its own
  --rpm N           limits of every project and model of the working keys:
  --tpm N           requests and input tokens in any 60 seconds,
  --rpd N           requests in a Los Angeles day; default: none

Answers
  --events N        events of a stream, default up to 3
  --words N         words of an answer, default the echo of the prompt
  --pace MS         milliseconds from one event to the next, default none
  --fixed           the same answer always, the request's body unread: for benchmarks

More
  --script FILE     JSON: {\"script\":[rules…],\"projects\":[…],\"keys\":[…], …}; the fields of the
                    setup, which the flags above do not touch where the file names them
  --cases FOLDER    recorded cases that rules can answer with
  --log N           requests that the log keeps, default 4096; 0 keeps none
  --watch           print a line for each request
  --help            this text

While it runs, http://ADDRESS:PORT/_mock says how to steer it.
";

/// What the command line asks for.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    pub(crate) help: bool,
    pub(crate) watch: bool,
    pub(crate) threads: usize,
    pub(crate) setup: Setup,
}

impl Flags {
    /// Reads the flags.
    ///
    /// # Errors
    /// The text names the flag or the file, and what is wrong with it.
    pub(crate) fn read(args: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let mut flags = Self { setup: Setup::empty(), ..Self::default() };
        let mut population = Population::default();
        let mut address = SocketAddr::from((Ipv4Addr::LOCALHOST, 8090));
        let mut script = None;
        let mut parser = lexopt::Parser::from_args(args);
        while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
            let name = match argument {
                Long(name) => name.to_owned(),
                Short('h') => "help".to_owned(),
                Short(_) | Value(_) => return Err(argument.unexpected().to_string()),
            };
            match name.as_str() {
                "help" => flags.help = true,
                "watch" => flags.watch = true,
                "any-key" => flags.setup.strangers = Strangers::Admit,
                "fixed" => flags.setup.fixed = true,
                "script" => script = Some(path(&mut parser, "script")?),
                "cases" => flags.setup.cases = Some(path(&mut parser, "cases")?),
                "port" => address.set_port(value(&mut parser, &name)?),
                "host" => address.set_ip(value::<IpAddr>(&mut parser, &name)?),
                "threads" => flags.threads = value(&mut parser, &name)?,
                "keys" => population.good = value(&mut parser, &name)?,
                "projects" => population.projects = value(&mut parser, &name)?,
                "dead" => population.dead = value(&mut parser, &name)?,
                "limited" => population.limited = value(&mut parser, &name)?,
                "rpm" => population.limits.rpm = Some(value(&mut parser, &name)?),
                "tpm" => population.limits.tpm = Some(value(&mut parser, &name)?),
                "rpd" => population.limits.rpd = Some(value(&mut parser, &name)?),
                "events" => flags.setup.answer.events = Some(value(&mut parser, &name)?),
                "words" => flags.setup.answer.words = Some(value(&mut parser, &name)?),
                "pace" => flags.setup.pace_ms = Some(value(&mut parser, &name)?),
                "log" => flags.setup.log = value(&mut parser, &name)?,
                _ => return Err(format!("there is no flag --{name}")),
            }
        }
        let made = Setup::ready_made(&population);
        flags.setup = Setup { address, projects: made.projects, keys: made.keys, ..flags.setup };
        if let Some(file) = script {
            flags.setup = overlaid(&flags.setup, &file)?;
        }
        Ok(flags)
    }
}

/// The setup with what a file says in its place.
fn overlaid(setup: &Setup, file: &PathBuf) -> Result<Setup, String> {
    let wrong = |error: &dyn Display| format!("--script {}: {error}", file.display());
    let text = fs::read(file).map_err(|error| wrong(&error))?;
    let given: serde_json::Value = serde_json::from_slice(&text).map_err(|error| wrong(&error))?;
    let given = given.as_object().ok_or_else(|| wrong(&"it must hold one JSON object"))?;
    let mut all = serde_json::to_value(setup).map_err(|error| wrong(&error))?;
    if let Some(fields) = all.as_object_mut() {
        fields.extend(given.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    serde_json::from_value(all).map_err(|error| wrong(&error))
}

fn value<T: FromStr<Err: Display + Send + Sync + std::error::Error + 'static>>(
    parser: &mut lexopt::Parser,
    name: &str,
) -> Result<T, String> {
    let given = parser.value().map_err(|error| error.to_string())?;
    given.parse().map_err(|error| format!("--{name}: {error}"))
}

fn path(parser: &mut lexopt::Parser, name: &str) -> Result<PathBuf, String> {
    parser.value().map(PathBuf::from).map_err(|error| format!("--{name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Flags, String> {
        Flags::read(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn flags_shape_the_setup() {
        let flags = read("--port 0 --keys 6 --projects 3 --rpm 5 --events 50 --pace 20").unwrap();
        let setup = flags.setup;
        assert_eq!(setup.address.port(), 0);
        assert_eq!((setup.answer.events, setup.pace_ms), (Some(50), Some(20)));
        let good: Vec<_> = setup.keys.iter().filter(|key| key.name.starts_with("good")).collect();
        assert_eq!(good.len(), 6);
        assert_eq!(good[0].project, good[3].project);
        assert_eq!(setup.projects[0].limits.rpm, Some(5));
    }

    #[test]
    fn a_wrong_flag_is_named() {
        assert!(read("--ports 1").unwrap_err().contains("--ports"));
        assert!(read("--rpm few").unwrap_err().contains("--rpm"));
        assert!(read("--script /nowhere").unwrap_err().contains("/nowhere"));
        assert!(read("extra").unwrap_err().contains("extra"));
    }

    #[test]
    fn a_file_says_more_and_refuses_what_it_does_not_know() {
        let file = std::env::temp_dir().join(format!("balance-mock-{}.json", std::process::id()));
        let line = format!("--rpm 5 --script {}", file.display());
        fs::write(&file, r#"{"script":[{"error":"leaked","key":"good-1"}],"log":7}"#).unwrap();
        let setup = read(&line).unwrap().setup;
        assert_eq!((setup.script.len(), setup.log, setup.keys.len()), (1, 7, 4));
        fs::write(&file, r#"{"scripts":[]}"#).unwrap();
        let refusal = read(&line).unwrap_err();
        fs::remove_file(&file).unwrap();
        assert!(refusal.contains("`scripts`") && refusal.contains("--script"), "{refusal}");
    }

    #[test]
    fn every_flag_stands_in_the_help() {
        for flag in ["port", "any-key", "projects", "tpm", "rpd", "cases", "threads", "fixed"] {
            assert!(HELP.contains(&format!("--{flag}")), "{flag}");
        }
    }
}
