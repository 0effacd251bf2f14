//! Scenarios as data: what a caller asks, what upstream answers, what comes back and what follows.
//!
//! Invariant: a scenario says nothing about where it runs. The same file is played in process and
//! over HTTP; one that needs hours to pass says `in_process = true` and is played in process only.
//!
//! The files lie in `scenarios/` at the top of the repository, one topic each; those in
//! `scenarios/adapters/` are played against every adapter on its own runtime. This module and its
//! types are their reference: each field below is a field there.

mod ability;
mod asked;
mod expected;
mod load;
mod names;
mod observe;
mod span;
mod upstream;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::sent::Sent;

pub use ability::Ability;
pub use asked::{Asked, Leaves, Usual};
pub use expected::{Ends, Expected, ExpectedHeader, ExpectedRequest, Flow};
pub use load::{load, load_of_adapters};
pub use names::{Names, TOKEN, key};
pub use observe::Received;
pub use span::Span;
pub use upstream::{Event, Upstream, Wire};

/// One scenario: one or more steps against one server, which keeps its state between them.
///
/// Without `settings` the pool has the keys `a`, `b` and `c` in this order (`round-robin`), and the
/// access token that every request carries unless it says otherwise; nobody waits for a key. Texts may name keys as
/// `{a}` … `{z}`, their ids as `{id-a}`, the token as `{token}`, the server's own address as `{door}` and that of upstream
/// as `{upstream}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The behaviour, as a sentence.
    pub name: String,
    /// It needs virtual time.
    #[serde(default)]
    pub in_process: bool,
    /// Settings by their names, over those above; an empty text takes one away.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// The only step, where there is one: its request,
    pub request: Option<Asked>,
    /// what upstream answers, in order,
    #[serde(default)]
    pub upstream: Vec<Upstream>,
    /// and what comes back.
    pub reply: Option<Expected>,
    /// All steps, where there are several.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// What the place it runs in must be able to do, among the scenarios of adapters;
    pub needs: Option<Ability>,
    /// where that is lacking, these steps come instead,
    #[serde(default)]
    pub instead: Vec<Step>,
    /// or the server does not start and says these texts.
    #[serde(default)]
    pub refuses: Vec<String>,
}

/// One request and what follows from it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Time that passes before it.
    #[serde(default)]
    pub wait: Span,
    /// What is asked.
    pub request: Asked,
    /// What upstream answers, in order. It must be asked exactly as often.
    #[serde(default)]
    pub upstream: Vec<Upstream>,
    /// What comes back.
    pub reply: Expected,
}

impl Step {
    /// Checks what came of it: the reply, and what upstream was asked.
    ///
    /// # Errors
    /// What is not as expected.
    pub fn check(&self, reply: &Received, sent: &[Sent], names: &Names) -> Result<(), String> {
        let (times, wanted) = (sent.len(), self.upstream.len());
        if times != wanted {
            let (status, text) = (reply.status, reply.text());
            return Err(format!(
                "upstream was asked {times} times, wanted {wanted}: {status} {text}"
            ));
        }
        for (sent, answer) in sent.iter().zip(&self.upstream) {
            answer.expect.check(sent, names)?;
            if answer.expect.passes && !sent.has_body(&self.request.bytes(names)) {
                return Err("upstream did not get the caller's body byte for byte".into());
            }
        }
        let body = |answer: &Upstream| answer.wire(names).frames.concat();
        let answers: Vec<_> = self.upstream.iter().map(body).collect();
        self.reply.check(reply, &answers, names)
    }
}

impl Scenario {
    /// Its steps.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        let only = self.request.clone().zip(self.reply.clone()).map(|(request, reply)| Step {
            wait: Span::default(),
            request,
            upstream: self.upstream.clone(),
            reply,
        });
        only.into_iter().chain(self.steps.iter().cloned()).collect()
    }

    /// Its steps in a place that lacks some abilities; `None` where the server does not even start.
    #[must_use]
    pub fn steps_without(&self, lacks: &[Ability]) -> Option<Vec<Step>> {
        match self.needs {
            Some(needed) if lacks.contains(&needed) => {
                (!self.instead.is_empty()).then(|| self.instead.clone())
            }
            Some(_) | None => Some(self.steps()),
        }
    }

    /// Its settings, with the usual ones where it names none.
    #[must_use]
    pub fn settings(&self, names: &Names) -> BTreeMap<String, String> {
        let usual = [
            ("API_KEYS", "{a},{b},{c}"),
            ("ACCESS_TOKENS", "{token}"),
            ("STRATEGY", "round-robin"),
            ("BASE_URL", "{upstream}"),
            ("QUEUE_SECONDS", "0"),
        ];
        let usual = usual.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut settings: BTreeMap<_, _> = usual.into();
        settings.extend(self.settings.clone());
        settings.retain(|_, value| !value.is_empty());
        settings.values_mut().for_each(|value| *value = names.fill(value));
        settings
    }

    /// Checks what a file cannot say by its form.
    ///
    /// # Errors
    /// What is missing or too much.
    fn check(&self) -> Result<(), String> {
        let steps = self.steps();
        if steps.is_empty() || (self.request.is_some() && !self.steps.is_empty()) {
            return Err("wanted `request` and `reply`, or `steps`, and not both".into());
        }
        for answer in steps.iter().chain(&self.instead).flat_map(|step| &step.upstream) {
            answer.check()?;
        }
        let ways = [!self.instead.is_empty(), !self.refuses.is_empty()];
        if self.needs.is_some() != ways.contains(&true) || ways == [true, true] {
            return Err("`needs` wants `instead` or `refuses`, and neither goes alone".into());
        }
        Ok(())
    }

    /// Whether it is quick enough to be played by every test run.
    ///
    /// # Errors
    /// It is not, and does not say so.
    fn check_pace(&self) -> Result<(), String> {
        let steps = self.steps();
        let is_slow = steps.iter().any(|step| {
            step.wait.is_long()
                || step.reply.took.is_some()
                || step.upstream.iter().any(Upstream::is_slow)
        });
        if is_slow && !self.in_process {
            return Err("it takes more than half a second: say `in_process = true`".into());
        }
        Ok(())
    }
}
