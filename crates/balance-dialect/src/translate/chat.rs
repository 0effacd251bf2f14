//! The answer of a chat, whole or in chunks.
//!
//! Invariant: the same answer of Gemini gives the same text, calls, finish reasons and usage either
//! way.

pub(crate) mod sound;
mod stream;
mod whole;

use std::borrow::Cow;

use super::Stamp;
use super::custom;
use super::finish::{Content, End};
use super::ids::Ids;
use super::names::Names;
use super::piece::CallIds;
use super::sources::Written;
use super::speech::SoundFormat;
use crate::gemini::generate::answer::{FunctionCall, GenerateContentResponse};
use crate::json::compact;
use crate::openai::chat::StreamOptions;
use crate::openai::completion::{
    self, Audio, Called, CustomCall, ExtraContent, FinishReason, GoogleContent, Head,
};

/// How long OpenAI keeps a spoken answer, in seconds; clients demand to be told.
const AUDIO_LIFE: u64 = 3600;

/// What is known of an answer that is on its way to the client.
#[derive(Debug)]
pub(crate) struct Chat {
    /// The answer's name; none before Gemini's first word.
    id: Option<String>,
    created: u64,
    model: String,
    /// The version of the model that answers.
    version: Option<String>,
    /// What each chunk of a stream begins with; empty before the first.
    opening: Vec<u8>,
    names: Names,
    ids: Ids,
    calls: CallIds,
    style: Style,
    choices: Vec<ChoiceState>,
    /// Why Google answers nothing to the prompt, if so, and what it tells of it.
    blocked: Option<(String, GoogleContent<'static>)>,
}

/// How a client is told of an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) usage: StreamUsage,
    pub(crate) sound: SoundFormat,
    pub(crate) calls: CallStyle,
    /// Whether the sources stand at the end of the text, too.
    pub(crate) links: bool,
}

/// How a client is told of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallStyle {
    /// In `tool_calls`, any number of them.
    Tools,
    /// In `function_call`, one only, for clients that know no tools.
    Function,
}

impl CallStyle {
    /// The end of an answer in this style.
    fn finish(self, reason: FinishReason) -> FinishReason {
        match (self, reason) {
            (Self::Function, FinishReason::ToolCalls) => FinishReason::FunctionCall,
            (_, reason) => reason,
        }
    }
}

/// Whether a stream tells the tokens used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamUsage {
    /// In a chunk of its own at the end.
    Included,
    /// Not at all.
    Left,
}

impl StreamUsage {
    /// What the client asks for.
    pub(crate) fn of(options: Option<&StreamOptions>) -> Self {
        match options.and_then(|options| options.include_usage) {
            Some(true) => Self::Included,
            Some(false) | None => Self::Left,
        }
    }
}

/// One of the answers of a stream.
#[derive(Debug, Default)]
struct ChoiceState {
    index: u32,
    content: Content,
    calls: u32,
    images: u32,
    /// The name of the sound, once there is one.
    audio: Option<String>,
    written: Written<'static>,
    /// What was last told of the answer, which is told on at the end.
    google: GoogleContent<'static>,
    end: Option<End>,
    /// Why there is nothing in it, if Google blocked it.
    refusal: Option<String>,
}

impl Chat {
    /// The answer to a client that asked for `model`.
    pub(crate) fn new(
        model: &str,
        names: Names,
        style: Style,
        calls: CallIds,
        stamp: Stamp,
    ) -> Self {
        let ids = Ids::new(stamp.nonce);
        Self {
            id: None,
            created: stamp.unix_seconds,
            model: model.to_owned(),
            version: None,
            opening: Vec::new(),
            names,
            ids,
            calls,
            style,
            choices: Vec::new(),
            blocked: None,
        }
    }

    /// Settles the answer's name, and who gives it, at Gemini's first word.
    fn begin(&mut self, answer: &GenerateContentResponse<'_>) {
        if self.id.is_none() {
            let given = answer.response_id.as_ref().filter(|id| !id.is_empty());
            self.version = answer.model_version.as_ref().map(|version| version.to_string());
            let ids = &mut self.ids;
            let id = given.map_or_else(|| ids.next("chatcmpl-"), |id| ["chatcmpl-", id].concat());
            self.id = Some(id);
        }
    }

    /// A sound as OpenAI's clients know it.
    fn audio<'a>(&self, id: impl Into<Cow<'a, str>>, data: Cow<'a, str>) -> Audio<'a> {
        let expires_at = self.created.saturating_add(AUDIO_LIFE);
        Audio { id: id.into(), data, expires_at, transcript: "" }
    }

    fn head(&self, object: &'static str) -> Head<'_> {
        Head {
            id: self.id.as_deref().unwrap_or_default(),
            object,
            created: self.created,
            model: &self.model,
            system_fingerprint: self.version.as_deref(),
        }
    }
}

/// A call as OpenAI writes it, with the name that it goes by.
fn tool_call<'a>(
    call: &'a FunctionCall<'a>,
    sent_name: &'a str,
    names: &'a Names,
    (id, signature): (String, Option<&'a str>),
) -> completion::ToolCall<'a> {
    let name = names.to_client(sent_name);
    let called = if names.is_custom(sent_name) {
        Called::Custom { custom: CustomCall { name, input: custom::input(call).into_inner() } }
    } else {
        let arguments = call.args.map_or(Cow::Borrowed("{}"), |args| compact(args.get()));
        Called::Function { function: completion::FunctionCall { name, arguments } }
    };
    completion::ToolCall {
        index: None,
        id: id.into(),
        called,
        extra_content: signature.filter(|s| !s.is_empty()).map(ExtraContent::signed),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::preset::Preset;
    use crate::translate::{Stamp, chat_by};

    /// The text of an answer with two sources, whole and as a stream.
    fn told(shows_sources: bool, fields: &Value) -> [String; 2] {
        let preset = Preset { shows_sources, ..Preset::default() };
        let answer = json!({ "candidates": [{ "content": { "parts": [{ "text": "a" }] },
            "finishReason": "STOP", "groundingMetadata": { "groundingChunks": [
                { "web": { "uri": "https://a", "title": "A [1]" } }, { "web": { "uri": "https://b" } },
                { "web": { "uri": "https://a", "title": "A" } }] } }] });
        [false, true].map(|stream| {
            let mut body = json!({ "model": "m", "stream": stream,
                                   "messages": [{ "role": "user", "content": "q" }] });
            body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            let stamp = Stamp { unix_seconds: 0, nonce: 0 };
            let mut call = chat_by(&preset, body.to_string().as_bytes(), stamp).unwrap();
            let mut out = Vec::new();
            if !stream {
                call.translator.whole(answer.to_string().as_bytes(), &mut out).unwrap();
                let told: Value = serde_json::from_slice(&out).unwrap();
                return told["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
            }
            call.translator.push(format!("data: {answer}\n\n").as_bytes(), &mut out).unwrap();
            call.translator.finish(&mut out);
            let out = String::from_utf8(out).unwrap();
            let events = out.lines().filter_map(|line| line.strip_prefix("data: {"));
            let events = events.map(|event| serde_json::from_str(&format!("{{{event}")).unwrap());
            let words = |event: Value| {
                event["choices"][0]["delta"]["content"].as_str().unwrap_or_default().to_owned()
            };
            events.map(words).collect()
        })
    }

    #[test]
    fn sources_stand_behind_the_text_where_the_operator_wants_it() {
        let linked = "a\n\n---\n\n- [A  1 ](https://a)\n- [https://b](https://b)";
        assert_eq!(told(true, &json!({})), [linked, linked]);
        assert_eq!(told(false, &json!({})), ["a", "a"]);
        let json = json!({ "response_format": { "type": "json_object" } });
        assert_eq!(told(true, &json), ["a", "a"]);
    }
}
