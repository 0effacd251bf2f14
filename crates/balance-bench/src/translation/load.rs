//! What is translated, and what must be found in the output.
//!
//! Invariant: the inputs are the same on every run.

use anyhow::Context;
use balance_dialect::translate::{self, Stamp};
use serde_json::{Value, json};

/// One kind of work.
pub(crate) struct Load {
    pub(crate) name: &'static str,
    pub(crate) input: Vec<u8>,
    /// Events of a stream; 0 for what comes whole.
    pub(crate) events: usize,
    /// A piece of this many bytes arrives at once; 0 for one event at a time.
    piece: usize,
    /// What the output must hold, and how often.
    words: (Vec<u8>, usize),
    pub(crate) translate: fn(&Self) -> anyhow::Result<Made>,
}

/// What was made of it.
pub(crate) struct Made(Vec<u8>);

impl Made {
    pub(crate) fn holds(&self, load: &Load) -> bool {
        let (words, times) = &load.words;
        let first = words.first();
        let found = self.0.iter().enumerate().filter(|(at, byte)| {
            Some(*byte) == first && self.0.get(*at..).is_some_and(|rest| rest.starts_with(words))
        });
        found.count() == *times
    }
}

const STAMP: Stamp = Stamp { unix_seconds: 1_700_000_000, nonce: 42 };
const EVENTS: usize = 1000;
/// The bytes of a picture, before base64.
const PICTURE: usize = 20 << 20;
const WORDS: &str = "A few words of an answer, as a model says them at once. ";

/// All kinds of work.
pub(crate) fn loads() -> Vec<Load> {
    let said = || (WORDS.trim_end().into(), EVENTS);
    vec![
        Load {
            name: "chat stream, event by event",
            input: stream(),
            events: EVENTS,
            piece: 0,
            words: said(),
            translate: answer_stream,
        },
        Load {
            name: "chat stream, 64 KiB at a time",
            input: stream(),
            events: EVENTS,
            piece: 64 << 10,
            words: said(),
            translate: answer_stream,
        },
        Load {
            name: "chat answer, whole",
            input: event(&WORDS.repeat(EVENTS)).into(),
            events: 0,
            piece: 0,
            words: said(),
            translate: answer_whole,
        },
        Load {
            name: "chat request, 40 turns and 10 functions",
            input: conversation().to_string().into(),
            events: 0,
            piece: 0,
            words: (WORDS.trim_end().into(), 40),
            translate: request,
        },
        Load {
            name: "chat request, a picture of 20 MiB",
            input: picture(),
            events: 0,
            piece: 0,
            words: (base64(), 1),
            translate: request,
        },
    ]
}

fn answer_stream(load: &Load) -> anyhow::Result<Made> {
    let mut translator = asked(true)?.translator;
    let mut sent = Vec::new();
    let mut out = Vec::new();
    let mut push = |piece: &[u8]| {
        // As a server does: what was made is sent, and the buffer used again.
        let pushed = translator.push(piece, &mut out);
        sent.append(&mut out);
        pushed
    };
    if load.piece == 0 {
        load.input.split_inclusive(|byte| *byte == b'\n').try_for_each(&mut push)?;
    } else {
        load.input.chunks(load.piece).try_for_each(&mut push)?;
    }
    translator.finish(&mut out);
    sent.append(&mut out);
    Ok(Made(sent))
}

fn answer_whole(load: &Load) -> anyhow::Result<Made> {
    let mut out = Vec::new();
    asked(false)?.translator.whole(&load.input, &mut out)?;
    Ok(Made(out))
}

fn request(load: &Load) -> anyhow::Result<Made> {
    let call = translate::chat(&load.input, STAMP)?;
    let body = call.requests.into_iter().next().and_then(|request| request.body);
    Ok(Made(body.context("nothing is sent")?))
}

fn asked(stream: bool) -> anyhow::Result<translate::Call> {
    let body = json!({ "model": "gemini-2.5-flash", "stream": stream,
        "messages": [{ "role": "user", "content": "q" }] });
    Ok(translate::chat(body.to_string().as_bytes(), STAMP)?)
}

/// An event as Gemini writes it.
fn event(words: &str) -> String {
    json!({
        "candidates": [{ "content": { "parts": [{ "text": words }], "role": "model" },
            "finishReason": "STOP", "index": 0 }],
        "usageMetadata": { "promptTokenCount": 12, "candidatesTokenCount": 34, "totalTokenCount": 46,
            "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": 12 }] },
        "modelVersion": "gemini-2.5-flash", "responseId": "3SE-aKjdCcCEz7IPxpqjCA",
    })
    .to_string()
}

fn stream() -> Vec<u8> {
    let event = event(WORDS);
    let running = event.replace("\"finishReason\":\"STOP\",", "");
    let more = format!("data: {running}\r\n\r\n").repeat(EVENTS - 1);
    format!("{more}data: {event}\r\n\r\n").into()
}

fn conversation() -> Value {
    let turns = (0..40).map(|turn| {
        let role = if turn % 2 == 0 { "user" } else { "assistant" };
        json!({ "role": role, "content": WORDS })
    });
    let tools = (0..10).map(|tool| {
        json!({ "type": "function", "function": { "name": format!("function_{tool}"),
            "description": "What it does.", "parameters": { "type": "object", "properties": {
                "place": { "type": "string", "description": "Where." },
                "days": { "type": "integer", "minimum": 1 } }, "required": ["place"] } } })
    });
    json!({ "model": "gemini-2.5-flash", "messages": turns.collect::<Value>(),
        "tools": tools.collect::<Value>() })
}

/// The base64 of a picture.
fn base64() -> Vec<u8> {
    b"iVBORw0KGgoAAAAN".iter().copied().cycle().take(PICTURE / 3 * 4).collect()
}

fn picture() -> Vec<u8> {
    let before = br#"{"model":"gemini-2.5-flash","messages":[{"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,"#;
    [&before[..], &base64(), br#""}}]}]}"#].concat()
}
