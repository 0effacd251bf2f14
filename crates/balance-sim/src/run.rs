//! One run in virtual time: requests come, get a key or wait for one, reach Google, are answered.
//!
//! Invariant: events happen in the order of their time, and those of one moment in the order in which
//! they were planned; chance comes from the seed alone. Google is balance-mock's, which counts truly
//! and shares no code with the pool; its errors are read by the gateway's own classifier.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    time::Duration,
};

use balance_core::{
    classify::classify,
    key::Key,
    plan::{Plan, Step},
    time::Timestamp,
};
use balance_mock::{Project, Strangers, google};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    chooser::{Chooser, Chosen},
    figures::{Figures, Tally},
    setting::{Law, Model, Setting, at_google, start, to_float},
};

/// How many keys a request may try: the gateway's default.
const ATTEMPTS: usize = 10;

/// How long a request takes to Google, in milliseconds, and how long an answer.
const WAY: std::ops::Range<u64> = 20..120;
const ANSWER: std::ops::Range<u64> = 500..8_000;

/// A request on its way.
#[derive(Debug)]
struct Request {
    model: usize,
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
    },
    /// A request gets its next try.
    Try(Request),
    /// Some that wait may have a key now.
    Wake {
        model: usize,
    },
    Reach(Request, Chosen),
    Answer(Chosen, u64),
}

struct Run<'a> {
    setting: &'a Setting,
    chooser: Chooser,
    google: google::Google,
    chance: StdRng,
    now: Timestamp,
    ends: Timestamp,
    /// When what happens; the number is a place in `events`.
    agenda: BinaryHeap<Reverse<(Timestamp, u64, usize)>>,
    events: Vec<Option<Event>>,
    free: Vec<usize>,
    planned: u64,
    /// Who waits for a key, by model.
    waiting: Vec<VecDeque<Request>>,
    woken_at: Vec<Option<Timestamp>>,
    tally: Tally,
}

/// Runs a setting under the choice of this name; `None` if there is no such.
pub(crate) fn run(setting: &Setting, name: &str) -> Option<Figures> {
    let mut run = Run::new(setting, name)?;
    for model in 0..setting.models.len() {
        run.plan_arrival(model);
    }
    while let Some(Reverse((at, _, place))) = run.agenda.pop() {
        run.now = at;
        let event = run.events.get_mut(place).and_then(Option::take);
        run.free.push(place);
        if let Some(event) = event {
            run.happen(event);
        }
    }
    let out = run.chooser.out(run.now).saturating_sub(setting.dead);
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
        let models = setting.models.iter().map(|model| (model.name.to_owned(), model.limits));
        let models: std::collections::HashMap<_, _> = models.collect();
        for number in 0..setting.projects {
            let (name, models) = (format!("project-{number}"), models.clone());
            google.put_project(Project { name, models, ..Project::default() });
        }
        // The operator says which keys share a project.
        for (number, key) in keys.iter_mut().enumerate() {
            key.project = Some(format!("project-{}", number / setting.keys.max(1)).into());
        }
        let waiting = setting.models.iter().map(|_| VecDeque::new()).collect();
        Some(Self {
            setting,
            chooser: Chooser::new(name, keys)?,
            google,
            chance: StdRng::seed_from_u64(setting.seed),
            now: start(),
            ends: start() + Duration::from_secs(setting.hours * 3600),
            agenda: BinaryHeap::new(),
            events: Vec::new(),
            free: Vec::new(),
            planned: 0,
            waiting,
            woken_at: vec![None; setting.models.len()],
            tally: Tally::new(setting),
        })
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Come { model } => self.come(model),
            Event::Try(request) => self.take_turn(request),
            Event::Wake { model } => self.wake(model),
            Event::Reach(request, chosen) => self.reach(request, chosen),
            Event::Answer(chosen, tokens) => self.chooser.settle(chosen, Ok(tokens), self.now),
        }
    }

    fn come(&mut self, model: usize) {
        self.plan_arrival(model);
        let Some(largest) = self.setting.models.get(model).map(|model| model.largest_prompt) else {
            return;
        };
        let tokens = self.chance.random_range(0..largest) + 1;
        let share = self.chance.random_range(0.7..1.3);
        let guess = crate::setting::to_count(to_float(tokens) * share);
        let caller = self.chance.random_range(0..self.setting.callers);
        let deadline = self.now + Duration::from_secs(300);
        let plan = Plan::new(ATTEMPTS, deadline);
        self.tally.offered(model);
        self.take_turn(Request { model, caller, came: self.now, tokens, guess, plan });
    }

    /// First come, first served.
    fn take_turn(&mut self, request: Request) {
        let is_first = self.waiting.get(request.model).is_none_or(VecDeque::is_empty);
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
        match self.chooser.choose(name, request.guess, plan, self.now, roll) {
            Ok(chosen) => {
                self.plan(Duration::from_millis(way), Event::Reach(request, chosen));
                None
            }
            Err(resting) => Some((request, resting.until)),
        }
    }

    fn wait_until(&mut self, request: Request, until: Option<Timestamp>) {
        let patience = Duration::from_millis(self.setting.patience_millis);
        let Some(until) = until.filter(|until| *until <= request.came + patience) else {
            self.tally.failed(request.model);
            return;
        };
        let model = request.model;
        self.wait(request);
        self.plan_wake(model, until);
    }

    fn wait(&mut self, request: Request) {
        if let Some(queue) = self.waiting.get_mut(request.model) {
            queue.push_back(request);
        }
    }

    fn wake(&mut self, model: usize) {
        if self.woken_at.get(model).copied().flatten().is_none_or(|at| at > self.now) {
            return;
        }
        if let Some(woken_at) = self.woken_at.get_mut(model) {
            *woken_at = None;
        }
        let patience = Duration::from_millis(self.setting.patience_millis);
        while let Some(request) = self.waiting.get_mut(model).and_then(VecDeque::pop_front) {
            if self.now > request.came + patience {
                self.tally.failed(model);
                continue;
            }
            if let Some((request, until)) = self.send(request) {
                match until {
                    Some(until) => {
                        if let Some(queue) = self.waiting.get_mut(model) {
                            queue.push_front(request);
                        }
                        let until = until.max(self.now + Duration::from_millis(1));
                        self.plan_wake(model, until);
                        return;
                    }
                    None => self.tally.failed(model),
                }
            }
        }
    }

    /// Google judges a request.
    fn reach(&mut self, mut request: Request, chosen: Chosen) {
        let Some(Model { name, .. }) = self.setting.models.get(request.model) else { return };
        let judged = self.google.call(&chosen.secret, name, request.tokens, at_google(self.now));
        let is_refused = judged.as_ref().is_err_and(|error| error.status == 429);
        self.tally.called(self.now, is_refused);
        let Err(error) = judged else {
            // What is served after the end was not allowed within the time.
            if self.now < self.ends {
                let waited = self.now.since(request.came);
                self.tally.served(request.model, request.caller, waited);
            }
            let time = self.chance.random_range(ANSWER);
            self.plan(Duration::from_millis(time), Event::Answer(chosen, request.tokens));
            return;
        };
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_GATEWAY);
        let body = Bytes::from(error.to_body());
        let secret = balance_core::secret::Secret::new(&chosen.secret);
        let fault = classify(status, &HeaderMap::new(), &body, &secret);
        let key = chosen.key;
        self.chooser.settle(chosen, Err(&fault), self.now);
        match request.plan.next(key, &fault, self.now, self.chance.random()) {
            Step::Retry { after } => self.plan(after, Event::Try(request)),
            Step::GiveUp => self.tally.failed(request.model),
        }
    }

    /// The next request to a model, if it comes in time.
    fn plan_arrival(&mut self, model: usize) {
        let Some(requests) = self.setting.models.get(model).map(|model| model.requests) else {
            return;
        };
        let millis = to_float(self.setting.hours * 3_600_000);
        let minute = self.now.since(start()).as_secs() / 60;
        let pace = match self.setting.law {
            Law::Poisson => 1.0,
            Law::Bursts if minute.is_multiple_of(10) => 3.0,
            Law::Bursts => 7.0 / 9.0,
        };
        let mean = millis / (to_float(requests).max(1e-9) * pace);
        let chance: f64 = self.chance.random();
        let gap = crate::setting::to_count(-mean * (1.0 - chance).ln());
        let gap = Duration::from_millis(gap);
        if self.now + gap < self.ends {
            self.plan(gap, Event::Come { model });
        }
    }

    fn plan_wake(&mut self, model: usize, at: Timestamp) {
        if let Some(woken_at) = self.woken_at.get_mut(model)
            && woken_at.is_none_or(|known| at < known)
        {
            *woken_at = Some(at);
            self.plan(at.since(self.now), Event::Wake { model });
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
}
