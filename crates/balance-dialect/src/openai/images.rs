//! `POST /v1/images/generations` and `/v1/images/edits`.
//!
//! Invariant: only what is translated is read; an answer has one entry for each picture.

use serde::{Deserialize, Serialize};

use super::number::Integer;
use crate::json::Text;

/// The body of a request.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct ImagesRequest<'a> {
    /// What to draw, or what to change.
    pub prompt: Text<'a>,
    /// The model that the client asks for.
    pub model: Option<Text<'a>>,
    /// How many pictures.
    pub n: Option<Integer>,
    /// `auto`, or width and height, such as `1024x1536`.
    pub size: Option<Text<'a>>,
    /// `url` or `b64_json`.
    pub response_format: Option<Text<'a>>,
    /// The pictures to be changed.
    pub images: Option<Vec<Original<'a>>>,
    /// Whether the answer comes as events.
    pub stream: Option<bool>,
}

/// A picture to be changed.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct Original<'a> {
    /// A `data:` URL, or the address of a picture.
    pub image_url: Option<Text<'a>>,
    /// A picture that Google holds.
    pub file_id: Option<Text<'a>>,
}

/// An answer.
#[derive(Debug, Serialize)]
pub struct ImagesResponse<'a> {
    /// When it was made, in seconds since 1970.
    pub created: u64,
    /// The pictures.
    pub data: Vec<Image<'a>>,
    /// The kind of the pictures: `png`, `jpeg` or `webp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_format: Option<&'a str>,
    /// What it took; not told for models that do not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

/// A picture in an event.
#[derive(Debug, Serialize)]
pub struct ImageEvent<'a> {
    /// `image_generation.completed` or `image_edit.completed`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Base64.
    pub b64_json: &'a str,
    /// When it was made, in seconds since 1970.
    pub created_at: u64,
    /// Always `auto`, as are the next two: Gemini does not tell.
    pub size: &'static str,
    /// See `size`.
    pub quality: &'static str,
    /// See `size`.
    pub background: &'static str,
    /// `png`, `jpeg` or `webp`.
    pub output_format: &'a str,
    /// What all pictures took together.
    pub usage: Usage,
}

impl<'a> ImageEvent<'a> {
    /// A picture, in base64, of this kind.
    #[must_use]
    pub fn of(
        kind: &'static str,
        (b64_json, output_format): (&'a str, &'a str),
        created_at: u64,
        usage: Usage,
    ) -> Self {
        let (size, quality, background) = ("auto", "auto", "auto");
        Self { kind, b64_json, created_at, size, quality, background, output_format, usage }
    }
}

/// A picture, in one of two ways.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Image<'a> {
    /// Base64.
    B64Json(&'a str),
    /// Its address, or a `data:` URL.
    Url(String),
}

/// The tokens of an answer.
#[derive(Debug, Serialize)]
pub struct Usage {
    /// Of the prompt.
    pub input_tokens: u64,
    /// Of the prompt, by kind.
    pub input_tokens_details: InputTokens,
    /// Of the pictures.
    pub output_tokens: u64,
    /// All.
    pub total_tokens: u64,
}

/// The tokens of a prompt, by kind.
#[derive(Debug, Serialize)]
pub struct InputTokens {
    /// Of its words.
    pub text_tokens: u64,
    /// Of its pictures.
    pub image_tokens: u64,
}
