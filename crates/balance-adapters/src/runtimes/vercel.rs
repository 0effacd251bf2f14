//! Vercel: the function behind a small fake of the platform's bridge.
//!
//! Invariant: a function that says too early that a request is over loses what it has not sent.

use std::process::Command;

use balance_testkit::{scenario::Ability, vercel_bridge::Bridge};
use xtask::tally::Failure;

use crate::runtime::{Profile, Running, Runtime, Start};

pub(crate) const BRIDGE: Runtime = Runtime { name: "vercel", lacks: NONE, prepare };

const NONE: &[Ability] = &[];

fn prepare(profile: Profile) -> Result<Start, Failure> {
    let program = profile.build("balance-vercel", "balance-vercel")?;
    Ok(Box::new(move |settings| {
        let mut command = Command::new(&program);
        command.env_clear().envs(settings);
        let bridge = Bridge::start(command)?;
        Ok(Running::new(bridge.address(), vec![Box::new(bridge)]))
    }))
}
