//! One run in virtual time: requests come, get a key or wait for one, reach Google, are answered.
//!
//! Invariant: events happen in the order of their time, and those of one moment in the order in which
//! they were planned; chance comes from the seed alone.

mod agenda;
mod lines;
mod oracle;
mod traffic;
mod upstream;

use std::time::Duration;

use balance_core::{
    key::Key,
    plan::{Plan, Step},
    time::Timestamp,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use self::{agenda::Agenda, lines::Lines, oracle::Oracle, upstream::Upstream};
use crate::{
    chooser::{Chooser, Chosen},
    exchange::Exchange,
    figures::{Figures, Tally},
    setting::{Setting, start},
};

/// How often nodes exchange what they hold.
const EXCHANGE: Duration = Duration::from_secs(1);

/// How long a request takes to Google, in milliseconds, and how long an answer.
const WAY: std::ops::Range<u64> = 20..120;
const ANSWER: std::ops::Range<u64> = 500..8_000;

/// A request on its way.
#[derive(Debug)]
struct Request {
    /// Requests are numbered as they come.
    number: u64,
    model: usize,
    node: usize,
    caller: usize,
    came: Timestamp,
    /// Until when it waits for a key; then it has one last chance.
    patient_until: Timestamp,
    had_last_chance: bool,
    /// What Gemini will count, and what the gateway guesses.
    tokens: u64,
    guess: u64,
    plan: Plan,
}

#[derive(Debug)]
enum Event {
    Come {
        model: usize,
        /// How large the request is, if a log says so.
        tokens: Option<u64>,
    },
    /// A request gets its next try.
    Try(Request),
    /// Some that wait at a node may have a key now.
    Wake {
        node: usize,
        model: usize,
    },
    /// The patience of one that waits is over.
    Expire {
        node: usize,
        model: usize,
        number: u64,
    },
    /// The nodes exchange what they hold of the quotas.
    Exchange,
    /// What is unused is noted.
    Look,
    Reach(Request, Chosen),
    Answer(Chosen, u64),
}

struct Run<'a> {
    setting: &'a Setting,
    nodes: Vec<Chooser>,
    exchange: Exchange,
    upstream: Upstream,
    /// Chance for what comes, and for what becomes of it.
    traffic: StdRng,
    chance: StdRng,
    now: Timestamp,
    ends: Timestamp,
    agenda: Agenda<Event>,
    /// Who waits for a key.
    lines: Lines,
    /// How many requests came.
    came: u64,
    /// How many keys a request may try.
    attempts: usize,
    /// What keys that work had room for.
    oracle: Oracle,
    tally: Tally,
}

/// Runs a setting under the choice of this name; `None` if there is no such.
pub(crate) fn run(setting: &Setting, name: &str) -> Option<Figures> {
    let mut run = Run::new(setting, name)?;
    if setting.has_trouble() {
        run.plan(Duration::ZERO, Event::Look);
    }
    run.plan_first_arrivals();
    if setting.nodes > 1 && run.nodes.iter_mut().any(|node| node.pool().is_some()) {
        run.plan(EXCHANGE, Event::Exchange);
    }
    while let Some((at, event)) = run.agenda.next() {
        run.now = at;
        run.happen(event);
    }
    let now = run.now;
    let out = run.nodes.iter_mut().map(|node| node.out(now)).max().unwrap_or(0);
    let out = out.saturating_sub(setting.dead);
    Some(run.tally.figures(setting, out))
}

impl<'a> Run<'a> {
    fn new(setting: &'a Setting, name: &str) -> Option<Self> {
        let mut keys = Vec::new();
        for number in 0..setting.projects * setting.keys {
            let mut key = Key::parse(&format!("AIzaSy-simulated-{number:022}")).ok()?;
            // The operator may say which keys share a project.
            let tag = || format!("project-{}", setting.project_of(number)).into();
            key.project = setting.tagged.then(tag);
            keys.push(key);
        }
        let is_pool = !name.starts_with("plain-");
        let nodes = (0..setting.nodes).map(|_| Chooser::new(name, keys.clone(), setting));
        Some(Self {
            setting,
            nodes: nodes.collect::<Option<_>>()?,
            exchange: Exchange::default(),
            upstream: Upstream::new(setting, &keys, is_pool),
            traffic: StdRng::seed_from_u64(setting.seed),
            chance: StdRng::seed_from_u64(!setting.seed),
            now: start(),
            ends: start() + Duration::from_secs(setting.hours * 3600),
            agenda: Agenda::default(),
            lines: Lines::new(setting),
            came: 0,
            attempts: if is_pool { traffic::ATTEMPTS } else { traffic::PLAIN_ATTEMPTS },
            oracle: Oracle::default(),
            tally: Tally::new(setting),
        })
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Come { model, tokens } => self.come(model, tokens),
            Event::Try(request) => self.take_turn(request),
            Event::Wake { node, model } => self.wake(node, model),
            Event::Expire { node, model, number } => self.expire(node, model, number),
            Event::Exchange => self.exchange(),
            Event::Look => self.look(),
            Event::Reach(request, chosen) => self.reach(request, chosen),
            Event::Answer(chosen, tokens) => {
                if let Some(node) = self.nodes.get_mut(chosen.node) {
                    node.settle(chosen, Ok(tokens), self.now);
                }
            }
        }
    }

    /// All nodes exchange what they hold; some that wait may go on.
    fn exchange(&mut self) {
        let mut pools: Vec<_> = self.nodes.iter_mut().map(Chooser::pool).collect();
        self.exchange.go_round(&mut pools, self.now);
        for node in 0..self.setting.nodes {
            self.call(node);
        }
        if self.now < self.ends {
            self.plan(EXCHANGE, Event::Exchange);
        }
    }

    /// Google judges a request.
    fn reach(&mut self, mut request: Request, chosen: Chosen) {
        let judged = self.upstream.judge(self.setting, &request, &chosen.secret, self.now);
        let is_refused = judged.as_ref().is_err_and(|fault| fault.status.as_u16() == 429);
        self.tally.called(self.now, is_refused);
        let Err(fault) = judged else {
            // What is served after the end was not allowed within the time.
            if self.now < self.ends {
                let waited = self.now.since(request.came);
                self.tally.served(request.model, request.caller, waited);
            }
            if let Some(node) = self.nodes.get_mut(chosen.node) {
                node.opened(&chosen, self.now);
            }
            self.call(chosen.node);
            let time = self.chance.random_range(ANSWER);
            self.plan(Duration::from_millis(time), Event::Answer(chosen, request.tokens));
            return;
        };
        let key = chosen.key;
        if let Some(node) = self.nodes.get_mut(chosen.node) {
            node.settle(chosen, Err(&fault), self.now);
        }
        match request.plan.next(key, &fault, self.now, self.chance.random()) {
            Step::Retry { after } => self.plan(after, Event::Try(request)),
            Step::GiveUp => self.fail(&request),
        }
    }

    /// A request is not served. Was there a key that works, with room?
    fn fail(&mut self, request: &Request) {
        let needlessly = self.setting.has_trouble() && self.could_be_served(request);
        self.tally.failed(request.model, needlessly);
    }

    fn plan(&mut self, after: Duration, event: Event) {
        self.agenda.plan(self.now + after, event);
    }
}

#[cfg(test)]
mod tests;
