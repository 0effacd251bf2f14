//! A pure model of Google's side: projects, the keys that belong to them, models, and quotas
//! counted truly per (project, model). Invariant: no clock and no chance inside; the same calls
//! at the same moments get the same answers, so it runs on real and on virtual time alike.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

mod errors;
mod models;
mod quota;
mod quota_error;
mod time;
mod window;

pub use errors::{ApiError, ErrorName, Place};
pub use models::Model;
pub(crate) use models::{CATALOGUE, Makes, Method};
pub use quota::{Dimension, Level, Limits, Violation};
pub use time::Timestamp;

use quota::Bucket;

/// Whether a project pays; the quota names in 429 bodies differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// The free tier.
    #[default]
    Free,
    /// Any paid tier.
    Paid,
}

/// What is counted: generating and embedding have quotas of their own names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// `generateContent` and `streamGenerateContent`.
    Generate,
    /// `embedContent` and `batchEmbedContents`.
    Embed,
}

/// A project: the owner of quotas and of files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Project {
    /// The name that keys refer to.
    pub name: String,
    /// The number printed in error bodies; 0 means: give it one.
    pub number: u64,
    /// Free or paid.
    pub tier: Tier,
    /// The limits of every model that has none of its own below.
    pub limits: Limits,
    /// Limits by model name (without `models/`).
    pub models: HashMap<String, Limits>,
    /// What every key of this project is answered; `None`: the project is in order.
    pub state: Option<ErrorName>,
}

/// An API key. It works, or it is always answered with one named error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Key {
    /// What is sent as `x-goog-api-key`.
    pub secret: String,
    /// The name to print instead of the secret, e.g. `good-1`.
    pub name: String,
    /// The project that it belongs to; made on the fly when there is none of this name.
    pub project: String,
    /// What is wrong with it (`leaked`, `suspended`, `key-expired`, …); `None`: it works.
    pub state: Option<ErrorName>,
}

/// What happens to keys that no project knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strangers {
    /// 400 `API_KEY_INVALID`, as Google does.
    #[default]
    Refuse,
    /// Each works, as the only key of a new project without limits.
    Admit,
}

/// Which project, inside one [`Google`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProjectId(usize);

/// The model of Google.
#[derive(Debug, Default)]
pub struct Google {
    accounts: Vec<Account>,
    by_name: HashMap<String, ProjectId>,
    keys: HashMap<String, Owned>,
    strangers: Strangers,
}

#[derive(Debug)]
struct Account {
    project: Project,
    buckets: HashMap<String, Bucket>,
}

#[derive(Debug)]
struct Owned {
    name: String,
    project: ProjectId,
    state: Option<ErrorName>,
}

/// The level of one bucket, with its place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BucketLevel {
    /// The project's name.
    pub project: String,
    /// The model's name.
    pub model: String,
    /// The limits in force.
    pub limits: Limits,
    /// The counters.
    pub level: Level,
}

impl Google {
    /// A Google with no projects and no keys.
    #[must_use]
    pub fn new(strangers: Strangers) -> Self {
        Self { strangers, ..Self::default() }
    }

    /// Adds a project, or replaces what is known of the one with this name; counters stay.
    pub fn put_project(&mut self, mut project: Project) -> ProjectId {
        if let Some(&id) = self.by_name.get(&project.name)
            && let Some(account) = self.accounts.get_mut(id.0)
        {
            if project.number == 0 {
                project.number = account.project.number;
            }
            account.project = project;
            return id;
        }
        let id = ProjectId(self.accounts.len());
        if project.number == 0 {
            project.number = 100_000_000_001 + id.0 as u64;
        }
        self.by_name.insert(project.name.clone(), id);
        self.accounts.push(Account { project, buckets: HashMap::new() });
        id
    }

    /// Adds a key or replaces it.
    pub fn put_key(&mut self, key: Key) {
        let project = match self.by_name.get(&key.project) {
            Some(&id) => id,
            None => self.put_project(Project { name: key.project.clone(), ..Project::default() }),
        };
        let name = if key.name.is_empty() { mask(&key.secret) } else { key.name };
        self.keys.insert(key.secret, Owned { name, project, state: key.state });
    }

    /// The project that a key belongs to, or what Google answers to a bad key.
    ///
    /// # Errors
    /// The named error of the key or of its project.
    pub fn identify(&mut self, place: &Place<'_>) -> Result<ProjectId, ApiError> {
        if self.strangers == Strangers::Admit && !self.keys.contains_key(place.key) {
            let name = mask(place.key);
            let secret = place.key.to_owned();
            self.put_key(Key { secret, project: name.clone(), name, state: None });
        }
        let Some(key) = self.keys.get(place.key) else {
            return Err(ErrorName::KeyInvalid.at(place));
        };
        let Some(account) = self.accounts.get(key.project.0) else {
            return Err(ErrorName::ConsumerInvalid.at(place));
        };
        match key.state.or(account.project.state) {
            Some(error) => Err(error.at(&Place { project: account.project.number, ..*place })),
            None => Ok(key.project),
        }
    }

    /// Counts a request with so many input tokens against the project's quota for the model.
    ///
    /// # Errors
    /// 429 with the violated quotas.
    pub fn admit(
        &mut self,
        project: ProjectId,
        metric: Metric,
        model: &str,
        tokens: u64,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let Some(account) = self.accounts.get_mut(project.0) else {
            return Err(ErrorName::ConsumerInvalid.at(&Place::default()));
        };
        let tier = account.project.tier;
        let limits = account.limits(model);
        let bucket = match account.buckets.get_mut(model) {
            Some(bucket) => bucket,
            None => account.buckets.entry(model.to_owned()).or_default(),
        };
        bucket
            .admit(&limits, tokens, now)
            .map_err(|found| quota_error::quota_error(tier, metric, model, &found, now))
    }

    /// What one call of `generateContent` with this key gets: both steps above in one.
    ///
    /// # Errors
    /// What Google answers to a bad key, or 429.
    pub fn call(
        &mut self,
        key: &str,
        model: &str,
        tokens: u64,
        now: Timestamp,
    ) -> Result<ProjectId, ApiError> {
        let project = self.identify(&Place { key, name: model, ..Place::default() })?;
        self.admit(project, Metric::Generate, model, tokens, now)?;
        Ok(project)
    }

    /// The safe name of a key, if it is known.
    #[must_use]
    pub fn key_name(&self, secret: &str) -> Option<&str> {
        self.keys.get(secret).map(|key| key.name.as_str())
    }

    /// All buckets that were used, by project and model.
    pub fn levels(&mut self, now: Timestamp) -> Vec<BucketLevel> {
        let mut levels: Vec<_> =
            self.accounts.iter_mut().flat_map(|account| account.levels(now)).collect();
        levels.sort_by(|a, b| (&a.project, &a.model).cmp(&(&b.project, &b.model)));
        levels
    }

    /// Forgets what was counted; projects and keys stay.
    pub fn forget_usage(&mut self) {
        for account in &mut self.accounts {
            account.buckets.clear();
        }
    }
}

impl Account {
    fn limits(&self, model: &str) -> Limits {
        self.project.models.get(model).copied().unwrap_or(self.project.limits)
    }

    fn levels(&mut self, now: Timestamp) -> Vec<BucketLevel> {
        let project = &self.project;
        self.buckets
            .iter_mut()
            .map(|(model, bucket)| BucketLevel {
                project: project.name.clone(),
                model: model.clone(),
                limits: project.models.get(model).copied().unwrap_or(project.limits),
                level: bucket.level(now),
            })
            .collect()
    }
}

/// First and last characters of a key, for logs.
pub(crate) fn mask(secret: &str) -> String {
    let count = secret.chars().count();
    let shown = (count / 6).min(7);
    let start: String = secret.chars().take(shown).collect();
    let end: String = secret.chars().skip(count - shown).collect();
    format!("{start}…{end}")
}

#[cfg(test)]
mod tests;
