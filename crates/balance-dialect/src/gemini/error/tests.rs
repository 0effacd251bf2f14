//! Rows and laws of reading and writing error bodies.

use proptest::prelude::*;

use super::*;

const QUOTA: &str = r#"{"error":{"code":429,"message":"You exceeded your current quota.\nPlease retry in 12.944s.",
    "status":"RESOURCE_EXHAUSTED","details":[
    {"@type":"type.googleapis.com/google.rpc.Help","links":[{"description":"Learn more","url":"https://ai.google.dev"}]},
    {"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[
        {"quotaMetric":"m/requests","quotaId":"PerDay-FreeTier","quotaDimensions":{"location":"global","model":"gemini-2.5-flash"},"quotaValue":"20"},
        {"quotaMetric":"m/tokens","quotaId":"PerMinute-FreeTier","quotaValue":0}]},
    {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"12s"}]}}"#;

fn parse(body: &str) -> ErrorBody {
    ErrorBody::parse(body.as_bytes()).unwrap_or_else(|| panic!("no error in {body}"))
}

fn with_details(details: &str) -> ErrorBody {
    parse(&format!(r#"{{"error":{{"code":400,"message":"m","details":{details}}}}}"#))
}

#[test]
fn every_shape_of_a_body_gives_the_same_error() {
    let error = r#"{"error":{"code":503,"message":"Busy","status":"UNAVAILABLE"}}"#;
    let pretty = error.replace(',', ",\r\n\r\n  ");
    let shapes = [
        error.to_owned(),
        pretty.clone(),
        format!("[{error}\n,\r\n{{}}]"),
        format!("[{{}},{error}]"),
        format!("data: {error}\r\n\r\n"),
        format!("data: {{\"candidates\":[]}}\n\ndata: {error}"),
        format!("data: {{\"candidates\":[]}}\n\n{pretty}"),
    ];
    let expected = ErrorBody {
        code: Some(503),
        status: Some("UNAVAILABLE".to_owned()),
        message: "Busy".to_owned(),
        details: Vec::new(),
    };
    for shape in shapes {
        assert_eq!(parse(&shape), expected, "{shape}");
    }
}

#[test]
fn a_body_without_an_error_object_is_no_error() {
    let rows = [
        "",
        "<!DOCTYPE html><title>Error 413</title>",
        "Internal \"error\"",
        r#"{"error":null}"#,
        r#"{"error":true}"#,
        r#"{"errors":{"error":1}}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"{\"error\":{}}"}]}}]}"#,
        r#"{"error":{"code":429"#,
        r#"["error"]"#,
        "data: \"error\"\n\n",
        "\u{0}\"error\"",
    ];
    for body in rows {
        assert_eq!(ErrorBody::parse(body.as_bytes()), None, "{body}");
    }
    assert_eq!(ErrorBody::parse(b"\xFF\xFE\"error\""), None);
}

#[test]
fn code_and_status_are_read_from_what_is_there() {
    let rows = [
        (r#"{"error":{}}"#, None, None, ""),
        (r#"{"error":"no access"}"#, None, None, "no access"),
        (
            r#"{"error":{"code":"rate_limit_exceeded","message":"m"}}"#,
            None,
            Some("rate_limit_exceeded"),
            "m",
        ),
        (r#"{"error":{"code":"429"}}"#, Some(429), None, ""),
        (r#"{"error":{"code":"x","status":"ABORTED"}}"#, None, Some("ABORTED"), ""),
        (r#"{"error":{"code":70000,"status":7,"message":["m"],"details":{}}}"#, None, None, ""),
        (r#"{"error":{"code":-1,"message":null}}"#, None, None, ""),
        (r#"{"event_type":"error","error":{"code":"api_error"}}"#, None, Some("api_error"), ""),
    ];
    for (body, code, status, message) in rows {
        let error = parse(body);
        let read = (error.code, error.status.as_deref(), error.message.as_str());
        assert_eq!(read, (code, status, message), "{body}");
    }
}

#[test]
fn a_quota_error_is_read_whole() {
    let error = parse(QUOTA);
    let violations: Vec<_> = error.quota_violations().cloned().collect();
    let daily = Violation {
        quota_metric: "m/requests".to_owned(),
        quota_id: "PerDay-FreeTier".to_owned(),
        quota_dimensions: QuotaDimensions {
            model: Some("gemini-2.5-flash".to_owned()),
            location: Some("global".to_owned()),
        },
        quota_value: Some(20),
    };
    let minutely = Violation {
        quota_metric: "m/tokens".to_owned(),
        quota_id: "PerMinute-FreeTier".to_owned(),
        quota_value: Some(0),
        ..Violation::default()
    };
    assert_eq!(violations, [daily, minutely]);
    assert_eq!(error.retry_delay(), Some(Duration::from_secs(12)));
    assert_eq!(error.reason(), None);
    let help =
        Link { description: "Learn more".to_owned(), url: "https://ai.google.dev".to_owned() };
    assert_eq!(error.details[0], Detail::Help { links: vec![help] });
}

#[test]
fn the_other_details_are_read_whole() {
    let error = with_details(
        r#"[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"SERVICE_DISABLED","domain":"googleapis.com",
             "metadata":{"service":"s","consumer":"projects/123","n":1}},
            {"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"contents","description":"d"}]},
            {"@type":"type.googleapis.com/google.rpc.LocalizedMessage","locale":"en-US","message":"Hi"},
            {"@type":"type.googleapis.com/google.rpc.DebugInfo","detail":"x"}]"#,
    );
    assert_eq!(error.reason(), Some("SERVICE_DISABLED"));
    assert_eq!(error.project_number(), Some("123"));
    let field = FieldViolation { field: "contents".to_owned(), description: "d".to_owned() };
    assert_eq!(error.details[1], Detail::BadRequest { field_violations: vec![field] });
    let (locale, message) = ("en-US".to_owned(), "Hi".to_owned());
    assert_eq!(error.details[2], Detail::LocalizedMessage { locale, message });
    assert!(matches!(&error.details[3], Detail::Other(value) if value["detail"] == "x"));
}

#[test]
fn a_broken_detail_does_not_lose_the_others() {
    let error = with_details(
        r#"[null, 7, "x", {}, {"@type":9},
            {"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":"none"},
            {"@type":"google.rpc.QuotaFailure","violations":[3,{"quotaId":4,"quotaDimensions":[],"quotaValue":"many"}]},
            {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":{},"metadata":"no"},
            {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":{}},
            {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"},
            {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"3s"}]"#,
    );
    assert_eq!(error.details.len(), 11);
    assert_eq!(error.quota_violations().collect::<Vec<_>>(), [&Violation::default()]);
    assert_eq!(error.reason(), Some("API_KEY_INVALID"));
    assert_eq!(error.retry_delay(), Some(Duration::from_secs(3)));
    assert_eq!(error.project_number(), None);
}

#[test]
fn retry_delays_are_read_or_refused() {
    let rows = [
        (r#""12s""#, Some(Duration::from_secs(12))),
        (r#""0s""#, Some(Duration::ZERO)),
        (r#""45.837906927s""#, Some(Duration::new(45, 837_906_927))),
        (r#""1.0000000019s""#, Some(Duration::new(1, 1))),
        (r#""31536000s""#, Some(Duration::from_secs(31_536_000))),
        ("30", Some(Duration::from_secs(30))),
        (r#""315576000000s""#, Some(Duration::from_secs(315_576_000_000))),
        (r#""315576000001s""#, None),
        (r#""99999999999999999999999999999999999999999999s""#, None),
        ("18446744073709551615", None),
        (r#""1e99s""#, None),
        (r#""-5s""#, None),
        ("-5", None),
        (r#""""#, None),
        (r#""s""#, None),
        (r#"".5s""#, None),
        (r#""5""#, None),
        (r#""5s soon""#, None),
        (r#""NaNs""#, None),
        ("null", None),
        (r#"{"seconds":"5"}"#, None),
    ];
    for (delay, expected) in rows {
        let error = with_details(&format!(
            r#"[{{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":{delay}}}]"#
        ));
        assert_eq!(error.retry_delay(), expected, "{delay}");
    }
}

#[test]
fn a_wait_is_found_in_the_message() {
    let rows = [
        ("Please retry in 48.939935699s.", Some(Duration::new(48, 939_935_699))),
        ("Please retry in 350.5ms", Some(Duration::from_micros(350_500))),
        ("please RETRY IN 1m2.5s.", Some(Duration::from_millis(62_500))),
        ("retry in 1h0m0s", Some(Duration::from_secs(3600))),
        ("Überlast: retry in 7µs", Some(Duration::from_micros(7))),
        ("retry in 90ns", Some(Duration::from_nanos(90))),
        ("retry in 5 minutes", None),
        ("retry in 5min", None),
        ("retry in -5s", None),
        ("retry in 1e9s", None),
        ("retry in 340282366920938463463374607431768211456s", None),
        ("retry in 340282366920938463463374607431768211455h", None),
        ("retry in ", None),
        ("then retry.", None),
        ("", None),
    ];
    for (message, expected) in rows {
        assert_eq!(retry_after_in_message(message), expected, "{message}");
    }
}

#[test]
fn the_detail_outranks_the_message() {
    let body = QUOTA.replace("\"12s\"", "\"none\"");
    assert_eq!(parse(&body).retry_delay(), Some(Duration::from_millis(12_944)));
    assert_eq!(parse(QUOTA).retry_delay(), Some(Duration::from_secs(12)));
}

#[test]
fn only_a_number_counts_as_a_project_number() {
    let rows = [
        ("projects/123", Some("123")),
        ("projects/my-app-1", None),
        ("projects/", None),
        ("api_key:AIza", None),
    ];
    for (consumer, expected) in rows {
        let error = with_details(&format!(
            r#"[{{"@type":"type.googleapis.com/google.rpc.ErrorInfo","metadata":{{"consumer":"{consumer}"}}}}]"#
        ));
        assert_eq!(error.project_number(), expected, "{consumer}");
    }
}

#[test]
fn a_permission_on_a_resource_is_told_from_one_on_the_api() {
    let rows = [
        ("You do not have permission to access the File abc123 or it may not exist.", true),
        ("CachedContent not found (or permission denied)", true),
        ("You do not have permission to access tuned model tunedModels/x.", true),
        ("Permission denied on resource cachedContents/xyz", true),
        ("Your API key was reported as leaked. Please use another API key.", false),
        ("Permission denied: Consumer 'api_key:k' has been suspended.", false),
        (
            "Requests to this API generativelanguage.googleapis.com method \
             google.ai.generativelanguage.v1beta.CacheService.CreateCachedContent are blocked.",
            false,
        ),
        ("", false),
    ];
    for (message, expected) in rows {
        let error = ErrorBody { message: message.to_owned(), ..ErrorBody::default() };
        assert_eq!(error.mentions_resource(), expected, "{message}");
    }
}

#[test]
fn what_is_written_has_googles_shape() {
    let mut out = Vec::new();
    write(429, status_word(429), "Wait \"a\" bit", Some(Duration::from_millis(1500)), &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"error":{"code":429,"message":"Wait \"a\" bit","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.5s"}]}}"#
    );
    let mut out = b"x".to_vec();
    write(500, status_word(500), "", None, &mut out);
    assert_eq!(out, br#"x{"error":{"code":500,"message":"","status":"INTERNAL"}}"#);
}

#[test]
fn each_http_status_has_a_word() {
    let rows = [
        (200, "OK"),
        (400, "INVALID_ARGUMENT"),
        (401, "UNAUTHENTICATED"),
        (403, "PERMISSION_DENIED"),
        (404, "NOT_FOUND"),
        (409, "ABORTED"),
        (413, "INVALID_ARGUMENT"),
        (429, "RESOURCE_EXHAUSTED"),
        (499, "CANCELLED"),
        (500, "INTERNAL"),
        (501, "UNIMPLEMENTED"),
        (502, "UNAVAILABLE"),
        (503, "UNAVAILABLE"),
        (504, "DEADLINE_EXCEEDED"),
        (599, "INTERNAL"),
        (0, "UNKNOWN"),
    ];
    for (code, word) in rows {
        assert_eq!(status_word(code), word, "{code}");
    }
}

proptest! {
    #[test]
    fn what_was_written_reads_back(
        code: u16,
        message in ".{0,40}",
        delay in proptest::option::of((0u64..1 << 38, 0u32..1_000_000_000)),
    ) {
        let delay = delay.map(|(seconds, nanos)| Duration::new(seconds, nanos));
        let mut out = Vec::new();
        write(code, status_word(code), &message, delay, &mut out);
        let error = ErrorBody::parse(&out).unwrap();
        prop_assert_eq!(error.code, Some(code));
        prop_assert_eq!(error.status.as_deref(), Some(status_word(code)));
        prop_assert_eq!(error.retry_delay(), delay.or_else(|| retry_after_in_message(&message)));
        prop_assert_eq!(error.message, message);
    }

    #[test]
    fn no_bytes_make_parsing_panic(
        cut in 0..QUOTA.len(),
        at in 0..QUOTA.len(),
        byte: u8,
        noise in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut mangled = QUOTA.as_bytes().to_vec();
        mangled[at] = byte;
        let _ = ErrorBody::parse(&mangled);
        let _ = ErrorBody::parse(&mangled[..cut]);
        let _ = ErrorBody::parse(&noise);
        let _ = retry_after_in_message(&format!("retry in {}", String::from_utf8_lossy(&noise)));
    }

    #[test]
    fn waits_of_any_number_are_read_or_refused(number in "[0-9]{0,50}\\.?[0-9]{0,12}(ms|s|m|h|x)?") {
        let _ = retry_after_in_message(&format!("retry in {number}"));
    }
}
