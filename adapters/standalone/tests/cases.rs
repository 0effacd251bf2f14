//! Recorded exchanges with Gemini, replayed through the program in front of the fake.
//!
//! The recordings lie in a folder `shared/cases` beside the checkout. Where it is absent, the test
//! says so and replays the few cases of the repository (`fixtures/cases`).

#![cfg(test)]

use std::{collections::HashMap, net::SocketAddr, path::Path};

use balance_core::key::KeyId;
use balance_mock::{
    Entry, Mock, Rule, Setup, Strangers,
    cases::{self, Case, CaseResponse},
};
use balance_testkit::{
    client::{self, Manner},
    scenario::Received,
    server::Server,
    shared,
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderName, HeaderValue, Method, Request};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// In what pieces upstream sends a body; `None` is as it comes.
const CHUNKS: [Option<usize>; 3] = [Some(1), Some(7), None];

/// How many replays run at the same time.
const AT_ONCE: usize = 16;

/// One replay of a case.
struct Replay<'a> {
    case: &'a Case,
    chunk: Option<usize>,
    /// The caller's own key, of which there is one for each replay: what Google says of a key must
    /// not concern the next replay.
    key: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_recorded_case_is_replayed() {
    let folder = shared::folder("cases").unwrap_or_else(|| {
        shared::tell("there is no folder shared/cases beside the checkout: own cases only");
        shared::own_folder("fixtures/cases")
    });
    let all = cases::load(&folder).unwrap();
    let replays: Vec<_> = all.iter().enumerate().flat_map(replays).collect();
    let setup = Setup {
        strangers: Strangers::Admit,
        cases: Some(folder),
        log: 2 * replays.len(),
        ..Setup::empty()
    };
    let mock = Mock::start(setup).await.unwrap();
    let settings = [("BASE_URL".into(), mock.base_url().into())].into();
    let program = Path::new(env!("CARGO_BIN_EXE_gemini-balance"));
    let server = Server::start(program, &settings).unwrap();

    let asked = stream::iter(&replays).map(|replay| replay.ask(server.address()));
    let replies: Vec<_> = asked.buffered(AT_ONCE).collect().await;
    let mut log = HashMap::<String, Vec<Entry>>::new();
    for entry in mock.log() {
        log.entry(entry.secret().unwrap_or_default()).or_default().push(entry);
    }
    let failures: Vec<_> = replays
        .iter()
        .zip(replies)
        .filter_map(|(replay, reply)| {
            let sent = log.get(&replay.key).map_or(&[][..], Vec::as_slice);
            let why = reply.and_then(|reply| replay.check(&reply, sent)).err()?;
            Some(format!("FAILED  {} in pieces of {:?}\n{why}\n", replay.case.id, replay.chunk))
        })
        .collect();

    let translated = all.iter().filter(|case| is_translated(case)).count();
    let native = all.len() - translated;
    let (cases, ways, replays, failed) = (all.len(), CHUNKS.len(), replays.len(), failures.len());
    shared::tell(&format!(
        "{cases} recorded cases: {native} native in {ways} ways, {translated} translated; {replays} \
         replays, {failed} failed"
    ));
    assert!(!all.is_empty());
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// A native case is replayed in pieces of each size. Of a translated one the answer is the fake's.
fn replays((number, case): (usize, &Case)) -> Vec<Replay<'_>> {
    let chunks = if is_translated(case) { &[None] } else { &CHUNKS[..] };
    let key = |way: usize| format!("AIzaSyCase_{number:0>20}_way_{way:0>3}");
    let replay =
        |(way, chunk): (usize, &Option<usize>)| Replay { case, chunk: *chunk, key: key(way) };
    chunks.iter().enumerate().map(replay).collect()
}

/// Whether the path is one of OpenAI's, which is not passed through, or the list of models, which has
/// the names that suffixes make.
fn is_translated(case: &Case) -> bool {
    case.kind.starts_with("openai.")
        || case.request.path.contains("/openai/")
        || is_list_of_models(case)
}

fn is_list_of_models(case: &Case) -> bool {
    let path = case.request.path.split('?').next();
    case.request.method == "GET" && path == Some("/v1beta/models")
}

impl Replay<'_> {
    async fn ask(&self, to: SocketAddr) -> Result<Received, String> {
        client::ask(to, self.request(), Manner::default()).await
    }

    fn request(&self) -> Request<Bytes> {
        let asked = &self.case.request;
        let mut request = Request::new(self.body());
        *request.method_mut() = asked.method.parse().unwrap();
        *request.uri_mut() = self.path().parse().unwrap();
        let headers = request.headers_mut();
        for (name, value) in &asked.headers {
            headers.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        headers.remove("authorization");
        let mut set = |name: &'static str, text: &str| {
            headers.insert(name, HeaderValue::from_str(text).unwrap());
        };
        if is_translated(self.case) {
            set("authorization", &format!("Bearer {}", self.key));
        } else {
            set("x-goog-api-key", &self.key);
            let rule = Rule { chunk: self.chunk, ..Rule::case(&self.case.id) };
            set("x-mock-rule", &json!(rule).to_string());
        }
        request
    }

    /// The path as a client writes it; some recorders left placeholders in `<>`.
    fn path(&self) -> String {
        self.case.request.path.replace('<', "%3C").replace('>', "%3E")
    }

    fn body(&self) -> Bytes {
        let asked = &self.case.request;
        match (asked.body.is_null(), asked.method == Method::POST.as_str()) {
            (true, true) => "{}".into(),
            (true, false) => Bytes::new(),
            (false, _) => asked.body.to_string().into(),
        }
    }

    /// Whether this request reached upstream byte for byte; of uploads the fake keeps a digest.
    fn is_sent_as(&self, sent: &Entry) -> bool {
        let has_body = match sent.digest {
            Some(digest) => digest == <[u8; 32]>::from(Sha256::digest(self.body())),
            None => sent.body == self.body(),
        };
        sent.path() == self.path() && has_body
    }

    fn check(&self, reply: &Received, sent: &[Entry]) -> Result<(), String> {
        if is_translated(self.case) {
            return well_formed(self.case, reply);
        }
        let [sent] = sent else {
            return Err(format!("upstream was asked {} times: {}", sent.len(), reply.text()));
        };
        if !self.is_sent_as(sent) {
            return Err(format!("upstream was asked {} {:?}", sent.path(), sent.body));
        }
        let answer = &self.case.response;
        if let Some(error) = error_in_spite_of_its_status(answer) {
            let (code, message) = (&error["code"], &error["message"]);
            let given = &reply.json()["error"];
            let is_told =
                *code == reply.status && given["code"] == *code && given["message"] == *message;
            return if is_told {
                Ok(())
            } else {
                Err(format!("{} {}", reply.status, reply.text()))
            };
        }
        if reply.status != answer.status {
            return Err(format!(
                "{} in place of {}: {}",
                reply.status,
                answer.status,
                reply.text()
            ));
        }
        if let Some(kind) = answer.headers.get("content-type")
            && reply.headers.get("content-type").is_none_or(|given| given != kind)
        {
            return Err(format!("the type is {:?}", reply.headers.get("content-type")));
        }
        if reply.text().contains(&self.key) {
            return Err("the key comes back".into());
        }
        same_body(&answer.bytes(), &self.unlabelled(reply), answer.status)
    }

    /// The reply without what tells its key behind the names of what was made with it.
    fn unlabelled(&self, reply: &Received) -> Received {
        let label = format!("-gb{}", KeyId::of(&self.key));
        let mut reply = reply.clone();
        if let Ok(text) = std::str::from_utf8(&reply.body) {
            reply.body = text.replace(&label, "").into();
        }
        reply
    }
}

/// The error in a whole answer of status 200, which gets the status that it names.
fn error_in_spite_of_its_status(answer: &CaseResponse) -> Option<Value> {
    let body: Value = serde_json::from_slice(&answer.bytes()).ok()?;
    (answer.status == 200).then(|| body.get("error").cloned()).flatten()
}

/// A body is the same byte for byte. But an error may be rid of what could show a key, and a stream
/// that recorded no end gets one: an error event.
fn same_body(recorded: &[u8], reply: &Received, status: u16) -> Result<(), String> {
    if reply.broke.is_none() && reply.body == recorded {
        return Ok(());
    }
    let text = String::from_utf8_lossy(recorded).into_owned();
    let before = Received { body: recorded.to_vec(), ..Received::default() };
    if status >= 400 && without_debug_info(before.events()) == without_debug_info(reply.events()) {
        return Ok(());
    }
    let rest = reply.body.strip_prefix(recorded);
    let rest = rest.map(|rest| Received { body: rest.to_vec(), ..Received::default() });
    let is_told = rest.is_some_and(|rest| {
        rest.events().len() == 1
            && rest.events().iter().all(|event| event.pointer("/error/code").is_some())
    });
    if is_told && before.finish().is_none() {
        return Ok(());
    }
    Err(format!("recorded: {text}\nreceived: {}", reply.text()))
}

fn without_debug_info(mut events: Vec<Value>) -> Vec<Value> {
    for event in &mut events {
        if let Some(Value::Array(details)) = event.pointer_mut("/error/details") {
            details.retain(|detail| !detail.to_string().contains("google.rpc.DebugInfo"));
        }
    }
    events
}

/// Whether a translated request got an answer of its API, or was clearly refused.
fn well_formed(case: &Case, reply: &Received) -> Result<(), String> {
    let has = |pointer: &str| {
        reply.events().first().is_some_and(|first| first.pointer(pointer).is_some())
    };
    let is_right = match (reply.status, case.kind.as_str()) {
        (200, _) if is_list_of_models(case) => has("/models"),
        (200, "openai.chat") => {
            let is_stream = case.request.body.pointer("/stream") == Some(&Value::Bool(true));
            let choice = if is_stream { "/choices/0/delta" } else { "/choices/0/message" };
            has(choice) && reply.finish().is_some() && reply.is_done() == is_stream
        }
        (200, "openai.responses") => has("/output") || has("/response/output"),
        (200, _) => has("/data"),
        // A path of another gateway, which is none here.
        (404, "openai.images") => has("/error/message"),
        (400 | 404, _) => has("/error/message") && has("/error/type") && has("/error/param"),
        _ => false,
    };
    if is_right { Ok(()) } else { Err(format!("{} {}", reply.status, reply.text())) }
}
