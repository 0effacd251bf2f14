//! No secret comes out: whatever upstream does, no key of the pool, no caller's key and no access
//! token stands whole in any answer or in anything that the program writes.

#![cfg(test)]

use std::{collections::BTreeMap, path::Path};

use balance_mock::{ErrorEvent, ErrorForm, ErrorName, Mock, Rule, Setup, Shape, Strangers};
use balance_testkit::{
    client::{self, Manner},
    scenario::{Asked, Leaves, Names, Received, TOKEN, Usual, key},
    server::Server,
    shared,
};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

/// How many servers run at the same time.
const AT_ONCE: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_comes_out_under_any_fault() {
    let faults = faults();
    let count = faults.len();
    let runs = stream::iter(faults).map(|(name, rule)| async move {
        let seen = suffer(&rule).await;
        let secrets = [key('a'), key('b'), key('x'), TOKEN.to_owned()];
        let leaks = secrets.iter().filter(|secret| seen.contains(*secret));
        let leaks: Vec<_> = leaks.map(|secret| context(&seen, secret)).collect();
        (name, seen.len(), leaks)
    });
    let runs: Vec<_> = runs.buffer_unordered(AT_ONCE).collect().await;
    let bytes: usize = runs.iter().map(|(_, seen, _)| seen).sum();
    shared::tell(&format!("{count} faults suffered, {bytes} bytes searched for keys and tokens"));
    let leaks: Vec<_> = runs.iter().filter(|(_, _, leaks)| !leaks.is_empty()).collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
    assert!(bytes > count * 1000, "there was next to nothing to search");
}

/// What stands around a secret that came out.
fn context(seen: &str, secret: &str) -> String {
    let place = seen.find(secret).unwrap();
    let start = seen.floor_char_boundary(place.saturating_sub(300));
    seen[start..place + secret.len()].to_owned()
}

/// All that can go wrong upstream, by name.
fn faults() -> Vec<(String, Rule)> {
    let mut faults = Vec::new();
    for error in ErrorName::ALL.iter().copied() {
        faults.push((format!("error {}", error.word()), Rule::error(error)));
    }
    for error in [ErrorName::Suspended, ErrorName::Overloaded, ErrorName::QuotaDay] {
        for (after, form) in
            [(0, ErrorForm::Sse), (0, ErrorForm::Raw), (1, ErrorForm::Sse), (1, ErrorForm::Raw)]
        {
            let event = ErrorEvent { after, error, form };
            let chunk = (form == ErrorForm::Raw).then_some(1);
            let rule = Rule { error_event: Some(event), chunk, ..Rule::default() };
            faults.push((format!("{} after {after} events, {form:?}", error.word()), rule));
        }
    }
    let lines = [
        Rule { reset: true, ..Rule::default() },
        Rule { cut: Some(0), ..Rule::default() },
        Rule { cut: Some(150), ..Rule::default() },
        Rule { cut: Some(150), reset: true, ..Rule::default() },
        Rule { silence: Some(0), ..Rule::default() },
        Rule { silence: Some(150), ..Rule::default() },
        Rule { malformed_event: Some(0), ..Rule::default() },
        Rule { malformed_event: Some(1), ..Rule::default() },
        Rule { content_length: Some(10), ..Rule::default() },
        Rule { gzip: true, ..Rule::default() },
        Rule { chunk: Some(1), ..Rule::default() },
        Rule::answer(Shape { empty: true, ..Shape::default() }),
        Rule::answer(Shape { no_finish: true, ..Shape::default() }),
        Rule::default(),
    ];
    faults.extend(lines.into_iter().map(|rule| (json!(rule).to_string(), rule)));
    faults.extend(words());
    faults
}

/// Answers that show the pool's keys in their words.
fn words() -> Vec<(String, Rule)> {
    let (both, sent) = (format!("{} and {}", key('a'), key('b')), key('a'));
    let error = |code: u16, message: &str, details: Value| json!({ "error": { "code": code, "message": message, "status": "PERMISSION_DENIED", "details": details } });
    let debug = json!([{ "@type": "type.googleapis.com/google.rpc.DebugInfo", "detail": format!("Invalid API key: {both}") }]);
    let info = json!([{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "OTHER", "metadata": { "consumer": format!("api_key:{both}") } }]);
    let event = format!("data: {}\n\n", error(503, &sent, json!([])));
    let bodies: [(u16, Value); 9] = [
        (
            403,
            error(
                403,
                &format!("Permission denied: Consumer 'api_key:{both}' has been suspended."),
                json!([]),
            ),
        ),
        (400, error(400, &format!("Bad key {both}."), debug)),
        (403, error(403, "No.", info)),
        (500, both.clone().into()),
        (404, format!("<html><a href=\"/x?key={both}\">{both}</a></html>").into()),
        (429, json!([error(429, &both, json!([]))])),
        (418, format!("{both}\u{0}\u{ff}").into()),
        (200, event.into()),
        (200, error(503, &sent, json!([]))),
    ];
    let rule = |(status, body): (u16, Value)| {
        let rule = Rule::status(status, body);
        (format!("keys in the words of a {status}: {}", json!(rule)), rule)
    };
    bodies.into_iter().map(rule).collect()
}

/// Asks everything of a server whose upstream has this fault; gives all that came out of it.
async fn suffer(rule: &Rule) -> String {
    let mock = Mock::start(Setup { strangers: Strangers::Admit, ..Setup::empty() }).await.unwrap();
    mock.script(rule.clone());
    let settings = settings(mock.base_url(), rule);
    let server = Server::start(Path::new(env!("CARGO_BIN_EXE_gemini-balance")), &settings).unwrap();
    let names = Names { door: server.url(), upstream: mock.base_url().into() };
    let mut seen = String::new();
    for asked in questions(rule) {
        let request = asked.request(&names, &Received::default()).unwrap();
        let manner = Manner { cut: None, leaves: asked.leaves };
        match client::ask(server.address(), request, manner).await {
            Ok(reply) => seen.push_str(&format!("{:?}\n{}\n", reply.headers, reply.text())),
            Err(error) => seen.push_str(&format!("{error}\n")),
        }
    }
    seen + &server.stop()
}

/// Whether an answer of status 200 shows a key in its words. There only the key that was sent can be
/// told from the words of a model, so only that key is used.
fn shows_the_key_sent(rule: &Rule) -> bool {
    rule.status == Some(200)
}

fn settings(upstream: &str, rule: &Rule) -> BTreeMap<String, String> {
    let both = format!("{},{}", key('a'), key('b'));
    let keys = if shows_the_key_sent(rule) { key('a') } else { both };
    let settings = [
        ("BASE_URL", upstream),
        ("API_KEYS", &keys),
        ("ACCESS_TOKENS", TOKEN),
        ("CALLER_KEYS", "always"),
        ("FIRST_BYTE_SECONDS", "0.3"),
        ("IDLE_SECONDS", "0.3"),
        ("DEADLINE_SECONDS", "1"),
        // Everything that the libraries underneath can tell, too.
        ("LOG_LEVEL", "trace,gemini_balance=trace"),
    ];
    settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// One request of each kind, by the token and by a caller's own key.
fn questions(rule: &Rule) -> Vec<Asked> {
    let usual = [Usual::Chat, Usual::ChatStream, Usual::Generate, Usual::Stream, Usual::Array];
    let usual = usual.map(|ask| Asked { ask: Some(ask), ..Asked::default() });
    let own_key = BTreeMap::from([("x-goog-api-key".to_owned(), "{x}".to_owned())]);
    let by_own_key = usual.clone().map(|asked| Asked { headers: own_key.clone(), ..asked });
    let get = |path: &str| Asked { path: Some(path.into()), ..Asked::default() };
    let others = [
        get("/v1beta/models?key={token}"),
        get("/v1/models"),
        get("/v1beta/files?key={x}"),
        get("/v1beta/files"),
        get("/verify?key={x},{a}"),
        get("/health"),
        get("/"),
        get("/nothing?key={token}"),
        Asked {
            path: Some("/v1/embeddings".into()),
            body: Some(json!({ "model": "gemini-embedding-001", "input": "Hi" })),
            ..Asked::default()
        },
        Asked {
            path: Some("/v1/responses".into()),
            body: Some(json!({ "model": "gemini-2.5-flash", "input": "Hi" })),
            ..Asked::default()
        },
        Asked { ask: Some(Usual::Stream), leaves: Some(Leaves::Having(1)), ..Asked::default() },
    ];
    let all = usual.into_iter().chain(by_own_key).chain(others);
    let by_token = |asked: &Asked| {
        asked.headers.is_empty() && asked.path.as_deref().is_none_or(|path| !path.contains("{x}"))
    };
    all.filter(|asked| !shows_the_key_sent(rule) || by_token(asked)).collect()
}
