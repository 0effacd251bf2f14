//! What a scenario expects: of the reply, and of each request that reached upstream.
//!
//! Invariant: what is not mentioned is not looked at, but for what must always hold: no secret
//! comes back, every answer may be read by any page, a body ends properly, and upstream is shown
//! exactly one credential, which is never the caller's token; nobody but Google is shown any.

use std::{collections::BTreeMap, time::Duration};

use http::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

use super::{Names, Received, Span, TOKEN, asked::content, key};
use crate::{scripted_body::Ending, sent::Sent};

/// What comes within this comes at once.
const AT_ONCE: Duration = Duration::from_millis(100);

/// What comes back.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expected {
    /// The status; 0 where the caller leaves before there is one.
    pub status: u16,
    /// Headers: a text they must have, or whether they must be there; those of one name are joined
    /// by line feeds.
    pub headers: BTreeMap<String, ExpectedHeader>,
    /// The body, byte for byte.
    pub text: Option<String>,
    /// The body is that of the answer of upstream with this number, from 1, byte for byte.
    pub passes: Option<usize>,
    /// The body, as JSON.
    pub json: Option<Value>,
    /// Values in the JSON body by their JSON pointers; `"<absent>"` and `"<any>"` stand for what
    /// they say.
    pub has: BTreeMap<String, Value>,
    /// The same for the first event of a stream,
    pub first: BTreeMap<String, Value>,
    /// and for the last one that is JSON.
    pub last: BTreeMap<String, Value>,
    /// All events, as JSON.
    pub events: Option<Vec<Value>>,
    /// What the model says, all events joined.
    pub said: Option<String>,
    /// Why it stopped; an empty text if it may not say.
    pub finish: Option<String>,
    /// The tools it calls.
    pub tools: Option<Vec<Value>>,
    /// Whether the stream ends with `[DONE]`.
    pub done: Option<bool>,
    /// Texts in the body.
    pub contains: Vec<String>,
    /// Texts that the body must not have.
    pub lacks: Vec<String>,
    /// The body breaks off.
    pub broken: bool,
    /// How long it all takes.
    pub took: Option<Span>,
    /// It comes in parts, over HTTP.
    pub flows: Option<Flow>,
    /// It comes as a whole, over HTTP, though upstream gave it in parts.
    pub at_once: bool,
    /// The platform itself answers, so that what every answer of ours keeps does not count.
    pub by_platform: bool,
}

/// How a body comes in parts.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// At least so many,
    pub parts: usize,
    /// each at least so long after the one before.
    pub apart: Span,
}

/// What a header must be like.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum ExpectedHeader {
    /// There, or not there.
    Present(bool),
    /// This; with a `*` at its end, something that begins so.
    Is(String),
}

/// What a request to upstream must be like.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectedRequest {
    /// The letter of its key.
    pub key: Option<char>,
    /// It shows no credential, as a request to anyone but Google must not.
    pub anonymous: bool,
    /// It shows a credential that is none of Google's, to whom it belongs.
    pub foreign: bool,
    /// Its method.
    pub method: Option<String>,
    /// Its path and query.
    pub path: Option<String>,
    /// Its headers.
    pub headers: BTreeMap<String, ExpectedHeader>,
    /// Its body: a text byte for byte, anything else as JSON.
    pub body: Option<Value>,
    /// Its body is the caller's, byte for byte.
    pub passes: bool,
    /// Values in its JSON body by their JSON pointers.
    pub has: BTreeMap<String, Value>,
    /// How its answer ended: it was read to its end unless this says otherwise.
    pub ends: Option<Ends>,
}

/// How an answer of upstream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ends {
    /// It was read to its end.
    Complete,
    /// It broke.
    Broken,
    /// The gateway hung up.
    Cancelled,
}

impl Expected {
    /// Checks a reply; `answers` are the bodies that upstream gave.
    ///
    /// # Errors
    /// What is not as expected.
    pub fn check(
        &self,
        reply: &Received,
        answers: &[Vec<u8>],
        names: &Names,
    ) -> Result<(), String> {
        let verdict =
            self.check_head(reply, names).and_then(|()| self.check_body(reply, answers, names));
        verdict.map_err(|why| format!("{why}\nin the reply {} {}", reply.status, reply.text()))
    }

    fn check_head(&self, reply: &Received, names: &Names) -> Result<(), String> {
        same("the status", &reply.status, &self.status)?;
        if self.status == 0 {
            return Ok(());
        }
        check_headers(&self.headers, &reply.headers, names)?;
        let origin = reply.headers.get("access-control-allow-origin");
        if !self.by_platform {
            let given = origin.map(|value| value.as_bytes());
            same("access-control-allow-origin", &given, &Some(b"*".as_slice()))?;
        }
        let shown = format!("{:?} {}", reply.headers, reply.text());
        if let Some(secret) = Names::secrets().into_iter().find(|secret| shown.contains(secret)) {
            return Err(format!("the secret {secret} comes back"));
        }
        if let Some(Span(took)) = self.took {
            same("the time it took", &reply.took, &took)?;
        }
        if let Some(Flow { parts, apart }) = self.flows
            && reply.parts(apart.0) < parts
        {
            let arrivals = &reply.arrivals;
            return Err(format!("it comes in fewer than {parts} parts, {apart:?}: {arrivals:?}"));
        }
        if self.at_once {
            same("in how many parts it comes", &reply.parts(AT_ONCE), &1)?;
        }
        same("whether it broke off", &reply.broke.is_some(), &self.broken)
    }

    fn check_body(
        &self,
        reply: &Received,
        answers: &[Vec<u8>],
        names: &Names,
    ) -> Result<(), String> {
        if let Some(number) = self.passes {
            let answer = number.checked_sub(1).and_then(|number| answers.get(number));
            let answer = answer.ok_or("`passes` wants the number of an answer")?;
            same("the body", &reply.text(), &String::from_utf8_lossy(answer).into_owned())?;
        }
        if let Some(text) = &self.text {
            same("the body", &reply.text(), &names.fill(text))?;
        }
        if let Some(json) = &self.json {
            same("the body", &reply.json(), &filled(json, names))?;
        }
        if let Some(events) = &self.events {
            let events: Vec<_> = events.iter().map(|event| filled(event, names)).collect();
            same("the events", &reply.events(), &events)?;
        }
        check_values(&self.has, &reply.json(), names)?;
        let events = reply.events();
        check_values(&self.first, events.first().unwrap_or(&Value::Null), names)?;
        check_values(&self.last, events.last().unwrap_or(&Value::Null), names)?;
        self.check_answer(reply)?;
        let text = reply.text();
        if let Some(part) = self.contains.iter().find(|part| !text.contains(&names.fill(part))) {
            return Err(format!("{part:?} is missing"));
        }
        match self.lacks.iter().find(|part| text.contains(&names.fill(part))) {
            Some(part) => Err(format!("{part:?} should not be there")),
            None => Ok(()),
        }
    }

    /// What holds in both dialects.
    fn check_answer(&self, reply: &Received) -> Result<(), String> {
        if let Some(said) = &self.said {
            same("what the model says", &reply.said(), said)?;
        }
        if let Some(finish) = &self.finish {
            same("the finish reason", &reply.finish().unwrap_or_default(), finish)?;
        }
        if let Some(tools) = &self.tools {
            same("the tools called", &reply.tools(), tools)?;
        }
        match self.done {
            Some(done) => same("whether [DONE] ends it", &reply.is_done(), &done),
            None => Ok(()),
        }
    }
}

impl ExpectedRequest {
    /// Checks a request that reached upstream.
    ///
    /// # Errors
    /// What is not as expected.
    pub fn check(&self, sent: &Sent, names: &Names) -> Result<(), String> {
        let verdict = self.check_parts(sent, names);
        verdict.map_err(|why| format!("{why}\nin {} {} {}", sent.method, sent.path(), sent.json()))
    }

    fn check_parts(&self, sent: &Sent, names: &Names) -> Result<(), String> {
        self.check_credential(sent)?;
        if let Some(method) = &self.method {
            same("the method", &sent.method.as_str(), &method.as_str())?;
        }
        if let Some(path) = &self.path {
            same("the path", &sent.path(), &names.fill(path).as_str())?;
        }
        check_headers(&self.headers, &sent.headers, names)?;
        match &self.body {
            Some(Value::String(_)) | None => {}
            Some(json) => same("the body", &sent.json(), &filled(json, names))?,
        }
        if let Some(body @ Value::String(_)) = &self.body {
            let wanted = content(body, names);
            if !sent.has_body(&wanted) {
                return Err(format!("the body: got {:?}, wanted {wanted:?}", sent.body));
            }
        }
        check_values(&self.has, &sent.json(), names)?;
        self.check_ending(sent.ending)
    }

    fn check_credential(&self, sent: &Sent) -> Result<(), String> {
        let shown = sent.credentials();
        if shown.iter().any(|shown| shown.contains(TOKEN)) || sent.path().contains(TOKEN) {
            return Err("upstream was shown the caller's token".into());
        }
        if self.foreign && !shown.iter().any(|shown| Names::secrets().contains(shown)) {
            return Ok(());
        }
        match (shown.as_slice(), self.anonymous) {
            ([], true) => Ok(()),
            ([credential], false) => match self.key {
                Some(letter) => same("the key", credential, &key(letter)),
                None => Ok(()),
            },
            (shown, _) => Err(format!("upstream was shown {} credentials", shown.len())),
        }
    }

    fn check_ending(&self, ending: Ending) -> Result<(), String> {
        let wanted = match self.ends {
            None => return Ok(()),
            Some(Ends::Complete) => Ending::Complete,
            Some(Ends::Broken) => Ending::Broken,
            Some(Ends::Cancelled) => Ending::Dropped,
        };
        same("how upstream's answer ended", &ending, &wanted)
    }
}

fn check_headers(
    wanted: &BTreeMap<String, ExpectedHeader>,
    given: &HeaderMap,
    names: &Names,
) -> Result<(), String> {
    for (name, wanted) in wanted {
        let values = given.get_all(name).iter();
        let values: Vec<_> =
            values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        let value = (!values.is_empty()).then(|| values.join("\n"));
        match wanted {
            ExpectedHeader::Present(wanted) => {
                same(&format!("whether {name} is there"), &value.is_some(), wanted)?;
            }
            ExpectedHeader::Is(wanted) => {
                let wanted = names.fill(wanted);
                let begins = |start| value.as_deref().is_some_and(|value| value.starts_with(start));
                if !wanted.strip_suffix('*').is_some_and(begins) {
                    same(name, &value, &Some(wanted))?;
                }
            }
        }
    }
    Ok(())
}

/// Checks values by their JSON pointers.
fn check_values(
    wanted: &BTreeMap<String, Value>,
    json: &Value,
    names: &Names,
) -> Result<(), String> {
    for (pointer, wanted) in wanted {
        match (json.pointer(pointer), wanted.as_str()) {
            (None, Some("<absent>")) | (Some(_), Some("<any>")) => {}
            (given, _) => same(pointer, &given, &Some(&filled(wanted, names)))?,
        }
    }
    Ok(())
}

fn filled(json: &Value, names: &Names) -> Value {
    serde_json::from_str(&names.fill(&json.to_string())).unwrap_or_default()
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, given: &T, wanted: &T) -> Result<(), String> {
    if given == wanted {
        return Ok(());
    }
    Err(format!("{what}: got {given:?}, wanted {wanted:?}"))
}
