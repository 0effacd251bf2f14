//! Plays scenarios over HTTP: a real server process in front of the fake Gemini API.
//!
//! Invariant: the checks are those of the runs in process; only the clock is real.

use std::{collections::BTreeMap, net::SocketAddr, path::Path, time::Duration};

use balance_core::time::Timestamp;
use balance_mock::{Entry, Mock, Setup};

use crate::{
    client::{self, Manner},
    scenario::{Ability, Names, Received, Scenario, Step},
    scripted_body::Ending,
    sent::Sent,
    server::Server,
};

/// How long upstream may take to notice that a caller has left.
const NOTICE: Duration = Duration::from_secs(5);

/// Plays a scenario against the server that `program` is.
///
/// # Errors
/// The step, and what is not as expected.
pub async fn play(scenario: &Scenario, program: &Path) -> Result<(), String> {
    let start = |settings: &BTreeMap<String, String>| {
        let server = Server::start(program, settings)?;
        Ok((Door { address: server.address(), prefix: "" }, server))
    };
    play_at(scenario, start, &[]).await
}

/// Where a server is asked.
#[derive(Debug, Clone, Copy)]
pub struct Door {
    /// Its address.
    pub address: SocketAddr,
    /// What callers put before each path where the platform takes it off again.
    pub prefix: &'static str,
}

/// Plays a scenario against what `start` starts with its settings in a place that lacks some
/// abilities: a server's door, and what keeps the server running.
///
/// # Errors
/// The step, and what is not as expected.
pub async fn play_at<S>(
    scenario: &Scenario,
    start: impl FnOnce(&BTreeMap<String, String>) -> Result<(Door, S), String>,
    lacks: &[Ability],
) -> Result<(), String> {
    let mock = Mock::start(Setup::empty()).await.map_err(|error| error.to_string())?;
    let mut names = Names { door: String::new(), upstream: mock.base_url().to_owned() };
    let started = start(&scenario.settings(&names));
    let Some(steps) = scenario.steps_without(lacks) else {
        return refused(scenario, started.map(drop));
    };
    let (Door { address, prefix }, _server) = started?;
    names.door = format!("http://{address}{prefix}");
    let mut reply = Received::default();
    for (number, step) in steps.iter().enumerate() {
        let played = play_step(step, &names, &reply, &mock, address).await;
        reply = played.map_err(|why| format!("step {}: {why}", number + 1))?;
    }
    Ok(())
}

/// Checks that a server did not start, and said why.
fn refused(scenario: &Scenario, started: Result<(), String>) -> Result<(), String> {
    let Err(said) = started else { return Err("it starts with settings that are wrong".into()) };
    match scenario.refuses.iter().find(|text| !said.contains(*text)) {
        Some(text) => Err(format!("it does not say {text:?} but {said}")),
        None => Ok(()),
    }
}

async fn play_step(
    step: &Step,
    names: &Names,
    before: &Received,
    mock: &Mock,
    server: SocketAddr,
) -> Result<Received, String> {
    tokio::time::sleep(step.wait.0).await;
    mock.clear_log();
    mock.clear_script();
    for answer in &step.upstream {
        mock.next(answer.rule(names));
    }
    let request = step.request.request(names, before)?;
    let manner = Manner { cut: step.request.cut, leaves: step.request.leaves };
    let reply = client::ask(server, request, manner).await?;
    let log = mock.wait_for(NOTICE, |entries| {
        entries.iter().all(|entry| entry.ending != balance_mock::Ending::Open)
    });
    let sent: Vec<_> = log.await.into_iter().map(sent).collect();
    step.check(&reply, &sent, names)?;
    Ok(reply)
}

/// An entry of the fake's log as the checks read it.
fn sent(entry: Entry) -> Sent {
    Sent {
        at: Timestamp::from_unix_millis(entry.at.as_millis()),
        ending: match entry.ending {
            balance_mock::Ending::Open => Ending::Open,
            balance_mock::Ending::Complete => Ending::Complete,
            balance_mock::Ending::Cut => Ending::Broken,
            balance_mock::Ending::Gone { .. } => Ending::Dropped,
        },
        digest: entry.digest,
        frames: entry.chunks.len(),
        method: entry.method,
        uri: entry.uri,
        headers: entry.headers,
        body: entry.body,
        key: None,
    }
}
