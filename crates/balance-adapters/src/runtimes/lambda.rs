//! AWS Lambda, as each of the services before a function shows it, and Netlify's way of it: the
//! function beside a small fake of the Runtime API; and the emulator of `cargo lambda`.
//!
//! Invariant: what runs is the program that is shipped, packed as it is shipped, within its budget.

pub(crate) mod packing;

use std::{any::Any, path::PathBuf, process::Command, sync::OnceLock, time::Duration};

use balance_testkit::{
    lambda_api::{Before, Function, LambdaApi, PATIENCE},
    scenario::Ability,
    server::{Server, free_address},
};
use xtask::{lambda, process::root, tally::Failure};

use crate::runtime::{Profile, Running, Runtime, Settings, Start, awaken};

/// What the emulator may take to look whether the program is built.
const BUILDING: Duration = Duration::from_secs(60);

/// On Lambda nobody says that a caller has left, and requests have at most 6 MB.
const STREAMED: &[Ability] = &[Ability::HangUps, Ability::LargeRequests];
const WHOLE: &[Ability] =
    &[Ability::HangUps, Ability::LargeRequests, Ability::LargeAnswers, Ability::Streaming];
/// A load balancer passes 1 MB either way.
const SMALL: &[Ability] = &[
    Ability::HangUps,
    Ability::LargeRequests,
    Ability::LargeAnswers,
    Ability::Streaming,
    Ability::Megabytes,
];

pub(crate) const FUNCTION_URL: Runtime = Runtime {
    name: "lambda-url",
    lacks: STREAMED,
    prepare: |profile| prepare(profile, Before::FunctionUrl, true),
};
pub(crate) const HTTP_API: Runtime = Runtime {
    name: "lambda-http",
    lacks: WHOLE,
    prepare: |profile| prepare(profile, Before::HttpApi, false),
};
pub(crate) const REST_API: Runtime = Runtime {
    name: "lambda-rest",
    lacks: WHOLE,
    prepare: |profile| prepare(profile, Before::RestApi, false),
};
pub(crate) const LOAD_BALANCER: Runtime = Runtime {
    name: "lambda-alb",
    lacks: SMALL,
    prepare: |profile| prepare(profile, Before::LoadBalancer, false),
};
pub(crate) const NETLIFY: Runtime = Runtime {
    name: "netlify-function",
    lacks: WHOLE,
    prepare: |profile| prepare(profile, Before::Netlify, false),
};

/// It is strict about nothing but the protocol.
pub(crate) const EMULATOR: Runtime = Runtime { name: "cargo-lambda", lacks: &[], prepare: emulate };

fn prepare(profile: Profile, before: Before, streams: bool) -> Result<Start, Failure> {
    let program = build(profile)?;
    Ok(Box::new(move |settings| {
        let api = LambdaApi::start(Function { before, streams, time: PATIENCE })?;
        let address = api.address();
        let function = function(&program, settings, streams, api.environment())?;
        let kept: Vec<Box<dyn Any>> = vec![Box::new(function), Box::new(api)];
        Ok(Running::new(address, kept).under(before.prefix()))
    }))
}

/// The program that is played against.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// The program as it is shipped, or one that is built quickly; once for all that run it.
fn build(profile: Profile) -> Result<PathBuf, Failure> {
    if let Some(program) = PROGRAM.get() {
        return Ok(program.clone());
    }
    let program = match profile {
        Profile::Release => lambda::package()?,
        Profile::Debug => profile.build("balance-lambda", "bootstrap")?,
    };
    Ok(PROGRAM.get_or_init(|| program).clone())
}

/// The emulator builds the program itself, and starts it with the first request.
fn emulate(profile: Profile) -> Result<Start, Failure> {
    // What is shipped is built apart, by another linker; the emulator's own takes longer than its first request.
    profile.build("balance-lambda", "bootstrap")?;
    let tool = lambda::tool()?;
    Ok(Box::new(move |settings| {
        let address = free_address()?;
        let mut command = Command::new(&tool);
        command
            .current_dir(root())
            .args(["lambda", "watch", "--ignore-changes", "--disable-cors"])
            .args(["--package", "balance-lambda", "--bin", "bootstrap"])
            .args(["--invoke-address", "127.0.0.1", "--invoke-port", &address.port().to_string()])
            .envs(settings)
            .env("LAMBDA_STREAM", "true");
        if profile == Profile::Release {
            command.arg("--release");
        }
        let server = Server::run(command, address, BUILDING)?;
        // The first request starts the program, and is lost with a caller that leaves meanwhile.
        awaken(address, BUILDING).map_err(|error| format!("{error}: {}", server.written()))?;
        Ok(server.into())
    }))
}

fn function(
    program: &PathBuf,
    settings: &Settings,
    streams: bool,
    platform: impl IntoIterator<Item = (String, String)>,
) -> Result<Server, String> {
    let mut command = Command::new(program);
    command.env_clear().envs(settings).envs(platform);
    command.env("LAMBDA_STREAM", streams.to_string());
    Server::attend(command)
}
