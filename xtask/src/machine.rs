//! What a bare Debian or Ubuntu machine with Rust lacks, installed from its own packages.
//!
//! Invariant: installing starts no system service, and a machine that has everything is left alone.

use std::{env, fs, path::Path};

use crate::{
    process::{capture, program, run_quietly, succeeds},
    tally::{Failure, Outcome, Tally, expect_no_arguments},
};

/// A program the project needs, the command that proves it is there, and the package that brings it.
struct Need {
    proof: &'static [&'static str],
    package: &'static str,
    purpose: &'static str,
}

const NGINX: &str = "nginx-light";

const NEEDS: &[Need] = &[
    Need {
        proof: &["g++", "--version"],
        package: "build-essential",
        purpose: "links Rust, builds ring",
    },
    Need { proof: &["git", "--version"], package: "git", purpose: "finds the files to check" },
    Need {
        proof: &["python3", "-c", "import ensurepip, venv"],
        package: "python3-venv",
        purpose: "typos and client SDKs",
    },
    Need { proof: &["node", "--version"], package: "nodejs", purpose: "client SDKs" },
    Need { proof: &["npm", "--version"], package: "npm", purpose: "client SDKs" },
    Need { proof: &["curl", "--version"], package: "curl", purpose: "the plainest client" },
    Need {
        proof: &["redis-server", "--version"],
        package: "redis-server",
        purpose: "the store of several instances",
    },
    Need { proof: &["kill", "-l"], package: "procps", purpose: "ends what a step started" },
    Need {
        proof: &["taskset", "--version"],
        package: "util-linux",
        purpose: "pins the benchmark to cores",
    },
    Need {
        proof: &["/usr/sbin/nginx", "-v"],
        package: NGINX,
        purpose: "the benchmark's yardstick",
    },
];

/// While this file answers 101, Debian starts no service on installation.
const SERVICE_POLICY: &str = "/usr/sbin/policy-rc.d";

pub(crate) fn run(arguments: &[String]) -> Outcome {
    expect_no_arguments("machine", arguments)?;
    provide(NEEDS.iter())?;
    Ok(Tally::PASSED)
}

/// Makes sure of the yardstick, for those who run the benchmark without the rest of CI.
pub(crate) fn provide_nginx() -> Result<(), Failure> {
    provide(NEEDS.iter().filter(|need| need.package == NGINX))
}

/// Installs what is needed and does not work yet.
fn provide(needs: impl Iterator<Item = &'static Need>) -> Result<(), Failure> {
    let missing: Vec<&Need> = needs.filter(|need| !is_there(need)).collect();
    for need in &missing {
        println!("machine: {} is missing ({})", need.package, need.purpose);
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    install(&packages)?;
    match missing.iter().find(|need| !is_there(need)) {
        None => Ok(()),
        Some(need) => Err(Failure::new(format!(
            "`{}` still does not work after installing {}",
            need.proof.join(" "),
            need.package
        ))),
    }
}

fn is_there(need: &Need) -> bool {
    need.proof
        .split_first()
        .is_some_and(|(name, arguments)| succeeds(program(name).args(arguments)))
}

/// Installs those of the Debian packages that are not installed yet.
pub(crate) fn install(packages: &[&str]) -> Result<(), Failure> {
    let missing: Vec<&str> =
        packages.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if !succeeds(program("apt-get").arg("--version")) {
        return Err(Failure::new(format!(
            "this machine has no apt-get; install by hand what Debian calls {list}"
        )));
    }
    let quiet = forbid_services()?;
    let installed = apt_get(&["update"]).and_then(|()| {
        apt_get(&[&["install", "--yes", "--no-install-recommends"], missing.as_slice()].concat())
    });
    if quiet {
        elevated(&["rm", SERVICE_POLICY])?;
    }
    installed
        .map_err(|failure| Failure::new(format!("{failure}; install {list} by hand and try again")))
}

fn is_installed(package: &str) -> bool {
    let status = capture(program("dpkg-query").args([
        "--show",
        "--showformat=${db:Status-Status}",
        package,
    ]));
    status.is_ok_and(|status| status == "installed")
}

fn apt_get(arguments: &[&str]) -> Result<(), Failure> {
    let quiet = [
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "--quiet=2",
        "-o",
        "DPkg::Lock::Timeout=300",
    ];
    elevated(&[&quiet, arguments].concat())
}

/// Returns whether the policy is ours to remove afterwards.
fn forbid_services() -> Result<bool, Failure> {
    if Path::new(SERVICE_POLICY).exists() {
        return Ok(false);
    }
    let draft = env::temp_dir().join(format!("policy-rc.d-{}", std::process::id()));
    fs::write(&draft, "#!/bin/sh\nexit 101\n")
        .map_err(|error| Failure::new(format!("{}: {error}", draft.display())))?;
    let placed = elevated(&["install", "--mode=755", &draft.to_string_lossy(), SERVICE_POLICY]);
    _ = fs::remove_file(&draft);
    placed.map(|()| true)
}

/// Runs as root: as it is where we are root, else through sudo without asking for a password.
fn elevated(line: &[&str]) -> Result<(), Failure> {
    let root = capture(program("id").arg("-u"))?.trim() == "0";
    let line = if root { line.to_vec() } else { [&["sudo", "--non-interactive"], line].concat() };
    let Some((name, arguments)) = line.split_first() else { return Ok(()) };
    run_quietly(program(name).args(arguments))
}
