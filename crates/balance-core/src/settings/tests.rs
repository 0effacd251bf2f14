use std::{collections::HashSet, time::Duration};

use super::{ROWS, Settings, WrongSetting};
use crate::{
    key::Tier,
    settings::{CallerKeys, LogFormat},
};

fn read(pairs: &[(&str, &str)]) -> Result<Settings, Vec<WrongSetting>> {
    Settings::read(&|name: &str| {
        pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    })
}

fn wrong(name: &str, value: &str) -> String {
    let errors = read(&[(name, value)]).unwrap_err();
    assert_eq!(errors.len(), 1, "{name}={value}");
    errors[0].to_string()
}

#[test]
fn every_default_is_a_value() {
    let settings = read(&[]).unwrap();
    assert_eq!(settings.port.value(), 8000);
    assert_eq!(settings.first_byte.0, Duration::from_secs(45));
    assert_eq!(settings.max_body_bytes.value(), 100 << 20);
    assert_eq!(settings.caller_keys, CallerKeys::Auto);
    assert_eq!(settings.log_format, LogFormat::Text);
    assert!(settings.api_keys.0.is_empty() && settings.access_tokens.is_empty());
}

#[test]
fn no_two_settings_share_a_name() {
    let mut seen = HashSet::new();
    for name in ROWS.iter().flat_map(|row| row.names) {
        assert!(seen.insert(name), "{name}");
        assert_eq!(*name, name.to_uppercase());
    }
}

#[test]
fn an_empty_value_is_not_set() {
    assert_eq!(read(&[("PORT", " "), ("API_KEYS", "")]).unwrap().port.value(), 8000);
}

#[test]
fn keys_are_read_by_commas_and_as_json() {
    let keys = |text: &str| read(&[("API_KEYS", text)]).unwrap().api_keys.0;
    assert_eq!(keys("one-key-aaaaaaaaaaaaaaaa, two-key-aaaaaaaaaaaaaaaa,,").len(), 2);
    assert_eq!(keys(r#"["one-key-aaaaaaaaaaaaaaaa", "one-key-aaaaaaaaaaaaaaaa", ""]"#).len(), 1);
    let described = keys(
        r#"[{"key": "one-key-aaaaaaaaaaaaaaaa", "weight": 7, "project": "p", "tier": "paid", "enabled": false}]"#,
    );
    let key = &described[0];
    assert_eq!(
        (key.weight.get(), key.project.as_deref(), key.tier, key.enabled),
        (7, Some("p"), Tier::Paid, false)
    );
}

#[test]
fn names_of_older_deployments_work() {
    let settings = read(&[
        ("BACKUP_API_KEYS", "one-key-aaaaaaaaaaaaaaaa"),
        ("ALLOWED_TOKENS", r#"["sk-1"]"#),
        ("MAX_RETRIES", "0"),
        ("TIME_OUT", "60"),
        ("FORWARD_CLIENT_KEY_ENABLED", "true"),
        ("BASE_URL", "https://relay.example/gemini/v1beta/"),
    ])
    .unwrap();
    assert_eq!(settings.api_keys.0.len(), 1);
    assert!(settings.access_tokens.admit("sk-1") && !settings.access_tokens.admit("sk-2"));
    assert_eq!(settings.attempts.value(), 0);
    assert_eq!(settings.caller_keys, CallerKeys::Always);
    assert_eq!(settings.base_url.as_str(), "https://relay.example/gemini");
}

#[test]
fn a_token_may_be_given_by_its_hash() {
    let hash = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert!(read(&[("ACCESS_TOKENS", hash)]).unwrap().access_tokens.admit("abc"));
    assert!(wrong("ACCESS_TOKENS", "sha256:12").contains("64 hex digits"));
}

#[test]
fn a_wrong_value_is_an_error_that_names_the_setting_and_what_is_wanted() {
    for (name, value, wanted) in [
        ("PORT", "65536", "from 0 to 65535"),
        ("PORT", "eight", "whole number"),
        ("OPEN_POOL", "maybe", "true, false"),
        ("CALLER_KEYS", "sometimes", "auto, always or never"),
        ("BASE_URL", "generativelanguage.googleapis.com", "a URL such as"),
        ("BASE_URL", "ftp://x", "a URL such as"),
        ("BASE_URL", "https://user:pass@x", "a URL such as"),
        ("FIRST_BYTE_SECONDS", "-1", "more than 0"),
        ("FIRST_BYTE_SECONDS", "NaN", "more than 0"),
        ("DEADLINE_SECONDS", "1e9", "at most 86400"),
        ("MAX_BODY_BYTES", "0", "from 1"),
        ("STRATEGY", "best", "balanced"),
        ("PROXIES", "localhost:3128", "proxy 1"),
        ("API_KEYS", "[1]", "key 1"),
        ("API_KEYS", "[", "no JSON list"),
        ("API_KEYS", r#"[{"key": "one-key-aaaaaaaaaaaaaaaa", "wieght": 1}]"#, "key 1"),
        ("API_KEYS", r#"[{"key": "one-key-aaaaaaaaaaaaaaaa", "weight": 0}]"#, "weight"),
        ("LOG_FORMAT", "xml", "text or json"),
    ] {
        let message = wrong(name, value);
        assert!(message.starts_with(name) && message.contains(wanted), "{message}");
    }
}

#[test]
fn all_wrong_values_are_shown_at_once() {
    assert_eq!(read(&[("PORT", "x"), ("OPEN_POOL", "x"), ("STRATEGY", "x")]).unwrap_err().len(), 3);
}

#[test]
fn nothing_secret_is_printed() {
    let secret = "AIzaSyA-very-secret-value-indeed-0000001";
    let settings = read(&[
        ("API_KEYS", secret),
        ("ACCESS_TOKENS", secret),
        ("PROXIES", "http://user:very-secret-value-indeed@h:1"),
    ])
    .unwrap();
    assert!(!format!("{settings:?}").contains("very-secret-value-indeed"));
    let errors = read(&[
        ("API_KEYS", "AIzaSyA very-secret-value-indeed"),
        ("PROXIES", "very-secret-value-indeed"),
    ])
    .unwrap_err();
    assert!(!format!("{errors:?}").contains("very-secret-value-indeed"));
}

#[test]
fn limits_of_the_pool_are_read() {
    let settings = read(&[
        ("DEFAULT_RPM", "5"),
        ("DEFAULT_RPD", "100"),
        ("MODEL_RATE_LIMITS", r#"{"gemini-3.8-flash": [10, 500]}"#),
        ("KEY_RATE_LIMITS", r#"{"abcdefgh": [2, 20]}"#),
    ])
    .unwrap();
    let limits = settings.pool_limits();
    assert_eq!(limits.default.requests_per_minute, Some(5));
    assert_eq!(limits.default.requests_per_day, Some(100));
    assert_eq!(limits.default.tokens_per_minute, None);
    assert_eq!(limits.by_model["gemini-3.8-flash"].requests_per_day, Some(500));
    assert_eq!(limits.by_key.0["abcdefgh"].requests_per_minute, Some(2));
    assert!(wrong("DEFAULT_RPM", "0").contains("from 1 to"));
}
