//! The one table from our errors to OpenAI's: status, type, code and param.
//!
//! Invariant: a fault of the operator's keys is never told as the caller's: clients that see 401
//! ask their user for another key.

use http::StatusCode;

use crate::{
    error::Error,
    fault::{Blame, Fault, Quota},
};

/// How OpenAI's clients are told of an error.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) status: StatusCode,
    pub(super) kind: &'static str,
    pub(super) code: &'static str,
    pub(super) param: Option<String>,
}

const INVALID_REQUEST: &str = "invalid_request_error";
const SERVER_ERROR: &str = "server_error";

/// The class of an error.
pub(super) fn classify(error: &Error) -> Class {
    let class = |kind, code| Class { status: error.status(), kind, code, param: None };
    match error {
        Error::Upstream { fault, .. } => upstream(fault),
        Error::Exhausted { last: Some(fault), .. } => exhausted(fault),
        Error::Exhausted { last: None, .. } => class("requests", error.code()),
        Error::BadRequest(refusal) => {
            Class { param: refusal.param.clone(), ..class(INVALID_REQUEST, refusal.code) }
        }
        Error::BadPath(_)
        | Error::NotFound
        | Error::MethodNotAllowed { .. }
        | Error::Unauthorized { .. }
        | Error::TooLarge { .. }
        | Error::Incomplete(_)
        | Error::Slow { .. } => class(INVALID_REQUEST, error.code()),
        Error::NoTokens
        | Error::NoKeys
        | Error::OutOfTries { .. }
        | Error::Outage { .. }
        | Error::Unhealthy { .. }
        | Error::Bug(_) => class(SERVER_ERROR, error.code()),
    }
}

/// All keys have used what they had: of a minute, which comes back, or of more, which the client
/// should not wait for.
fn exhausted(fault: &Fault) -> Class {
    let (kind, code) = match fault.blame {
        Blame::Quota(Quota::Minute { limits, .. }) if limits.tokens_per_minute.is_some() => {
            ("tokens", "rate_limit_exceeded")
        }
        Blame::Quota(Quota::Day { .. } | Quota::Unavailable) => {
            ("insufficient_quota", "insufficient_quota")
        }
        Blame::Quota(Quota::Minute { .. })
        | Blame::Key(_)
        | Blame::Project(_)
        | Blame::Capacity { .. }
        | Blame::Service { .. }
        | Blame::Egress
        | Blame::Request
        | Blame::Gateway => ("requests", "rate_limit_exceeded"),
    };
    Class { status: StatusCode::TOO_MANY_REQUESTS, kind, code, param: None }
}

/// What Google said, to a caller whose request or whose own key it is about.
fn upstream(fault: &Fault) -> Class {
    let status = fault.status;
    let class = |status, kind, code, param: Option<&str>| Class {
        status,
        kind,
        code,
        param: param.map(Into::into),
    };
    match fault.blame {
        Blame::Key(_) => class(StatusCode::UNAUTHORIZED, INVALID_REQUEST, "invalid_api_key", None),
        Blame::Project(_) => class(status, "permission_error", fault.code(), None),
        Blame::Quota(_) => exhausted(fault),
        Blame::Capacity { .. } => class(status, "requests", "rate_limit_exceeded", None),
        Blame::Egress => class(
            StatusCode::SERVICE_UNAVAILABLE,
            SERVER_ERROR,
            "upstream_region_unsupported",
            None,
        ),
        Blame::Gateway => class(status, SERVER_ERROR, fault.code(), None),
        Blame::Service { .. } => match status {
            StatusCode::INTERNAL_SERVER_ERROR => {
                class(status, SERVER_ERROR, "internal_error", None)
            }
            StatusCode::BAD_GATEWAY => class(status, SERVER_ERROR, "bad_gateway", None),
            StatusCode::GATEWAY_TIMEOUT => class(status, SERVER_ERROR, "timeout", None),
            _ => class(status, SERVER_ERROR, "overloaded", None),
        },
        Blame::Request => request(fault),
    }
}

/// Requests that every key would fail on, told apart by what Google's clients go by: the status,
/// and where that says too little, the words.
fn request(fault: &Fault) -> Class {
    let words = fault.message.to_ascii_lowercase();
    let says = |part: &str| words.contains(part);
    let (code, param) = match fault.status {
        StatusCode::NOT_FOUND if says("models/") => ("model_not_found", Some("model")),
        StatusCode::NOT_FOUND | StatusCode::FORBIDDEN => ("not_found", None),
        StatusCode::PAYLOAD_TOO_LARGE => ("request_too_large", None),
        _ if says("token count") && says("exceeds") => {
            ("context_length_exceeded", Some("messages"))
        }
        _ if says("multiple candidates") => ("unsupported_parameter", Some("n")),
        _ if says("penalty is not enabled") => ("unsupported_parameter", Some("presence_penalty")),
        _ if says("logprobs is not enabled") => ("unsupported_parameter", Some("logprobs")),
        _ if says("thinking level") || says("thinking budget") => {
            ("unsupported_value", Some("reasoning_effort"))
        }
        _ => ("invalid_argument", None),
    };
    let param = param.map(Into::into);
    Class { status: fault.status, kind: INVALID_REQUEST, code, param }
}
