use std::{
    collections::HashSet,
    env, process,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::*;

const POOL: (&str, &str) = ("API_KEYS", "k1,k2");

/// A folder of its own for each test.
fn folder() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = env::temp_dir().join(format!("gemini-balance-tokens-{}-{count}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn settings(given: &[(&str, &str)], file: &Path) -> Settings {
    let file = file.to_str().unwrap();
    let value = |name: &str| {
        let text = given.iter().find(|(given, _)| *given == name).map(|(_, text)| *text);
        text.or_else(|| (name == "STATE_FILE").then_some(file)).map(Into::into)
    };
    Settings::read(&value).unwrap()
}

#[test]
fn a_made_token_is_shown_once_and_remembered_by_its_hash() {
    let file = folder().join("state.json");
    let mut first = settings(&[POOL], &file);
    let Guard::Made { token, .. } = guard(&mut first).unwrap() else { panic!("no token made") };
    let random = token.strip_prefix("gb-").unwrap();
    assert_eq!(random.len(), 32);
    assert!(random.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    assert!(first.access_tokens.admit(&token));
    assert!(!fs::read_to_string(&file).unwrap().contains(random));

    let mut second = settings(&[POOL], &file);
    assert_eq!(guard(&mut second).unwrap(), Guard::Remembered(file));
    assert!(second.access_tokens.admit(&token) && !second.access_tokens.admit("gb-"));
}

#[cfg(unix)]
#[test]
fn the_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let file = folder().join("state.json");
    fs::write(file.with_extension("json.new"), "left by a crash").unwrap();
    guard(&mut settings(&[POOL], &file)).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn no_token_is_made_where_none_is_needed() {
    let file = folder().join("state.json");
    for (given, expected) in [
        (vec![], Guard::NoPool),
        (vec![POOL, ("OPEN_POOL", "true")], Guard::Nothing),
        (vec![POOL, ("ACCESS_TOKENS", "t")], Guard::Given),
    ] {
        assert_eq!(guard(&mut settings(&given, &file)).unwrap(), expected);
    }
    assert!(!file.exists());
}

#[test]
fn without_a_file_each_start_makes_another_token() {
    let tokens: HashSet<_> = (0..3)
        .map(|_| {
            let mut settings = settings(&[POOL], Path::new(""));
            settings.state_file = String::new();
            let Guard::Made { token, file: None } = guard(&mut settings).unwrap() else {
                panic!("no token made")
            };
            assert!(settings.access_tokens.admit(&token));
            token
        })
        .collect();
    assert_eq!(tokens.len(), 3);
}

#[test]
fn a_file_that_cannot_be_used_stops_the_start_and_says_what_to_do() {
    let folder = folder();
    let digits = "é".repeat(32);
    for (name, text) in [
        ("empty", String::new()),
        ("no-json", "{".into()),
        ("no-digest", "{}".into()),
        ("short", r#"{"access_token_sha256": "ab"}"#.into()),
        ("no-hex", format!(r#"{{"access_token_sha256": "{digits}"}}"#)),
    ] {
        let file = folder.join(name);
        fs::write(&file, &text).unwrap();
        let mut settings = settings(&[POOL], &file);
        let error = format!("{:#}", guard(&mut settings).unwrap_err());
        assert!(error.contains(name) && error.contains("delete it"), "{error}");
        assert!(settings.access_tokens.is_empty());
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
}

#[test]
fn a_file_that_cannot_be_written_stops_the_start_and_says_what_to_do() {
    let file = folder().join("absent").join("state.json");
    let error = format!("{:#}", guard(&mut settings(&[POOL], &file)).unwrap_err());
    assert!(error.contains("ACCESS_TOKENS") && error.contains("STATE_FILE"), "{error}");
}
