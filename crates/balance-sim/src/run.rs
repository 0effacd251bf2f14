//! One run in virtual time: requests come, get a key or wait for one, reach Google, are answered.
//!
//! Invariant: events happen in the order of their time, and those of one moment in the order in which
//! they were planned; chance comes from the seed alone. Google is balance-mock's, which counts truly
//! and shares no code with the pool; its errors are read by the gateway's own classifier.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, VecDeque},
    time::Duration,
};

use balance_core::{
    classify::classify,
    fault::Fault,
    key::Key,
    plan::{Plan, Step},
    time::Timestamp,
};
use balance_mock::{
    Project, Strangers,
    google::{self, ErrorName, Place},
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    chooser::{Chooser, Chosen},
    exchange::Exchange,
    figures::{Figures, Tally},
    setting::{Law, Model, Setting, at_google, start, to_float},
};

/// How many keys a request may try: the gateway's default, and that of plain rotation.
const ATTEMPTS: usize = 10;
const PLAIN_ATTEMPTS: usize = 3;

/// How often nodes exchange what they hold.
const EXCHANGE: Duration = Duration::from_secs(1);

/// How long a request takes to Google, in milliseconds, and how long an answer.
const WAY: std::ops::Range<u64> = 20..120;
const ANSWER: std::ops::Range<u64> = 500..8_000;

/// A request on its way.
#[derive(Debug)]
struct Request {
    model: usize,
    node: usize,
    caller: usize,
    came: Timestamp,
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
    /// The nodes exchange what they hold of the quotas.
    Exchange,
    Reach(Request, Chosen),
    Answer(Chosen, u64),
}

struct Run<'a> {
    setting: &'a Setting,
    nodes: Vec<Chooser>,
    exchange: Exchange,
    google: google::Google,
    chance: StdRng,
    now: Timestamp,
    ends: Timestamp,
    /// When what happens; the number is a place in `events`.
    agenda: BinaryHeap<Reverse<(Timestamp, u64, usize)>>,
    events: Vec<Option<Event>>,
    free: Vec<usize>,
    planned: u64,
    /// Who waits for a key, by node and model.
    waiting: Vec<VecDeque<Request>>,
    woken_at: Vec<Option<Timestamp>>,
    /// Faults that were read, as the same errors come again and again.
    faults: HashMap<(u16, Vec<u8>), Fault>,
    /// Whether it matters what an error says.
    reads_errors: bool,
    /// The project of each key, by its text.
    projects: HashMap<String, usize>,
    tally: Tally,
}

/// Runs a setting under the choice of this name; `None` if there is no such.
pub(crate) fn run(setting: &Setting, name: &str) -> Option<Figures> {
    let mut run = Run::new(setting, name)?;
    run.plan_first_arrivals();
    if setting.nodes > 1 {
        run.plan(EXCHANGE, Event::Exchange);
    }
    while let Some(Reverse((at, _, place))) = run.agenda.pop() {
        run.now = at;
        let event = run.events.get_mut(place).and_then(Option::take);
        run.free.push(place);
        if let Some(event) = event {
            run.happen(event);
        }
    }
    let now = run.now;
    let out = run.nodes.iter_mut().map(|node| node.out(now)).max().unwrap_or(0);
    let out = out.saturating_sub(setting.dead);
    Some(run.tally.figures(setting, out))
}

impl<'a> Run<'a> {
    fn new(setting: &'a Setting, name: &str) -> Option<Self> {
        let mut google = google::Google::new(Strangers::Refuse);
        let mut keys = Vec::new();
        for number in 0..setting.projects * setting.keys {
            let secret = format!("AIzaSy-simulated-{number:022}");
            keys.push(Key::parse(&secret).ok()?);
            let project = format!("project-{}", number / setting.keys.max(1));
            // Dead keys are spread over the projects.
            if number * setting.dead % (setting.projects * setting.keys) >= setting.dead {
                google.put_key(google::Key { secret, project, ..google::Key::default() });
            }
        }
        let models = setting.models.iter().map(|model| (model.name.clone(), model.limits));
        let models: HashMap<_, _> = models.collect();
        for number in 0..setting.projects {
            let (name, models) = (format!("project-{number}"), models.clone());
            google.put_project(Project { name, models, ..Project::default() });
        }
        let place = |(number, key): (usize, &Key)| {
            (key.secret.expose().to_owned(), number / setting.keys.max(1))
        };
        let projects = keys.iter().enumerate().map(place).collect();
        // The operator says which keys share a project.
        for (number, key) in keys.iter_mut().enumerate() {
            key.project = Some(format!("project-{}", number / setting.keys.max(1)).into());
        }
        let queues = setting.nodes * setting.models.len();
        let nodes = (0..setting.nodes).map(|_| Chooser::new(name, keys.clone(), setting.nodes));
        Some(Self {
            setting,
            nodes: nodes.collect::<Option<_>>()?,
            exchange: Exchange::default(),
            google,
            chance: StdRng::seed_from_u64(setting.seed),
            now: start(),
            ends: start() + Duration::from_secs(setting.hours * 3600),
            agenda: BinaryHeap::new(),
            events: Vec::new(),
            free: Vec::new(),
            planned: 0,
            waiting: (0..queues).map(|_| VecDeque::new()).collect(),
            woken_at: vec![None; queues],
            faults: HashMap::new(),
            projects,
            reads_errors: !name.starts_with("plain-"),
            tally: Tally::new(setting),
        })
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Come { model, tokens } => self.come(model, tokens),
            Event::Try(request) => self.take_turn(request),
            Event::Wake { node, model } => self.wake(node, model),
            Event::Exchange => self.exchange(),
            Event::Reach(request, chosen) => self.reach(request, chosen),
            Event::Answer(chosen, tokens) => {
                if let Some(node) = self.nodes.get_mut(chosen.node) {
                    node.settle(chosen, Ok(tokens), self.now);
                }
            }
        }
    }

    fn come(&mut self, model: usize, logged_tokens: Option<u64>) {
        if logged_tokens.is_none() {
            self.plan_arrival(model);
        }
        let Some(largest) = self.setting.models.get(model).map(|model| model.largest_prompt) else {
            return;
        };
        let drawn = self.chance.random_range(0..largest.max(1)) + 1;
        let tokens = logged_tokens.unwrap_or(drawn);
        let share = self.chance.random_range(0.7..1.3);
        let guess = crate::setting::to_count(to_float(tokens) * share);
        let caller = self.chance.random_range(0..self.setting.callers);
        let deadline = self.now + Duration::from_secs(300);
        let plan = Plan::new(if self.reads_errors { ATTEMPTS } else { PLAIN_ATTEMPTS }, deadline);
        self.tally.offered(model);
        let node = self.chance.random_range(0..self.setting.nodes.max(1));
        self.take_turn(Request { model, node, caller, came: self.now, tokens, guess, plan });
    }

    /// First come, first served.
    fn take_turn(&mut self, request: Request) {
        let queue = self.queue(request.node, request.model);
        let is_first = self.waiting.get(queue).is_none_or(VecDeque::is_empty);
        if !is_first {
            self.wait(request);
        } else if let Some((request, until)) = self.send(request) {
            self.wait_until(request, until);
        }
    }

    /// Sends a request; gives it back if no key is ready, with the moment at which one is.
    fn send(&mut self, request: Request) -> Option<(Request, Option<Timestamp>)> {
        let Model { name, .. } = self.setting.models.get(request.model)?;
        let (roll, way) = (self.chance.random(), self.chance.random_range(WAY));
        let plan = &request.plan;
        let node = self.nodes.get_mut(request.node)?;
        match node.choose(name, request.guess, plan, self.now, roll) {
            Ok(chosen) => {
                let chosen = chosen.by(request.node);
                self.plan(Duration::from_millis(way), Event::Reach(request, chosen));
                None
            }
            Err(resting) => Some((request, resting.until)),
        }
    }

    fn wait_until(&mut self, request: Request, until: Option<Timestamp>) {
        // What others hold now may be had at the next exchange.
        let until = if self.setting.nodes > 1 { until.or(Some(self.now)) } else { until };
        let patience = Duration::from_millis(self.setting.patience_millis);
        let may_exchange = self.setting.nodes > 1;
        let Some(until) = until.filter(|until| may_exchange || *until <= request.came + patience)
        else {
            self.fail(&request);
            return;
        };
        let (node, model) = (request.node, request.model);
        self.wait(request);
        self.plan_wake(node, model, until.max(self.now + Duration::from_millis(1)));
    }

    fn wait(&mut self, request: Request) {
        let queue = self.queue(request.node, request.model);
        if let Some(queue) = self.waiting.get_mut(queue) {
            queue.push_back(request);
        }
    }

    fn wake(&mut self, node: usize, model: usize) {
        let queue = self.queue(node, model);
        if self.woken_at.get(queue).copied().flatten().is_none_or(|at| at > self.now) {
            return;
        }
        if let Some(woken_at) = self.woken_at.get_mut(queue) {
            *woken_at = None;
        }
        let patience = Duration::from_millis(self.setting.patience_millis);
        while let Some(request) = self.waiting.get_mut(queue).and_then(VecDeque::pop_front) {
            if self.now > request.came + patience {
                self.fail(&request);
                continue;
            }
            if let Some((request, until)) = self.send(request) {
                let next_exchange = (self.setting.nodes > 1).then_some(self.now + EXCHANGE);
                match until.into_iter().chain(next_exchange).min() {
                    Some(until) => {
                        if let Some(queue) = self.waiting.get_mut(queue) {
                            queue.push_front(request);
                        }
                        let until = until.max(self.now + Duration::from_millis(1));
                        self.plan_wake(node, model, until);
                        return;
                    }
                    None => self.fail(&request),
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

    /// Lets the first of each line of a node look again: a good answer may have closed a breaker.
    fn call(&mut self, node: usize) {
        for model in 0..self.setting.models.len() {
            let queue = self.queue(node, model);
            if self.waiting.get(queue).is_some_and(|queue| !queue.is_empty()) {
                self.plan_wake(node, model, self.now);
            }
        }
    }

    const fn queue(&self, node: usize, model: usize) -> usize {
        node * self.setting.models.len() + model
    }

    /// A request is not served. Was there a key that works, with room?
    /// One that waited too long is found later; what counts is how it was when its time was over.
    fn fail(&mut self, request: &Request) {
        let patience = Duration::from_millis(self.setting.patience_millis);
        let over = self.now.min(request.came + patience);
        let needlessly = self.setting.storm > 0.0 && self.has_room(request.model, over);
        self.tally.failed(request.model, needlessly);
    }

    fn has_room(&mut self, model: usize, at: Timestamp) -> bool {
        let Some(Model { name, limits, .. }) = self.setting.models.get(model) else {
            return false;
        };
        let below = |used, limit: Option<u64>| limit.is_none_or(|limit| used < limit);
        let levels = self.google.levels(at_google(self.now));
        let mut full: Vec<_> = levels.iter().filter(|level| level.model == *name).collect();
        full.retain(|at| {
            !below(at.level.minute_requests, limits.rpm)
                || !below(at.level.day_requests, limits.rpd)
        });
        let is_free = |project: &usize| {
            !self.setting.storms(*project, model, at)
                && !full.iter().any(|at| at.project == format!("project-{project}"))
        };
        (0..self.setting.projects).any(|project| is_free(&project))
    }

    /// Google judges a request.
    fn reach(&mut self, mut request: Request, chosen: Chosen) {
        let Err(fault) = self.judge(&request, &chosen) else {
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

    fn judge(&mut self, request: &Request, chosen: &Chosen) -> Result<(), Box<Fault>> {
        let Some(Model { name, .. }) = self.setting.models.get(request.model) else {
            return Ok(());
        };
        let project = self.projects.get(&chosen.secret).copied().unwrap_or_default();
        if self.setting.storms(project, request.model, self.now) {
            self.tally.called(self.now, false);
            let error = ErrorName::Overloaded.at(&Place::default());
            return Err(Box::new(self.read(error.status, error.to_body())));
        }
        let judged = self.google.call(&chosen.secret, name, request.tokens, at_google(self.now));
        let is_refused = judged.as_ref().is_err_and(|error| error.status == 429);
        self.tally.called(self.now, is_refused);
        judged.map(|_| ()).map_err(|error| {
            let said = if self.reads_errors { error.to_body() } else { Vec::new() };
            Box::new(self.read(error.status, said))
        })
    }

    /// Reads an error as the gateway does.
    fn read(&mut self, status: u16, body: Vec<u8>) -> Fault {
        let place = (status, body);
        if let Some(fault) = self.faults.get(&place) {
            return fault.clone();
        }
        let code = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
        let secret = balance_core::secret::Secret::new("AIzaSy-simulated");
        let fault = classify(code, &HeaderMap::new(), &Bytes::from(place.1.clone()), &secret);
        if self.faults.len() < 10_000 {
            self.faults.insert(place, fault.clone());
        }
        fault
    }

    fn plan_first_arrivals(&mut self) {
        let setting = self.setting;
        if let Law::Log(entries) = &setting.law {
            for entry in entries {
                let (model, tokens) = (entry.model, Some(entry.tokens));
                self.plan(Duration::from_millis(entry.after_millis), Event::Come { model, tokens });
            }
            return;
        }
        for model in 0..setting.models.len() {
            self.plan_arrival(model);
        }
    }

    /// The next request to a model, if it comes in time.
    fn plan_arrival(&mut self, model: usize) {
        let Some(requests) = self.setting.models.get(model).map(|model| model.requests) else {
            return;
        };
        let millis = to_float(self.setting.hours * 3_600_000);
        let minute = self.now.since(start()).as_secs() / 60;
        let pace = match &self.setting.law {
            Law::Poisson | Law::Log(_) => 1.0,
            Law::Bursts if minute.is_multiple_of(10) => 3.0,
            Law::Bursts => 7.0 / 9.0,
        };
        let mean = millis / (to_float(requests).max(1e-9) * pace);
        let chance: f64 = self.chance.random();
        let gap = crate::setting::to_count(-mean * (1.0 - chance).ln());
        let gap = Duration::from_millis(gap);
        if self.now + gap < self.ends {
            self.plan(gap, Event::Come { model, tokens: None });
        }
    }

    fn plan_wake(&mut self, node: usize, model: usize, at: Timestamp) {
        let queue = self.queue(node, model);
        if let Some(woken_at) = self.woken_at.get_mut(queue)
            && woken_at.is_none_or(|known| at < known)
        {
            *woken_at = Some(at);
            self.plan(at.since(self.now), Event::Wake { node, model });
        }
    }

    fn plan(&mut self, after: Duration, event: Event) {
        self.planned += 1;
        let place = self.free.pop().unwrap_or_else(|| {
            self.events.push(None);
            self.events.len() - 1
        });
        if let Some(slot) = self.events.get_mut(place) {
            *slot = Some(event);
        }
        self.agenda.push(Reverse((self.now + after, self.planned, place)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_run() {
        let setting = Setting::standard(5, 0.5, 1, 7);
        assert_eq!(run(&setting, "balanced"), run(&setting, "balanced"));
        let other = Setting { seed: 8, ..setting.clone() };
        assert_ne!(run(&setting, "balanced"), run(&other, "balanced"));
        assert_eq!(run(&setting, "nonsense"), None);
    }

    #[test]
    fn the_pool_wastes_little_where_plain_turns_waste_much() {
        let setting = Setting::standard(20, 0.95, 1, 1);
        let pool = run(&setting, "balanced").unwrap();
        let plain = run(&setting, "plain-round-robin").unwrap();
        // In one hour the tokens bind, and large requests do not fill a minute's tokens to the last.
        assert!(pool.efficiency >= 0.96, "{pool:?}");
        assert!(
            pool.waste_all <= 0.01 && pool.waste_all * 5.0 < plain.waste_all,
            "{pool:?} {plain:?}"
        );
        assert_eq!(pool.wrong_blame, 0);
    }

    #[test]
    fn dead_keys_cost_no_request() {
        let mut setting = Setting::standard(20, 0.5, 1, 3);
        setting.dead = 12;
        let figures = run(&setting, "balanced").unwrap();
        assert!(figures.efficiency >= 0.999, "{figures:?}");
        assert_eq!(figures.wrong_blame, 0);
    }

    #[test]
    fn nodes_that_share_keys_by_slices_serve_as_much_and_are_hardly_refused() {
        let setting = Setting { nodes: 4, ..Setting::standard(20, 0.95, 2, 1) };
        let figures = run(&setting, "balanced").unwrap();
        assert!(figures.efficiency >= 0.95, "{figures:?}");
        assert!(figures.waste_after <= 0.001 && figures.wrong_blame == 0, "{figures:?}");
    }

    #[test]
    fn in_a_storm_hardly_a_request_fails_that_a_key_that_works_had_room_for() {
        // Not none: a request may use up its tries, and the end of an outage is noticed a little late.
        for storm in [0.2, 0.4, 1.0] {
            let setting = Setting { storm, ..Setting::standard(20, 0.3, 3, 1) };
            let figures = run(&setting, "balanced").unwrap();
            assert!(figures.failed_needlessly * 5_000 <= figures.offered, "{figures:?}");
            assert_eq!(figures.wrong_blame, 0, "{figures:?}");
            assert!(storm > 0.9 || figures.failed == figures.failed_needlessly, "{figures:?}");
        }
    }
}
