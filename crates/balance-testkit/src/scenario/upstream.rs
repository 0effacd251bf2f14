//! What upstream answers in a scenario, and what it must have been asked.
//!
//! Invariant: an answer has one body, written in one of the ways below, whoever plays it.

use std::{collections::BTreeMap, time::Duration};

use balance_mock::{ErrorName, Rule, google::Place};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ExpectedRequest, Names, Span, asked::content};
use crate::answer::{Answer, Lost};

/// One answer. It is given to the next request, and `expect` is checked against that request.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Upstream {
    /// What the request must be like.
    pub expect: ExpectedRequest,
    /// The status; 200, or that of `error`.
    pub status: Option<u16>,
    /// Headers over the usual ones; a value of several lines is so many headers of that name.
    pub headers: BTreeMap<String, String>,

    /// The body as one JSON answer: a text that the model says, or any JSON.
    pub json: Option<Value>,
    /// The body as server-sent events.
    pub sse: Option<Vec<Event>>,
    /// The body as a JSON array.
    pub array: Option<Vec<Event>>,
    /// An error of Google's by its name in `balance-mock`.
    pub error: Option<ErrorName>,
    /// Any other body: a text as it stands, anything else as JSON.
    pub body: Option<Value>,
    /// No answer at all.
    pub lost: Option<Lost>,

    /// The reason that the last event that is a text ends with; `STOP` if it is not said, none if
    /// it is empty.
    pub finish: Option<String>,
    /// Time before the head.
    pub delay: Span,
    /// Time before each event but the first.
    pub pace: Span,
    /// Frames of so many bytes.
    pub cut: Option<usize>,
    /// The connection breaks after so many bytes of the body.
    pub r#break: Option<usize>,
    /// Nothing more comes after so many bytes of the body, while the connection stays.
    pub silence: Option<usize>,
    /// The body is filled up with spaces to so many bytes.
    pub length: Option<usize>,
}

/// One event of a stream.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Event {
    /// The model says this text.
    Text(String),
    /// An error by its name, as an event.
    Error {
        /// The name.
        error: ErrorName,
    },
    /// These characters, without any framing.
    Raw {
        /// The characters.
        raw: String,
    },
    /// Any JSON.
    Json(Value),
}

/// An answer as it goes over the wire.
#[derive(Debug, Clone)]
pub struct Wire {
    /// The status.
    pub status: u16,
    /// All headers but those of the connection.
    pub headers: BTreeMap<String, String>,
    /// The body, event by event.
    pub frames: Vec<Bytes>,
    /// Whether its length is told.
    pub is_sized: bool,
}

impl Upstream {
    pub(super) fn check(&self) -> Result<(), String> {
        let bodies = [
            self.json.is_some(),
            self.sse.is_some(),
            self.array.is_some(),
            self.error.is_some(),
            self.body.is_some(),
            self.lost.is_some(),
        ];
        match bodies.iter().filter(|given| **given).count() {
            1 => Ok(()),
            _ => {
                Err("an answer wants exactly one of json, sse, array, error, body and lost".into())
            }
        }
    }

    pub(super) fn is_slow(&self) -> bool {
        self.delay.is_long() || self.pace.0 > Duration::ZERO || self.lost == Some(Lost::Unreachable)
    }

    /// The answer on the wire.
    #[must_use]
    pub fn wire(&self, names: &Names) -> Wire {
        let json = "application/json; charset=UTF-8";
        let sse = "text/event-stream";
        let error = self.error.map(|name| name.at(&Place::default()));
        let (kind, frames, is_sized) = if let Some(answer) = &self.json {
            let answer =
                answer.as_str().map_or_else(|| answer.clone(), |text| self.says(text, true));
            (json, vec![pretty(&answer)], true)
        } else if let Some(events) = &self.sse {
            (sse, self.events(events, sse_event), false)
        } else if let Some(events) = &self.array {
            (json, self.elements(events), false)
        } else if let Some(error) = &error {
            let kind = if error.is_html() { "text/html; charset=UTF-8" } else { json };
            (kind, vec![error.to_body().into()], true)
        } else {
            (json, self.body.iter().map(|body| content(body, names)).collect(), true)
        };
        let mut headers = BTreeMap::from([("content-type".to_owned(), kind.to_owned())]);
        headers.extend(self.headers.iter().map(|(name, value)| (name.clone(), names.fill(value))));
        let mut frames: Vec<_> = frames.iter().map(|frame| filled(frame, names)).collect();
        if let (Some(length), Some(last)) = (self.length, frames.last_mut()) {
            *last = fill_up(last, length);
        }
        let status = self.status.or_else(|| error.map(|error| error.status)).unwrap_or(200);
        Wire { status, headers, frames, is_sized }
    }

    /// The answer as the fake host plays it.
    #[must_use]
    pub fn answer(&self, names: &Names) -> Answer {
        if let Some(lost) = self.lost {
            return Answer::lost(lost).after(self.delay.0);
        }
        let wire = self.wire(names);
        let length: usize = wire.frames.iter().map(Bytes::len).sum();
        let mut answer = Answer::frames(wire.status, wire.frames).after(self.delay.0);
        for (name, value) in &wire.headers {
            answer = answer.header(name, value);
        }
        if wire.is_sized {
            answer = answer.header("content-length", &length.to_string());
        }
        if !self.pace.0.is_zero() {
            answer = answer.paced(self.pace.0);
        }
        if let Some(size) = self.cut {
            answer = answer.cut(size);
        }
        if let Some(bytes) = self.r#break {
            answer = answer.broken_after(bytes);
        }
        if let Some(bytes) = self.silence {
            answer = answer.silent_after(bytes);
        }
        answer
    }

    /// The answer as the fake server plays it.
    #[must_use]
    pub fn rule(&self, names: &Names) -> Rule {
        let millis =
            |span: Span| u64::try_from(span.0.as_millis()).ok().filter(|millis| *millis > 0);
        let wire = self.wire(names);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let is_paced = !self.pace.0.is_zero();
        let pieces = wire.frames.iter().filter(|_| is_paced).map(|frame| text(frame)).collect();
        Rule {
            times: Some(1),
            status: Some(wire.status),
            headers: wire.headers,
            body: (!is_paced).then(|| text(&wire.frames.concat()).into()),
            pieces,
            pace_ms: millis(self.pace),
            delay_ms: millis(self.delay),
            chunk: self.cut,
            cut: self.r#break.map(|bytes| bytes as u64),
            silence: self.silence.map(|bytes| bytes as u64),
            reset: self.lost.is_some(),
            ..Rule::default()
        }
    }

    fn events(&self, events: &[Event], frame: fn(&Value) -> String) -> Vec<Bytes> {
        let last_text = events.iter().rposition(|event| matches!(event, Event::Text(_)));
        let frames = events.iter().enumerate().map(|(place, event)| match event {
            Event::Text(text) => frame(&self.says(text, Some(place) == last_text)),
            Event::Error { error } => frame(&error.at(&Place::default()).to_json()),
            Event::Raw { raw } => raw.clone(),
            Event::Json(event) => frame(event),
        });
        frames.map(Into::into).collect()
    }

    /// The elements of an array; characters without framing stand where they stand.
    fn elements(&self, events: &[Event]) -> Vec<Bytes> {
        let mut frames = Vec::new();
        let mut lead = "[";
        let is_whole = !matches!(events.last(), Some(Event::Raw { .. }));
        for (event, frame) in events.iter().zip(self.events(events, ToString::to_string)) {
            if matches!(event, Event::Raw { .. }) {
                frames.push(frame);
            } else {
                frames.push([lead.as_bytes(), &frame, b"\n"].concat().into());
                lead = ",\r\n";
            }
        }
        if events.is_empty() {
            frames.push("[".into());
        }
        if is_whole {
            frames.push("]\n".into());
        }
        frames
    }

    /// An answer, or a part of one, with this text.
    fn says(&self, text: &str, is_last: bool) -> Value {
        let mut candidate =
            json!({ "content": { "parts": [{ "text": text }], "role": "model" }, "index": 0 });
        let finish = self.finish.as_deref().unwrap_or("STOP");
        if let (true, false, Some(fields)) = (is_last, finish.is_empty(), candidate.as_object_mut())
        {
            fields.insert("finishReason".into(), finish.into());
        }
        json!({
            "candidates": [candidate],
            "usageMetadata": { "promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7 },
            "modelVersion": "gemini-2.5-flash",
            "responseId": "r-1",
        })
    }
}

/// Spaces behind a body, which mean nothing in JSON.
pub(super) fn fill_up(body: &Bytes, length: usize) -> Bytes {
    let mut longer = body.to_vec();
    longer.resize(length.max(body.len()), b' ');
    longer.into()
}

fn sse_event(event: &Value) -> String {
    format!("data: {event}\r\n\r\n")
}

fn pretty(value: &Value) -> Bytes {
    format!("{value:#}\n").into()
}

fn filled(frame: &Bytes, names: &Names) -> Bytes {
    std::str::from_utf8(frame).map_or_else(|_| frame.clone(), |text| names.fill(text).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(toml: &str) -> Wire {
        let names = Names { door: "http://d".into(), upstream: "http://u".into() };
        let answer: Upstream = toml::from_str(toml).unwrap();
        answer.check().unwrap();
        answer.wire(&names)
    }

    fn text(wire: &Wire) -> String {
        String::from_utf8(wire.frames.concat()).unwrap()
    }

    #[test]
    fn a_text_is_an_answer_that_ends_with_stop() {
        let whole = wire(r#"json = "Hello""#);
        let answer: Value = serde_json::from_str(&text(&whole)).unwrap();
        assert_eq!(answer["candidates"][0]["finishReason"], "STOP");
        let stream = wire(r#"sse = ["Hel", "lo", { error = "overloaded" }, { raw = "tail" }]"#);
        assert_eq!(stream.frames.len(), 4);
        assert!(!stream.frames[0].windows(4).any(|bytes| bytes == b"STOP"));
        assert!(stream.frames[1].windows(4).any(|bytes| bytes == b"STOP"));
        assert!(text(&stream).ends_with("\r\n\r\ntail"));
        assert!(!text(&wire("sse = [\"a\"]\nfinish = \"\"")).contains("finishReason"));
    }

    #[test]
    fn an_array_is_json_unless_its_tail_is_raw() {
        for toml in [r#"array = ["Hel", "lo"]"#, "array = []"] {
            let body = text(&wire(toml));
            assert!(serde_json::from_str::<Value>(&body).unwrap().is_array(), "{body}");
        }
        let broken = text(&wire(r#"array = ["Hel", { raw = "{" }]"#));
        assert!(serde_json::from_str::<Value>(&broken).is_err());
    }

    #[test]
    fn an_error_has_the_status_and_words_of_googles() {
        let error = wire(r#"error = "quota-day""#);
        assert_eq!(error.status, 429);
        assert!(text(&error).contains("PerDay"));
    }

    #[test]
    fn two_bodies_or_none_are_refused() {
        for toml in ["status = 200", "json = \"a\"\nsse = []"] {
            let answer: Upstream = toml::from_str(toml).unwrap();
            assert!(answer.check().is_err(), "{toml}");
        }
    }
}
