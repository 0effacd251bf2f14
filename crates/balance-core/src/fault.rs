//! What an upstream failure means: who is to blame, and what may be tried next.
//!
//! Invariant: whatever a fault holds may be shown to a caller; keys were scrubbed from it when it
//! was made. What follows from a blame is a total function of it, without a catch-all arm.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

/// A failure of upstream, as [`classify`](crate::classify) judged it.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Whose it is.
    pub blame: Blame,
    /// The status to answer with: upstream's own, or 502 or 504 where it gave none.
    pub status: StatusCode,
    /// What happened, for people.
    pub message: String,
    /// Upstream's own words; empty where there were none, or none that could be passed on.
    pub body: Bytes,
    /// What `body` is.
    pub content_type: Option<HeaderValue>,
    /// The number of the key's project, if upstream named it.
    pub project_number: Option<u64>,
    /// Whether it names two limits for one quota.
    pub contradicts_itself: bool,
}

/// Who is to blame for a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The key: it is out for good.
    Key(KeyFault),
    /// The project of the key, and so all keys of it.
    Project(ProjectFault),
    /// The quota that the project has for this model.
    Quota(Quota),
    /// Google has no room for this model now, whoever asks (429 without a quota).
    Capacity {
        /// How long Google asks to wait.
        retry_after: Option<Duration>,
    },
    /// Google, or the way there: errors of its own, resets, silence, broken answers.
    Service {
        /// How long Google asks to wait.
        retry_after: Option<Duration>,
    },
    /// The place that the request left from: Google does not serve it, with whatever key.
    Egress,
    /// The request: it would fail with every key.
    Request,
    /// This gateway: it sent no credential, or several.
    Gateway,
}

/// What is wrong with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyFault {
    /// Google does not know it, or no longer.
    Invalid,
    /// It was valid once.
    Expired,
    /// Found in public, and blocked. It is not to be used again, ever.
    Leaked,
    /// Its owner's account is blocked.
    Suspended,
    /// It may not be used for this service, or not from here.
    Restricted,
    /// It is of a kind that is not accepted (401).
    Unauthorized,
}

/// What is wrong with a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProjectFault {
    /// Suspended.
    Suspended,
    /// Denied access to Gemini.
    Denied,
    /// Deleted, or never there.
    Invalid,
    /// Gemini's API is not switched on in it.
    ServiceDisabled,
    /// A policy of its organisation forbids the call.
    Policy,
    /// Billing is off, or its credits are used up.
    Billing,
    /// It has reached its monthly spending cap.
    SpendingCap,
    /// The free tier is not offered in its country.
    Country,
    /// A 403 that does not say why. It may be the request's fault after all.
    Forbidden,
}

/// Which quota of a (project, model) is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota {
    /// One that comes back within a minute.
    Minute {
        /// How long Google asks to wait.
        retry_after: Option<Duration>,
        /// The limits that Google named.
        limits: Limits,
    },
    /// That of the day, which ends at midnight in Los Angeles, whatever wait Google asks for.
    Day {
        /// The limits that Google named.
        limits: Limits,
    },
    /// All of it: the project's tier does not have this model.
    Unavailable,
}

/// Quotas of one (project, model), as far as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Requests in any minute.
    pub requests_per_minute: Option<u64>,
    /// Tokens sent in any minute.
    pub tokens_per_minute: Option<u64>,
    /// Requests in a day of Los Angeles.
    pub requests_per_day: Option<u64>,
    /// Tokens sent in a day of Los Angeles.
    pub tokens_per_day: Option<u64>,
}

/// What may be tried after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Another key, at once: the failure says nothing about the others.
    NextKey,
    /// Another key after a pause: the others may fail alike.
    AfterPause,
    /// Nothing: every key would fail alike.
    Never,
}

impl Blame {
    /// What may be tried next.
    #[must_use]
    pub const fn remedy(self) -> Remedy {
        match self {
            Self::Key(_) | Self::Project(_) | Self::Quota(_) => Remedy::NextKey,
            Self::Capacity { .. } | Self::Service { .. } => Remedy::AfterPause,
            Self::Egress | Self::Request | Self::Gateway => Remedy::Never,
        }
    }

    /// Whether Google counts a request that failed so against the quota. Where that is not known, it
    /// is taken to.
    #[must_use]
    pub const fn is_counted(self) -> bool {
        match self {
            Self::Key(_) | Self::Project(_) | Self::Quota(_) | Self::Gateway => false,
            Self::Capacity { .. } | Self::Service { .. } | Self::Egress | Self::Request => true,
        }
    }

    /// A stable word for logs and programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Key(fault) => fault.code(),
            Self::Project(fault) => fault.code(),
            Self::Quota(Quota::Minute { .. }) => "minute_quota",
            Self::Quota(Quota::Day { .. }) => "day_quota",
            Self::Quota(Quota::Unavailable) => "model_unavailable",
            Self::Capacity { .. } => "no_capacity",
            Self::Service { .. } => "service_error",
            Self::Egress => "location_unsupported",
            Self::Request => "request_rejected",
            Self::Gateway => "wrong_credentials_sent",
        }
    }
}

impl KeyFault {
    /// A stable word for logs and programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Invalid => "key_invalid",
            Self::Expired => "key_expired",
            Self::Leaked => "key_leaked",
            Self::Suspended => "key_suspended",
            Self::Restricted => "key_restricted",
            Self::Unauthorized => "key_unauthorized",
        }
    }
}

impl ProjectFault {
    /// A stable word for logs and programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Suspended => "project_suspended",
            Self::Denied => "project_denied",
            Self::Invalid => "project_invalid",
            Self::ServiceDisabled => "project_service_disabled",
            Self::Policy => "project_policy",
            Self::Billing => "project_billing",
            Self::SpendingCap => "project_spending_cap",
            Self::Country => "project_country",
            Self::Forbidden => "project_forbidden",
        }
    }
}

impl Fault {
    /// What may be tried next.
    #[must_use]
    pub const fn remedy(&self) -> Remedy {
        self.blame.remedy()
    }

    /// A stable word for logs and programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.blame.code()
    }

    /// Whether Google misses the signature of a thought, or takes none that another of its servers
    /// gave.
    #[must_use]
    pub fn is_about_signatures(&self) -> bool {
        let words = self.message.to_ascii_lowercase().replace(['_', ' '], "");
        self.status == StatusCode::BAD_REQUEST && words.contains("thoughtsignature")
    }
}

impl Limits {
    /// These limits, and for those not known here the `older` ones.
    #[must_use]
    pub fn or(self, older: Self) -> Self {
        Self {
            requests_per_minute: self.requests_per_minute.or(older.requests_per_minute),
            tokens_per_minute: self.tokens_per_minute.or(older.tokens_per_minute),
            requests_per_day: self.requests_per_day.or(older.requests_per_day),
            tokens_per_day: self.tokens_per_day.or(older.tokens_per_day),
        }
    }

    /// The smaller one of each limit.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let smaller = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self {
            requests_per_minute: smaller(self.requests_per_minute, other.requests_per_minute),
            tokens_per_minute: smaller(self.tokens_per_minute, other.tokens_per_minute),
            requests_per_day: smaller(self.requests_per_day, other.requests_per_day),
            tokens_per_day: smaller(self.tokens_per_day, other.tokens_per_day),
        }
    }
}
