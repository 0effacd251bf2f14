//! The table of errors: name, status, code, text, details. Invariant: a name never changes its
//! meaning; scripts and tests are written in these names. `{key}`, `{project}`, `{name}`,
//! `{method}` and `{rpc}` are filled in from the request.

use super::Row;
use super::details::Details::{
    Blocked, Consumer, Credential, Field, Help, Key, None as Bare, NotOnThisTier, Quota,
    ServiceDisabled as Disabled,
};

macro_rules! errors {
    ($($variant:ident $word:literal $status:literal $code:literal $details:expr, $message:expr;)*) => {
        /// An error of the Gemini API by name. In JSON it is the kebab-case word.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorName {
            $(
                #[doc = concat!("`", $word, "`: ", $status, " ", $code, "\n```text\n", $message, "\n```")]
                $variant,
            )*
        }

        impl ErrorName {
            /// All names.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name as scripts write it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            pub(super) const fn row(self) -> Row {
                match self {
                    $(Self::$variant => Row {
                        status: $status,
                        code: $code,
                        message: $message,
                        details: $details,
                    },)*
                }
            }
        }
    };
}

macro_rules! quota_text {
    () => {
        "You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits. To monitor your current usage, head to: https://ai.dev/rate-limit. "
    };
    ($($rest:literal),+) => { concat!(quota_text!(), $($rest),+) };
}

errors! {
    // The key.
    KeyInvalid "key-invalid" 400 "INVALID_ARGUMENT" Key("API_KEY_INVALID"),
        "API key not valid. Please pass a valid API key.";
    KeyExpired "key-expired" 400 "INVALID_ARGUMENT" Key("API_KEY_INVALID"),
        "API key expired. Please renew the API key.";
    KeyNotFound "key-not-found" 400 "INVALID_ARGUMENT" Key("API_KEY_INVALID"),
        "API Key not found. Please pass a valid API key.";
    Leaked "leaked" 403 "PERMISSION_DENIED" Bare,
        "Your API key was reported as leaked. Please use another API key.";
    Suspended "suspended" 403 "PERMISSION_DENIED" Consumer("CONSUMER_SUSPENDED"),
        "Permission denied: Consumer 'api_key:{key}' has been suspended.";
    TokenUnsupported "token-unsupported" 401 "UNAUTHENTICATED"
        Credential("ACCESS_TOKEN_TYPE_UNSUPPORTED"),
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.";
    KeysUnsupported "keys-unsupported" 401 "UNAUTHENTICATED" Credential("CREDENTIALS_MISSING"),
        "API keys are not supported by this API. Expected OAuth2 access token or other authentication credentials that assert a principal. See https://cloud.google.com/docs/authentication";
    ServiceBlocked "service-blocked" 403 "PERMISSION_DENIED" Blocked("API_KEY_SERVICE_BLOCKED"),
        "Requests to this API generativelanguage.googleapis.com method {rpc} are blocked.";
    IpBlocked "ip-blocked" 403 "PERMISSION_DENIED" Blocked("API_KEY_IP_ADDRESS_BLOCKED"),
        "The provided API key has an IP address restriction. The originating IP address of the call (192.0.2.1) violates this restriction.";
    ReferrerBlocked "referrer-blocked" 403 "PERMISSION_DENIED"
        Blocked("API_KEY_HTTP_REFERRER_BLOCKED"),
        "Requests from referer <empty> are blocked.";
    AndroidBlocked "android-blocked" 403 "PERMISSION_DENIED"
        Blocked("API_KEY_ANDROID_APP_BLOCKED"),
        "Requests from this Android client application <empty> are blocked.";
    IosBlocked "ios-blocked" 403 "PERMISSION_DENIED" Blocked("API_KEY_IOS_APP_BLOCKED"),
        "Requests from this iOS client application <empty> are blocked.";

    // How credentials were sent.
    NoKey "no-key" 403 "PERMISSION_DENIED" Bare,
        "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.";
    TwoCredentials "two-credentials" 400 "INVALID_ARGUMENT" Bare,
        "Multiple authentication credentials received. Please pass only one.";

    // The project.
    Denied "denied" 403 "PERMISSION_DENIED" Bare,
        "Your project has been denied access. Please contact support.";
    ConsumerInvalid "consumer-invalid" 403 "PERMISSION_DENIED" Consumer("CONSUMER_INVALID"),
        "Permission denied on resource project {project}.";
    ProjectDenied "project-denied" 403 "PERMISSION_DENIED" Consumer("USER_PROJECT_DENIED"),
        "Caller does not have required permission to use project {project}. Grant the caller the roles/serviceusage.serviceUsageConsumer role, or a custom role with the serviceusage.services.use permission.";
    BillingDisabled "billing-disabled" 403 "PERMISSION_DENIED" Consumer("BILLING_DISABLED"),
        "This API method requires billing to be enabled. Please enable billing on project #{project} then retry.";
    ServiceDisabled "service-disabled" 403 "PERMISSION_DENIED" Disabled,
        "Generative Language API has not been used in project {project} before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/generativelanguage.googleapis.com/overview?project={project} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.";
    PaymentRequired "payment-required" 402 "FAILED_PRECONDITION" Bare,
        "Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your project and billing.";
    PrepayDepleted "prepay-depleted" 429 "RESOURCE_EXHAUSTED" Bare,
        "Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your project and billing.";
    SpendingCap "spending-cap" 429 "RESOURCE_EXHAUSTED" Bare,
        "Your project has exceeded its monthly spending cap. Please go to AI Studio at https://ai.studio/spend to manage your project spend cap. Learn more at https://ai.google.dev/gemini-api/docs/billing#project-spend-caps.";
    PermissionDenied "permission-denied" 403 "PERMISSION_DENIED" Bare,
        "The caller does not have permission";

    // Where the request comes from.
    Location "location" 400 "FAILED_PRECONDITION" Bare,
        "User location is not supported for the API use.";
    FreeTierLocation "free-tier-location" 400 "FAILED_PRECONDITION" Bare,
        "Gemini API free tier is not available in your country. Please enable billing on your project in Google AI Studio.";

    // The quota of (project, model).
    QuotaMinute "quota-minute" 429 "RESOURCE_EXHAUSTED" Quota {
            metric: "generate_content_free_tier_requests",
            id: "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
            value: "10",
            retry: "48s",
        },
        quota_text!("\n* Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 10, model: {name}\nPlease retry in 48.939935699s.");
    QuotaTokens "quota-tokens" 429 "RESOURCE_EXHAUSTED" Quota {
            metric: "generate_content_free_tier_input_token_count",
            id: "GenerateContentInputTokensPerModelPerMinute-FreeTier",
            value: "250000",
            retry: "45s",
        },
        quota_text!("\n* Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_input_token_count, limit: 250000, model: {name}\nPlease retry in 45.837906927s.");
    QuotaDay "quota-day" 429 "RESOURCE_EXHAUSTED" Quota {
            metric: "generate_content_free_tier_requests",
            id: "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
            value: "20",
            retry: "31s",
        },
        quota_text!("\n* Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 20, model: {name}\nPlease retry in 31.123456789s.");
    QuotaZero "quota-zero" 429 "RESOURCE_EXHAUSTED" NotOnThisTier,
        "You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.";
    QuotaHelpOnly "quota-help-only" 429 "RESOURCE_EXHAUSTED" Help, quota_text!();
    QuotaBare "quota-bare" 429 "RESOURCE_EXHAUSTED" Bare,
        "Resource has been exhausted (e.g. check quota).";

    // The request.
    InvalidArgument "invalid-argument" 400 "INVALID_ARGUMENT" Bare,
        "Request contains an invalid argument.";
    UnknownName "unknown-name" 400 "INVALID_ARGUMENT" Field("contents[0].parts"),
        "Invalid JSON payload received. Unknown name \"role\" at 'contents[0].parts': Cannot find field.";
    NoContents "no-contents" 400 "INVALID_ARGUMENT" Bare,
        "* GenerateContentRequest.contents: contents is not specified\n";
    TooManyTokens "too-many-tokens" 400 "INVALID_ARGUMENT" Bare,
        "The input token count (1250074) exceeds the maximum number of tokens allowed (1048576).";
    NoSignature "no-signature" 400 "INVALID_ARGUMENT" Bare,
        "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call `default_api:f` , position 2. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures for more details.";
    ModelNotFound "model-not-found" 404 "NOT_FOUND" Bare,
        "models/{name} is not found for API version v1beta, or is not supported for {method}. Call ModelService.ListModels to see the list of available models and their supported methods.";
    ModelClosed "model-closed" 404 "NOT_FOUND" Bare,
        "This model models/{name} is no longer available to new users. Please update your code to use a newer model for the latest features and improvements.";
    FileForbidden "file-forbidden" 403 "PERMISSION_DENIED" Bare,
        "You do not have permission to access the File {name} or it may not exist.";
    CacheForbidden "cache-forbidden" 403 "PERMISSION_DENIED" Bare,
        "CachedContent not found (or permission denied)";
    Aborted "aborted" 409 "ABORTED" Bare, "The operation was aborted.";
    TooLarge "too-large" 413 "" Bare, "Your client issued a request that was too large.";

    // The service.
    Cancelled "cancelled" 499 "CANCELLED" Bare, "The operation was cancelled.";
    Internal "internal" 500 "INTERNAL" Bare,
        "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting";
    InternalEncountered "internal-encountered" 500 "INTERNAL" Bare, "Internal error encountered.";
    Unimplemented "unimplemented" 501 "UNIMPLEMENTED" Bare,
        "Operation is not implemented, or supported, or enabled.";
    BadGateway "bad-gateway" 502 "" Bare,
        "The server encountered a temporary error and could not complete your request.<p>Please try again in 30 seconds.";
    Overloaded "overloaded" 503 "UNAVAILABLE" Bare,
        "The model is overloaded. Please try again later.";
    HighDemand "high-demand" 503 "UNAVAILABLE" Bare,
        "This model is currently experiencing high demand. Spikes in demand are usually temporary. Please try again later.";
    Unavailable "unavailable" 503 "UNAVAILABLE" Bare, "The service is currently unavailable.";
    DeadlineUnavailable "deadline-unavailable" 503 "UNAVAILABLE" Bare,
        "Deadline expired before operation could complete.";
    Deadline "deadline" 504 "DEADLINE_EXCEEDED" Bare,
        "Deadline expired before operation could complete.";
}
