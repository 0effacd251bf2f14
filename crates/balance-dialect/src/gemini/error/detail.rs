//! The `details` of an error body, told apart by their `@type`.
//!
//! Invariant: every detail becomes one [`Detail`], however broken it is.
//! Source: <https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto>.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value};

use super::duration;

/// One entry of an error's `details`.
#[derive(Debug, Clone, PartialEq)]
pub enum Detail {
    /// Quotas that the request would have exceeded.
    QuotaFailure {
        /// One entry for each quota.
        violations: Vec<Violation>,
    },
    /// When to try again.
    RetryInfo {
        /// The time to wait, `None` when it was no duration.
        retry_delay: Option<Duration>,
    },
    /// Why, for machines.
    ErrorInfo {
        /// A constant word, as `API_KEY_INVALID`.
        reason: String,
        /// Who defines the word, as `googleapis.com`.
        domain: String,
        /// More about it, as `service` and `consumer`.
        metadata: BTreeMap<String, String>,
    },
    /// Which fields of the request are wrong.
    BadRequest {
        /// One entry for each fault.
        field_violations: Vec<FieldViolation>,
    },
    /// Where to read on.
    Help {
        /// Pages about the error.
        links: Vec<Link>,
    },
    /// The message in a language of the caller.
    LocalizedMessage {
        /// The language, as `en-US`.
        locale: String,
        /// The text.
        message: String,
    },
    /// A detail of another type, whole. `DebugInfo` is one; it may quote the API key.
    Other(Value),
}

/// A quota that the request would have exceeded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Violation {
    /// What is counted, as `generativelanguage.googleapis.com/generate_content_free_tier_requests`.
    pub quota_metric: String,
    /// Which limit on it, as `GenerateRequestsPerDayPerProjectPerModel-FreeTier`.
    pub quota_id: String,
    /// What the limit was applied to.
    pub quota_dimensions: QuotaDimensions,
    /// The limit, in what the metric counts. Zero means that the project has none of it.
    pub quota_value: Option<u64>,
}

/// What a quota was applied to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QuotaDimensions {
    /// The model, without `models/`.
    pub model: Option<String>,
    /// The region, as `global`.
    pub location: Option<String>,
}

/// A fault in one field of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldViolation {
    /// The path of the field, as `contents[0].parts`.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
}

/// A page about the error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What the page is about.
    pub description: String,
    /// Its address.
    pub url: String,
}

impl Detail {
    /// Reads one entry of `details`.
    #[must_use]
    pub fn from_value(value: Value) -> Self {
        let Value::Object(detail) = &value else { return Self::Other(value) };
        let kind = detail.get("@type").and_then(Value::as_str).unwrap_or_default();
        match kind.rsplit(['.', '/']).next().unwrap_or_default() {
            "QuotaFailure" => Self::QuotaFailure {
                violations: list(detail, "violations", Violation::from_object),
            },
            "RetryInfo" => Self::RetryInfo {
                retry_delay: detail.get("retryDelay").and_then(duration::from_value),
            },
            "ErrorInfo" => Self::ErrorInfo {
                reason: text(detail, "reason"),
                domain: text(detail, "domain"),
                metadata: texts(detail.get("metadata")),
            },
            "BadRequest" => Self::BadRequest {
                field_violations: list(detail, "fieldViolations", |violation| FieldViolation {
                    field: text(violation, "field"),
                    description: text(violation, "description"),
                }),
            },
            "Help" => Self::Help {
                links: list(detail, "links", |link| Link {
                    description: text(link, "description"),
                    url: text(link, "url"),
                }),
            },
            "LocalizedMessage" => Self::LocalizedMessage {
                locale: text(detail, "locale"),
                message: text(detail, "message"),
            },
            _ => Self::Other(value),
        }
    }
}

impl Violation {
    fn from_object(violation: &Map<String, Value>) -> Self {
        let dimensions = texts(violation.get("quotaDimensions"));
        Self {
            quota_metric: text(violation, "quotaMetric"),
            quota_id: text(violation, "quotaId"),
            quota_dimensions: QuotaDimensions {
                model: dimensions.get("model").cloned(),
                location: dimensions.get("location").cloned(),
            },
            quota_value: violation.get("quotaValue").and_then(count),
        }
    }
}

/// A field's text; empty when it is absent or no text.
pub(super) fn text(object: &Map<String, Value>, field: &str) -> String {
    object.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A 64-bit number, which protobuf's JSON writes as a string; both are seen.
pub(super) fn count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// The entries of a map that are texts.
fn texts(value: Option<&Value>) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for (name, value) in value.and_then(Value::as_object).into_iter().flatten() {
        if let Some(text) = value.as_str() {
            texts.insert(name.clone(), text.to_owned());
        }
    }
    texts
}

/// The objects in a field that is a list.
fn list<T>(
    object: &Map<String, Value>,
    field: &str,
    read: impl Fn(&Map<String, Value>) -> T,
) -> Vec<T> {
    let entries = object.get(field).and_then(Value::as_array).into_iter().flatten();
    entries.filter_map(Value::as_object).map(read).collect()
}
