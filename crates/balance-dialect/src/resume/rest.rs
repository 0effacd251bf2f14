//! The events of a rest, made to fit behind those before them.
//!
//! Invariant: nothing is given that the reader has already got; what is held back until that is clear
//! comes out in order, or with the end.

use serde_json::{Map, Value};

use super::seam::{Seam, seam};
use crate::summary::Usage;

/// A rest that is being read.
#[derive(Debug)]
pub(super) struct Rest {
    /// Whether it follows text: then its thoughts are about how to go on, and concern nobody.
    follows_text: bool,
    /// What the answers before it have taken.
    taken: Usage,
    /// Events that may only repeat what was said, and their text; `None` once that is clear.
    held: Option<(Vec<Value>, String)>,
}

impl Rest {
    pub(super) fn of(follows_text: bool, taken: Usage) -> Self {
        Self { follows_text, taken, held: follows_text.then(Default::default) }
    }

    /// Takes an event; the events that the reader gets for it.
    pub(super) fn take(&mut self, event: &[u8], said: &str, is_over: bool) -> Vec<Vec<u8>> {
        let Ok(mut event) = crate::json::read::<Value>(event) else { return Vec::new() };
        if let Some(Value::Object(usage)) = event.get_mut("usageMetadata") {
            add(usage, self.taken);
        }
        if self.follows_text {
            parts(&mut event, |parts| parts.retain(|part| !is_thought(part)));
        }
        let Some((mut events, mut text)) = self.held.take() else { return vec![written(&event)] };
        let is_text = push_text(&mut event, &mut text);
        events.push(event);
        match seam(said, &text, is_over || !is_text) {
            Seam::Open => {
                self.held = Some((events, text));
                Vec::new()
            }
            Seam::After(overlap) => {
                without(&mut events, overlap);
                events.iter().map(written).collect()
            }
        }
    }
}

/// All tokens of two answers of which the second goes on with the first: the prompt is that of the
/// first, as the second's holds the first's answer.
pub(super) fn sum(first: Usage, second: Usage) -> Usage {
    if first == Usage::default() {
        return second;
    }
    let answer = |usage: Usage| usage.total_tokens.saturating_sub(usage.prompt_tokens);
    Usage {
        candidates_tokens: first.candidates_tokens + second.candidates_tokens,
        thoughts_tokens: first.thoughts_tokens + second.thoughts_tokens,
        tool_use_tokens: first.tool_use_tokens + second.tool_use_tokens,
        total_tokens: first.total_tokens + answer(second),
        ..first
    }
}

/// Makes the counts of a rest those of the whole answer.
fn add(usage: &mut Map<String, Value>, taken: Usage) {
    if taken == Usage::default() {
        return;
    }
    let count = |usage: &Map<String, Value>, name: &str| {
        usage.get(name).and_then(Value::as_u64).unwrap_or(0)
    };
    let own = Usage {
        prompt_tokens: count(usage, "promptTokenCount"),
        candidates_tokens: count(usage, "candidatesTokenCount"),
        thoughts_tokens: count(usage, "thoughtsTokenCount"),
        tool_use_tokens: count(usage, "toolUsePromptTokenCount"),
        total_tokens: count(usage, "totalTokenCount"),
        cached_tokens: count(usage, "cachedContentTokenCount"),
    };
    let all = sum(taken, own);
    let counts = [
        ("promptTokenCount", all.prompt_tokens),
        ("cachedContentTokenCount", all.cached_tokens),
        ("candidatesTokenCount", all.candidates_tokens),
        ("thoughtsTokenCount", all.thoughts_tokens),
        ("toolUsePromptTokenCount", all.tool_use_tokens),
        ("totalTokenCount", all.total_tokens),
    ];
    for (name, count) in counts {
        if count > 0 || usage.contains_key(name) {
            usage.insert(name.into(), count.into());
        }
    }
    // They would not add up to the sums.
    for details in ["promptTokensDetails", "candidatesTokensDetails", "cacheTokensDetails"] {
        usage.remove(details);
    }
}

/// Adds the text of an event; whether it has nothing else that a reader would get.
fn push_text(event: &mut Value, text: &mut String) -> bool {
    let mut is_text = true;
    parts(event, |parts| {
        for part in parts.iter() {
            match part.get("text").and_then(Value::as_str) {
                _ if is_thought(part) => {}
                Some(more) if is_text => text.push_str(more),
                Some(_) => {}
                None => is_text = false,
            }
        }
    });
    is_text
}

/// Takes so many bytes of text away from the beginning of events.
fn without(events: &mut [Value], mut overlap: usize) {
    for event in events {
        parts(event, |parts| {
            for part in parts.iter_mut().filter(|part| !is_thought(part)) {
                let Some(Value::String(text)) = part.get_mut("text") else { continue };
                let cut = overlap.min(text.len());
                *text = text.get(cut..).unwrap_or_default().to_owned();
                overlap -= cut;
            }
        });
    }
}

fn is_thought(part: &Value) -> bool {
    part.get("thought").and_then(Value::as_bool) == Some(true)
}

/// Looks at the parts of all answers in an event.
fn parts(event: &mut Value, mut look: impl FnMut(&mut Vec<Value>)) {
    let candidates = event.get_mut("candidates").and_then(Value::as_array_mut);
    for candidate in candidates.into_iter().flatten() {
        if let Some(Value::Array(parts)) = candidate.pointer_mut("/content/parts") {
            look(parts);
        }
    }
}

fn written(event: &Value) -> Vec<u8> {
    event.to_string().into_bytes()
}
