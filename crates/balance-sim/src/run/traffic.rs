//! When requests come, and how large they are.
//!
//! Invariant: the traffic of a seed is the same for every way to choose keys.

use std::time::Duration;

use balance_core::plan::Plan;
use rand::RngExt;

use super::{Event, Request, Run};
use crate::setting::{Law, start, to_count, to_float};

/// How many keys a request may try: the gateway's default, and that of plain rotation.
pub(super) const ATTEMPTS: usize = 30;
pub(super) const PLAIN_ATTEMPTS: usize = 3;

impl Run<'_> {
    pub(super) fn plan_first_arrivals(&mut self) {
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

    pub(super) fn come(&mut self, model: usize, logged_tokens: Option<u64>) {
        if logged_tokens.is_none() {
            self.plan_arrival(model);
        }
        let Some(largest) = self.setting.models.get(model).map(|model| model.largest_prompt) else {
            return;
        };
        let drawn = self.traffic.random_range(0..largest.max(1)) + 1;
        let tokens = logged_tokens.unwrap_or(drawn);
        let guess = to_count(to_float(tokens) * self.traffic.random_range(0.7..1.3));
        let deadline = self.now + Duration::from_secs(300);
        self.came += 1;
        self.tally.offered(model);
        let request = Request {
            number: self.came,
            model,
            caller: self.traffic.random_range(0..self.setting.callers),
            node: self.traffic.random_range(0..self.setting.nodes.max(1)),
            came: self.now,
            patient_until: self.now + Duration::from_millis(self.setting.patience_millis),
            had_last_chance: false,
            tokens,
            guess,
            plan: Plan::new(self.attempts, deadline),
        };
        self.take_turn(request);
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
        let chance: f64 = self.traffic.random();
        let gap = Duration::from_millis(to_count(-mean * (1.0 - chance).ln()));
        if self.now + gap < self.ends {
            self.plan(gap, Event::Come { model, tokens: None });
        }
    }
}
