//! The simulator held against the real server: the same requests at the same times, in virtual time and
//! over HTTP, before the same truly counting Google.
//!
//! Invariant: both are asked by one log and judged by one measure, so what differs is theirs.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use balance_mock::{Key, Limits, Mock, Project, Setup};
use balance_testkit::{
    client::{self, Manner},
    server::Server,
};
use bytes::Bytes;
use http::Request;
use lexopt::{Arg, Parser};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::Serialize;
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    positive, run,
    setting::{Entry, Law, Model, Setting, to_count, to_float},
};

const PROJECTS: usize = 10;
const KEYS: usize = 2;
/// How much more is asked than the quotas allow.
const LOAD: f64 = 1.2;
/// How long a request waits for a key.
const PATIENCE: Duration = Duration::from_secs(10);
/// How far the two may be apart, in parts of what could be served.
const NEAR: f64 = 0.02;
const TOKEN: &str = "agree-token-0123456789";

/// What came of both.
#[derive(Debug, Serialize)]
struct Agreement {
    seconds: u64,
    offered: u64,
    possible: u64,
    simulated: Outcome,
    real: Outcome,
    /// By how much they differ in efficiency, in points of a hundred.
    points_apart: f64,
}

#[derive(Debug, Serialize)]
struct Outcome {
    served: u64,
    efficiency: f64,
    /// The share of calls upstream that were refused with 429.
    waste: f64,
}

pub(crate) fn agree(arguments: &mut Parser) -> anyhow::Result<()> {
    let (mut seconds, mut server) = (180, None);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("seconds") => seconds = positive(arguments)?.min(3600),
            Arg::Long("server") => server = Some(PathBuf::from(arguments.value()?)),
            Arg::Long("help") => return crate::help(),
            Arg::Short(_) | Arg::Long(_) | Arg::Value(_) => {
                return Err(argument.unexpected().into());
            }
        }
    }
    let server = server.context("--server wants the path of gemini-balance")?;
    // It is started in a folder of its own, where a relative path leads nowhere.
    let server = std::path::absolute(server)?;
    let setting = setting(seconds);
    let simulated = simulated(&setting, seconds)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let real = runtime.block_on(real(&setting, &server, seconds))?;
    let points_apart = (simulated.efficiency - real.efficiency).abs() * 100.0;
    let Law::Log(entries) = &setting.law else { bail!("the setting has no log") };
    let offered = entries.len() as u64;
    let possible = possible(&setting, seconds);
    let agreement = Agreement { seconds, offered, possible, simulated, real, points_apart };
    println!("{}", serde_json::to_string_pretty(&agreement)?);
    if points_apart > NEAR * 100.0 {
        bail!(
            "the simulator and the server are {points_apart:.1} points apart, more than {}",
            NEAR * 100.0
        );
    }
    Ok(())
}

/// Two models: one bound by its minutes, one by its day.
fn setting(seconds: u64) -> Setting {
    let minutes = seconds.div_ceil(60);
    let model = |name: &str, rpm, rpd| Model {
        name: name.to_owned(),
        limits: Limits { rpm: Some(rpm), tpm: None, rpd },
        requests: 0,
        largest_prompt: 10,
    };
    let models =
        vec![model("gemini-2.5-flash", 15, None), model("gemini-2.5-pro", 30, Some(10 * minutes))];
    let standard = Setting::standard(PROJECTS, 1.0, 1, 1);
    let patience_millis = u64::try_from(PATIENCE.as_millis()).unwrap_or(u64::MAX);
    let setting = Setting { keys: KEYS, models, patience_millis, ..standard };
    let mut chance = StdRng::seed_from_u64(1);
    let mut entries = Vec::new();
    for (model, _) in setting.models.iter().enumerate() {
        let count = to_count(to_float(allowed(&setting, model, seconds)) * LOAD);
        let mut come = |_| chance.random_range(0..seconds * 1000);
        let times = (0..count).map(&mut come).collect::<Vec<_>>();
        entries.extend(times.into_iter().map(|after_millis| Entry {
            after_millis,
            model,
            tokens: 5,
        }));
    }
    entries.sort_unstable_by_key(|entry| entry.after_millis);
    Setting { law: Law::Log(entries), ..setting }
}

/// What the quotas of a model allow in the time.
fn allowed(setting: &Setting, model: usize, seconds: u64) -> u64 {
    let Some(limits) = setting.models.get(model).map(|model| model.limits) else { return 0 };
    let by_minute = limits.rpm.unwrap_or(u64::MAX).saturating_mul(seconds.div_ceil(60));
    by_minute.min(limits.rpd.unwrap_or(u64::MAX)).saturating_mul(setting.projects as u64)
}

fn possible(setting: &Setting, seconds: u64) -> u64 {
    (0..setting.models.len()).map(|model| allowed(setting, model, seconds)).sum()
}

fn simulated(setting: &Setting, seconds: u64) -> anyhow::Result<Outcome> {
    let figures = run::run(setting, "balanced").context("there is no strategy `balanced`")?;
    let efficiency = to_float(figures.served) / to_float(possible(setting, seconds));
    Ok(Outcome { served: figures.served, efficiency, waste: figures.waste_all })
}

async fn real(
    setting: &Setting,
    program: &std::path::Path,
    seconds: u64,
) -> anyhow::Result<Outcome> {
    let (setup, keys) = google(setting);
    let mock = Mock::start(setup).await?;
    let settings = BTreeMap::from([
        ("API_KEYS".to_owned(), serde_json::to_string(&keys)?),
        ("BASE_URL".into(), mock.base_url().to_owned()),
        ("ACCESS_TOKENS".into(), TOKEN.into()),
        ("PROJECTS_ALIKE".into(), "true".into()),
        ("QUEUE_SECONDS".into(), PATIENCE.as_secs().to_string()),
        ("LOG_LEVEL".into(), "error".into()),
    ]);
    let server = Server::start(program, &settings).map_err(anyhow::Error::msg)?;
    let Law::Log(entries) = &setting.law else { bail!("the setting has no log") };
    let start = Instant::now();
    let mut asking = JoinSet::new();
    for entry in entries {
        let due = start + Duration::from_millis(entry.after_millis);
        tokio::time::sleep_until(due.into()).await;
        let name = setting.models.get(entry.model).map_or("", |model| &model.name);
        let body = json!({ "contents": [{ "parts": [{ "text": format!("{:?}", due - start) }] }] });
        let request = Request::post(format!("/v1beta/models/{name}:generateContent"))
            .header("x-goog-api-key", TOKEN)
            .header("content-type", "application/json")
            .body(Bytes::from(body.to_string()))?;
        asking.spawn(client::ask(server.address(), request, Manner::default()));
    }
    let mut served = 0;
    while let Some(answer) = asking.join_next().await {
        served += u64::from(answer?.map_err(anyhow::Error::msg)?.status == 200);
    }
    let log = mock.log();
    let refused = log.iter().filter(|entry| entry.status == Some(429)).count() as u64;
    let waste = to_float(refused) / to_float(log.len().max(1) as u64);
    let efficiency = to_float(served) / to_float(possible(setting, seconds));
    Ok(Outcome { served, efficiency, waste })
}

/// The fake Google of a setting, and the keys as the server is told of them.
fn google(setting: &Setting) -> (Setup, Vec<serde_json::Value>) {
    let mut setup = Setup { log: 100_000, ..Setup::empty() };
    let models = setting.models.iter().map(|model| (model.name.clone(), model.limits));
    let models: HashMap<_, _> = models.collect();
    for number in 0..setting.projects {
        let name = format!("project-{number}");
        setup.projects.push(Project { name, models: models.clone(), ..Project::default() });
    }
    let mut keys = Vec::new();
    for number in 0..setting.projects * setting.keys {
        let (secret, project) =
            (Setup::secret("good", number), format!("project-{}", number / setting.keys));
        keys.push(json!({ "key": secret, "project": project }));
        setup.keys.push(Key { secret, name: format!("key-{number}"), project, ..Key::default() });
    }
    (setup, keys)
}
