//! Replays recorded answers of Gemini through the decoders, the observer and the opening.
//!
//! The recordings lie in a folder `shared/cases` beside the checkout. Where it is absent, each
//! test says so and passes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "the recordings are files, and one of another form than expected should fail the test"
)]

use std::{fs, path::Path};

use balance_dialect::{
    framing::Framing,
    gemini::error::ErrorBody,
    json_array,
    observe::Observer,
    opening::{Opening, Verdict},
    sse,
    summary::Ending,
};
use serde_json::Value;

const CHUNK_SIZES: [usize; 3] = [1, 7, usize::MAX];
/// Answers whose candidates have no parts.
const EMPTY: [&str; 6] = [
    "braintrust-sdk-jav--google-genai-v1-latest-cassette--10.json",
    "gemini-cli--hooks-system-allow-tool--01.json",
    "generative-ai-js--streaming-failure-empty-content--00.json",
    "generative-ai-js--unary-failure-empty-content--00.json",
    "vertexai-sdk-test---streaming-failure-malformed-content--00.json",
    "vertexai-sdk-test---unary-failure-malformed-content--00.json",
];
const LIMIT: usize = 1 << 24;

struct Case {
    name: String,
    kind: String,
    is_recorded: bool,
    status: u64,
    response: Value,
}

impl Case {
    fn body(&self) -> Option<Vec<u8>> {
        let text = |field: &str| self.response.get(field)?.as_str().map(|t| t.as_bytes().to_vec());
        let json = || self.response.get("body").map(|body| serde_json::to_vec(body).unwrap());
        text("sse").or_else(|| text("text")).or_else(json)
    }

    fn sse(&self) -> Option<&str> {
        self.response.get("sse")?.as_str()
    }
}

/// All cases, or none where the folder is absent.
fn cases() -> Vec<Case> {
    let ancestors = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let folder = ancestors.map(|folder| folder.join("shared/cases")).find(|folder| folder.is_dir());
    let Some(folder) = folder else {
        println!("no folder shared/cases beside the checkout: nothing replayed");
        return Vec::new();
    };
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|e| e == "json")).map(|p| read(&p)).collect()
}

fn read(path: &Path) -> Case {
    let mut case: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    Case {
        name: path.file_name().unwrap().to_string_lossy().into_owned(),
        kind: case["kind"].as_str().unwrap().to_owned(),
        is_recorded: case["wire"] == "recorded",
        status: case["response"]["status"].as_u64().unwrap(),
        response: case["response"].take(),
    }
}

fn decode(body: &[u8], size: usize) -> Vec<sse::Event> {
    let mut decoder = sse::Decoder::new(LIMIT);
    let mut events = Vec::new();
    for piece in body.chunks(size.min(body.len())) {
        decoder.push(piece);
        events.extend(std::iter::from_fn(|| decoder.next().unwrap()));
    }
    events.extend(std::iter::from_fn(|| decoder.finish()));
    events
}

fn ending(framing: Framing, body: &[u8], size: usize) -> Ending {
    let mut observer = Observer::new(framing);
    body.chunks(size.min(body.len())).for_each(|piece| observer.observe(piece));
    observer.finish().ending
}

fn verdict(framing: Framing, body: &[u8], size: usize) -> Verdict {
    let mut opening = Opening::new(framing);
    let mut pieces = body.chunks(size.min(body.len()));
    pieces.find_map(|piece| opening.push(piece)).unwrap_or_else(|| opening.finish())
}

/// Whether an event says that the answer is over: a `finishReason`, or a prompt refused.
fn says_end(event: &Value) -> bool {
    let candidates = event["candidates"].as_array();
    candidates.is_some_and(|all| all.iter().any(|one| one.get("finishReason").is_some()))
        || candidates.is_none() && event.get("promptFeedback").is_some()
}

#[test]
fn every_recorded_event_stream_is_split_alike_in_any_chunks() {
    let mut count = 0;
    for case in cases().iter().filter(|case| case.is_recorded) {
        let Some(text) = case.sse() else { continue };
        let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
        let expected: Vec<_> = lines.map(str::as_bytes).collect();
        for size in CHUNK_SIZES {
            let events = decode(text.as_bytes(), size);
            let data = events.iter().filter(|event| event.kind == sse::Kind::Data);
            let data: Vec<_> = data.map(|event| event.data.as_slice()).collect();
            assert!(data == expected, "{} in chunks of {size}", case.name);
            let stray = events.iter().find(|event| event.kind == sse::Kind::Stray);
            if let Some(stray) = stray {
                assert!(ErrorBody::parse(&stray.data).is_some(), "{}", case.name);
            }
        }
        count += 1;
    }
    println!("{count} recorded event streams split");
}

#[test]
fn every_event_stream_is_summed_up_as_its_events_say() {
    let mut count = 0;
    for case in cases().iter().filter(|case| case.kind == "streamGenerateContent") {
        let Some(text) = case.sse() else { continue };
        let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
        let events: Vec<Value> = lines.filter_map(|line| serde_json::from_str(line).ok()).collect();
        let has_error = ErrorBody::parse(text.as_bytes()).is_some();
        let is_over = events.iter().any(says_end);
        for size in CHUNK_SIZES {
            let seen = match ending(Framing::Sse, text.as_bytes(), size) {
                Ending::Failed(_) => (true, is_over),
                Ending::Finished => (false, true),
                Ending::Truncated => (false, false),
            };
            assert_eq!(seen, (has_error, is_over), "{} in chunks of {size}", case.name);
        }
        count += 1;
    }
    println!("{count} event streams summed up");
}

#[test]
fn every_array_stream_is_split_and_summed_up() {
    let mut count = 0;
    for case in cases().iter().filter(|case| case.kind == "streamGenerateContent") {
        let Some(elements) = case.response["body"].as_array() else { continue };
        let texts: Vec<_> =
            elements.iter().map(|element| serde_json::to_string_pretty(element).unwrap()).collect();
        let body = format!("[{}\n]\n", texts.join("\n,\r\n"));
        for size in CHUNK_SIZES {
            let mut decoder = json_array::Decoder::new(LIMIT);
            let mut split = Vec::new();
            for piece in body.as_bytes().chunks(size.min(body.len())) {
                decoder.push(piece);
                split.extend(std::iter::from_fn(|| decoder.next().unwrap()));
            }
            let split: Vec<Value> =
                split.iter().map(|element| serde_json::from_slice(element).unwrap()).collect();
            assert_eq!(&split, elements, "{} in chunks of {size}", case.name);
            assert!(decoder.is_closed(), "{}", case.name);
            let is_over = ending(Framing::Array, body.as_bytes(), size) == Ending::Finished;
            assert_eq!(is_over, elements.iter().any(says_end), "{}", case.name);
        }
        count += 1;
    }
    println!("{count} array streams split and summed up");
}

#[test]
fn every_error_body_is_read() {
    let mut count = 0;
    for case in cases().iter().filter(|case| case.status >= 400) {
        let body = case.body().unwrap();
        if body.starts_with(b"<") {
            assert_eq!(ErrorBody::parse(&body), None, "{}", case.name);
            continue;
        }
        let error = ErrorBody::parse(&body).unwrap_or_else(|| panic!("{}", case.name));
        assert!(!error.message.is_empty(), "{}", case.name);
        let is_interaction = case.kind == "interactions";
        assert_eq!(
            error.code.map(u64::from),
            (!is_interaction).then_some(case.status),
            "{}",
            case.name
        );
        assert!(error.status.is_some(), "{}", case.name);
        count += 1;
    }
    println!("{count} error bodies read");
}

#[test]
fn every_answer_is_judged_by_its_opening() {
    let mut count = 0;
    for case in cases().iter().filter(|case| case.status == 200) {
        let body = case.body().unwrap();
        let framing = match (case.sse(), case.response["body"].is_array()) {
            (Some(_), _) => Framing::Sse,
            (None, true) => Framing::Array,
            (None, false) => Framing::Whole,
        };
        let is_error = case.response["body"]["error"].is_object();
        // What deletions are answered with.
        let is_bare = case.response["body"].as_object().is_some_and(serde_json::Map::is_empty);
        for size in CHUNK_SIZES {
            match verdict(framing, &body, size) {
                Verdict::Content => assert!(!is_error, "{} in chunks of {size}", case.name),
                Verdict::Failed(_) => assert!(is_error, "{} in chunks of {size}", case.name),
                Verdict::Empty => assert!(is_bare || EMPTY.contains(&&*case.name), "{}", case.name),
            }
        }
        count += 1;
    }
    println!("{count} openings judged");
}
