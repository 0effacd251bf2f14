//! The server of its own: the program, as it is.
//!
//! Invariant: settings reach it by the environment alone.

use balance_testkit::{scenario::Ability, server::Server};
use xtask::tally::Failure;

use crate::runtime::{Profile, Runtime, Start};

pub(crate) const BINARY: Runtime = Runtime {
    name: "standalone",
    // An operator sees it refuse to start.
    lacks: &[Ability::LateSettings],
    prepare,
};

fn prepare(profile: Profile) -> Result<Start, Failure> {
    let program = profile.build("gemini-balance", "gemini-balance")?;
    Ok(Box::new(move |settings| Server::start(&program, settings).map(Into::into)))
}
