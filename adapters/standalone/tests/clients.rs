//! Real clients, unmodified: the SDKs of OpenAI and Google and what is built on them, pointed at
//! the program, whose pool begins with a dead key and a rate limited one.
//!
//! Their scripts lie in a folder `shared/clients` beside the checkout; `setup.sh` there installs
//! the packages once. Where the folder is absent, the test says so and passes. It is slow, so it
//! runs by its name only: `cargo xtask clients`.

#![cfg(test)]

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use balance_mock::{Entry, ErrorName, Mock, Population, Rule, Setup};
use balance_testkit::{scenario::TOKEN, server::Server, shared};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "slow: installs and runs real clients; `cargo xtask clients` does"]
async fn real_clients_notice_nothing_of_dead_and_limited_keys() {
    let Some(folder) = shared::folder("clients") else {
        shared::tell("there is no folder shared/clients beside the checkout: no client was run");
        return;
    };
    let setup = Population { good: 1, dead: 1, limited: 1, ..Population::default() };
    let mock = Mock::start(Setup::ready_made(&setup)).await.unwrap();
    mock.script(Rule::error(ErrorName::QuotaMinute).on_key("limited-1"));
    let keys = ["dead", "limited", "good"].map(|kind| Setup::secret(kind, 1));
    let settings = [
        ("BASE_URL", mock.base_url()),
        ("API_KEYS", &keys.join(",")),
        ("ACCESS_TOKENS", TOKEN),
        ("STRATEGY", "round-robin"),
    ];
    let settings = settings.map(|(name, value)| (name.into(), value.into())).into();
    let program = Path::new(env!("CARGO_BIN_EXE_gemini-balance"));
    let server = Server::start(program, &settings).unwrap();

    succeed(&mut Command::new(folder.join("setup.sh"))).await;
    let all = &mut Command::new(folder.join("run_all.sh"));
    let lines = succeed(all.args([&server.url(), TOKEN])).await;
    let upload = &mut Command::new(packages().join("venv/bin/python"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/upload.py");
    let uploaded = succeed(upload.arg(script).env("BASE", server.url()).env("KEY", TOKEN)).await;
    let lines = format!("{lines}upload.py: {uploaded}");
    shared::tell(&format!("{lines}{} clients ran", lines.lines().count()));

    let log = mock.log();
    let asked = |key: &str| log.iter().filter(|entry| shows(entry, key)).count();
    let [dead, limited, good] = keys.each_ref().map(|key| asked(key));
    assert_eq!(dead, 1, "a dead key is asked once, and never again");
    assert!(limited >= 1, "the limited key was asked");
    assert!(good >= lines.lines().count(), "the good key answered");
    let written = server.stop();
    for key in keys {
        assert!(!written.contains(&key) && !lines.contains(&key), "a key was shown");
    }
}

fn shows(entry: &Entry, key: &str) -> bool {
    entry.secret().as_deref() == Some(key)
}

/// Runs a command; gives what it wrote, if it succeeds.
async fn succeed(command: &mut Command) -> String {
    let running =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let running = running.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let output = tokio::task::spawn_blocking(move || running.wait_with_output()).await;
    let Output { status, stdout, stderr } = output.unwrap().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?}: {status}\n{stdout}{stderr}");
    stdout.into_owned()
}

/// Where `setup.sh` puts the packages.
fn packages() -> PathBuf {
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_default());
    let set = env::var_os("CLIENTS_HOME").map(PathBuf::from);
    set.unwrap_or_else(|| home().join(".cache/gemini-balance-clients"))
}
