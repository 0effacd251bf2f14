//! From our errors to OpenAI's: status, type, code and param. What Gemini itself says is classed by
//! the [table](error_class) that holds in the middle of answers, too.
//!
//! Invariant: a fault of the operator's keys is never told as the caller's: clients that see 401
//! ask their user for another key.

use balance_dialect::gemini::error::ErrorBody;
use balance_dialect::translate::{ErrorClass, error_class};
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
        | Error::Slow { .. }
        | Error::TooManyCalls { .. }
        | Error::HolderOut => class(INVALID_REQUEST, error.code()),
        Error::NoTokens { .. }
        | Error::NoKeys { .. }
        | Error::WrongSettings { .. }
        | Error::AnswerTooLarge { .. }
        | Error::OutOfTries { .. }
        | Error::Outage { .. }
        | Error::Unhealthy { .. }
        | Error::PoolUnreachable { .. }
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
        Blame::Service { .. } | Blame::Request => {
            let told = ErrorBody::parse(&fault.body);
            let field = told.as_ref().and_then(ErrorBody::field);
            let ErrorClass { kind, code, param } =
                error_class(status.as_u16(), &fault.message, field);
            class(status, kind, code, param)
        }
    }
}
