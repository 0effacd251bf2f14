//! What a client posts, be it JSON or a form; and what the operator sets for pictures and sounds.
//!
//! Invariant: a field is named in refusals as the client wrote it.

use std::fmt;

use super::refusal::{Refusal, quoted};
use super::{media, model};
use crate::form::{self, Field};
use crate::gemini::error::ErrorBody;
use crate::gemini::generate::answer::GenerateContentResponse;
use crate::preset::{Asked, Preset};
use crate::translate::{Malformed, Upstream};

/// A body with its content type.
#[derive(Debug, Clone, Copy)]
pub struct Posted<'a> {
    /// The bytes.
    pub body: &'a [u8],
    /// What they are; empty if the client does not say.
    pub content_type: &'a str,
}

/// What the operator sets for pictures and sounds.
#[derive(Debug, Clone, Copy)]
pub struct MediaPreset<'a> {
    /// What is set for all requests.
    pub preset: &'a Preset,
    /// The model that draws where a client names one of OpenAI's, or none.
    pub images: &'a str,
    /// The one that speaks.
    pub speech: &'a str,
    /// The one that listens.
    pub transcription: &'a str,
    /// The voice that speaks where a client names none.
    pub voice: &'a str,
}

impl<'a> Posted<'a> {
    pub(super) fn is_form(&self) -> bool {
        form::is_form(self.content_type)
    }

    pub(super) fn fields(&self) -> Result<Vec<Field<'a>>, Refusal> {
        form::fields(self.body, self.content_type).map_err(|why| Refusal {
            param: None,
            code: "invalid_form",
            message: format!("The request body cannot be read as a form: {why}."),
        })
    }
}

/// The text of a field; none if it is not there or empty.
///
/// # Errors
/// A [`Refusal`] of bytes that are no text.
pub(super) fn text<'a>(fields: &[Field<'a>], name: &str) -> Result<Option<&'a str>, Refusal> {
    let Some(field) = fields.iter().find(|field| field.name == name) else { return Ok(None) };
    let text =
        str::from_utf8(field.bytes).map_err(|_| Refusal::invalid_type(name, "it is no text"));
    text.map(|text| Some(text.trim()).filter(|text| !text.is_empty()))
}

/// A number in a form, read by `read`.
///
/// # Errors
/// A [`Refusal`] of a text that is none.
pub(super) fn number<T>(
    text: Option<&str>,
    name: &str,
    read: fn(&str) -> Option<T>,
) -> Result<Option<T>, Refusal> {
    let wrong =
        |text: &str| Refusal::invalid_type(name, format_args!("{} is no number", quoted(text)));
    text.map(|text| read(text).ok_or_else(|| wrong(text))).transpose()
}

/// The media type of a file in a form, if it is of one of these kinds, such as `audio`.
///
/// # Errors
/// A [`Refusal`] of other files; `wanted` says what to send instead.
pub(super) fn media_type(
    file: &Field<'_>,
    kinds: &[&str],
    param: impl fmt::Display,
    wanted: &str,
) -> Result<String, Refusal> {
    let is_fit = |kind: &&str| kind.split('/').next().is_some_and(|kind| kinds.contains(&kind));
    let told = || file.content_type.and_then(|told| told.split(';').next()).map(str::trim);
    let named = || file.filename.and_then(media::type_of);
    let seen = media::sniff(file.bytes);
    // The bytes know best; where they do not tell, the client does.
    let known = seen.or_else(|| named().filter(is_fit)).or_else(|| told().filter(is_fit));
    match known.filter(is_fit) {
        Some(kind) if !file.bytes.is_empty() => Ok(kind.to_ascii_lowercase()),
        _ => Err(Refusal::invalid_value(param, wanted)),
    }
}

impl MediaPreset<'_> {
    /// What a name asks for: the client's, unless it is one of OpenAI's that the operator does not
    /// map, or none.
    ///
    /// # Errors
    /// A [`Refusal`] of a name that is none, and of a model that is hidden.
    pub(super) fn asked(&self, name: Option<&str>, instead: &str) -> Result<Asked, Refusal> {
        const OPENAI: [&str; 6] = ["dall-e", "gpt-", "chatgpt-", "tts-", "whisper", "o4-"];
        let naming = &self.preset.naming;
        let is_openai = |name: &str| OPENAI.iter().any(|prefix| name.starts_with(prefix));
        let own = name.filter(|name| !is_openai(name) || naming.map.has_row_for(name));
        naming.resolve(model::upstream_name(own.unwrap_or(instead))?)
    }

    /// A request with what is set for all requests, as far as it is about pictures and sounds: no
    /// words and no tools are added to them.
    pub(super) fn tuned(&self, asked: &Asked, upstream: Upstream) -> Upstream {
        let Preset { safety_settings, thinking, .. } = self.preset;
        let preset = Preset {
            safety_settings: safety_settings.clone(),
            thinking: thinking.clone(),
            ..Preset::default()
        };
        preset.tuned(asked, upstream)
    }
}

/// A whole answer of Gemini.
///
/// # Errors
/// [`Malformed`] when it is none.
pub(super) fn answer(body: &[u8]) -> Result<GenerateContentResponse<'_>, Malformed> {
    let answer: GenerateContentResponse<'_> =
        crate::json::read(body).map_err(|error| Malformed::from(&error))?;
    if answer.error.is_some() {
        return Err(Malformed::Failed(Box::new(ErrorBody::parse(body).unwrap_or_default())));
    }
    Ok(answer)
}

/// Why an answer has not what was asked for, in Gemini's words.
pub(super) fn reason(answer: &GenerateContentResponse<'_>) -> Option<String> {
    let finish = answer.candidates.iter().find_map(|each| each.finish_reason.as_ref());
    let block = answer.prompt_feedback.as_ref().and_then(|it| it.block_reason.as_ref());
    block.or(finish).map(|reason| reason.0.to_string())
}
