//! The log: one line for each request, and another for the end of a stream.
//!
//! Invariant: keys stand in it masked; query strings, bodies and credentials never do.

use std::{
    collections::HashMap,
    fmt::{self, Write as _},
    io::{self, IsTerminal},
    time::Instant,
};

use balance_core::{
    job::Outcome,
    key::KeyId,
    secret::Secret,
    settings::{LogFormat, Settings},
    trail::{Trail, Try},
};
use http::{Method, StatusCode};
use tracing::info;
use tracing_subscriber::EnvFilter;

/// The name that the program's own lines have in filters.
const TARGET: &str = "gemini_balance";

/// Starts to write the log to standard error. Where a log is written already, by whoever embeds
/// this, that one is written on.
///
/// # Errors
/// `LOG_LEVEL` cannot be read.
pub fn start(settings: &Settings) -> Result<(), WrongLevel> {
    let filter = filter(&settings.log_level)?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false);
    let _started = match settings.log_format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    Ok(())
}

/// `LOG_LEVEL` cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub struct WrongLevel;

impl fmt::Display for WrongLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "LOG_LEVEL: wanted error, warn, info, debug or trace, or a filter by module such as \
             gemini_balance=debug,h2=info",
        )
    }
}

impl std::error::Error for WrongLevel {}

/// A level alone is about this program; what it is made of tells of failures only.
fn filter(level: &str) -> Result<EnvFilter, WrongLevel> {
    let plain = level.bytes().all(|byte| byte.is_ascii_alphabetic());
    let directives = if plain { format!("error,{TARGET}={level}") } else { level.into() };
    EnvFilter::try_new(directives).map_err(|_| WrongLevel)
}

/// Writes the lines about requests.
#[derive(Debug)]
pub(crate) struct Journal {
    /// The keys of the pool, to be shown masked; callers' own keys are shown by id.
    pool: HashMap<KeyId, Secret>,
}

/// A request whose reply has begun.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) method: Method,
    pub(crate) status: StatusCode,
    pub(crate) trail: Box<Trail>,
    pub(crate) start: Instant,
}

impl Journal {
    pub(crate) fn new(settings: &Settings) -> Self {
        let keys = settings.api_keys.0.iter();
        Self { pool: keys.map(|key| (key.id, key.secret.clone())).collect() }
    }

    /// The line of a request; with what came of the reply, where that was waited for.
    pub(crate) fn request(&self, visit: &Visit, outcome: Option<&Outcome>) {
        let Visit { method, status, trail, start } = visit;
        let whole = trail.summary.as_ref();
        let ending =
            outcome.map(Outcome::ending).or_else(|| whole.map(|summary| summary.ending.word()));
        let usage =
            outcome.and_then(Outcome::usage).or_else(|| whole.map(|summary| &summary.usage));
        info!(
            target: TARGET,
            id = %Id(trail.request_id),
            %method,
            route = trail.route,
            model = trail.model,
            status = status.as_u16(),
            ms = millis(*start),
            tries = self.tries(&trail.tries),
            ending,
            not_put = trail.not_put,
            prompt_tokens = usage.map(|usage| usage.prompt_tokens),
            answer_tokens = usage.map(|usage| usage.candidates_tokens),
            thought_tokens = usage.map(|usage| usage.thoughts_tokens),
            total_tokens = usage.map(|usage| usage.total_tokens),
            "request"
        );
    }

    /// The line of a stream that has ended.
    pub(crate) fn stream_ended(&self, visit: &Visit, outcome: &Outcome) {
        let usage = outcome.usage();
        info!(
            target: TARGET,
            id = %Id(visit.trail.request_id),
            ms = millis(visit.start),
            tries = outcome.tries().map(|tries| self.tries(tries)),
            ending = outcome.ending(),
            not_put = outcome.not_put(),
            prompt_tokens = usage.map(|usage| usage.prompt_tokens),
            answer_tokens = usage.map(|usage| usage.candidates_tokens),
            thought_tokens = usage.map(|usage| usage.thoughts_tokens),
            total_tokens = usage.map(|usage| usage.total_tokens),
            "stream ended"
        );
    }

    /// The line of a request whose caller left before a reply could begin.
    pub(crate) fn left(&self, method: &Method, start: Instant) {
        info!(target: TARGET, %method, ms = millis(start), "the caller left before the reply");
    }

    fn tries(&self, tries: &[Try]) -> String {
        let mut text = String::new();
        for Try { key, fault } in tries {
            let comma = if text.is_empty() { "" } else { ", " };
            let fault = fault.unwrap_or("ok");
            // Writing to a String cannot fail.
            let _written = match self.pool.get(key) {
                Some(secret) => write!(text, "{comma}{} {fault}", secret.masked()),
                None => write!(text, "{comma}{key} {fault}"),
            };
        }
        text
    }
}

/// A request's id as its caller sees it.
struct Id(u64);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

fn millis(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_alone_leaves_other_crates_quiet() {
        let directives = filter("debug").unwrap().to_string();
        assert!(directives.contains("gemini_balance=debug") && directives.contains("error"));
        assert_eq!(filter("h2=trace").unwrap().to_string(), "h2=trace");
    }

    #[test]
    fn a_level_that_does_not_exist_is_told_as_a_wrong_setting() {
        let wrong = filter("loud").unwrap_err().to_string();
        assert!(wrong.starts_with("LOG_LEVEL: wanted error, warn"));
    }

    #[test]
    fn tries_show_keys_masked_or_by_id() {
        let key = "AIzaSyABCDEFGHIJKLMNOPQRSTUVWXYZ0123456";
        let value = |name: &str| (name == "API_KEYS").then(|| key.into());
        let journal = Journal::new(&Settings::read(&value).unwrap());
        let tries = [
            Try { key: KeyId::of(key), fault: Some("rate_limited") },
            Try { key: KeyId::of("abc"), fault: None },
        ];
        let shown = "AIzaSyA......0123456 rate_limited, ba7816bf8f01cfea ok";
        assert_eq!(journal.tries(&tries), shown);
    }
}
