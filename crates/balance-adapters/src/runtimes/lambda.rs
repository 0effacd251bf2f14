//! AWS Lambda, as each of the services before a function shows it, and Netlify's way of it: the
//! function beside a small fake of the Runtime API; and the emulator of `cargo lambda`.
//!
//! Invariant: what runs is the program that is shipped, packed as it is shipped, within its budget.

use std::{any::Any, path::PathBuf, process::Command};

use balance_testkit::{
    lambda_api::{Before, Function, LambdaApi, PATIENCE},
    scenario::Ability,
    server::Server,
};
use xtask::{
    process::{cargo, root, run},
    tally::Failure,
    tools::python_tool,
};

use crate::runtime::{Profile, Running, Runtime, Settings, Start};

/// The largest package, packed.
const BUDGET: u64 = 5_000_000;

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

/// The program as it is shipped: by `cargo lambda`, which links it for Lambda's own system.
fn build(profile: Profile) -> Result<PathBuf, Failure> {
    if profile == Profile::Debug {
        return profile.build("balance-lambda", "bootstrap");
    }
    let mut path = std::ffi::OsString::from(tool()?.parent().unwrap_or(&root()));
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    for format in ["zip", "binary"] {
        let mut build = cargo(["lambda", "build", "--release", "--package", "balance-lambda"]);
        run(build.args(["--output-format", format]).env("PATH", &path))?;
    }
    let folder = root().join("target/lambda/bootstrap");
    let zip = folder.join("bootstrap.zip");
    let size =
        std::fs::metadata(&zip).map_err(|e| Failure::new(format!("{}: {e}", zip.display())))?;
    println!("the package has {} bytes of at most {BUDGET}", size.len());
    if size.len() > BUDGET {
        return Err(Failure::new(format!(
            "{} is over its budget of {BUDGET} bytes",
            zip.display()
        )));
    }
    Ok(folder.join("bootstrap"))
}

fn tool() -> Result<PathBuf, Failure> {
    python_tool("cargo-lambda", "1.9.2")
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
