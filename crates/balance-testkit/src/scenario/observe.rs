//! What a caller received, read with simple means of its own: no code of the product is used, so
//! that it cannot agree with its own mistakes.
//!
//! Invariant: nothing is guessed; what is not there is absent.

use std::{collections::BTreeMap, time::Duration};

use http::HeaderMap;
use serde_json::{Value, json};

use super::Names;

/// An answer as its caller received it.
#[derive(Debug, Clone, Default)]
pub struct Received {
    /// The status; 0 if the caller left before there was one.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// What broke it, if it did not end properly.
    pub broke: Option<String>,
    /// From the question to the last byte.
    pub took: Duration,
    /// When each piece of the body came, where the clock is real.
    pub arrivals: Vec<Duration>,
}

impl Received {
    /// The path of a link in one of the headers; it must lead to the server itself.
    pub(super) fn link(&self, header: &str, names: &Names) -> Result<String, String> {
        let value = self.headers.get(header).and_then(|value| value.to_str().ok());
        let link = value.ok_or_else(|| format!("the reply before has no {header}"))?;
        let path = link.strip_prefix(names.door.as_str());
        path.map(ToOwned::to_owned).ok_or_else(|| format!("{link} leads elsewhere"))
    }

    /// In how many parts the body came, if one part is what comes within `apart`.
    pub(super) fn parts(&self, apart: Duration) -> usize {
        let gaps = self.arrivals.windows(2).filter(|pair| match pair {
            [before, after] => after.saturating_sub(*before) >= apart,
            _ => false,
        });
        gaps.count() + usize::from(!self.arrivals.is_empty())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What stands behind `data:` in each event.
    #[must_use]
    pub fn data(&self) -> Vec<String> {
        data(&self.text())
    }

    /// Every piece of the answer that is JSON, in order: the events of a stream, the elements of an
    /// array, or the one answer.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        if let Ok(whole) = serde_json::from_slice(&self.body) {
            return if let Value::Array(elements) = whole { elements } else { vec![whole] };
        }
        self.data().iter().filter_map(|text| serde_json::from_str(text).ok()).collect()
    }

    /// Whether the last event is `[DONE]`.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.data().last().is_some_and(|last| last == "[DONE]")
    }

    /// All that the model says, in either dialect, without its thoughts.
    #[must_use]
    pub fn said(&self) -> String {
        let events = self.events();
        let openai = events.iter().filter_map(|event| {
            let choice = event.pointer("/choices/0")?;
            choice.pointer("/delta/content").or_else(|| choice.pointer("/message/content"))
        });
        let openai = openai.filter_map(Value::as_str);
        let parts = events.iter().filter_map(|event| event.pointer("/candidates/0/content/parts"));
        let parts = parts.filter_map(Value::as_array).flatten();
        let gemini = parts.filter(|part| part.get("thought") != Some(&Value::Bool(true)));
        let gemini = gemini.filter_map(|part| part.get("text")?.as_str());
        openai.chain(gemini).collect()
    }

    /// Why the model stopped: the last reason given, in either dialect.
    #[must_use]
    pub fn finish(&self) -> Option<String> {
        let reason = |event: &Value| {
            let openai = event.pointer("/choices/0/finish_reason");
            let reason = openai.or_else(|| event.pointer("/candidates/0/finishReason"))?;
            reason.as_str().map(ToOwned::to_owned)
        };
        self.events().iter().rev().find_map(reason)
    }

    /// The tools that the model calls, as `{name, arguments}`, put together from the pieces of a
    /// stream by their index.
    #[must_use]
    pub fn tools(&self) -> Vec<Value> {
        let mut calls = BTreeMap::<u64, (String, String)>::new();
        for event in self.events() {
            let whole = event.pointer("/choices/0/message/tool_calls");
            let pieces = event.pointer("/choices/0/delta/tool_calls").or(whole);
            for (place, piece) in pieces.and_then(Value::as_array).into_iter().flatten().enumerate()
            {
                let index = piece.get("index").and_then(Value::as_u64).unwrap_or(place as u64);
                let (name, arguments) = calls.entry(index).or_default();
                let text =
                    |pointer| piece.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
                name.push_str(text("/function/name"));
                arguments.push_str(text("/function/arguments"));
            }
        }
        let parsed =
            |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| text.into());
        calls
            .into_values()
            .map(|(name, arguments)| json!({ "name": name, "arguments": parsed(&arguments) }))
            .collect()
    }
}

/// What stands behind `data:` in each event of a text; lines of one event are joined by line feeds.
fn data(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n");
    let events = text.split("\n\n").filter_map(|event| {
        let lines: Vec<_> = event.lines().filter_map(|line| line.strip_prefix("data:")).collect();
        let lines: Vec<_> =
            lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    });
    events.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(body: &str) -> Received {
        Received { status: 200, body: body.into(), ..Received::default() }
    }

    #[test]
    fn events_are_read_whatever_ends_their_lines() {
        let stream =
            received("data: {\"a\":1}\r\n\r\ndata:{\"a\":\ndata: 2}\n\n: note\n\ndata: [DONE]\n\n");
        assert_eq!(stream.data(), ["{\"a\":1}", "{\"a\":\n2}", "[DONE]"]);
        assert_eq!(stream.events(), [json!({ "a": 1 }), json!({ "a": 2 })]);
        assert!(stream.is_done());
        assert_eq!(received("[{\"a\":1},{\"a\":2}]").events().len(), 2);
    }

    #[test]
    fn what_a_model_says_is_read_in_both_dialects() {
        let openai = "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n\
                      data: {\"choices\":[{\"delta\":{\"content\":\"lo\"},\"finish_reason\":\"stop\"}]}\n\n";
        assert_eq!(received(openai).said(), "Hello");
        assert_eq!(received(openai).finish().as_deref(), Some("stop"));
        let gemini = r#"{"candidates":[{"finishReason":"STOP","content":{"parts":[
            {"text":"hm","thought":true},{"text":"Hello"}]}}]}"#;
        assert_eq!(received(gemini).said(), "Hello");
        assert_eq!(received(gemini).finish().as_deref(), Some("STOP"));
    }

    #[test]
    fn the_pieces_of_a_tool_call_are_put_together() {
        let stream = r#"data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{\"x\""}},{"index":1,"function":{"name":"g","arguments":"{}"}}]}}]}

data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}

"#;
        let calls = [json!({"name":"f","arguments":{"x":1}}), json!({"name":"g","arguments":{}})];
        assert_eq!(received(stream).tools(), calls);
    }
}
