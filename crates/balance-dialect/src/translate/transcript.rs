//! Recordings written down, in their own language or in English, by models that listen.
//!
//! Invariant: a client gets the form that it asked for; times are asked of the model only where
//! that form has them, since a model that tells none hears better.

mod formats;

#[cfg(test)]
mod tests;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use self::formats::{Format, Heard};
use super::made::{Delivery, write_event};
use super::posted::{MediaPreset, Posted, answer, media_type, number, reason, text};
use super::refusal::{Refusal, quoted};
use super::usage::Tokens;
use super::{Call, Kind, Made, Malformed, Translator, Upstream};
use crate::form::Field;
use crate::gemini::generate::request::{
    Blob, Content, Data, GenerateContentRequest, GenerationConfig, Role,
};
use crate::openai::audio::{TranscriptEvent, Usage};
use crate::summary::{Ending, Summary};

/// In which language a recording is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wording {
    /// In its own.
    Own,
    /// In English.
    English,
}

/// The transcript in the making.
#[derive(Debug)]
pub(super) struct Transcript {
    format: Format,
    wording: Wording,
    /// The language that the client names.
    language: Option<String>,
    delivery: Delivery,
}

/// Reads the body of `POST /v1/audio/transcriptions` or `…/translations`.
///
/// # Errors
/// A [`Refusal`] that names the field at fault; nothing must be sent then.
pub fn transcript(
    posted: Posted<'_>,
    wording: Wording,
    preset: &MediaPreset<'_>,
) -> Result<Call, Refusal> {
    let fields = posted.fields()?;
    let format = format(&fields)?;
    let file = fields.iter().find(|field| field.name == "file");
    let file = file.ok_or_else(|| Refusal::missing("file"))?;
    let wanted = "it is no recording that Gemini hears; send wav, mp3, m4a, flac, ogg, webm or mp4";
    let mime_type = media_type(file, &["audio", "video"], "file", wanted)?;
    let asked = preset.asked(text(&fields, "model")?, preset.transcription)?;
    let temperature = number(text(&fields, "temperature")?, "temperature", crate::json::number)?;
    if temperature.is_some_and(|temperature| !(0.0..=1.0).contains(&temperature)) {
        return Err(Refusal::invalid_value("temperature", "it must be from 0 to 1"));
    }
    let language = text(&fields, "language")?;
    let told = told(wording, format, language, text(&fields, "prompt")?);
    let blob = Blob { mime_type: mime_type.into(), data: STANDARD.encode(file.bytes).into() };
    let parts = vec![Data::InlineData(blob).into(), Data::Text(told.into()).into()];
    let request = GenerateContentRequest {
        contents: vec![Content { role: Some(Role::User), parts }],
        generation_config: GenerationConfig {
            temperature,
            response_mime_type: format.has_times().then_some("application/json"),
            response_schema: format.has_times().then(schema),
            ..GenerationConfig::default()
        },
        ..GenerateContentRequest::default()
    };
    let size = file.bytes.len() / 3 * 4;
    let upstream = Upstream::generate(&asked.model, false, &request, size);
    let requests = vec![preset.tuned(&asked, upstream)];
    let language = language.map(str::to_owned);
    let transcript = Transcript { format, wording, language, delivery: delivery(&fields, format)? };
    let translator = Translator(Kind::Made(Made::Transcript(transcript)));
    Ok(Call { model: asked.model, stream: false, requests, translator })
}

fn format(fields: &[Field<'_>]) -> Result<Format, Refusal> {
    let grains = fields.iter().filter(|field| field.name.starts_with("timestamp_granularities"));
    if grains.into_iter().any(|field| field.bytes == b"word") {
        let reason = "times are told of sentences, not of words; send 'segment'";
        return Err(Refusal::unsupported("timestamp_granularities", reason));
    }
    let word = text(fields, "response_format")?;
    Format::of(word).ok_or_else(|| {
        let word = quoted(word.unwrap_or_default());
        let reason = format!("{word} must be 'json', 'text', 'verbose_json', 'srt' or 'vtt'");
        Refusal::invalid_value("response_format", reason)
    })
}

/// Forms with times are never given in events, at OpenAI neither.
fn delivery(fields: &[Field<'_>], format: Format) -> Result<Delivery, Refusal> {
    match text(fields, "stream")? {
        Some("true") if !format.has_times() => Ok(Delivery::Events),
        None | Some("true" | "false") => Ok(Delivery::Bytes),
        Some(_) => Err(Refusal::invalid_type("stream", "expected 'true' or 'false'")),
    }
}

/// What the model is told to do.
fn told(wording: Wording, format: Format, language: Option<&str>, hint: Option<&str>) -> String {
    let mut told = String::from(match wording {
        Wording::Own => {
            "Write down word for word what is said in this recording, in the language that is \
             spoken, with punctuation."
        }
        Wording::English => "Write down in English what is said in this recording.",
    });
    told.push_str(if format.has_times() {
        " Give every sentence or subtitle line as a segment of its own, with the seconds from the \
         start of the recording at which it begins and ends, to a tenth of a second."
    } else {
        " Answer with these words alone: no times, no names of speakers, no remarks."
    });
    if let Some(language) = language {
        told.push_str(" The language that is spoken is: ");
        told.push_str(language);
        told.push('.');
    }
    if let Some(hint) = hint {
        told.push_str(" Words and spellings that may occur: ");
        told.push_str(hint);
    }
    told
}

/// What the model fills in where times are wanted.
fn schema() -> Value {
    json!({
        "type": "OBJECT",
        "properties": {
            "language": { "type": "STRING", "description": "the spoken language, in English, lower case" },
            "segments": { "type": "ARRAY", "items": {
                "type": "OBJECT",
                "properties": {
                    "start": { "type": "NUMBER" },
                    "end": { "type": "NUMBER" },
                    "text": { "type": "STRING" },
                },
                "required": ["start", "end", "text"],
            } },
        },
        "required": ["language", "segments"],
    })
}

/// What the model filled in.
#[derive(Debug, Deserialize)]
struct Filled {
    #[serde(default)]
    language: String,
    #[serde(default)]
    segments: Vec<Said>,
}

/// Some words with their times, in seconds.
#[derive(Debug, Deserialize)]
struct Said {
    start: f64,
    end: f64,
    text: String,
}

impl Transcript {
    pub(super) const fn content_type(&self) -> &'static str {
        self.delivery.content_type(self.format.content_type())
    }

    /// Takes the answer and writes the transcript.
    ///
    /// # Errors
    /// [`Malformed`] when there is none.
    pub(super) fn whole(&self, body: &[u8], out: &mut Vec<u8>) -> Result<Summary, Malformed> {
        let answer = answer(body)?;
        let parts = answer.candidates.iter().filter_map(|each| each.content.as_ref());
        let parts = parts.flat_map(|content| &content.parts);
        let words =
            parts.filter(|part| part.thought != Some(true)).filter_map(|part| part.text.as_deref());
        let words: String = words.collect();
        if words.is_empty() {
            return Err(Malformed::Empty { reason: reason(&answer) });
        }
        let mut tokens = Tokens::default();
        answer.usage_metadata.iter().for_each(|stated| tokens.update(stated));
        let heard = self.heard(&words)?;
        match self.delivery {
            Delivery::Bytes => self.format.write(&heard, (self.wording, &tokens), out),
            Delivery::Events => {
                let (text, usage) = (&*heard.text, Usage::of(&tokens));
                write_event(&TranscriptEvent::Delta { delta: text }, out);
                write_event(&TranscriptEvent::Done { text, usage }, out);
            }
        }
        Ok(Summary { usage: tokens.counted, ending: Ending::Finished })
    }

    fn heard(&self, words: &str) -> Result<Heard, Malformed> {
        let named = self.language.clone();
        if !self.format.has_times() {
            let (language, text) = (named.unwrap_or_default(), words.trim().to_owned());
            return Ok(Heard { language, text, segments: Vec::new() });
        }
        let filled: Filled =
            crate::json::read_str(words).map_err(|error| Malformed::from(&error))?;
        let language = named.unwrap_or(filled.language);
        Ok(Heard::of(
            language,
            filled.segments.into_iter().map(|said| (said.start, said.end, said.text)),
        ))
    }
}
