//! The log: one line for each request, and another for the end of a stream, to the console.
//!
//! Invariant: keys stand in it masked; query strings, bodies and credentials never do.

use std::{collections::HashMap, fmt::Write as _};

use balance_core::{
    job::Outcome,
    key::KeyId,
    secret::Secret,
    settings::{LogFormat, Settings},
    time::Timestamp,
    trail::{Trail, Try},
};
use balance_dialect::summary::{Summary, Usage};
use http::{Method, StatusCode};
use serde_json::{Map, Value};
use web_sys::console;

use crate::host::now;

/// Tells the operator that something is wrong.
pub fn complain(text: &str) {
    console::error_1(&format!("Gemini Balance: {text}").into());
}

/// Writes the lines about requests.
#[derive(Debug)]
pub(crate) struct Journal {
    /// The keys of the pool, to be shown masked; callers' own keys are shown by id.
    pool: HashMap<KeyId, Secret>,
    format: LogFormat,
    /// Whether the level lets requests through, which leave lines of `info`.
    tells: bool,
}

/// A request whose reply has begun.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) method: Method,
    pub(crate) status: StatusCode,
    pub(crate) trail: Box<Trail>,
    pub(crate) start: Timestamp,
}

impl Journal {
    pub(crate) fn new(settings: &Settings) -> Self {
        let keys = settings.api_keys.0.iter();
        let level = settings.log_level.to_ascii_lowercase();
        Self {
            pool: keys.map(|key| (key.id, key.secret.clone())).collect(),
            format: settings.log_format,
            tells: !matches!(&*level, "off" | "error" | "warn"),
        }
    }

    /// The line of a request; with what came of the reply, where that was waited for.
    pub(crate) fn request(&self, visit: &Visit, outcome: Option<&Outcome>) {
        if !self.tells {
            return;
        }
        let Visit { method, status, trail, start } = visit;
        let mut line = Line::begin("request", trail.request_id, *start);
        line.add("method", method.as_str());
        line.add("route", trail.route);
        line.add("model", trail.model.as_deref());
        line.add("status", status.as_u16());
        line.add("tries", self.tries(&trail.tries));
        line.add("not_put", trail.not_put);
        match outcome {
            Some(outcome) => line.end(outcome),
            None => line.sum_up(trail.summary.as_ref()),
        }
        line.write(self.format);
    }

    /// The line of a stream that has ended.
    pub(crate) fn stream_ended(&self, visit: &Visit, outcome: &Outcome) {
        if !self.tells {
            return;
        }
        let mut line = Line::begin("stream ended", visit.trail.request_id, visit.start);
        line.add("tries", outcome.tries().and_then(|tries| self.tries(tries)));
        line.end(outcome);
        line.write(self.format);
    }

    /// The line of a request whose caller left before a reply could begin.
    pub(crate) fn left(&self, method: &Method, start: Timestamp) {
        if self.tells {
            let mut line = Line::begin("the caller left before the reply", 0, start);
            line.add("method", method.as_str());
            line.write(self.format);
        }
    }

    fn tries(&self, tries: &[Try]) -> Option<String> {
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
        (!text.is_empty()).then_some(text)
    }
}

/// A line under way: what happened, and facts by name.
struct Line {
    event: &'static str,
    facts: Vec<(&'static str, Value)>,
}

impl Line {
    fn begin(event: &'static str, request_id: u64, start: Timestamp) -> Self {
        let mut line = Self { event, facts: Vec::with_capacity(16) };
        if request_id != 0 {
            line.add("id", format!("{request_id:016x}"));
        }
        let millis = now().unix_millis().saturating_sub(start.unix_millis());
        line.add("ms", millis);
        line
    }

    fn add(&mut self, name: &'static str, fact: impl Into<Value>) {
        let fact = fact.into();
        if !fact.is_null() {
            self.facts.push((name, fact));
        }
    }

    /// How it ended.
    fn end(&mut self, outcome: &Outcome) {
        self.add("ending", outcome.ending());
        self.add("not_put", outcome.not_put());
        self.count(outcome.usage());
    }

    fn sum_up(&mut self, summary: Option<&Summary>) {
        self.add("ending", summary.map(|summary| summary.ending.word()));
        self.count(summary.map(|summary| &summary.usage));
    }

    fn count(&mut self, usage: Option<&Usage>) {
        let Some(usage) = usage else { return };
        self.add("prompt_tokens", usage.prompt_tokens);
        self.add("answer_tokens", usage.candidates_tokens);
        self.add("thought_tokens", usage.thoughts_tokens);
        self.add("total_tokens", usage.total_tokens);
    }

    fn text(&self, format: LogFormat) -> String {
        match format {
            LogFormat::Text => {
                let mut text = self.event.to_owned();
                for (name, fact) in &self.facts {
                    // Writing to a String cannot fail.
                    let _written = write!(text, " {name}={fact}");
                }
                text
            }
            LogFormat::Json => {
                let facts =
                    self.facts.iter().map(|(name, fact)| ((*name).to_owned(), fact.clone()));
                let event = [("message".to_owned(), Value::from(self.event))];
                Value::Object(event.into_iter().chain(facts).collect::<Map<_, _>>()).to_string()
            }
        }
    }

    fn write(&self, format: LogFormat) {
        console::log_1(&self.text(format).into());
    }
}
