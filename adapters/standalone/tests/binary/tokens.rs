//! The token of a pool whose operator set none.

use std::fs;

use crate::process::{Server, folder};

const POOL: [(&str, &str); 1] = [("API_KEYS", "AIzaSyABCDEFGHIJKLMNOPQRSTUVWXYZ0123456")];

fn token(text: &str) -> Option<&str> {
    text.lines().map(str::trim).find(|line| line.starts_with("gb-"))
}

#[test]
fn a_token_is_printed_at_the_first_start_only_and_kept_as_a_hash() {
    let folder = folder();
    let first = Server::start(&folder, &POOL);
    let token = token(&first.greeting).unwrap().to_owned();
    let output = first.stop();
    assert_eq!(output.matches(&token).count(), 1);
    let files = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
    for file in files {
        assert!(!fs::read_to_string(file).unwrap().contains(&token));
    }

    let second = Server::start(&folder, &POOL);
    assert!(second.greeting.contains("printed at the first start"), "{}", second.greeting);
    assert!(second.greeting.contains("delete gemini-balance-state.json"), "{}", second.greeting);
    // An unknown route, so that nothing is sent anywhere: the token is judged before.
    let authorized = |token: &str| {
        let token = format!("Bearer {token}");
        let answer = second.ask("POST /v1/chat/completions", &[("Authorization", &token)], "{");
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!((authorized(&token).as_str(), authorized("gb-wrong").as_str()), ("400", "401"));
    assert!(!second.stop().contains(&token));
}

#[test]
fn a_damaged_state_file_stops_the_start() {
    let folder = folder();
    fs::write(folder.join("gemini-balance-state.json"), "{").unwrap();
    let settings = [POOL[0], ("HOST", "127.0.0.1"), ("PORT", "0")];
    let (code, text) = crate::process::run(&folder, &settings, &[]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("gemini-balance-state.json cannot be used"), "{text}");
    assert!(text.contains("delete it"), "{text}");
}
