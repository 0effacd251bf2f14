//! The `google.rpc` details of named errors. Invariant: shapes and field order are those of
//! recorded answers.

use serde_json::{Value, json};

use super::{Place, SERVICE};

/// Which details an error carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Details {
    /// None at all.
    None,
    /// `ErrorInfo` about the key, and the message again as `LocalizedMessage`.
    Key(&'static str),
    /// `ErrorInfo` that names the consumer.
    Consumer(&'static str),
    /// `ErrorInfo` that names the consumer and the blocked method, and `LocalizedMessage`.
    Blocked(&'static str),
    /// `ErrorInfo` that names the method: a credential of the wrong kind.
    Credential(&'static str),
    /// `Help` with the activation link, and `ErrorInfo`.
    ServiceDisabled,
    /// `BadRequest` that names a field.
    Field(&'static str),
    /// Of the 429s: `Help` alone.
    Help,
    /// Of the 429s: `Help`, `QuotaFailure` with one violation, `RetryInfo`.
    Quota {
        /// The metric, without the service's name.
        metric: &'static str,
        /// The quota's id.
        id: &'static str,
        /// The limit; empty where Google leaves it out.
        value: &'static str,
        /// The protobuf duration to wait.
        retry: &'static str,
    },
    /// Of the 429s: minute, tokens and day at once, without values: the model is not on this tier.
    NotOnThisTier,
}

impl Details {
    pub(super) fn render(self, place: &Place<'_>, message: &str) -> Vec<Value> {
        match self {
            Self::None => Vec::new(),
            Self::Key(reason) => {
                vec![info(reason, &json!({ "service": SERVICE })), localized(message)]
            }
            Self::Consumer(reason) => vec![info(reason, &consumer(place))],
            Self::Blocked(reason) => {
                let mut metadata = consumer(place);
                if let Some(fields) = metadata.as_object_mut() {
                    fields.insert("apiName".into(), SERVICE.into());
                    fields.insert("methodName".into(), place.rpc().into());
                }
                vec![info(reason, &metadata), localized(message)]
            }
            Self::Credential(reason) => {
                vec![info(reason, &json!({ "method": place.rpc(), "service": SERVICE }))]
            }
            Self::ServiceDisabled => service_disabled(place),
            Self::Field(field) => vec![json!({
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [{ "field": field, "description": message }],
            })],
            Self::Help => vec![quota_help()],
            Self::Quota { metric, id, value, retry } => {
                let found = violation(metric, id, place.name, Some(value));
                vec![quota_help(), quota_failure(vec![found]), retry_info(retry)]
            }
            Self::NotOnThisTier => not_on_this_tier(place),
        }
    }
}

fn info(reason: &str, metadata: &Value) -> Value {
    json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": metadata,
    })
}

fn consumer(place: &Place<'_>) -> Value {
    json!({ "service": SERVICE, "consumer": format!("projects/{}", place.project) })
}

fn localized(message: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
        "locale": "en-US",
        "message": message,
    })
}

fn service_disabled(place: &Place<'_>) -> Vec<Value> {
    let url = format!(
        "https://console.developers.google.com/apis/api/{SERVICE}/overview?project={}",
        place.project
    );
    let link = json!({ "description": "Google developers console API activation", "url": url });
    let help = json!({ "@type": "type.googleapis.com/google.rpc.Help", "links": [link] });
    vec![help, info("SERVICE_DISABLED", &consumer(place))]
}

fn not_on_this_tier(place: &Place<'_>) -> Vec<Value> {
    let requests = "generate_content_free_tier_requests";
    let found = [
        (
            "generate_content_free_tier_input_token_count",
            "GenerateContentInputTokensPerModelPerMinute-FreeTier",
        ),
        (requests, "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"),
        (requests, "GenerateRequestsPerDayPerProjectPerModel-FreeTier"),
    ]
    .into_iter()
    .map(|(metric, id)| violation(metric, id, place.name, None))
    .collect();
    vec![quota_failure(found), quota_help(), retry_info("12s")]
}

/// One violation; the value is left out where Google leaves it out (a limit of zero).
pub(crate) fn violation(metric: &str, id: &str, model: &str, value: Option<&str>) -> Value {
    let mut violation = json!({
        "quotaMetric": format!("{SERVICE}/{metric}"),
        "quotaId": id,
        "quotaDimensions": { "location": "global", "model": model },
    });
    if let (Some(fields), Some(value)) = (violation.as_object_mut(), value) {
        fields.insert("quotaValue".into(), value.into());
    }
    violation
}

/// The `QuotaFailure` detail.
pub(crate) fn quota_failure(violations: Vec<Value>) -> Value {
    json!({
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": Value::Array(violations),
    })
}

/// The `RetryInfo` detail.
pub(crate) fn retry_info(delay: &str) -> Value {
    json!({ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay })
}

/// The `Help` detail of every quota error.
pub(crate) fn quota_help() -> Value {
    json!({
        "@type": "type.googleapis.com/google.rpc.Help",
        "links": [{
            "description": "Learn more about Gemini API quotas",
            "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
        }],
    })
}
