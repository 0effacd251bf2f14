//! What Workers share through the object, where they call Gemini themselves.
//!
//! Invariant: what is asked is what runs on Cloudflare: the object's own store, and Workers that reach nothing
//! of each other but it.

use std::{fs, net::SocketAddr, time::SystemTime};

use async_trait::async_trait;
use balance_core::{
    host::BoxError,
    store::rpc::{RpcStore, Transport},
    time::Timestamp,
};
use balance_mock::{ErrorName, Population, Rule, Setup};
use balance_testkit::{
    client::{self, Manner},
    server::{Folder, Server, free_address},
    store_contract,
};
use http::Request;

use super::{
    MODULES, capnp,
    proofs::{KEPT, Proved, answered, checks, generate, generate_at, mock, serve, settings},
    worker,
};
use crate::runtime::{Proof, Settings};

pub(crate) const ALL: &[Proof] = &[
    Proof {
        runtime: super::WORKERD_WORKER.name,
        name: "the object's store keeps to the contract",
        run: || Box::pin(contract()),
    },
    Proof {
        runtime: super::WORKERD_WORKER.name,
        name: "what one Worker learns, another one knows",
        run: || Box::pin(two_workers()),
    },
    Proof {
        runtime: super::WORKERD_WORKER.name,
        name: "a restart keeps what Workers shared",
        run: || Box::pin(restart()),
    },
    Proof {
        runtime: super::WORKERD_WORKER.name,
        name: "a key that was refused is checked",
        run: || Box::pin(checks(from_worker)),
    },
];

/// Hands requests to the object, without a Worker of ours.
const STRAIGHT: &str = include_str!("straight.js");

/// The store, as Workers have it.
#[derive(Debug)]
struct ToObject(SocketAddr);

#[async_trait]
impl Transport for ToObject {
    async fn send(&self, call: String) -> Result<String, BoxError> {
        let request = Request::post("/").body(call.into())?;
        let answer = client::ask(self.0, request, Manner::default()).await?;
        Ok(String::from_utf8(answer.body.to_vec())?)
    }
}

async fn contract() -> Proved {
    let folder = Folder::new()?;
    let address = free_address()?;
    let config = capnp(&from_worker(Settings::new()), address)?
        .replace(r#"service = "worker""#, r#"service = "straight""#);
    let config = add_worker(
        &config,
        "straight",
        r#"(name = "straight.js", esModule = embed "straight.js"),"#,
    );
    fs::write(folder.path().join("straight.js"), STRAIGHT).map_err(|error| error.to_string())?;
    for scope in ["one", "two"] {
        // Once more after a restart.
        let _server = worker()?.serve_by(&config, folder.path(), address)?;
        let now = now()?;
        let checked = tokio::spawn(async move {
            store_contract::check(&RpcStore(ToObject(address)), scope, now).await;
        });
        checked.await.map_err(|error| format!("{scope}: {error}"))?;
    }
    Ok(())
}

/// A key that is dead, and one whose day is used up, are found by one Worker, and never asked by the other.
async fn two_workers() -> Proved {
    let mock = mock(&Population { good: 2, dead: 1, limited: 0, ..Population::default() }).await?;
    mock.script(Rule {
        key: Some("good-1".into()),
        error: Some(ErrorName::QuotaDay),
        ..Rule::default()
    });
    let keys =
        [("dead", 1), ("good", 1), ("good", 2)].map(|(kind, n)| Setup::secret(kind, n)).join(",");
    let settings = from_worker(settings(&mock, &[("API_KEYS", &keys)]));
    let folder = Folder::new()?;
    let (first, second) = (free_address()?, free_address()?);
    let config = capnp(&settings, first)?.replace(
        "sockets = [",
        &format!(
            r#"sockets = [(name = "second", address = "{second}", http = (), service = "second"), "#
        ),
    );
    let config = add_worker(&config, "second", MODULES);
    let _server = worker()?.serve_by(&config, folder.path(), first)?;
    for _ in 0..4 {
        answered(&generate_at(first).await?)?;
        // A Worker that is new holds a part of a quota; it has the rest a second later.
        tokio::time::sleep(KEPT / 2).await;
    }
    mock.clear_log();
    for _ in 0..4 {
        answered(&generate_at(second).await?)?;
        tokio::time::sleep(KEPT / 2).await;
    }
    asked(&mock, 4)
}

/// A day that is used up stays so.
async fn restart() -> Proved {
    let mock = mock(&Population { good: 1, dead: 0, limited: 0, ..Population::default() }).await?;
    let keys = Setup::secret("good", 1);
    let settings = from_worker(settings(&mock, &[("API_KEYS", &keys), ("DEFAULT_RPD", "3")]));
    let folder = Folder::new()?;
    let server = serve(&settings, folder.path())?;
    // A Worker that is new holds a part of a quota; it has the rest a second later.
    let first = answers(&server, 10).await?;
    drop(server);
    let server = serve(&settings, folder.path())?;
    // That part of it, which is one request here, is what a new one may send on top.
    let second = answers(&server, 5).await?;
    match (first, second, mock.log().len()) {
        (3, 0 | 1, asked) if asked == first + second => Ok(()),
        (first, second, asked) => Err(format!(
            "of 3 requests a day it answers {first}, and {second} after a restart, by {asked} calls"
        )),
    }
}

/// How many of some requests are answered.
async fn answers(server: &Server, requests: usize) -> Result<usize, String> {
    let mut answers = 0;
    for _ in 0..requests {
        answers += usize::from(generate(server).await?.status == 200);
        tokio::time::sleep(KEPT / 5).await;
    }
    Ok(answers)
}

/// Adds a Worker beside the one that has the object.
fn add_worker(config: &str, name: &str, modules: &str) -> String {
    let (_, rest) = config.split_once("compatibilityDate").unwrap_or_default();
    let rest = rest.replace(
        r#"durableObjectNamespace = "Pool""#,
        r#"durableObjectNamespace = (className = "Pool", serviceName = "worker")"#,
    );
    let own = rest.find("  durableObjectNamespaces").and_then(|end| rest.get(..end)).unwrap_or("");
    let service = format!("(name = \"{name}\", worker = .{name}),\n    (name = \"internet\"");
    config.replace("(name = \"internet\"", &service)
        + &format!(
            "const {name} :Workerd.Worker = (\n  modules = [\n    {modules}\n  ],\n  compatibilityDate{own});\n"
        )
}

pub(super) fn from_worker(mut settings: Settings) -> Settings {
    settings.insert("CLOUDFLARE_CALLS_FROM".into(), "worker".into());
    settings
}

fn asked(mock: &balance_mock::Mock, expected: usize) -> Proved {
    let asked = mock.log().len();
    if asked == expected { Ok(()) } else { Err(format!("{asked} calls upstream, not {expected}")) }
}

fn now() -> Result<Timestamp, String> {
    let since = SystemTime::UNIX_EPOCH.elapsed().map_err(|error| error.to_string())?;
    let millis = u64::try_from(since.as_millis()).map_err(|error| error.to_string())?;
    Ok(Timestamp::from_unix_millis(millis))
}
