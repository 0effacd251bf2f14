//! The messages of a chat request.
//!
//! Invariant: `content` and `tool_calls` may stand together, and either may be missing.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::Text;
use crate::openai::union::{StringOrArray, StringOrObject};

/// One message of the conversation.
#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct Message<'a> {
    /// `system`, `developer`, `user`, `assistant`, `tool` or `function`.
    pub role: Text<'a>,
    /// What is said.
    pub content: Option<StringOrArray<'a, Part<'a>>>,
    /// The function that a `tool` or `function` message answers for.
    pub name: Option<Text<'a>>,
    /// An assistant's refusal, which is text too.
    pub refusal: Option<Text<'a>>,
    /// The calls that an assistant made.
    pub tool_calls: Option<Vec<ToolCall<'a>>>,
    /// The one call of an assistant of the older API.
    pub function_call: Option<FunctionCall<'a>>,
    /// The call that a `tool` message answers.
    pub tool_call_id: Option<Text<'a>>,
    /// What an earlier answer of Gemini attached to the message.
    pub extra_content: Option<ExtraContent<'a>>,
    /// Where LiteLLM's clients put what Gemini attached to the message.
    pub provider_specific_fields: Option<GoogleContent<'a>>,
    /// Where OpenRouter's clients put what Gemini attached to the message and its calls.
    pub reasoning_details: Option<Vec<ReasoningDetail<'a>>>,
}

/// One part of a message's content; `kind` says which field holds it.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct Part<'a> {
    /// `text`, `image_url`, `video_url`, `input_audio`, `file` or `refusal`.
    #[serde(rename = "type")]
    pub kind: Text<'a>,
    /// The text of a `text` part.
    pub text: Option<Text<'a>>,
    /// The text of a `refusal` part.
    pub refusal: Option<Text<'a>>,
    /// The picture of an `image_url` part, or its address alone.
    pub image_url: Option<StringOrObject<'a, ImageUrl<'a>>>,
    /// The film of a `video_url` part, or its address alone; not OpenAI's, but many clients send it.
    pub video_url: Option<StringOrObject<'a, ImageUrl<'a>>>,
    /// The sound of an `input_audio` part.
    pub input_audio: Option<InputAudio<'a>>,
    /// The document of a `file` part.
    pub file: Option<FilePart<'a>>,
}

/// A picture by its address.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct ImageUrl<'a> {
    /// A `data:` URL, or the address of a picture.
    pub url: Text<'a>,
    /// How closely it is looked at: `auto`, `low`, `high` or `original`.
    pub detail: Option<Text<'a>>,
}

/// A sound, inlined.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct InputAudio<'a> {
    /// Base64, or a `data:` URL.
    pub data: Text<'a>,
    /// `wav`, `mp3`, `flac`, `ogg`, `aac` or `aiff`.
    pub format: Option<Text<'a>>,
}

/// A document, inlined or uploaded before.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct FilePart<'a> {
    /// A `data:` URL, or base64 of a type that the name's ending tells.
    pub file_data: Option<Text<'a>>,
    /// A Gemini file: `files/…` or its whole address.
    pub file_id: Option<Text<'a>>,
    /// The document's name.
    pub filename: Option<Text<'a>>,
}

/// A call that the assistant made.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct ToolCall<'a> {
    /// The name that the result will refer to.
    pub id: Option<Text<'a>>,
    /// `function` or `custom`.
    #[serde(rename = "type")]
    pub kind: Option<Text<'a>>,
    /// The function that was called.
    pub function: Option<FunctionCall<'a>>,
    /// The custom tool that was called.
    pub custom: Option<CustomCall<'a>>,
    /// What Gemini attached to the call.
    pub extra_content: Option<ExtraContent<'a>>,
    /// Where LiteLLM's clients put what Gemini attached to the call.
    pub provider_specific_fields: Option<GoogleContent<'a>>,
}

/// A function's name with its arguments.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct FunctionCall<'a> {
    /// The function's name.
    pub name: Text<'a>,
    /// The arguments, JSON in a string.
    pub arguments: Option<Text<'a>>,
}

/// A custom tool's name with what it was given.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct CustomCall<'a> {
    /// The tool's name.
    pub name: Text<'a>,
    /// The text that it was given.
    pub input: Text<'a>,
}

/// What providers attach to messages and calls.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct ExtraContent<'a> {
    /// Gemini's part of it.
    pub google: Option<GoogleContent<'a>>,
}

/// What Gemini attaches to messages and calls.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct GoogleContent<'a> {
    /// The proof of the thoughts behind the part; it must come back unchanged.
    pub thought_signature: Option<Text<'a>>,
    /// The same of all parts of a message, as LiteLLM has it.
    pub thought_signatures: Option<Vec<Text<'a>>>,
    /// Parts that no other field holds, as Gemini wrote them.
    pub parts: Option<Vec<OtherPart<'a>>>,
}

/// A part of an earlier answer that no other field holds, as Gemini wrote it.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), rename_all = "camelCase", expecting = "an object")]
pub struct OtherPart<'a> {
    /// A call of a tool of Google's.
    #[serde(borrow)]
    pub tool_call: Option<&'a RawValue>,
    /// What the tool gave.
    #[serde(borrow)]
    pub tool_response: Option<&'a RawValue>,
    /// The proof of the thoughts behind it.
    pub thought_signature: Option<Text<'a>>,
}

/// A thought, or the proof of one, as OpenRouter has it.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct ReasoningDetail<'a> {
    /// `reasoning.encrypted` for a proof.
    #[serde(rename = "type")]
    pub kind: Option<Text<'a>>,
    /// The call that it belongs to.
    pub id: Option<Text<'a>>,
    /// The proof.
    pub data: Option<Text<'a>>,
    /// Whose proof it is; Gemini's is `google-gemini-v1`.
    pub format: Option<Text<'a>>,
}

impl Message<'_> {
    /// What Gemini attached to the message itself, wherever it came back.
    #[must_use]
    pub fn signature(&self) -> Option<&str> {
        let extra = self.extra_content.as_ref().and_then(ExtraContent::signature);
        let other = || self.provider_specific_fields.as_ref()?.signature();
        extra.or_else(other).or_else(|| self.detail(None))
    }

    /// The steps of Google's own tools, as they came with the message.
    pub fn tool_steps(&self) -> impl Iterator<Item = &OtherPart<'_>> {
        let google = self.extra_content.as_ref().and_then(|extra| extra.google.as_ref());
        google.into_iter().flat_map(|google| google.parts.iter().flatten())
    }

    /// What Gemini attached to the call of a name, where OpenRouter's clients put it.
    #[must_use]
    pub fn signature_of(&self, call: &str) -> Option<&str> {
        self.detail(Some(call))
    }

    fn detail(&self, call: Option<&str>) -> Option<&str> {
        let is_wanted = |detail: &&ReasoningDetail<'_>| {
            let is_proof = detail.kind.as_deref() == Some("reasoning.encrypted");
            let format = detail.format.as_deref();
            let is_gemini = format.is_none_or(|format| format.starts_with("google-gemini"));
            is_proof && is_gemini && detail.id.as_deref() == call
        };
        self.reasoning_details.iter().flatten().find(is_wanted)?.data.as_deref()
    }
}

impl ToolCall<'_> {
    /// What Gemini attached to the call, where LiteLLM's clients put it.
    #[must_use]
    pub fn signature_of_others(&self) -> Option<&str> {
        self.provider_specific_fields.as_ref()?.signature()
    }
}

impl GoogleContent<'_> {
    fn signature(&self) -> Option<&str> {
        let last = || self.thought_signatures.as_ref()?.last().map(|last| &**last);
        self.thought_signature.as_deref().or_else(last)
    }
}

impl ExtraContent<'_> {
    /// What Gemini attached.
    #[must_use]
    pub fn signature(&self) -> Option<&str> {
        let signature = self.google.as_ref()?.thought_signature.as_deref();
        signature.filter(|signature| !signature.is_empty())
    }
}
