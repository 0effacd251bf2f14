//! What the requests of one fake share. Invariant: no lock is held across an await, nor two at a
//! time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{io, path::Path};

use bytes::Bytes;

use crate::answer::Shape;
use crate::caches::Caches;
use crate::cases::{self, Case};
use crate::files::Files;
use crate::google::{Google, Timestamp};
use crate::log::{Log, lock};
use crate::rule::{Rule, Traits};
use crate::script::Script;
use crate::setup::Setup;

/// The shared state.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) google: Mutex<Google>,
    pub(crate) script: Mutex<Script>,
    pub(crate) files: Mutex<Files>,
    pub(crate) caches: Mutex<Caches>,
    pub(crate) cases: Mutex<HashMap<String, Arc<Case>>>,
    /// Answers made once, by model: of one piece, as events, as an array.
    pub(crate) fixed: Mutex<HashMap<String, [Option<Vec<Bytes>>; 3]>>,
    pub(crate) log: Arc<Log>,
    pub(crate) shape: Shape,
    pub(crate) is_fixed: bool,
    /// `http://…` without a slash at its end.
    pub(crate) base_url: String,
    pace_ms: Option<u64>,
    ahead_millis: AtomicU64,
    answers: AtomicU64,
}

impl State {
    /// # Errors
    /// When the folder of cases cannot be read.
    pub(crate) fn new(setup: &Setup, base_url: String) -> io::Result<Self> {
        let state = Self {
            google: Mutex::new(setup.google()),
            script: Mutex::default(),
            files: Mutex::default(),
            caches: Mutex::default(),
            cases: Mutex::default(),
            fixed: Mutex::default(),
            log: Arc::new(Log::new(setup.log)),
            shape: setup.answer.clone(),
            is_fixed: setup.fixed,
            base_url,
            pace_ms: setup.pace_ms,
            ahead_millis: AtomicU64::new(0),
            answers: AtomicU64::new(0),
        };
        for rule in &setup.script {
            lock(&state.script).push(rule.clone());
        }
        if let Some(folder) = &setup.cases {
            state.load_cases(folder)?;
        }
        Ok(state)
    }

    /// The clock: real time, and what it was advanced by.
    pub(crate) fn now(&self) -> Timestamp {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let real = u64::try_from(real).unwrap_or(u64::MAX);
        Timestamp::from_millis(real).plus_millis(self.ahead_millis.load(Ordering::Relaxed))
    }

    /// Puts the clock ahead.
    pub(crate) fn advance(&self, millis: u64) {
        self.ahead_millis.fetch_add(millis, Ordering::Relaxed);
    }

    /// A new `responseId`.
    pub(crate) fn response_id(&self) -> String {
        format!("mock-{:08}", self.answers.fetch_add(1, Ordering::Relaxed))
    }

    /// The rule for this request, with the pace of all streams where it has none.
    pub(crate) fn rule(&self, request: Traits<'_>) -> Option<Arc<Rule>> {
        let rule = self.scripted(request);
        match (rule, self.pace_ms) {
            (Some(rule), Some(_)) if rule.pace_ms.is_none() => {
                Some(Arc::new(Rule { pace_ms: self.pace_ms, ..Rule::clone(&rule) }))
            }
            (None, Some(_)) => Some(Arc::new(Rule { pace_ms: self.pace_ms, ..Rule::default() })),
            (rule, _) => rule,
        }
    }

    fn scripted(&self, request: Traits<'_>) -> Option<Arc<Rule>> {
        if lock(&self.script).is_empty() {
            return None;
        }
        let name = request.key.and_then(|key| self.key_name(key));
        lock(&self.script).take(&Traits { key_name: name.as_deref(), ..request })
    }

    fn key_name(&self, secret: &str) -> Option<String> {
        lock(&self.google).key_name(secret).map(str::to_owned)
    }

    /// Loads cases to be served by id; gives their number.
    pub(crate) fn load_cases(&self, folder: &Path) -> io::Result<usize> {
        let loaded = cases::load(folder)?;
        let count = loaded.len();
        lock(&self.cases).extend(loaded.into_iter().map(|case| (case.id.clone(), Arc::new(case))));
        Ok(count)
    }

    pub(crate) fn case(&self, id: &str) -> Option<Arc<Case>> {
        lock(&self.cases).get(id).cloned()
    }
}
