//! Everything that can keep a request from being answered.
//!
//! Invariant: status and code are total functions of the error, without a catch-all arm.

use std::time::Duration;

use balance_dialect::translate::Refusal;
use http::{Method, StatusCode};

use crate::{fault::Fault, route::BadPath};

/// Why a request was not answered. The texts are for callers: place, reason, remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The path cannot be read in one way only.
    #[error("{0}. Write the path plainly, as in the API reference.")]
    BadPath(BadPath),
    /// No route of ours.
    #[error("There is no such route here. Use Gemini's paths (/v1beta/…) or OpenAI's (/v1/…).")]
    NotFound,
    /// A route of ours, with another method.
    #[error("This route takes {} only.", list(allowed))]
    MethodNotAllowed {
        /// The methods that it takes.
        allowed: &'static [Method],
    },
    /// The caller is a stranger.
    #[error("{}", if *credential_given {
        "The credential is not known here. Use an access token of this server, or ask its operator."
    } else {
        "No credential. Send an access token of this server (or, if it allows that, your own Gemini \
         keys) in `Authorization: Bearer`, `x-goog-api-key`, `x-api-key`, `api-key` or `?key=`."
    })]
    Unauthorized {
        /// Whether the caller showed any credential.
        credential_given: bool,
    },
    /// A pool that no token opens.
    #[error(
        "The pool of this server is closed: no access token is set. Set ACCESS_TOKENS{}, or OPEN_POOL=true to let anyone use it.",
        there(place)
    )]
    NoTokens {
        /// Where settings are set, as [`Settings::place`](crate::settings::Settings::place).
        place: &'static str,
    },
    /// No key at all.
    #[error(
        "This server has no Gemini keys. Set API_KEYS{}, or CALLER_KEYS=always to let callers bring their own.",
        there(place)
    )]
    NoKeys {
        /// Where settings are set.
        place: &'static str,
    },
    /// Settings that cannot be used, on a platform whose programs cannot refuse to start.
    #[error("This server cannot use its settings: {} Put that right{}.", lines.join(" "), there(place))]
    WrongSettings {
        /// What is wrong, a sentence for each setting.
        lines: Vec<String>,
        /// Where settings are set.
        place: &'static str,
    },
    /// The request cannot be translated.
    #[error("{}", .0.message)]
    BadRequest(Refusal),
    /// The body is larger than allowed.
    #[error(
        "The request body is larger than {limit} bytes. Send large media through the upload routes, or raise MAX_BODY_BYTES."
    )]
    TooLarge {
        /// The most bytes that are read.
        limit: u64,
    },
    /// The answer is larger than the platform passes.
    #[error(
        "The answer is larger than the {limit} bytes that the platform of this server passes at once. Ask for less, or for a stream where the platform streams."
    )]
    AnswerTooLarge {
        /// The most bytes that pass.
        limit: u64,
    },
    /// The caller's body broke off.
    #[error("The request body ended early: {0}")]
    Incomplete(String),
    /// The caller's body did not come.
    #[error("The request body did not arrive within {limit:?}.")]
    Slow {
        /// How long it was waited for.
        limit: Duration,
    },
    /// No key is ready, or may be tried again, for this model.
    #[error("{}", exhausted(*retry_after, limit.as_deref(), last.as_deref()))]
    Exhausted {
        /// What the first key to come back waits for, and of which model, in words.
        limit: Option<String>,
        /// When the first key is ready, if that is known.
        retry_after: Option<Duration>,
        /// What the last key that was tried said.
        last: Option<Box<Fault>>,
    },
    /// All tries of the request are used up, while other keys are ready.
    #[error("None of the keys that this request could try answered; others are ready: ask again. The last answer: {}", fault.message)]
    OutOfTries {
        /// What the last key that was tried said.
        fault: Box<Fault>,
    },
    /// Google, or the way there, fails for this model with every key.
    #[error(
        "Google answers with errors for this model, whichever key asks, or cannot be reached. One request at a time tries it again; ask again in {} s, or ask another model.", whole_seconds(*retry_after)
    )]
    Outage {
        /// When it will be tried again.
        retry_after: Duration,
    },
    /// No key of the pool works: the operator's matter, not the caller's.
    #[error("No key of this server's pool works; its operator has to look at them.{}", said(last.as_deref()))]
    Unhealthy {
        /// What the last key that was tried said.
        last: Option<Box<Fault>>,
    },
    /// What the request names belongs to a key that is out of use.
    #[error(
        "What this request names (a file, a cache, a batch …) belongs to a key that is out of use; no other key can see it. Make it anew."
    )]
    HolderOut,
    /// What upstream said, for the caller to know.
    #[error("{}", fault.message)]
    Upstream {
        /// It.
        fault: Box<Fault>,
        /// When it makes sense to ask again, if that is known.
        retry_after: Option<Duration>,
    },
    /// One request takes more calls upstream than it may make.
    #[error(
        "This request takes {calls} calls to Gemini, and this server may make only {most} for each request. Ask for less at a time; its operator may raise CALLS_PER_REQUEST where the platform allows it."
    )]
    TooManyCalls {
        /// How many it takes.
        calls: usize,
        /// How many it may make.
        most: usize,
    },
    /// What keeps the pool is elsewhere, and does not answer.
    #[error("What keeps this server's pool cannot be reached: {reason}. Ask again in a moment.")]
    PoolUnreachable {
        /// Why, and the remedy if it is known.
        reason: String,
    },
    /// Ours.
    #[error("A mistake in Gemini Balance ({0}). Please report it.")]
    Bug(&'static str),
}

impl Error {
    /// What upstream said, without a time to come back.
    pub(crate) fn upstream(fault: Fault) -> Self {
        Self::Upstream { fault: Box::new(fault), retry_after: None }
    }

    /// The HTTP status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(refusal) if refusal.hides_model() => StatusCode::NOT_FOUND,
            Self::BadPath(_)
            | Self::BadRequest(_)
            | Self::Incomplete(_)
            | Self::TooManyCalls { .. } => StatusCode::BAD_REQUEST,
            Self::NotFound | Self::HolderOut => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthorized { .. } => StatusCode::UNAUTHORIZED,
            Self::NoTokens { .. }
            | Self::NoKeys { .. }
            | Self::WrongSettings { .. }
            | Self::OutOfTries { .. }
            | Self::Outage { .. }
            | Self::Unhealthy { .. }
            | Self::PoolUnreachable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Slow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::AnswerTooLarge { .. } => StatusCode::BAD_GATEWAY,
            Self::Exhausted { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Upstream { fault, .. } => fault.status,
            Self::Bug(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// A stable word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadPath(_) => "invalid_path",
            Self::NotFound => "unknown_url",
            Self::MethodNotAllowed { .. } => "method_not_allowed",
            Self::Unauthorized { .. } => "invalid_api_key",
            Self::NoTokens { .. } => "no_access_tokens",
            Self::NoKeys { .. } => "no_upstream_keys",
            Self::WrongSettings { .. } => "wrong_settings",
            Self::BadRequest(refusal) => refusal.code,
            Self::TooLarge { .. } => "request_too_large",
            Self::AnswerTooLarge { .. } => "answer_too_large",
            Self::Incomplete(_) => "incomplete_body",
            Self::Exhausted { .. } => "rate_limit_exceeded",
            Self::Slow { .. } => "slow_body",
            Self::OutOfTries { .. } => "out_of_tries",
            Self::Outage { .. } => "upstream_outage",
            Self::Unhealthy { .. } => "no_healthy_upstream_key",
            Self::HolderOut => "resource_key_out",
            Self::Upstream { fault, .. } => fault.code(),
            Self::TooManyCalls { .. } => "too_many_calls",
            Self::PoolUnreachable { .. } => "pool_unreachable",
            Self::Bug(_) => "internal_error",
        }
    }

    /// How long the caller should wait before trying again, if that is known.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Exhausted { retry_after, .. } | Self::Upstream { retry_after, .. } => {
                *retry_after
            }
            Self::Outage { retry_after } => Some(*retry_after),
            Self::BadPath(_)
            | Self::NotFound
            | Self::MethodNotAllowed { .. }
            | Self::Unauthorized { .. }
            | Self::NoTokens { .. }
            | Self::NoKeys { .. }
            | Self::WrongSettings { .. }
            | Self::BadRequest(_)
            | Self::TooLarge { .. }
            | Self::AnswerTooLarge { .. }
            | Self::Incomplete(_)
            | Self::Slow { .. }
            | Self::OutOfTries { .. }
            | Self::Unhealthy { .. }
            | Self::HolderOut
            | Self::TooManyCalls { .. }
            | Self::PoolUnreachable { .. }
            | Self::Bug(_) => None,
        }
    }
}

pub(crate) fn list(methods: &[Method]) -> String {
    methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ")
}

fn there(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!(" ({place})") }
}

/// Whole seconds, rounded up: a caller that obeys must not come too early (RFC 9110 §10.2.3).
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

fn exhausted(retry_after: Option<Duration>, limit: Option<&str>, last: Option<&Fault>) -> String {
    let when = retry_after.map_or_else(String::new, |after| {
        format!(" The first is ready in {} s.", whole_seconds(after))
    });
    let said = said(last);
    let limit =
        limit.unwrap_or("No key is ready for this model: each has used its quota or rests.");
    format!("{limit}{when}{said}")
}

fn said(last: Option<&Fault>) -> String {
    last.map_or_else(String::new, |fault| format!(" The last answer: {}", fault.message))
}
