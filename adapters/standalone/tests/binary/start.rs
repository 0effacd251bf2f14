//! The start: settings from everywhere, what is told, what is refused.

use std::{fs, io, net::TcpListener};

use crate::process::{Server, command, folder, run};

#[test]
fn with_nothing_set_it_answers_health_and_says_what_to_do_next() {
    let server = Server::start(&folder(), &[]);
    let answer = server.ask("GET /health", &[], "");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with('}'), "{answer}");
    let curl = format!("curl http://{}/v1/chat/completions", server.address);
    for told in ["No Gemini keys are set", "API_KEYS", &curl, "README.md"] {
        assert!(server.greeting.contains(told), "{told}: {}", server.greeting);
    }
    server.stop();
}

#[test]
fn the_environment_is_stronger_than_dotenv_and_dotenv_than_the_file() {
    let folder = folder();
    let keys = |server: Server| {
        let line = server.greeting.lines().find(|line| line.contains("in the pool"));
        line.unwrap().to_owned()
    };
    fs::write(folder.join("gemini-balance.toml"), "api_keys = [\"f1\", \"f2\", \"f3\"]").unwrap();
    assert_eq!(keys(Server::start(&folder, &[])), "3 Gemini keys in the pool, 3 in use.");
    fs::write(folder.join(".env"), "API_KEYS=[\"d1\", \"d2\"] # two").unwrap();
    assert_eq!(keys(Server::start(&folder, &[])), "2 Gemini keys in the pool, 2 in use.");
    let environment = [("GEMINI_API_KEYS", "e1")];
    assert_eq!(keys(Server::start(&folder, &environment)), "1 Gemini key in the pool, 1 in use.");
}

#[test]
fn another_file_can_be_named_and_must_exist() {
    let folder = folder();
    fs::write(folder.join("other.toml"), "port = \"http\"").unwrap();
    let (code, text) = run(&folder, &[], &["--check", "--config", "other.toml"]);
    assert!(code == 2 && text.contains("PORT (other.toml): wanted a whole number"), "{text}");
    let (code, text) = run(&folder, &[], &["--check", "--config", "absent.toml"]);
    assert!(code == 2 && text.contains("absent.toml: it cannot be read"), "{text}");
}

#[test]
fn everything_wrong_is_told_at_once_without_the_values() {
    let folder = folder();
    fs::write(folder.join(".env"), "API_KEYS=AIza with space\nnonsense\n").unwrap();
    fs::write(folder.join("gemini-balance.toml"), "pord = 1\nidle_seconds = \"soon\"").unwrap();
    let settings = [("PORT", "http"), ("PROXIES", "ftp://user:hidden@proxy.test")];
    let (code, text) = run(&folder, &settings, &[]);
    assert_eq!(code, 2, "{text}");
    for told in [
        ".env: line 2: wanted NAME=value",
        "gemini-balance.toml: `pord` is no setting",
        "PORT (environment): wanted a whole number from 0 to 65535",
        "API_KEYS (.env): key 1",
        "PROXIES (environment): proxy 1",
        "IDLE_SECONDS (gemini-balance.toml): wanted seconds",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert!(!["AIza", "nonsense", "hidden", "soon"].iter().any(|value| text.contains(value)));
}

#[test]
fn a_wrong_log_level_is_told_like_any_setting() {
    let (code, text) = run(&folder(), &[("LOG_LEVEL", "loud")], &[]);
    assert!(code == 2 && text.contains("LOG_LEVEL: wanted error, warn"), "{text}");
}

#[test]
fn a_port_that_is_taken_is_told_in_one_line() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let (code, text) = run(&folder(), &[("HOST", "127.0.0.1"), ("PORT", &port)], &[]);
    assert_eq!((code, text.lines().count()), (1, 1), "{text}");
    assert!(text.contains(&format!("cannot listen on port {port} of 127.0.0.1")), "{text}");
    assert!(text.contains("Set PORT"), "{text}");
}

#[test]
fn an_open_pool_is_said_loudly() {
    let settings = [("API_KEYS", "k1"), ("OPEN_POOL", "true")];
    let server = Server::start(&folder(), &settings);
    assert!(server.greeting.contains("!! OPEN_POOL is true"), "{}", server.greeting);
}

#[test]
fn output_that_nobody_reads_is_no_reason_to_panic() {
    let (_, unread) = io::pipe().unwrap();
    let status = command(&folder(), &[]).arg("--help").stdout(unread).status().unwrap();
    assert!(status.success());
}

#[test]
fn help_version_and_check_need_no_server() {
    let folder = folder();
    let (code, text) = run(&folder, &[], &["--help"]);
    assert!(code == 0 && text.contains("--config FILE") && text.contains("MAX_BODY_BYTES"));
    let (code, text) = run(&folder, &[], &["--version"]);
    assert_eq!((code, text), (0, format!("gemini-balance {}\n", env!("CARGO_PKG_VERSION"))));
    let (code, text) = run(&folder, &[], &["--check"]);
    assert_eq!((code, text.as_str()), (0, "The settings are right.\n"));
    let (code, text) = run(&folder, &[], &["--port", "1"]);
    assert!(code == 2 && text.contains("--port"), "{text}");
}
