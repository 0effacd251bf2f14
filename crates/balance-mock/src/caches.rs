//! Cached contents. Invariant: a cache belongs to the project of the key that made it, and ends
//! at its expiry.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::answer::{field, of_request};
use crate::google::{ApiError, ProjectId, Timestamp};

/// Google refuses smaller caches.
const LEAST_TOKENS: u64 = 1024;
/// Without `ttl`: an hour.
const DEFAULT_LIFETIME: u64 = 3_600_000;

/// All cached contents.
#[derive(Debug, Default)]
pub(crate) struct Caches {
    caches: BTreeMap<String, Cache>,
    made: u64,
}

#[derive(Debug)]
struct Cache {
    project: ProjectId,
    expires: Timestamp,
    json: Value,
}

impl Caches {
    /// Makes a cache from the body of `cachedContents.create`.
    pub(crate) fn create(
        &mut self,
        project: ProjectId,
        body: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let tokens = of_request(body);
        if tokens < LEAST_TOKENS {
            return Err(ApiError::invalid_argument(format!(
                "Cached content is too small. total_token_count={tokens}, \
                 min_total_token_count={LEAST_TOKENS}"
            )));
        }
        self.made += 1;
        let name = format!("mock{:08}", self.made);
        let expires = now.plus_millis(lifetime(body).unwrap_or(DEFAULT_LIFETIME));
        let created = now.to_rfc3339();
        let name_for_people = field(body, "displayName", "display_name").and_then(Value::as_str);
        let json = json!({
            "name": format!("cachedContents/{name}"),
            "model": body.get("model"),
            "createTime": created,
            "updateTime": created,
            "expireTime": expires.to_rfc3339(),
            "displayName": name_for_people.unwrap_or_default(),
            "usageMetadata": { "totalTokenCount": tokens },
        });
        self.caches.insert(name, Cache { project, expires, json: json.clone() });
        Ok(json)
    }

    /// The cache of this name, if it is the project's and lives.
    pub(crate) fn find(&self, name: &str, project: ProjectId, now: Timestamp) -> Option<&Value> {
        let cache = self.caches.get(name)?;
        (cache.project == project && now < cache.expires).then_some(&cache.json)
    }

    /// The project's caches, in the order of their making.
    pub(crate) fn list(&self, project: ProjectId, now: Timestamp) -> Vec<(String, Value)> {
        self.caches
            .iter()
            .filter(|(_, cache)| cache.project == project && now < cache.expires)
            .map(|(name, cache)| (name.clone(), cache.json.clone()))
            .collect()
    }

    /// Deletes a cache; false if it is not the project's.
    pub(crate) fn delete(&mut self, name: &str, project: ProjectId, now: Timestamp) -> bool {
        self.find(name, project, now).is_some() && self.caches.remove(name).is_some()
    }
}

/// `"ttl": "300s"` in milliseconds.
fn lifetime(body: &Value) -> Option<u64> {
    let seconds: f64 = body.get("ttl")?.as_str()?.strip_suffix('s')?.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    Some((seconds * 1000.0) as u64)
}
