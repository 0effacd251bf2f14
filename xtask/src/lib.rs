//! The one door for developers: `cargo xtask <command>` checks, tests and measures the whole project.
//!
//! Invariant: what CI runs is this table and nothing else, so whatever fails there can be run here
//! by the same name.
//!
//! It is a library for one reason: what runs the adapters on their runtimes installs and builds with
//! the same means ([`process`], [`tools`]).

mod adapters;
mod agree;
mod bench;
mod check;
mod ci;
pub mod cloudflare;
mod deploy;
mod docs;
mod fuzz;
pub mod lambda;
mod machine;
mod neighbours;
pub mod process;
mod purity;
mod release;
mod sizes;
pub mod tally;
mod test;
pub mod tools;
mod wasm;
pub mod web;
mod weight;
mod weights;

use std::process::ExitCode;

use tally::{Failure, Outcome};

/// One command of the door.
struct Command {
    name: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Outcome,
}

/// Every command, in the order of the help. A further step is a row here and, if CI shall run it,
/// a row in [`ci::STEPS`].
const COMMANDS: &[Command] = &[
    Command {
        name: "check",
        about: "formatting, clippy and docs, warnings denied",
        run: check::run,
    },
    Command { name: "test", about: "all tests, doc tests included", run: test::run },
    Command {
        name: "clients",
        about: "the SDKs of OpenAI and Google against the server, where their scripts are there",
        run: test::clients,
    },
    Command {
        name: "purity",
        about: "dependencies of the pure crates against their deps.txt (--write updates it)",
        run: purity::run,
    },
    Command {
        name: "adapters",
        about: "every adapter on its own runtime against one list of scenarios; --help tells its options",
        run: adapters::run,
    },
    Command { name: "wasm", about: "compile the pure crates for wasm32", run: wasm::run },
    Command {
        name: "web",
        about: "the module for Deno, Netlify and Node, and whether it is within its budget",
        run: web::run,
    },
    Command {
        name: "cloudflare",
        about: "the Worker as `wrangler deploy` builds it, and whether it is within its budget",
        run: cloudflare::run,
    },
    Command {
        name: "release",
        about: "the server as it is released, for speed by training; --target TRIPLE, else for here",
        run: release::run,
    },
    Command {
        name: "weights",
        about: "Lambda's package and the program of the image, as they are shipped, against their budgets",
        run: weights::run,
    },
    Command {
        name: "sizes",
        about: "no file over 600 lines, no function over 80",
        run: sizes::run,
    },
    Command { name: "deny", about: "licences, sources and double versions", run: tools::deny },
    Command { name: "machete", about: "dependencies that nothing uses", run: tools::machete },
    Command { name: "typos", about: "spelling", run: tools::typos },
    Command {
        name: "deploy",
        about: "the deployment files: parsed, linted, their variables held to the settings",
        run: deploy::run,
    },
    Command {
        name: "fuzz",
        about: "chance against the decoders and the translation (--seconds N, names of targets)",
        run: fuzz::run,
    },
    Command {
        name: "bench",
        about: "load through the server, nginx and the mock alone; --help tells its options",
        run: bench::run,
    },
    Command {
        name: "agree",
        about: "the simulator against the real server, for three minutes (--seconds N)",
        run: agree::run,
    },
    Command {
        name: "docs",
        about: "make what the documentation takes from the code, take the tour (--check: only check)",
        run: docs::run,
    },
    Command {
        name: "machine",
        about: "install what a bare Debian or Ubuntu with Rust lacks",
        run: machine::run,
    },
    Command { name: "ci", about: "everything above, as CI does it", run: ci::run },
];

/// Runs the command that the process was asked for.
#[must_use]
pub fn run() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(name) = arguments.next() else {
        print_help();
        return ExitCode::SUCCESS;
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        print_help();
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<String> = arguments.collect();
    match run_command(&name, &arguments) {
        Ok(tally) if tally.failed == 0 => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one command by its name; CI runs its steps through here as well.
fn run_command(name: &str, arguments: &[String]) -> Outcome {
    let command = COMMANDS.iter().find(|command| command.name == name).ok_or_else(|| {
        Failure::new(format!("there is no command `{name}`; `cargo xtask` alone lists them"))
    })?;
    (command.run)(arguments)
}

fn print_help() {
    println!("cargo xtask <command>\n");
    for command in COMMANDS {
        println!("  {:<10} {}", command.name, command.about);
    }
}
