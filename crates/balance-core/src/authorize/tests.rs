use http::{HeaderMap, HeaderValue, Uri};

use super::{Caller, authorize};
use crate::{error::Error, settings::Settings};

const TOKEN: &str = "sk-a-token-of-the-operator";
const KEYS: &str =
    "AIzaSyA-first-key-of-caller-00000000001, AIzaSyA-second-key-of-caller-0000000002";

fn settings(pairs: &[(&str, &str)]) -> Settings {
    let source = |name: &str| {
        pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    Settings::read(&source).unwrap()
}

fn pool() -> Settings {
    settings(&[("API_KEYS", "pool-key-number-one-00001"), ("ACCESS_TOKENS", TOKEN)])
}

fn ask(settings: &Settings, headers: &[(&str, &str)], path: &str) -> Result<Caller, Error> {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| {
            (name.parse::<http::HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
        })
        .collect();
    authorize(&headers, &path.parse::<Uri>().unwrap(), settings)
}

fn owned(caller: Result<Caller, Error>) -> usize {
    match caller {
        Ok(Caller::Owner(keys)) => keys.len(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_opens_the_pool_wherever_it_is_shown() {
    let bearer = format!("Bearer {TOKEN}");
    let lower = format!("bearer {TOKEN}");
    for (name, value) in [
        ("authorization", bearer.as_str()),
        ("authorization", lower.as_str()),
        ("x-goog-api-key", TOKEN),
        ("x-api-key", TOKEN),
        ("api-key", TOKEN),
    ] {
        assert!(matches!(ask(&pool(), &[(name, value)], "/"), Ok(Caller::Member)), "{name}");
    }
    assert!(matches!(ask(&pool(), &[], &format!("/x?alt=sse&key={TOKEN}")), Ok(Caller::Member)));
}

#[test]
fn the_first_credential_in_order_counts() {
    let headers = [("authorization", "Bearer wrong"), ("x-goog-api-key", TOKEN)];
    assert!(matches!(
        ask(&pool(), &headers, "/"),
        Err(Error::Unauthorized { credential_given: true })
    ));
    let other_scheme = [("authorization", "Basic eDp5"), ("x-goog-api-key", TOKEN)];
    assert!(matches!(ask(&pool(), &other_scheme, "/"), Ok(Caller::Member)));
}

#[test]
fn strangers_do_not_use_the_pool() {
    assert!(matches!(ask(&pool(), &[], "/"), Err(Error::Unauthorized { credential_given: false })));
    for shown in ["", "x", "AIzaSyGarbage", KEYS] {
        let answer = ask(&pool(), &[("x-goog-api-key", shown)], "/");
        assert!(matches!(answer, Err(Error::Unauthorized { .. })), "{shown:?}: {answer:?}");
    }
}

#[test]
fn an_open_pool_is_open_only_by_name() {
    let open = settings(&[("API_KEYS", "pool-key-number-one-00001"), ("OPEN_POOL", "true")]);
    assert!(matches!(ask(&open, &[], "/"), Ok(Caller::Member)));
    assert!(matches!(ask(&open, &[("x-api-key", "whatever")], "/"), Ok(Caller::Member)));
    let closed = settings(&[("API_KEYS", "pool-key-number-one-00001"), ("OPEN_POOL", "false")]);
    assert!(matches!(ask(&closed, &[], "/"), Err(Error::NoTokens { .. })));
}

#[test]
fn callers_own_keys_follow_the_setting() {
    let bare = settings(&[]);
    assert_eq!(owned(ask(&bare, &[("x-goog-api-key", KEYS)], "/")), 2);
    assert_eq!(owned(ask(&bare, &[("authorization", &format!("Bearer {KEYS}"))], "/")), 2);
    assert_eq!(owned(ask(&bare, &[], "/v1beta/models?key=AIzaSyA-1,AIzaSyA-1,AIzaSyA-2")), 2);

    let always = settings(&[
        ("API_KEYS", "pool-key-number-one-00001"),
        ("ACCESS_TOKENS", TOKEN),
        ("CALLER_KEYS", "always"),
    ]);
    assert_eq!(owned(ask(&always, &[("x-goog-api-key", KEYS)], "/")), 2);
    assert!(matches!(ask(&always, &[("x-goog-api-key", TOKEN)], "/"), Ok(Caller::Member)));

    let never = settings(&[("CALLER_KEYS", "never")]);
    assert!(matches!(ask(&never, &[("x-goog-api-key", KEYS)], "/"), Err(Error::NoKeys { .. })));
}

#[test]
fn nobody_without_credential_is_an_owner() {
    for path in ["/", "/?key=", "/?key=,%20,"] {
        assert!(
            matches!(ask(&settings(&[]), &[], path), Err(Error::Unauthorized { .. })),
            "{path}"
        );
    }
}
