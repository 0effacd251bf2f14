//! The parts of a message's content, as Gemini's parts.
//!
//! Invariant: text arrives unchanged, and what cannot be sent is refused, never dropped.

use super::path::Path;
use super::refusal::{Refusal, quoted};
use super::{detail, media};
use crate::gemini::generate::request::{Data, Part};
use crate::openai::chat;
use crate::openai::union::{StringOrArray, StringOrObject};

/// The parts of a content; empty texts are left out, since Gemini refuses them.
///
/// # Errors
/// A [`Refusal`] that names the part that Gemini cannot take.
pub(crate) fn parts<'a>(
    content: Option<&'a StringOrArray<'a, chat::Part<'a>>>,
    path: Path<'_>,
) -> Result<Vec<Part<'a>>, Refusal> {
    all(content, path, part)
}

/// The parts of a content whose parts are read by `part`.
///
/// # Errors
/// The [`Refusal`] of the first part that cannot be read.
pub(crate) fn all<'a, T>(
    content: Option<&'a StringOrArray<'a, T>>,
    path: Path<'_>,
    part: impl Fn(&'a T, Path<'_>) -> Result<Option<Part<'a>>, Refusal>,
) -> Result<Vec<Part<'a>>, Refusal> {
    match content {
        None => Ok(Vec::new()),
        Some(StringOrArray::String(text)) => Ok(self::text(text).into_iter().collect()),
        Some(StringOrArray::Array(parts)) => {
            let parts = parts.iter().enumerate();
            let parts = parts.map(|(index, each)| part(each, path.index(index)));
            parts.filter_map(Result::transpose).collect()
        }
    }
}

/// A part of text; none for an empty one.
pub(crate) fn text(text: &str) -> Option<Part<'_>> {
    (!text.is_empty()).then(|| Data::Text(text.into()).into())
}

fn part<'a>(part: &'a chat::Part<'a>, path: Path<'_>) -> Result<Option<Part<'a>>, Refusal> {
    let data = match &*part.kind {
        "text" => return Ok(text(require(part.text.as_deref(), "text", path)?)),
        "refusal" => return Ok(text(require(part.refusal.as_deref(), "refusal", path)?)),
        "image_url" => match require(part.image_url.as_ref(), "image_url", path)? {
            StringOrObject::String(url) => media::image(url, path.field("image_url")),
            StringOrObject::Object(image) => {
                let path = path.field("image_url");
                let part = Part::from(media::image(&image.url, path.field("url"))?);
                let media_resolution = detail::level(image.detail.as_deref(), path)?;
                return Ok(Some(Part { media_resolution, ..part }));
            }
        },
        "video_url" => match require(part.video_url.as_ref(), "video_url", path)? {
            StringOrObject::String(url) => media::video(url, path.field("video_url")),
            StringOrObject::Object(video) => {
                media::video(&video.url, path.field("video_url").field("url"))
            }
        },
        "input_audio" => {
            let audio = require(part.input_audio.as_ref(), "input_audio", path)?;
            media::audio(&audio.data, audio.format.as_deref(), path.field("input_audio"))
        }
        "file" => {
            let file = require(part.file.as_ref(), "file", path)?;
            let path = path.field("file");
            match (&file.file_data, &file.file_id) {
                (None, Some(id)) => media::held(id, path.field("file_id")),
                (data, _) => {
                    let data = require(data.as_deref(), "file_data", path)?;
                    media::document(data, file.filename.as_deref(), path.field("file_data"))
                }
            }
        }
        kind => {
            let reason = format!(
                "{} is no kind of part; it must be 'text', 'image_url', 'video_url', 'input_audio' or 'file'",
                quoted(kind)
            );
            Err(Refusal::invalid_value(path.field("type"), reason))
        }
    };
    data.map(|data| Some(data.into()))
}

/// What a field must hold.
///
/// # Errors
/// A [`Refusal`] when it holds nothing.
pub(crate) fn require<T>(value: Option<T>, field: &str, path: Path<'_>) -> Result<T, Refusal> {
    value.ok_or_else(|| Refusal::missing(path.field(field)))
}
