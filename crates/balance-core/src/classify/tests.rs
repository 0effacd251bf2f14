use std::{fs, path::Path};

use balance_dialect::gemini::error::ErrorBody;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::*;
use crate::fault::{Limits, Quota, Remedy};

const KEY: &str = "AIzaSyABCDEFGHIJKLMNOPQRSTUVWXYZ0123456";

fn judge(status: u16, body: &str) -> Fault {
    let status = StatusCode::from_u16(status).unwrap();
    classify(status, &HeaderMap::new(), &Bytes::copy_from_slice(body.as_bytes()), &Secret::new(KEY))
}

/// An error in Google's shape, with an `ErrorInfo` unless `reason` is empty.
fn body(code: u16, word: &str, message: &str, reason: &str) -> String {
    let details = match reason {
        "" => json!([]),
        reason => json!([{ "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": reason, "domain": "googleapis.com",
            "metadata": { "consumer": "projects/123" } }]),
    };
    json!({ "error": { "code": code, "message": message, "status": word, "details": details } })
        .to_string()
}

/// The errors that Google is known to give: status, word and reason | the fault's code | the text.
const KNOWN: &str = r#"
400 INVALID_ARGUMENT API_KEY_INVALID | key_invalid | API key not valid. Please pass a valid API key.
400 INVALID_ARGUMENT - | key_invalid | API key not valid. Please pass a valid API key.
400 INVALID_ARGUMENT API_KEY_INVALID | key_expired | API key expired. Please renew the API key.
400 INVALID_ARGUMENT - | key_expired | API key expired. Please renew the API key.
400 INVALID_ARGUMENT API_KEY_INVALID | key_invalid | API Key not found. Please pass a valid API key.
400 INVALID_ARGUMENT - | key_invalid | API Key not found. Please pass a valid API key.
401 UNAUTHENTICATED ACCESS_TOKEN_TYPE_UNSUPPORTED | key_unauthorized | Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.
401 UNAUTHENTICATED - | key_unauthorized | Request had invalid authentication credentials.
401 UNAUTHENTICATED CREDENTIALS_MISSING | request_rejected | API keys are not supported by this API. Expected OAuth2 access token
401 UNAUTHENTICATED - | request_rejected | API keys are not supported by this API. Expected OAuth2 access token
401 UNAUTHENTICATED CREDENTIALS_MISSING | wrong_credentials_sent | Request is missing required authentication credential.
400 INVALID_ARGUMENT - | wrong_credentials_sent | Multiple authentication credentials received. Please pass only one.
403 PERMISSION_DENIED - | wrong_credentials_sent | Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.
403 PERMISSION_DENIED - | key_leaked | Your API key was reported as leaked. Please use another API key.
403 PERMISSION_DENIED CONSUMER_SUSPENDED | project_suspended | Permission denied: Consumer 'api_key:AIzaSyABCDEFGHIJKLMNOPQRSTUVWXYZ0123456' has been suspended.
403 PERMISSION_DENIED - | project_suspended | Permission denied: Consumer 'api_key:AIzaSyABCDEFGHIJKLMNOPQRSTUVWXYZ0123456' has been suspended.
403 PERMISSION_DENIED - | project_denied | Your project has been denied access. Please contact support.
403 PERMISSION_DENIED - | project_invalid | Project has been deleted
403 PERMISSION_DENIED CONSUMER_INVALID | project_invalid | x
403 PERMISSION_DENIED USER_PROJECT_DENIED | project_invalid | x
403 PERMISSION_DENIED BILLING_DISABLED | project_billing | x
403 PERMISSION_DENIED SERVICE_DISABLED | project_service_disabled | Generative Language API has not been used in project 123 before or it is disabled.
403 PERMISSION_DENIED - | project_service_disabled | Generative Language API has not been used in project 123 before or it is disabled.
403 PERMISSION_DENIED API_KEY_SERVICE_BLOCKED | key_restricted | Requests to this API generativelanguage.googleapis.com method x are blocked.
403 PERMISSION_DENIED - | key_restricted | Requests to this API generativelanguage.googleapis.com method x are blocked.
403 PERMISSION_DENIED API_KEY_IP_ADDRESS_BLOCKED | key_restricted | x
403 PERMISSION_DENIED API_KEY_HTTP_REFERRER_BLOCKED | key_restricted | x
403 PERMISSION_DENIED API_KEY_ANDROID_APP_BLOCKED | key_restricted | x
403 PERMISSION_DENIED API_KEY_IOS_APP_BLOCKED | key_restricted | x
403 PERMISSION_DENIED - | request_rejected | You do not have permission to access the File abc or it may not exist.
403 PERMISSION_DENIED IAM_PERMISSION_DENIED | request_rejected | You do not have permission to access the File abc or it may not exist.
403 PERMISSION_DENIED - | request_rejected | CachedContent not found (or permission denied)
403 PERMISSION_DENIED - | request_rejected | You do not have permission to access tunedModels/x
403 PERMISSION_DENIED - | project_forbidden | The caller does not have permission
400 FAILED_PRECONDITION - | location_unsupported | User location is not supported for the API use.
400 FAILED_PRECONDITION - | project_country | Gemini API free tier is not available in your country. Please enable billing on your project in Google AI Studio.
400 INVALID_ARGUMENT - | request_rejected | Request contains an invalid argument.
400 INVALID_ARGUMENT - | request_rejected | Invalid JSON payload received. Unknown name "role" at 'contents[0].parts': Cannot find field.
400 INVALID_ARGUMENT - | request_rejected | * GenerateContentRequest.contents: contents is not specified
400 INVALID_ARGUMENT - | request_rejected | Unable to submit request because Thought signature is not valid
400 INVALID_ARGUMENT - | request_rejected | Function call is missing a thought_signature in functionCall parts.
400 INVALID_ARGUMENT - | request_rejected | The input token count (1250074) exceeds the maximum number of tokens allowed (1048576).
402 - - | project_billing | payment required
404 NOT_FOUND - | request_rejected | models/x is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.
404 NOT_FOUND - | model_unavailable | This model models/gemini-2.5-flash is no longer available to new users. Please update your code.
404 NOT_FOUND - | request_rejected | File files/abc not found.
404 NOT_FOUND - | request_rejected | cachedContents/abc not found
409 ABORTED - | service_error | x
409 ALREADY_EXISTS - | request_rejected | x
429 RESOURCE_EXHAUSTED - | no_capacity | Resource has been exhausted (e.g. check quota).
429 RESOURCE_EXHAUSTED - | project_billing | Your prepayment credits are depleted. Please go to AI Studio at https://ai.studio/projects to manage your project and billing.
429 RESOURCE_EXHAUSTED - | project_spending_cap | Your project has exceeded its monthly spending cap. Please go to AI Studio at https://ai.studio/spend
429 RESOURCE_EXHAUSTED - | minute_quota | You exceeded your current quota, please check your plan and billing details.
403 PERMISSION_DENIED RATE_LIMIT_EXCEEDED | minute_quota | x
499 CANCELLED - | service_error | The operation was cancelled.
500 INTERNAL - | service_error | An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting
500 INTERNAL - | service_error | Internal error encountered.
501 UNIMPLEMENTED - | request_rejected | Operation is not implemented, or supported, or enabled.
503 UNAVAILABLE - | service_error | The model is overloaded. Please try again later.
503 UNAVAILABLE - | service_error | This model is currently experiencing high demand. Spikes in demand are usually temporary. Please try again later.
503 UNAVAILABLE - | service_error | The service is currently unavailable.
503 UNAVAILABLE - | service_error | Deadline expired before operation could complete.
504 DEADLINE_EXCEEDED - | service_error | Deadline expired before operation could complete.
"#;

/// The rows of a table in which columns are parted by bars.
fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table.lines().filter(|row| !row.is_empty()).map(|row| row.split('|').map(str::trim).collect())
}

#[test]
fn every_known_error_is_blamed_on_who_did_it() {
    for row in rows(KNOWN) {
        let [error, code, message] = row[..] else { panic!("{row:?}") };
        let [status, word, reason] = error.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{row:?}")
        };
        let status = status.parse().unwrap();
        let whole = body(status, word, message, reason.trim_matches('-'));
        let fault = judge(status, &whole);
        assert_eq!(fault.code(), code, "{status} {message} {reason}");
        assert_eq!(fault.status.as_u16(), status);
        assert!(!fault.message.contains(KEY));
        // The same in an array, as outside of event streams, and as an event.
        assert_eq!(judge(status, &format!("[{whole}]")).code(), code);
        assert_eq!(judge(status, &format!("data: {whole}\r\n\r\n")).code(), code);
        let event = ErrorBody::parse(whole.as_bytes()).unwrap();
        let fault = Fault::from_event(&event, &Secret::new(KEY));
        assert_eq!((fault.code(), fault.status.as_u16()), (code, status), "{message}");
        assert!(!fault.message.contains(KEY));
    }
}

/// The reasons of google/api/error_reason.proto: the fault's code | the reasons.
const REASONS: &str = "
key_invalid | API_KEY_INVALID
key_restricted | API_KEY_SERVICE_BLOCKED API_KEY_HTTP_REFERRER_BLOCKED API_KEY_IP_ADDRESS_BLOCKED
key_restricted | API_KEY_ANDROID_APP_BLOCKED API_KEY_IOS_APP_BLOCKED CREDENTIAL_ANDROID_APP_INVALID
key_suspended | ACCOUNT_STATE_INVALID USER_BLOCKED_BY_ADMIN
key_unauthorized | CREDENTIAL_TYPE_UNSUPPORTED ACCESS_TOKEN_TYPE_UNSUPPORTED
project_suspended | CONSUMER_SUSPENDED GCP_SUSPENDED
project_invalid | CONSUMER_INVALID USER_PROJECT_DENIED RESOURCE_PROJECT_INVALID
project_billing | BILLING_DISABLED
project_service_disabled | SERVICE_DISABLED SERVICE_NOT_VISIBLE
project_policy | RESOURCE_USAGE_RESTRICTION_VIOLATED ORG_RESTRICTION_VIOLATION IAM_PERMISSION_DENIED
project_policy | LOCATION_ORG_POLICY_VIOLATED SECURITY_POLICY_VIOLATED
minute_quota | RATE_LIMIT_EXCEEDED RESOURCE_QUOTA_EXCEEDED
location_unsupported | LOCATION_POLICY_VIOLATED LOCATION_TAX_POLICY_VIOLATED
wrong_credentials_sent | CREDENTIALS_MISSING OVERLOADED_CREDENTIALS SYSTEM_PARAMETER_UNSUPPORTED
wrong_credentials_sent | MISSING_ORIGIN
project_forbidden | ACCESS_TOKEN_EXPIRED ACCESS_TOKEN_SCOPE_INSUFFICIENT JWT_TOKEN_INVALID
project_forbidden | SESSION_COOKIE_INVALID ACCOUNT_TYPE_UNSUPPORTED SOMETHING_NEW
";

#[test]
fn every_reason_of_google_is_sorted() {
    for row in rows(REASONS) {
        for reason in row[1].split(' ') {
            let fault = judge(403, &body(403, "PERMISSION_DENIED", "x", reason));
            assert_eq!(fault.code(), row[0], "{reason}");
        }
    }
}

#[test]
fn a_status_alone_is_enough() {
    let rows: [(&str, &[u16]); 6] = [
        (
            "request_rejected",
            &[400, 404, 405, 409, 410, 411, 412, 413, 414, 415, 416, 422, 431, 501],
        ),
        ("service_error", &[408, 499, 500, 502, 503, 504, 520, 524, 599, 300]),
        ("key_unauthorized", &[401]),
        ("project_billing", &[402]),
        ("project_forbidden", &[403]),
        ("no_capacity", &[429]),
    ];
    let bodies =
        ["", "<!DOCTYPE html>\n<title>Error</title>", "null", "[]", "{\"error\":7}", "{", "\u{0}"];
    for (code, statuses) in rows {
        for status in statuses {
            for body in bodies {
                let fault = judge(*status, body);
                assert_eq!(fault.code(), code, "{status} {body:?}");
                assert_eq!(fault.body, body.as_bytes());
                assert!(fault.message.contains(&status.to_string()));
            }
        }
    }
}

#[test]
fn what_a_caller_makes_google_repeat_decides_nothing() {
    let evil = [
        "API key not valid",
        "your api key was reported as leaked",
        "has been suspended",
        "User location is not supported",
        "limit: 0",
    ];
    for words in evil {
        let echoes = [
            (400, format!("Invalid JSON payload received. Unknown name \"{words}\": Cannot find.")),
            (400, format!("Unsupported MIME type: {words}")),
            (404, format!("models/{words} is not found for API version v1beta")),
            (403, format!("You do not have permission to access the File {words}")),
        ];
        for (status, message) in echoes {
            let fault = judge(status, &body(status, "INVALID_ARGUMENT", &message, ""));
            assert_eq!(fault.code(), "request_rejected", "{message}");
        }
        let bad_field = json!({ "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{ "field": "x", "description": words }] });
        let detailed =
            json!({ "error": { "code": 400, "message": words, "details": [bad_field] } });
        assert_eq!(judge(400, &detailed.to_string()).code(), "request_rejected");
    }
}

/// A 429 with these violations (id, value) and this wait.
fn exhausted(
    violations: &[(&str, Option<&str>)],
    retry_delay: Option<&str>,
    message: &str,
) -> String {
    let violations: Vec<Value> = violations
        .iter()
        .map(|(id, value)| {
            let mut violation = json!({ "quotaId": id, "quotaMetric": "x/generate_requests",
                "quotaDimensions": { "model": "m", "location": "global" } });
            if let Some(value) = value {
                violation["quotaValue"] = json!(value);
            }
            violation
        })
        .collect();
    let mut details = vec![
        json!({ "@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": violations }),
    ];
    if let Some(delay) = retry_delay {
        details.push(
            json!({ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay }),
        );
    }
    json!({ "error": { "code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": details } }).to_string()
}

const RPM: &str = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier";

fn quota(fault: &Fault) -> Quota {
    let Blame::Quota(quota) = fault.blame else { panic!("{fault:?}") };
    quota
}

/// The quotas exceeded, with their limits | the wait in `RetryInfo` | what is made of it: the
/// quota, its wait in seconds, and the limits learned.
const EXCEEDED: &str = "
RPM=5           | 12s       | minute 12 rpm=5
RPM             |           | minute -
RPM=5           | 0s        | minute 0 rpm=5
RPM             | 31536000s | minute 31536000
RPM             | soon      | minute -
TPM=250000      | 7s        | minute 7 tpm=250000
TPM=9 TPM=7     |           | minute - tpm=7
RPD=20          | 0s        | day rpd=20
RPD=20          | 59s       | day rpd=20
TPD=9           |           | day tpd=9
RPM=5 RPD=20    | 5s        | day rpm=5 rpd=20
RPM=5 TPM=0     | 5s        | unavailable
RPM=5 RPD=0     |           | unavailable
TPM RPM RPD     | 5s        | unavailable
TPM RPM RPD=20  | 5s        | day rpd=20
NEW=3           | 540s      | minute 540 rpm=3
";

#[test]
fn the_worst_quota_counts_and_its_limits_are_learned() {
    for row in rows(EXCEEDED) {
        let quotas: Vec<_> = row[0]
            .split_whitespace()
            .map(|quota| match quota.split_once('=') {
                Some((name, limit)) => (id(name), Some(limit)),
                None => (id(quota), None),
            })
            .collect();
        let delay = Some(row[1]).filter(|delay| !delay.is_empty());
        let fault = judge(429, &exhausted(&quotas, delay, "You exceeded your current quota."));
        assert_eq!(written(&fault), row[2], "{row:?}");
        assert_eq!(fault.remedy(), Remedy::NextKey);
    }
}

fn id(name: &str) -> &str {
    match name {
        "RPM" => RPM,
        "TPM" => "GenerateContentInputTokensPerModelPerMinute-FreeTier",
        "RPD" => "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
        "TPD" => "GenerateContentInputTokensPerModelPerDay-FreeTier",
        "NEW" => "SomethingNewPerProject",
        _ => panic!("{name}"),
    }
}

/// A quota fault as it stands in the table.
fn written(fault: &Fault) -> String {
    let (mut text, limits) = match quota(fault) {
        Quota::Minute { retry_after, limits } => {
            let wait = retry_after.map_or_else(|| "-".into(), |wait| wait.as_secs().to_string());
            (format!("minute {wait}"), limits)
        }
        Quota::Day { limits } => ("day".into(), limits),
        Quota::Unavailable => ("unavailable".into(), Limits::default()),
    };
    let limits = [
        ("rpm", limits.requests_per_minute),
        ("tpm", limits.tokens_per_minute),
        ("rpd", limits.requests_per_day),
        ("tpd", limits.tokens_per_day),
    ];
    for (name, limit) in limits {
        text.extend(limit.map(|limit| format!(" {name}={limit}")));
    }
    text
}

const TEXTS_OF_429: &str = "
model_unavailable | * Quota exceeded for metric: x, limit: 0, model: m Please retry in 5s.
model_unavailable | * Quota exceeded for metric: x, limit: 0
minute_quota | * Quota exceeded for metric: x, limit: 0.5, model: m
minute_quota | * Quota exceeded for metric: x, limit: 20, model: m
day_quota | Quota exceeded for quota metric 'Requests' and limit 'Requests per day'
minute_quota | You exceeded your current quota
no_capacity | Resource has been exhausted (e.g. check quota).
no_capacity |
";

#[test]
fn a_429_is_read_from_its_text_when_it_has_no_details() {
    for row in rows(TEXTS_OF_429) {
        let (code, message) = (row[0], row[1]);
        assert_eq!(judge(429, &body(429, "", message, "")).code(), code, "{message}");
        let fault = judge(429, &exhausted(&[], None, message));
        assert_eq!(fault.code(), code, "empty details: {message}");
    }
}

#[test]
fn the_longer_of_two_waits_is_kept() {
    let rows = [
        (Some("12s"), "Please retry in 12.944s.", None, Some(12_944)),
        (None, "Please retry in 48.939935699s.", Some("3"), Some(48_940)),
        (Some("0s"), "Please retry in 31s", None, Some(31_000)),
        (Some("20s"), "Please retry in 1s", None, Some(20_000)),
        (Some("20.5s"), "", Some("7"), Some(20_500)),
        (None, "", Some(" 7 "), Some(7_000)),
        (None, "", Some("Wed, 21 Oct 2026 07:28:00 GMT"), None),
        (None, "", None, None),
    ];
    for (delay, message, header, millis) in rows {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert("retry-after", HeaderValue::from_static(header));
        }
        let body = Bytes::from(exhausted(&[(RPM, None)], delay, message));
        let fault = classify(StatusCode::TOO_MANY_REQUESTS, &headers, &body, &Secret::new(KEY));
        let Quota::Minute { retry_after, .. } = quota(&fault) else { panic!("{fault:?}") };
        let rounded = retry_after.map(|wait| wait.as_nanos().div_ceil(1_000_000));
        assert_eq!(rounded, millis, "{delay:?} {message}");
    }
    let body = Bytes::from_static(b"{\"error\":{\"code\":503}}");
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", HeaderValue::from_static("9"));
    let fault = classify(StatusCode::SERVICE_UNAVAILABLE, &headers, &body, &Secret::new(KEY));
    assert_eq!(fault.blame, Blame::Service { retry_after: Some(Duration::from_secs(9)) });
}

/// The words of the Interactions API: status | the fault's code | the words.
const WORDS: &str = "
400 | request_rejected | invalid_request failed_precondition parameter_unknown
401 | key_unauthorized | authentication
402 | project_billing | payment_required
403 | project_forbidden | permission_denied
404 | request_rejected | not_found model_not_found
409 | request_rejected | already_exists
409 | service_error | aborted
429 | minute_quota | rate_limit_exceeded
429 | day_quota | quota_exceeded
429 | no_capacity | too_many_requests
499 | service_error | cancelled
500 | service_error | api_error
501 | request_rejected | unimplemented
503 | service_error | service_unavailable
504 | service_error | deadline_exceeded
400 | request_rejected | safety recitation language prohibited_content spii blocklist image_safety
400 | request_rejected | content_blocked malformed_function_call malformed_tool_call no_image
400 | request_rejected | unexpected_tool_call too_many_tool_calls missing_thought_signature
";

#[test]
fn the_words_of_the_interactions_api_are_known() {
    for row in rows(WORDS) {
        let status = row[0].parse().unwrap();
        for word in row[2].split(' ') {
            let body = json!({ "error": { "code": word, "message": "x" } }).to_string();
            assert_eq!(judge(status, &body).code(), row[1], "{word}");
            // In a stream there is no other status than what the word says.
            let event = ErrorBody::parse(body.as_bytes()).unwrap();
            let fault = Fault::from_event(&event, &Secret::new(KEY));
            assert_eq!((fault.status.as_u16(), fault.code()), (status, row[1]), "{word}");
        }
    }
    let unknown = ErrorBody::parse(b"{\"error\":{\"code\":\"new_word\"}}").unwrap();
    let fault = Fault::from_event(&unknown, &Secret::new(KEY));
    assert_eq!((fault.status.as_u16(), fault.code()), (500, "service_error"));
}

#[test]
fn failures_without_an_answer_are_the_services() {
    let cause = || "refused for AIzaSyABCDEFGHIJKLMNOPQRSTUVWXYZ0123456".into();
    let rows = [
        (Fault::lost(&FetchError::Connect(cause())), 502),
        (Fault::lost(&FetchError::Broken(cause())), 502),
        (Fault::lost(&FetchError::TimedOut(Duration::from_secs(45))), 504),
        (Fault::empty(), 502),
        (Fault::truncated(), 502),
        (Fault::malformed(&"no JSON"), 502),
    ];
    for (fault, status) in rows {
        assert_eq!(fault.blame, Blame::Service { retry_after: None });
        assert_eq!(fault.status.as_u16(), status);
        assert!(!fault.message.contains(KEY), "{}", fault.message);
    }
}

#[test]
fn keys_are_scrubbed_from_body_and_message_and_the_type_is_kept() {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json; charset=UTF-8"));
    let odd_key = Secret::new("an-odd-key-of-no-known-shape");
    let message = format!("Consumer 'api_key:{KEY}' and an-odd-key-of-no-known-shape");
    let body = Bytes::from(body(403, "PERMISSION_DENIED", &message, ""));
    let fault = classify(StatusCode::FORBIDDEN, &headers, &body, &odd_key);
    for text in [&fault.message, &String::from_utf8_lossy(&fault.body).into_owned()] {
        assert!(text.contains("AIzaSyA......0123456"), "{text}");
        assert!(!text.contains(KEY) && !text.contains(odd_key.expose()), "{text}");
    }
    assert_eq!(fault.content_type.as_ref(), headers.get("content-type"));
}

/// The recorded errors that are not the request's: the fault's code | the case.
const RECORDED: &str = "
key_invalid | rig--auth-rejection-keeps-transport-shape--00
key_invalid | rig--list-models-rejected-key-reports-api-error-with-context--00
key_leaked | reported-in-issues--403-leaked--00
key_restricted | reported-in-issues--403-service-blocked--00
no_capacity | reported-in-issues--429-bare-check-quota--00
day_quota | reported-in-issues--429-free-per-day--00
minute_quota | reported-in-issues--429-help-only-no-retryinfo--00
model_unavailable | reported-in-issues--429-three-violations-minute-and-day-limit0--00
service_error | reported-in-issues--503-high-demand--00
model_unavailable | vertexai-sdk-test---unary-failure-quota-exceeded--00
project_service_disabled | vertexai-sdk-test---unary-failure-firebaseml-api-not-enabled--00
project_service_disabled | vertexai-sdk-test---unary-failure-firebasevertexai-api-not-enabled--00
project_service_disabled | vertexai-sdk-test---unary-failure-generativelanguage-api-not-enabled--00
";

/// The folder of recorded exchanges, beside the checkout; it is not part of the repository.
fn recorded_cases() -> Option<std::path::PathBuf> {
    let start = Path::new(env!("CARGO_MANIFEST_DIR"));
    start.ancestors().map(|folder| folder.join("shared/cases")).find(|folder| folder.is_dir())
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the recorded cases lie beside the checkout")]
fn recorded_errors_are_judged_by_their_kind() {
    let Some(folder) = recorded_cases() else {
        println!("no folder of recorded cases beside the checkout: skipped");
        return;
    };
    let mut judged = 0;
    let mut found = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        let case: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let response = &case["response"];
        let status = u16::try_from(response["status"].as_u64().unwrap_or(200)).unwrap();
        if status < 400 {
            continue;
        }
        let text = ["sse", "text"].iter().find_map(|form| response[*form].as_str());
        let body = text.map_or_else(|| response["body"].to_string(), str::to_owned);
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let expected = rows(RECORDED).find(|row| row[1] == name).map(|row| row[0]);
        let fault = judge(status, &body);
        assert_eq!(fault.code(), expected.unwrap_or("request_rejected"), "{name}");
        // Nothing in them is secret, so nothing of them is lost.
        assert_eq!(fault.body, body.as_bytes(), "{name}");
        judged += 1;
        found += usize::from(expected.is_some());
    }
    println!("{judged} recorded errors judged");
    assert!(judged >= 30 && found == rows(RECORDED).count(), "{judged}, {found}");
}
