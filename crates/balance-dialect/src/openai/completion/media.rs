//! Pictures and sounds of an answer.
//!
//! Invariant: bytes stay in the base64 that Gemini gave, unless they stand on the web.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use crate::json::Shown;

/// A picture.
#[derive(Debug, Clone, Serialize)]
pub struct Image<'a> {
    /// The picture's place among the pictures of the answer.
    pub index: u32,
    /// Always `image_url`.
    #[serde(rename = "type")]
    pub kind: ImageKind,
    /// Where it is.
    pub image_url: ImageUrl<'a>,
}

/// How a picture is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageKind {
    /// By its address.
    ImageUrl,
}

/// The address of a picture.
#[derive(Debug, Clone, Serialize)]
pub struct ImageUrl<'a> {
    /// A `data:` URL.
    pub url: Shown<DataUrl<'a>>,
}

/// A `data:` URL of base64, or what stands for it on the web.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataUrl<'a> {
    /// The media type.
    pub mime_type: &'a str,
    /// Base64; or the address of a picture that was put on the web, which is no base64.
    pub data: &'a str,
}

impl DataUrl<'_> {
    /// Whether it was put on the web.
    #[must_use]
    pub fn is_on_the_web(&self) -> bool {
        self.data.contains(':')
    }
}

impl fmt::Display for DataUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_on_the_web() {
            return f.write_str(self.data);
        }
        write!(f, "data:{};base64,{}", self.mime_type, self.data)
    }
}

/// A sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audio<'a> {
    /// Its name, the same in all chunks.
    pub id: Cow<'a, str>,
    /// Base64.
    pub data: Cow<'a, str>,
    /// Until when OpenAI would know the name, in seconds since 1970.
    pub expires_at: u64,
    /// What is said, always empty: Gemini does not tell.
    pub transcript: &'static str,
}
