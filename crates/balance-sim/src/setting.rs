//! What is simulated: projects, keys, models with their quotas, callers and their traffic.
//!
//! Invariant: a setting and a seed make the same run every time.

use balance_core::time::Timestamp;
use balance_mock::{Limits, google};

/// One run.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) projects: usize,
    /// Keys in each project.
    pub(crate) keys: usize,
    pub(crate) models: Vec<Model>,
    pub(crate) callers: usize,
    pub(crate) hours: u64,
    pub(crate) law: Law,
    /// Whether the operator says which keys share a project.
    pub(crate) tagged: bool,
    /// Whether the pool finds out, if not.
    pub(crate) infers: bool,
    /// How many of the keys Google does not know.
    pub(crate) dead: usize,
    /// Instances that share the keys.
    pub(crate) nodes: usize,
    /// The share of the (project, model)s that answer 503 at a time during the second hour.
    pub(crate) storm: f64,
    /// How long a caller waits for a key.
    pub(crate) patience_millis: u64,
    pub(crate) seed: u64,
}

/// A model, its quota in each project, and how much is asked of it.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) limits: Limits,
    /// Requests in the whole run.
    pub(crate) requests: u64,
    /// The largest prompt; they are spread evenly from none to it.
    pub(crate) largest_prompt: u64,
}

/// When requests come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Law {
    /// Independently of each other, as many at any time.
    Poisson,
    /// The same, but three times as many in every tenth minute, and fewer in the others.
    Bursts,
    /// As a log says.
    Log(Vec<Entry>),
}

/// One request of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When it comes, after the start.
    pub(crate) after_millis: u64,
    /// The place of its model.
    pub(crate) model: usize,
    pub(crate) tokens: u64,
}

impl Setting {
    /// Projects of 3 keys and 4 models with quotas like those of a free tier, asked for `load` of
    /// what they allow in the time.
    pub(crate) fn standard(projects: usize, load: f64, hours: u64, seed: u64) -> Self {
        let models = [
            ("rpm-bound", [Some(5), Some(250_000), None], 4_000),
            ("rpd-bound", [Some(15), Some(250_000), Some(500)], 4_000),
            ("small", [Some(5), Some(250_000), Some(20)], 4_000),
            ("tpm-bound", [Some(100), Some(250_000), Some(1_000)], 40_000),
        ];
        let models = models.map(|(name, [rpm, tpm, rpd], largest_prompt)| {
            let model = Model {
                name: name.to_owned(),
                limits: Limits { rpm, tpm, rpd },
                requests: 0,
                largest_prompt,
            };
            let requests = to_count(to_float(model.allowed(projects, hours)) * load);
            Model { requests, ..model }
        });
        Self {
            projects,
            keys: 3,
            models: models.into(),
            callers: 20,
            hours,
            law: Law::Poisson,
            tagged: true,
            infers: true,
            dead: 0,
            nodes: 1,
            storm: 0.0,
            patience_millis: 60_000,
            seed,
        }
    }
}

impl Setting {
    /// The project of a key, by its number.
    pub(crate) fn project_of(&self, key: usize) -> usize {
        key / self.keys.max(1)
    }

    /// Whether Google does not know a key. Dead keys are spread over the projects.
    pub(crate) fn is_dead(&self, key: usize) -> bool {
        let all = self.projects * self.keys;
        key * self.dead % all.max(1) < self.dead
    }

    pub(crate) fn has_live_key(&self, project: usize) -> bool {
        (project * self.keys..(project + 1) * self.keys).any(|key| !self.is_dead(key))
    }

    /// Whether requests may fail that quotas allow.
    pub(crate) fn has_trouble(&self) -> bool {
        self.storm > 0.0 || self.dead > 0
    }

    /// Whether a (project, model) answers 503. In the second hour another part of them does in each
    /// minute, drawn by chance.
    pub(crate) fn storms(&self, project: usize, model: usize, now: Timestamp) -> bool {
        let minute = now.since(start()).as_secs() / 60;
        if self.storm <= 0.0 || !(60..120).contains(&minute) {
            return false;
        }
        let place = (project * self.models.len() + model) as u64;
        let mixed = (self.seed ^ minute << 40 ^ place << 8).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        to_float(mixed >> 40) < self.storm * to_float(1 << 24)
    }
}

impl Model {
    /// The most requests that the quotas of so many projects allow in the time.
    pub(crate) fn allowed(&self, projects: usize, hours: u64) -> u64 {
        let by_minute = self.limits.rpm.map(|limit| limit * hours * 60);
        let by_day = self.limits.rpd.map(|limit| limit * hours.div_ceil(24));
        let mean_prompt = self.largest_prompt / 2;
        let by_token = self.limits.tpm.map(|limit| limit * hours * 60 / mean_prompt.max(1));
        let least = by_minute.into_iter().chain(by_day).chain(by_token).min();
        least.map_or(u64::MAX, |least| least * projects as u64)
    }
}

/// Midnight in Los Angeles, so that 24 hours are one day of quota.
pub(crate) fn start() -> Timestamp {
    Timestamp::from_unix_millis(1_795_255_680_000).next_los_angeles_midnight()
}

/// The same moment for Google.
pub(crate) const fn at_google(now: Timestamp) -> google::Timestamp {
    google::Timestamp::from_millis(now.unix_millis())
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
pub(crate) const fn to_float(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
pub(crate) fn to_count(number: f64) -> u64 {
    number.round() as u64
}
