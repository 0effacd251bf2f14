//! The reasons that Google's services give in `ErrorInfo`.
//!
//! Invariant: every reason of `google/api/error_reason.proto` is either here or left to the status
//! on purpose.

use crate::fault::{Blame, KeyFault, ProjectFault};

/// Whose an error with this reason is; `None` if the reason does not tell. `message` is in lower
/// case.
pub(super) fn blame(reason: &str, message: &str) -> Option<Blame> {
    Some(match reason {
        "API_KEY_INVALID" if message.contains("expired") => Blame::Key(KeyFault::Expired),
        "API_KEY_INVALID" => Blame::Key(KeyFault::Invalid),
        "API_KEY_SERVICE_BLOCKED"
        | "API_KEY_HTTP_REFERRER_BLOCKED"
        | "API_KEY_IP_ADDRESS_BLOCKED"
        | "API_KEY_ANDROID_APP_BLOCKED"
        | "API_KEY_IOS_APP_BLOCKED"
        | "CREDENTIAL_ANDROID_APP_INVALID" => Blame::Key(KeyFault::Restricted),
        "ACCOUNT_STATE_INVALID" | "USER_BLOCKED_BY_ADMIN" => Blame::Key(KeyFault::Suspended),
        "CREDENTIAL_TYPE_UNSUPPORTED" | "ACCESS_TOKEN_TYPE_UNSUPPORTED" => {
            Blame::Key(KeyFault::Unauthorized)
        }
        "CONSUMER_SUSPENDED" | "GCP_SUSPENDED" => Blame::Project(ProjectFault::Suspended),
        "CONSUMER_INVALID" | "USER_PROJECT_DENIED" | "RESOURCE_PROJECT_INVALID" => {
            Blame::Project(ProjectFault::Invalid)
        }
        "BILLING_DISABLED" => Blame::Project(ProjectFault::Billing),
        "SERVICE_DISABLED" | "SERVICE_NOT_VISIBLE" => Blame::Project(ProjectFault::ServiceDisabled),
        "RESOURCE_USAGE_RESTRICTION_VIOLATED"
        | "ORG_RESTRICTION_VIOLATION"
        | "LOCATION_ORG_POLICY_VIOLATED"
        | "SECURITY_POLICY_VIOLATED"
        | "IAM_PERMISSION_DENIED" => Blame::Project(ProjectFault::Policy),
        "LOCATION_POLICY_VIOLATED" | "LOCATION_TAX_POLICY_VIOLATED" => Blame::Egress,
        // Some methods take no API keys at all, whichever is sent.
        "CREDENTIALS_MISSING" if message.contains("api keys are not supported") => Blame::Request,
        "CREDENTIALS_MISSING"
        | "OVERLOADED_CREDENTIALS"
        | "SYSTEM_PARAMETER_UNSUPPORTED"
        | "MISSING_ORIGIN" => Blame::Gateway,
        // The quotas (see `quota`), and what only OAuth tokens meet with: ACCESS_TOKEN_EXPIRED,
        // ACCESS_TOKEN_SCOPE_INSUFFICIENT, JWT_TOKEN_INVALID, SESSION_COOKIE_INVALID,
        // ACCOUNT_TYPE_UNSUPPORTED.
        _ => return None,
    })
}
