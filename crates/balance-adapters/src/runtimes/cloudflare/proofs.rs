//! What the object keeps, and what happens when it cannot be reached.
//!
//! Invariant: what is asked is the Worker on workerd, over HTTP, in front of the fake Gemini.

use std::{net::SocketAddr, path::Path, time::Duration};

use balance_mock::{ErrorName, Mock, Population, Rule, Setup};
use balance_testkit::{
    client::{self, Manner},
    scenario::Received,
    server::{Folder, Server, free_address},
};
use bytes::Bytes;
use http::Request;
use serde_json::Value;

use super::{OBJECT, capnp, worker};
use crate::runtime::{Proof, Settings};

pub(crate) const ALL: &[Proof] = &[
    Proof {
        runtime: "workerd",
        name: "a restart keeps the pool's state",
        run: || Box::pin(restart()),
    },
    Proof { runtime: "workerd", name: "10,000 keys, and a restart", run: || Box::pin(many_keys()) },
    Proof {
        runtime: "workerd",
        name: "a key is checked by alarm",
        run: || Box::pin(checks(|settings| settings)),
    },
    Proof {
        runtime: "workerd",
        name: "an object that cannot be reached",
        run: || Box::pin(unreachable()),
    },
    Proof {
        runtime: "workerd",
        name: "no answer in time gives the key back",
        run: || Box::pin(time_out()),
    },
];

const MODEL: &str = "/v1beta/models/gemini-2.5-flash";
/// Longer than what was learned waits to be kept.
pub(super) const KEPT: Duration = Duration::from_millis(2500);
const NOTICE: Duration = Duration::from_secs(10);

pub(super) type Proved = Result<(), String>;

/// A dead key stays dead, and one whose day is used up rests on: nothing is sent upstream for them.
async fn restart() -> Proved {
    let mock = mock(&Population { good: 3, dead: 1, limited: 0, ..Population::default() }).await?;
    let keys = [("dead", 1), ("good", 1), ("good", 2), ("good", 3)];
    mock.script(Rule {
        key: Some("good-1".into()),
        error: Some(ErrorName::QuotaDay),
        ..Rule::default()
    });
    let keys = keys.map(|(kind, number)| Setup::secret(kind, number)).join(",");
    let (folder, settings) = (Folder::new()?, settings(&mock, &[("API_KEYS", &keys)]));
    let server = serve(&settings, folder.path())?;
    for _ in 0..8 {
        answered(&generate(&server).await?)?;
    }
    let before = health(&server).await?;
    tokio::time::sleep(KEPT).await;
    drop(server);
    mock.clear_log();
    let server = serve(&settings, folder.path())?;
    same(&before, &health(&server).await?)?;
    for _ in 0..8 {
        answered(&generate(&server).await?)?;
    }
    let asked = mock.log().len();
    if asked == 8 { Ok(()) } else { Err(format!("8 requests made {asked} calls upstream")) }
}

async fn many_keys() -> Proved {
    let population = Population { good: 9_000, dead: 1_000, limited: 0, ..Population::default() };
    let mock = mock(&population).await?;
    let dead = (1..=1_000).map(|number| Setup::secret("dead", number));
    let keys: Vec<_> =
        dead.chain((1..=9_000).map(|number| Setup::secret("good", number))).collect();
    let mut settings = settings(&mock, &[("ATTEMPTS", "40")]);
    // As many to a variable as Cloudflare takes.
    for (number, keys) in (1..).zip(keys.chunks(120)) {
        let name = if number == 1 { "API_KEYS".into() } else { format!("API_KEYS_{number}") };
        settings.insert(name, keys.join(","));
    }
    let folder = Folder::new()?;
    let server = serve(&settings, folder.path())?;
    for _ in 0..60 {
        generate(&server).await?;
    }
    let before = health(&server).await?;
    expect(&before, "/keys/total", 10_000)?;
    expect(&before, "/keys/out/key_leaked", 1_000)?;
    tokio::time::sleep(KEPT).await;
    drop(server);
    mock.clear_log();
    let server = serve(&settings, folder.path())?;
    same(&before, &health(&server).await?)?;
    answered(&generate(&server).await?)?;
    let asked = mock.log().len();
    if asked == 1 { Ok(()) } else { Err(format!("a request made {asked} calls upstream")) }
}

/// A key that was refused once is looked at, though nobody asks again.
pub(super) async fn checks(change: fn(Settings) -> Settings) -> Proved {
    let mock = mock(&Population { good: 2, dead: 0, limited: 0, ..Population::default() }).await?;
    let refused = Rule {
        key: Some("good-1".into()),
        error: Some(ErrorName::TokenUnsupported),
        ..Rule::default()
    };
    mock.script(refused);
    let keys = [1, 2].map(|number| Setup::secret("good", number)).join(",");
    let settings = change(settings(&mock, &[("API_KEYS", &keys)]));
    let folder = Folder::new()?;
    let server = serve(&settings, folder.path())?;
    answered(&generate(&server).await?)?;
    let is_check = |entry: &balance_mock::Entry| entry.uri.path() == "/v1beta/models";
    let log = mock.wait_for(NOTICE, |log| log.iter().any(is_check)).await;
    if !log.iter().any(is_check) {
        return Err("no key was checked".into());
    }
    tokio::time::sleep(KEPT).await;
    expect(&health(&server).await?, "/keys/out/key_unauthorized", 1)
}

async fn unreachable() -> Proved {
    let mock = mock(&Population::default()).await?;
    let keys = Setup::secret("good", 1);
    let (folder, settings) = (Folder::new()?, settings(&mock, &[("API_KEYS", &keys)]));
    let address = free_address()?;
    let config = capnp(&settings, address)?.replace(OBJECT, "");
    let server = worker()?.serve_by(&config.replace("[, ", "["), folder.path(), address)?;
    let native = generate(&server).await?;
    let openai = ask(server.address(), "/v1/chat/completions", "{}").await?;
    let said = json(&openai)?;
    match (native.status, openai.status, said.pointer("/error/code").and_then(Value::as_str)) {
        (503, 503, Some("pool_unreachable")) => {}
        told => return Err(format!("it tells {told:?}: {said}")),
    }
    let status = json(&native)?;
    let status = status.pointer("/error/status").and_then(Value::as_str);
    if status != Some("UNAVAILABLE") {
        return Err(format!("Gemini's dialect has the status {status:?}"));
    }
    let log = server.stop();
    if log.contains("cannot be reached") { Ok(()) } else { Err(format!("the log says {log}")) }
}

/// The caller hears of it before anybody's patience ends, and the key can be used at once.
async fn time_out() -> Proved {
    let mock = mock(&Population { good: 1, dead: 0, limited: 0, ..Population::default() }).await?;
    let keys = Setup::secret("good", 1);
    let limits = [("API_KEYS", &*keys), ("DEADLINE_SECONDS", "1"), ("DEFAULT_RPM", "5")];
    let (folder, settings) = (Folder::new()?, settings(&mock, &limits));
    let server = serve(&settings, folder.path())?;
    mock.next(Rule { delay_ms: Some(20_000), ..Rule::default() });
    let late = generate(&server).await?;
    if late.status != 504 || late.took > Duration::from_secs(5) {
        return Err(format!("status {} after {:?}", late.status, late.took));
    }
    answered(&generate(&server).await?)
}

pub(super) async fn mock(population: &Population) -> Result<Mock, String> {
    Mock::start(Setup::ready_made(population)).await.map_err(|error| error.to_string())
}

pub(super) fn settings(mock: &Mock, more: &[(&str, &str)]) -> Settings {
    let usual = [
        ("ACCESS_TOKENS", "token"),
        ("STRATEGY", "round-robin"),
        ("BASE_URL", mock.base_url()),
        ("QUEUE_SECONDS", "0"),
    ];
    usual.iter().chain(more).map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

pub(super) fn serve(settings: &Settings, folder: &Path) -> Result<Server, String> {
    worker()?.serve(settings, folder)
}

pub(super) async fn generate(server: &Server) -> Result<Received, String> {
    generate_at(server.address()).await
}

pub(super) async fn generate_at(address: SocketAddr) -> Result<Received, String> {
    let body = r#"{"contents": [{"parts": [{"text": "Say hello."}]}]}"#;
    ask(address, &format!("{MODEL}:generateContent"), body).await
}

async fn health(server: &Server) -> Result<Value, String> {
    json(&ask(server.address(), "/health", "").await?)
}

/// Asks with the token; without a body it is a GET.
async fn ask(address: SocketAddr, path: &str, body: &'static str) -> Result<Received, String> {
    let method = if body.is_empty() { "GET" } else { "POST" };
    let request = Request::builder().method(method).uri(path).header("x-goog-api-key", "token");
    let request = request.body(Bytes::from_static(body.as_bytes())).map_err(|e| e.to_string())?;
    client::ask(address, request, Manner::default()).await
}

pub(super) fn answered(reply: &Received) -> Proved {
    if reply.status == 200 { Ok(()) } else { Err(format!("it answers {reply:?}")) }
}

fn json(reply: &Received) -> Result<Value, String> {
    serde_json::from_slice(&reply.body).map_err(|error| format!("{error}: {reply:?}"))
}

fn expect(health: &Value, path: &str, number: u64) -> Proved {
    let found = health.pointer(path).and_then(Value::as_u64);
    if found == Some(number) { Ok(()) } else { Err(format!("{path} is not {number}: {health}")) }
}

fn same(before: &Value, after: &Value) -> Proved {
    if before == after { Ok(()) } else { Err(format!("it was {before} and is now {after}")) }
}
