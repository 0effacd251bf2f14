//! Who waits for a key: a line for each node and model, first come, first served, as at the gateway.
//!
//! Invariant: a request that had a key which failed stands in no line; each has one last chance when
//! its patience is over.

use std::{collections::VecDeque, time::Duration};

use balance_core::{pool::Why, time::Timestamp};
use rand::RngExt;

use super::{EXCHANGE, Event, Request, Run, WAY};
use crate::setting::{Model, Setting};

const MILLISECOND: Duration = Duration::from_millis(1);

/// All lines.
#[derive(Debug)]
pub(super) struct Lines {
    models: usize,
    lines: Vec<Line>,
}

#[derive(Debug, Default)]
struct Line {
    waiting: VecDeque<Request>,
    /// When the first of it looks again.
    woken_at: Option<Timestamp>,
}

impl Lines {
    pub(super) fn new(setting: &Setting) -> Self {
        let models = setting.models.len();
        let lines = (0..setting.nodes * models).map(|_| Line::default()).collect();
        Self { models, lines }
    }

    fn of(&mut self, node: usize, model: usize) -> Option<&mut Line> {
        self.lines.get_mut(node * self.models + model)
    }
}

impl Run<'_> {
    /// A request wants a key, for the first time or again.
    pub(super) fn take_turn(&mut self, request: Request) {
        let (node, model) = (request.node, request.model);
        let has_tried = !request.plan.tried().is_empty();
        let has_line = self.lines.of(node, model).is_some_and(|line| !line.waiting.is_empty());
        if has_line && !has_tried {
            self.stand_in_line(request);
        } else if let Some((request, until)) = self.send(request) {
            match until {
                None => self.fail(&request),
                Some(until) if has_tried => self.plan(until.since(self.now), Event::Try(request)),
                Some(until) => {
                    self.stand_in_line(request);
                    self.plan_wake(node, model, until);
                }
            }
        }
    }

    /// Sends a request. If no key is ready gives it back, with the moment at which it pays to look
    /// again, if any.
    fn send(&mut self, mut request: Request) -> Option<(Request, Option<Timestamp>)> {
        let Model { name, .. } = self.setting.models.get(request.model)?;
        let (roll, way) = (self.chance.random(), self.chance.random_range(WAY));
        let is_over = self.now >= request.patient_until;
        let is_last_chance = is_over && !request.had_last_chance;
        request.had_last_chance |= is_last_chance;
        let node = self.nodes.get_mut(request.node)?;
        let wanted = (name.as_str(), request.guess, &request.plan);
        let resting = match node.choose(wanted, is_last_chance, self.now, roll) {
            Ok(chosen) => {
                let chosen = chosen.by(request.node);
                self.plan(Duration::from_millis(way), Event::Reach(request, chosen));
                return None;
            }
            Err(resting) => resting,
        };
        if is_over {
            return Some((request, None));
        }
        let until = if request.plan.tried().is_empty() {
            resting.until
        } else {
            node.next_untried(wanted, self.now)
        };
        // What others hold now may be had at the next exchange.
        let exchanged = (self.setting.nodes > 1).then_some(self.now + EXCHANGE);
        let until = until.into_iter().chain(exchanged).min();
        let may_end = resting.why == Why::Outage;
        let until = until.map(|at| if may_end { at.min(request.patient_until) } else { at });
        let until = until.filter(|until| *until <= request.patient_until);
        Some((request, until.map(|until| until.max(self.now + MILLISECOND))))
    }

    fn stand_in_line(&mut self, request: Request) {
        let Request { node, model, number, patient_until, .. } = request;
        self.agenda.plan(patient_until, Event::Expire { node, model, number });
        if let Some(line) = self.lines.of(node, model) {
            line.waiting.push_back(request);
        }
    }

    /// The first of a line looks again, and if it gets a key, the next.
    pub(super) fn wake(&mut self, node: usize, model: usize) {
        let now = self.now;
        let Some(line) = self.lines.of(node, model) else { return };
        if line.woken_at.is_none_or(|at| at > now) {
            return;
        }
        line.woken_at = None;
        while let Some(request) =
            self.lines.of(node, model).and_then(|line| line.waiting.pop_front())
        {
            let Some((request, until)) = self.send(request) else { continue };
            let Some(until) = until else {
                self.fail(&request);
                continue;
            };
            if let Some(line) = self.lines.of(node, model) {
                line.waiting.push_front(request);
            }
            self.plan_wake(node, model, until);
            return;
        }
    }

    /// One that waits has its last chance, if it waits still.
    pub(super) fn expire(&mut self, node: usize, model: usize, number: u64) {
        let Some(line) = self.lines.of(node, model) else { return };
        let place = line.waiting.binary_search_by_key(&number, |request| request.number);
        let request = place.ok().and_then(|place| line.waiting.remove(place));
        if let Some((request, _)) = request.and_then(|request| self.send(request)) {
            self.fail(&request);
        }
    }

    /// Lets the first of each line of a node look again: a good answer may have closed a breaker.
    pub(super) fn call(&mut self, node: usize) {
        for model in 0..self.setting.models.len() {
            if self.lines.of(node, model).is_some_and(|line| !line.waiting.is_empty()) {
                self.plan_wake(node, model, self.now);
            }
        }
    }

    fn plan_wake(&mut self, node: usize, model: usize, at: Timestamp) {
        let Some(line) = self.lines.of(node, model) else { return };
        if line.woken_at.is_none_or(|known| at < known) {
            line.woken_at = Some(at);
            self.agenda.plan(at, Event::Wake { node, model });
        }
    }
}
