//! What the operator reads at the start: where the server is, who may use it, what to do next.
//!
//! Invariant: a made token is shown here and nowhere else.

use std::{
    fmt::Write as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use balance_core::settings::{CallerKeys, Settings};

use crate::tokens::Guard;

/// The text of the start. Its line `listening on http://…` is there for programs to read.
pub(crate) fn welcome(settings: &Settings, guard: &Guard, address: SocketAddr) -> String {
    let url = format!("http://{}", reachable(address));
    let mut text = format!("Gemini Balance {}\n", env!("CARGO_PKG_VERSION"));
    if address.ip().is_unspecified() {
        text.push_str("It can be reached at every address of this machine. Here it is\n");
    }
    // Writing to a String cannot fail.
    let _written = writeln!(text, "listening on {url}\n\n{}", keys(settings));
    let _written = writeln!(text, "{}", access(guard));
    let credential = match guard {
        Guard::NoPool if settings.caller_keys == CallerKeys::Never => None,
        Guard::NoPool => Some("$GEMINI_API_KEY"),
        Guard::Nothing => Some("any"),
        Guard::Made { .. } | Guard::Given | Guard::Remembered(_) => Some("$ACCESS_TOKEN"),
    };
    if let Some(credential) = credential {
        let _written = writeln!(text, "Try it:\n{}", example(&url, credential));
    }
    text.push_str("README.md begins with a tour of three minutes that needs no Google account.\n");
    text
}

fn keys(settings: &Settings) -> String {
    let usable = settings.api_keys.0.iter().filter(|key| key.enabled).count();
    match (settings.api_keys.0.len(), settings.caller_keys) {
        (0, CallerKeys::Never) => "No Gemini keys are set. Set API_KEYS (by commas, in the \
            environment, .env or gemini-balance.toml) and start again."
            .into(),
        (0, CallerKeys::Auto | CallerKeys::Always) => {
            "No Gemini keys are set. Either set API_KEYS \
            (by commas, in the environment, .env or\ngemini-balance.toml) and start again, or send \
            keys of your own with each request."
                .into()
        }
        (1, _) => format!("1 Gemini key in the pool, {usable} in use."),
        (count, _) => format!("{count} Gemini keys in the pool, {usable} in use."),
    }
}

/// Who may use the pool; a line or more.
fn access(guard: &Guard) -> String {
    match guard {
        Guard::NoPool => String::new(),
        Guard::Nothing => "\
            !! OPEN_POOL is true: anyone who reaches this server uses your keys, without a token.\n\
            !! Set ACCESS_TOKENS and take OPEN_POOL away, unless that is what you want.\n"
            .into(),
        Guard::Given => "Callers show one of the tokens in ACCESS_TOKENS.\n".into(),
        Guard::Remembered(file) => format!(
            "Callers show the access token that was printed at the first start. To have a new one \
             made,\ndelete {} and start again; or set ACCESS_TOKENS.\n",
            file.display()
        ),
        Guard::Made { token, file } => {
            let lasting = file.as_ref().map_or_else(
                || "It is good until this server stops, as STATE_FILE is empty.".into(),
                |file| format!("It is good from now on; {} knows its hash.", file.display()),
            );
            format!(
                "No ACCESS_TOKENS are set, so a token was made. Callers show it as their API key:\
                 \n\n    {token}\n\nThis is the only time that it is shown. {lasting}\n"
            )
        }
    }
}

fn example(url: &str, credential: &str) -> String {
    format!(
        "\n  curl {url}/v1/chat/completions \\\n    \
         -H \"Authorization: Bearer {credential}\" -H \"Content-Type: application/json\" \\\n    \
         -d '{{\"model\":\"gemini-flash-latest\",\"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'\n"
    )
}

/// An address to reach the server at from this machine.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(given: &[(&str, &str)], guard: &Guard, address: &str) -> String {
        let value = |name: &str| {
            given.iter().find(|(given, _)| *given == name).map(|(_, text)| (*text).into())
        };
        welcome(&Settings::read(&value).unwrap(), guard, address.parse().unwrap())
    }

    #[test]
    fn the_address_is_one_that_can_be_opened() {
        for (address, url) in [
            ("0.0.0.0:8000", "listening on http://127.0.0.1:8000\n"),
            ("[::]:8000", "listening on http://[::1]:8000\n"),
            ("192.0.2.1:80", "listening on http://192.0.2.1:80\n"),
        ] {
            assert!(text(&[], &Guard::NoPool, address).contains(url), "{address}");
        }
    }

    #[test]
    fn without_keys_it_says_how_to_get_some() {
        let text = text(&[], &Guard::NoPool, "127.0.0.1:1");
        assert!(text.contains("set API_KEYS") && text.contains("keys of your own"));
        assert!(text.contains("curl http://127.0.0.1:1/v1/chat/completions"));
    }

    #[test]
    fn keys_of_callers_are_not_offered_where_they_are_refused() {
        let text = text(&[("CALLER_KEYS", "never")], &Guard::NoPool, "127.0.0.1:1");
        assert!(text.contains("Set API_KEYS") && !text.contains("your own"));
        assert!(!text.contains("curl"));
    }

    #[test]
    fn an_open_pool_is_said_loudly() {
        let text = text(&[("API_KEYS", "k")], &Guard::Nothing, "127.0.0.1:1");
        assert!(text.contains("!! OPEN_POOL is true"));
    }

    #[test]
    fn a_made_token_is_shown_and_the_keys_are_not() {
        let guard = Guard::Made { token: "gb-x".into(), file: Some("state.json".into()) };
        let text = text(&[("API_KEYS", "secret-1,secret-2")], &guard, "127.0.0.1:1");
        assert!(text.contains("    gb-x\n") && text.contains("2 Gemini keys"));
        assert_eq!(text.matches("gb-x").count(), 1);
        assert!(!text.contains("secret"));
    }
}
