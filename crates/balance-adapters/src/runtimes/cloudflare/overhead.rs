//! What the gateway adds to a small request and to the start on workerd, beside plain pass-throughs there.
//!
//! Invariant: each form of the gateway is measured beside a pass-through of the same form: a Worker alone, or a
//! Worker before an object; and the one with an object also beside a Worker alone.

use std::{fs, path::Path, time::Duration};

use balance_mock::{Mock, Setup};
use balance_testkit::server::{Folder, Server, free_address};
use xtask::process::root;

use super::{MODULES, capnp, shared::from_worker, worker};
use crate::{
    overhead::{compare, in_turns, settings},
    runtime::{Proof, Running, Settings, Start},
    startup::one_start,
};

/// How much longer than through a pass-through of the same form a request may take: 1.5, and room for a busy
/// machine. 1.3 to 1.4 for the object and 1.4 to 1.7 for the Worker were seen.
const MOST: f64 = 2.0;
/// The same for an object beside a Worker alone, as the way to any object takes a third more than that.
const MOST_WITH_THE_WAY: f64 = 2.5;
/// Between 1.9 and 3.0 were seen.
const MOST_AT_START: f64 = 5.0;
/// How often each is started.
const STARTS: usize = 7;

pub(crate) const ALL: &[Proof] = &[Proof {
    runtime: super::WORKERD.name,
    name: "little is added to a request",
    run: || Box::pin(overhead()),
}];

/// The pass-throughs, as workerd is told of them.
const PLAIN_MODULES: &str = r#"(name = "plain.js", esModule = embed "plain.js"),
    (name = "plain.mjs", esModule = embed "plain.mjs"),"#;

type Serve = fn(&Settings, &Path) -> Result<Server, String>;

async fn overhead() -> Result<(), String> {
    let setup = Setup { fixed: true, log: 0, ..Setup::default() };
    let mock = Mock::start(setup).await.map_err(|error| error.to_string())?;
    let key = Setup::default().keys.first().map(|key| key.secret.clone()).unwrap_or_default();
    let object = settings(mock.base_url(), &key);
    let worker = from_worker(object.clone());
    let (folders, mut servers) = ([(); 4].map(|()| Folder::new()), Vec::new());
    let ways: [(Serve, &Settings); 4] =
        [(plain, &object), (ours, &object), (plain, &worker), (ours, &worker)];
    for ((serve, settings), folder) in ways.iter().zip(&folders) {
        servers.push(serve(settings, folder.as_ref()?.path())?);
    }
    let [plain_object, our_object, plain_worker, our_worker] = servers.as_slice() else {
        return Err("four were started".into());
    };
    let ways = [plain_object, our_object, plain_worker, our_worker].map(Server::address);
    let [plain_object, our_object, plain_worker, our_worker] = in_turns(ways, &key).await?;
    let [our_start, plain_start] = starts(&object).await?;
    let results = [
        compare("a request of 0.3 KB by the object", &our_object, &plain_object, MOST),
        compare("the same, beside a Worker alone", &our_object, &plain_worker, MOST_WITH_THE_WAY),
        compare("a request of 0.3 KB by the Worker", &our_worker, &plain_worker, MOST),
        compare("the start", &our_start, &plain_start, MOST_AT_START),
    ];
    results.into_iter().collect()
}

fn ours(settings: &Settings, folder: &Path) -> Result<Server, String> {
    worker()?.serve(settings, folder)
}

fn plain(settings: &Settings, folder: &Path) -> Result<Server, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::write(folder.join("plain.js"), include_str!("plain.js")).map_err(failed)?;
    let passing = root().join(xtask::web::TOOLS).join("plain.mjs");
    fs::copy(passing, folder.join("plain.mjs")).map_err(failed)?;
    let address = free_address()?;
    let config = capnp(settings, address)?.replace(MODULES, PLAIN_MODULES);
    worker()?.serve_by(&config, folder, address)
}

/// From nothing to the first answer, in turns.
async fn starts(settings: &Settings) -> Result<[Vec<Duration>; 2], String> {
    let ways = [starting(ours), starting(plain)];
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..STARTS {
        for (start, times) in ways.iter().zip(&mut times) {
            times.push(one_start(start, settings).await.ok_or("there is no first answer")?);
        }
    }
    Ok(times)
}

fn starting(serve: Serve) -> Start {
    Box::new(move |settings| {
        let folder = Folder::new()?;
        let server = serve(settings, folder.path())?;
        Ok(Running::new(server.address(), vec![Box::new(server), Box::new(folder)]))
    })
}
