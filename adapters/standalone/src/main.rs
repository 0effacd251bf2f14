//! Gemini Balance as a server of its own.
//!
//! Invariant: nothing here decides anything about requests; that is the gateway's. Here is what a
//! process has: arguments, settings, signals, a log, a door.

mod answer;
mod arguments;
mod awake;
mod health;
mod serve;
mod sharing;
mod signals;
mod sources;
mod tokens;
mod welcome;

use std::{
    io::{self, Write},
    num::NonZero,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use arguments::{Action, Arguments};
use awake::Awake;
use balance_core::{gateway::Gateway, settings::Settings};
use balance_tokio::{Desk, TokioHost, uncork};
use hyper::service::service_fn;
use mimalloc::MiMalloc;
use sources::WrongSettings;
use tokio::runtime::{Builder, Runtime};
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

/// A request makes some dozens of small allocations and frees them soon; this allocator is the
/// faster at that, the more so where the system's is musl's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If nobody reads it, there is nobody to tell.
            let _unread = writeln!(io::stderr(), "gemini-balance: {error:#}");
            let of_operator = error.is::<WrongSettings>() || error.is::<lexopt::Error>();
            ExitCode::from(if of_operator { 2 } else { 1 })
        }
    }
}

fn run() -> anyhow::Result<()> {
    let arguments = Arguments::read(lexopt::Parser::from_env())?;
    match arguments.action {
        Action::Help => say(&arguments::help()),
        Action::Version => say(concat!("gemini-balance ", env!("CARGO_PKG_VERSION"), "\n")),
        Action::Check => {
            sources::read(arguments.config.as_deref())?;
            say("The settings are right.\n");
        }
        Action::Health => health::ask(&sources::read(arguments.config.as_deref())?)?,
        Action::Serve => {
            let settings = sources::read(arguments.config.as_deref())?;
            balance_tokio::start_log(&settings)
                .map_err(|wrong| WrongSettings(vec![wrong.to_string()]))?;
            let runtime = runtime().context("the runtime cannot be started")?;
            runtime.block_on(start(settings))?;
            // What still runs was given its time.
            runtime.shutdown_background();
        }
    }
    Ok(())
}

/// As many threads as there are cores to run on. One alone needs no scheduler that shares work out.
fn runtime() -> io::Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut builder =
        if cores == 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    builder.enable_all().on_thread_park(uncork).build()
}

/// Serves until a signal asks to stop.
async fn start(mut settings: Settings) -> anyhow::Result<()> {
    let signals = signals::Signals::watch().context("signals cannot be watched")?;
    let host = TokioHost::new(&settings).map_err(|reason| wrong_proxy(&reason))?;
    let awake = Awake::wanted(&settings)?;
    let listener = serve::listen(&settings).await?;
    let guard = tokens::guard(&mut settings)?;
    let welcome = welcome::welcome(&settings, &guard, listener.local_addr()?);
    // These end with the runtime, whatever they wait for.
    if let Some(awake) = awake {
        let host = TokioHost::new(&settings).map_err(|reason| wrong_proxy(&reason))?;
        tokio::spawn(awake.ask(host));
    }
    let desk = match sharing::store(&settings)? {
        Some(store) => Desk::sharing(host, settings, store),
        None => Desk::new(host, settings),
    };
    let gateway = Arc::clone(desk.gateway());
    // What others know and hold is to be known before the first request.
    sharing::tell(&gateway.share().await);
    say(&welcome);
    tokio::spawn(check_keys(Arc::clone(&gateway)));
    tokio::spawn(sharing::share(Arc::clone(&gateway)));
    let tasks = TaskTracker::new();
    let rest = tasks.clone();
    let service = service_fn(move |request| answer::answer(desk.clone(), rest.clone(), request));
    serve::serve(listener, service, tasks, signals).await;
    gateway.leave().await;
    Ok(())
}

/// How often it is looked whether a key is to be checked.
const CHECK_ROUND: Duration = Duration::from_secs(10);

/// Checks keys that are out, and logs what the pool ignores, for as long as the server runs.
async fn check_keys(gateway: Arc<Gateway<TokioHost>>) {
    loop {
        for remark in gateway.take_remarks() {
            warn!("the pool ignores: {remark}");
        }
        tokio::time::sleep(CHECK_ROUND).await;
        let checked = gateway.check_keys().await;
        if checked.keys > 0 {
            info!(keys = checked.keys, working = checked.working, "keys that were out are checked");
        }
    }
}

fn wrong_proxy(reason: &impl std::fmt::Display) -> WrongSettings {
    WrongSettings(vec![format!("PROXIES: {reason}")])
}

/// Tells the operator. `println!` would panic where nobody reads.
fn say(text: &str) {
    let mut stdout = io::stdout();
    let _unread = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}
