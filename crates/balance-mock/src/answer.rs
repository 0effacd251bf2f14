//! What the fake model says: pure functions from a request body to an answer. Invariant: the same
//! request always gets the same text and the same token counts, streamed or not, and the text
//! depends on the model and the prompt, so that an answer sent to the wrong caller is noticed.

use serde_json::{Map, Value, json};

mod embed;
mod media;
mod prompt;
mod schema;
mod shape;
mod text;
mod tokens;

pub(crate) use embed::{batch_embeddings, embedding, tokens as embedding_tokens};
pub(crate) use media::predictions;
pub(crate) use prompt::{Prompt, field};
pub use shape::Shape;
pub(crate) use tokens::{count_tokens_answer, estimate, of_request};

use crate::google::{Makes, Model};

/// Stands where Google puts an encrypted one; it is valid base64.
const SIGNATURE: &str = "bW9jay10aG91Z2h0LXNpZ25hdHVyZQ==";

/// One answer, before it is cut into events.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    model: String,
    id: String,
    thought: Option<String>,
    content: Content,
    finish: Option<String>,
    prompt_tokens: u64,
    thought_tokens: u64,
    pieces: usize,
}

#[derive(Debug, PartialEq)]
enum Content {
    /// Text, streamed in pieces.
    Text(String),
    /// Parts, streamed one an event.
    Parts(Vec<Value>),
    /// A candidate without parts.
    Empty,
}

impl Answer {
    /// The answer to a request.
    pub(crate) fn new(prompt: &Prompt<'_>, shape: &Shape, id: String) -> Self {
        let thinks = Model::find(prompt.model).is_some_and(|model| model.thinks());
        let thought = (thinks && prompt.wants_thoughts())
            .then(|| format!("**Considering**\n\nThe prompt is: {}\n\n", prompt.excerpt()));
        let content = content(prompt, shape, thinks);
        let mut answer = Self {
            model: prompt.model.to_owned(),
            id,
            thought_tokens: thought.as_deref().map_or(0, estimate),
            thought,
            content,
            finish: Some(shape.finish.clone().unwrap_or_else(|| "STOP".into())),
            prompt_tokens: of_request(prompt.body),
            pieces: shape.pieces(),
        };
        answer.limit(prompt.max_output_tokens());
        if shape.no_finish {
            answer.finish = None;
        }
        answer
    }

    /// The body of `generateContent`.
    pub(crate) fn whole(&self) -> Value {
        let mut parts: Vec<_> = self.thought.iter().map(|text| thought_part(text)).collect();
        match &self.content {
            Content::Text(text) => parts.push(json!({ "text": text })),
            Content::Parts(given) => parts.extend(given.iter().cloned()),
            Content::Empty => {}
        }
        self.event(parts, self.content_tokens(), self.finish.as_deref())
    }

    /// The events of `streamGenerateContent`; the last one carries the finish reason.
    pub(crate) fn events(&self) -> Vec<Value> {
        let mut steps: Vec<(Vec<Value>, u64)> =
            self.thought.iter().map(|text| (vec![thought_part(text)], 0)).collect();
        match &self.content {
            Content::Text(text) => {
                let mut told = 0;
                for piece in text::split(text, self.pieces) {
                    told += piece.chars().count();
                    steps.push((vec![json!({ "text": piece })], tokens::of_chars(told)));
                }
            }
            Content::Parts(parts) => {
                let mut told = 0;
                for part in parts {
                    told += estimate(&part.to_string());
                    steps.push((vec![part.clone()], told));
                }
            }
            Content::Empty => {}
        }
        if steps.is_empty() {
            steps.push((Vec::new(), 0));
        }
        let last = steps.len() - 1;
        steps
            .into_iter()
            .enumerate()
            .map(|(index, (parts, told))| {
                let finish = if index == last { self.finish.as_deref() } else { None };
                self.event(parts, told, finish)
            })
            .collect()
    }

    /// Keeps the text within `maxOutputTokens`.
    fn limit(&mut self, limit: Option<u64>) {
        let Some(limit) = limit else { return };
        if let Content::Text(text) = &mut self.content
            && estimate(text) > limit
        {
            let keep = usize::try_from(limit.saturating_mul(4)).unwrap_or(usize::MAX);
            *text = text.chars().take(keep).collect();
            self.finish = Some("MAX_TOKENS".into());
        }
    }

    fn content_tokens(&self) -> u64 {
        match &self.content {
            Content::Text(text) => estimate(text),
            Content::Parts(parts) => parts.iter().map(|part| estimate(&part.to_string())).sum(),
            Content::Empty => 0,
        }
    }

    fn event(&self, parts: Vec<Value>, told: u64, finish: Option<&str>) -> Value {
        let mut content = Map::new();
        let calls = parts.iter().any(|part| part.get("functionCall").is_some());
        if !parts.is_empty() {
            content.insert("parts".into(), Value::Array(parts));
        }
        content.insert("role".into(), "model".into());
        let mut candidate = Map::from_iter([("content".into(), Value::Object(content))]);
        if let Some(finish) = finish {
            candidate.insert("finishReason".into(), finish.into());
            if calls {
                let message = "Model generated function call(s).";
                candidate.insert("finishMessage".into(), message.into());
            }
        }
        candidate.insert("index".into(), 0.into());
        json!({
            "candidates": [candidate],
            "usageMetadata": self.usage(told),
            "modelVersion": self.model,
            "responseId": self.id,
        })
    }

    fn usage(&self, told: u64) -> Value {
        let mut usage = Map::from_iter([("promptTokenCount".into(), self.prompt_tokens.into())]);
        if told > 0 {
            usage.insert("candidatesTokenCount".into(), told.into());
        }
        let total = self.prompt_tokens + told + self.thought_tokens;
        usage.insert("totalTokenCount".into(), total.into());
        usage.insert("promptTokensDetails".into(), tokens::details(self.prompt_tokens));
        if self.thought_tokens > 0 {
            usage.insert("thoughtsTokenCount".into(), self.thought_tokens.into());
        }
        Value::Object(usage)
    }
}

fn thought_part(text: &str) -> Value {
    json!({ "text": text, "thought": true })
}

/// What is said: what the shape demands, else a forced call, else structured output, else an echo.
fn content(prompt: &Prompt<'_>, shape: &Shape, thinks: bool) -> Content {
    if shape.empty {
        return Content::Empty;
    }
    if let Some(parts) = &shape.parts {
        return Content::Parts(parts.clone());
    }
    if let Some(text) = &shape.text {
        return Content::Text(text.clone());
    }
    match Model::find(prompt.model).and_then(|model| model.makes()) {
        Some(Makes::Pictures) => return Content::Parts(media::picture()),
        Some(Makes::Speech) => return Content::Parts(media::speech()),
        None => {}
    }
    if let Some((name, arguments)) = prompt.forced_call() {
        let call = json!({ "functionCall": { "name": name, "args": arguments } });
        return Content::Parts(vec![signed(call, thinks)]);
    }
    if let Some(text) = prompt.structured_output() {
        return Content::Text(text);
    }
    let echo = format!("Echo from {}: {}", prompt.model, prompt.excerpt());
    Content::Text(match shape.word_count() {
        Some(count) => text::lengthen(echo, count),
        None => echo,
    })
}

/// Thinking models sign the first call of a step; the caller must send it back unchanged.
fn signed(mut part: Value, thinks: bool) -> Value {
    if let (Some(fields), true) = (part.as_object_mut(), thinks) {
        fields.insert("thoughtSignature".into(), SIGNATURE.into());
    }
    part
}

#[cfg(test)]
mod tests;
