//! The items of a conversation in a Responses request.
//!
//! Invariant: an item without a type is a message, as the official clients write it.

use serde::Deserialize;

use crate::json::Text;
use crate::openai::chat::{ExtraContent, InputAudio};
use crate::openai::union::StringOrArray;

/// One item; `kind` says which fields it has.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct Item<'a> {
    /// `message`, `function_call`, `function_call_output`, `custom_tool_call`,
    /// `custom_tool_call_output` or `reasoning`.
    #[serde(rename = "type")]
    pub kind: Option<Text<'a>>,
    /// Who says a message: `system`, `developer`, `user` or `assistant`.
    pub role: Option<Text<'a>>,
    /// What a message says.
    pub content: Option<StringOrArray<'a, Part<'a>>>,
    /// The name that a call and its output share.
    pub call_id: Option<Text<'a>>,
    /// The function that a call calls.
    pub name: Option<Text<'a>>,
    /// The arguments of a call, JSON in a string.
    pub arguments: Option<Text<'a>>,
    /// The text that a custom tool was given.
    pub input: Option<Text<'a>>,
    /// What a call gave.
    pub output: Option<StringOrArray<'a, Part<'a>>>,
    /// What an earlier answer of Gemini attached to the item.
    pub extra_content: Option<ExtraContent<'a>>,
}

/// One part of a message or of an output; `kind` says which field holds it.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct Part<'a> {
    /// `input_text`, `output_text`, `input_image`, `input_audio`, `input_file` or `refusal`.
    #[serde(rename = "type")]
    pub kind: Text<'a>,
    /// The text of a text part.
    pub text: Option<Text<'a>>,
    /// The text of a refusal.
    pub refusal: Option<Text<'a>>,
    /// The address of a picture.
    pub image_url: Option<Text<'a>>,
    /// How closely it is looked at: `auto`, `low`, `high` or `original`.
    pub detail: Option<Text<'a>>,
    /// The sound.
    pub input_audio: Option<InputAudio<'a>>,
    /// A document: a `data:` URL, or base64 of a type that the name's ending tells.
    pub file_data: Option<Text<'a>>,
    /// The address of a document.
    pub file_url: Option<Text<'a>>,
    /// A picture or document that Google holds.
    pub file_id: Option<Text<'a>>,
    /// The document's name.
    pub filename: Option<Text<'a>>,
}
