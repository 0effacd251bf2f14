//! Completions of a text: each prompt is a chat of one message.
//!
//! Invariant: the answers to the first prompt come first, then those to the second, and so on.

mod reply;
#[cfg(test)]
mod tests;

pub(crate) use self::reply::TextReply;

use super::config::Answers;
use super::lanes::Lanes;
use super::model::{self, Family};
use super::path::Path;
use super::refusal::Refusal;
use super::request;
use super::upstream::Upstream;
use crate::openai::chat::{ChatRequest, Message};
use crate::openai::embeddings::Input;
use crate::openai::number::Integer;
use crate::openai::text_completion::TextCompletionRequest;
use crate::openai::union::StringOrArray;

/// How many answers one request may ask for; each may take a request to Gemini.
const ANSWERS: usize = 32;
/// How many alternatives to each token Gemini tells.
const ALTERNATIVES: i64 = 20;

/// A request, made ready.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) requests: Vec<Upstream>,
    pub(crate) lanes: Lanes,
    pub(crate) prompts: Prompts,
}

/// The prompts that the answers begin with.
#[derive(Debug)]
pub(crate) struct Prompts {
    /// None when they are not repeated.
    echoed: Vec<String>,
    /// How many answers each has.
    answers_each: usize,
}

/// The requests to the model of this name, and what their answers have to be translated with.
///
/// # Errors
/// A [`Refusal`] that names the field that cannot be translated.
pub(crate) fn prepare(asked: TextCompletionRequest<'_>, name: &str) -> Result<Prepared, Refusal> {
    let family = model::family(name);
    let answers = answers(&asked, &family)?;
    let texts = texts(asked.prompt.as_ref())?;
    let each = answers.requests * answers.each as usize;
    if texts.len() * each > ANSWERS {
        let reason = format!("with 'n' it asks for more than {ANSWERS} answers");
        return Err(Refusal::invalid_value("prompt", reason));
    }
    let echoed = texts.iter().filter(|_| asked.echo == Some(true));
    let prompts =
        Prompts { echoed: echoed.map(|text| (*text).to_owned()).collect(), answers_each: each };
    let stream = asked.stream == Some(true);
    let texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
    let mut chat = chat(asked)?;
    let mut requests = Vec::new();
    for text in &texts {
        chat.messages.retain(|message| &*message.role == "system");
        chat.messages.push(message("user", text.clone()));
        let request::Prepared { request, more, .. } = request::request(&chat, &family)?;
        let write = |request: &_| more.put(Upstream::generate(name, stream, request, text.len()));
        requests.extend(answers.requests(request, write));
    }
    let lanes = Lanes::new(requests.len(), answers.each);
    Ok(Prepared { requests, lanes, prompts })
}

impl Prompts {
    /// What the answer of an index begins with.
    fn before(&self, index: u32) -> &str {
        let place = (index as usize).checked_div(self.answers_each).unwrap_or_default();
        self.echoed.get(place).map_or("", String::as_str)
    }
}

/// The request as a chat without the prompt.
fn chat(asked: TextCompletionRequest<'_>) -> Result<ChatRequest<'_>, Refusal> {
    let alternatives = match asked.logprobs {
        Some(Integer(count)) if !(0..=ALTERNATIVES).contains(&count) => {
            let reason = format!("it must lie between 0 and {ALTERNATIVES}");
            return Err(Refusal::invalid_value("logprobs", reason));
        }
        alternatives => alternatives,
    };
    let suffix = asked.suffix.filter(|suffix| !suffix.is_empty()).map(|suffix| {
        let text = format!(
            "Write the text that belongs between what the user sends and this end, and nothing \
             else:\n{}",
            &*suffix
        );
        message("system", text)
    });
    Ok(ChatRequest {
        model: asked.model,
        messages: suffix.into_iter().collect(),
        n: asked.n,
        logprobs: alternatives.map(|_| true),
        top_logprobs: alternatives,
        max_tokens: asked.max_tokens,
        temperature: asked.temperature,
        top_p: asked.top_p,
        stop: asked.stop,
        seed: asked.seed,
        presence_penalty: asked.presence_penalty,
        frequency_penalty: asked.frequency_penalty,
        stream: asked.stream,
        stream_options: asked.stream_options,
        reasoning_effort: asked.reasoning_effort,
        extra_body: asked.extra_body,
        google: asked.google,
        ..ChatRequest::default()
    })
}

fn message<'a>(role: &'static str, text: String) -> Message<'a> {
    let content = Some(StringOrArray::String(text.into()));
    Message { role: role.into(), content, ..Message::default() }
}

fn answers(asked: &TextCompletionRequest<'_>, family: &Family) -> Result<Answers, Refusal> {
    let n = asked.n.map_or(1, |Integer(n)| n);
    if asked.best_of.is_some_and(|Integer(best_of)| best_of != n) {
        let reason = "Gemini cannot be asked for the best of several; leave it out, or as 'n'";
        return Err(Refusal::unsupported("best_of", reason));
    }
    Answers::of(asked.n, family)
}

fn texts<'a>(prompt: Option<&'a StringOrArray<'a, Input<'a>>>) -> Result<Vec<&'a str>, Refusal> {
    let path = Path::root("prompt");
    let texts = match prompt {
        None => return Err(Refusal::missing(path)),
        Some(StringOrArray::String(text)) => vec![text_of(text, path)?],
        Some(StringOrArray::Array(inputs)) => {
            let texts = inputs.iter().enumerate().map(|(index, input)| match input {
                Input::Text(text) => text_of(text, path.index(index)),
                Input::Tokens => {
                    let reason =
                        "Gemini takes text, not tokens of OpenAI's encodings; send strings";
                    Err(Refusal::invalid_value(path, reason))
                }
            });
            texts.collect::<Result<_, _>>()?
        }
    };
    if texts.is_empty() {
        return Err(Refusal::invalid_value(path, "it is empty"));
    }
    Ok(texts)
}

fn text_of<'a>(text: &'a str, path: Path<'_>) -> Result<&'a str, Refusal> {
    if text.is_empty() { Err(Refusal::invalid_value(path, "it is empty")) } else { Ok(text) }
}
