//! Texts read aloud by the models that speak.
//!
//! Invariant: Gemini gives 16-bit samples; a client gets them in the format that it asked for, or
//! is told before anything is sent that there is no such format here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rusty_mp3::{Mp3Encoder, Mp3EncoderConfig};

use super::chat::sound::{header, rate};
use super::posted::{MediaModels, answer, model_of, reason};
use super::refusal::{Refusal, quoted};
use super::usage::Tokens;
use super::{Call, Kind, Made, Malformed, Translator, Upstream, decode, speech};
use crate::gemini::generate::request::{
    Content, Data, GenerateContentRequest, GenerationConfig, Role, SpeechConfig,
};
use crate::openai::audio::SpeechRequest;
use crate::openai::union::StringOrObject;
use crate::summary::{Ending, Summary};

#[cfg(test)]
mod tests;

/// As good as speech of 24 kHz needs.
const MP3_KBPS: u32 = 64;
/// Who reads when the client does not say.
const VOICE: &str = "alloy";

/// How the sound is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Mp3,
    Wav,
    Pcm,
}

/// The sound in the making.
#[derive(Debug)]
pub(super) struct Spoken(Format);

/// Reads the body of `POST /v1/audio/speech`.
///
/// # Errors
/// A [`Refusal`] that names the field at fault; nothing must be sent then.
pub fn speak(body: &[u8], models: &MediaModels<'_>) -> Result<Call, Refusal> {
    let asked: SpeechRequest<'_> = decode::decode(body)?;
    if asked.input.trim().is_empty() {
        return Err(Refusal::invalid_value("input", "there is nothing to read aloud"));
    }
    if asked.stream_format.as_deref().is_some_and(|format| format != "audio") {
        return Err(Refusal::unsupported(
            "stream_format",
            "the sound comes as a whole; send 'audio'",
        ));
    }
    let format = format(asked.response_format.as_deref())?;
    let name = match &asked.voice {
        None => VOICE,
        Some(StringOrObject::String(name)) => name,
        Some(StringOrObject::Object(_)) => return Err(speech::no_voice_by_id("voice")),
    };
    let model = model_of(asked.model.as_deref(), models.speech)?;
    let text = told(&asked)?;
    let request = GenerateContentRequest {
        contents: vec![Content {
            role: Some(Role::User),
            parts: vec![Data::Text(text.into()).into()],
        }],
        generation_config: GenerationConfig {
            response_modalities: vec!["AUDIO"],
            speech_config: Some(SpeechConfig::of(speech::voice_of(name))),
            ..GenerationConfig::default()
        },
        ..GenerateContentRequest::default()
    };
    let requests = vec![Upstream::generate(&model, false, &request, body.len())];
    let translator = Translator(Kind::Made(Made::Spoken(Spoken(format))));
    Ok(Call { model, stream: false, requests, translator })
}

fn format(word: Option<&str>) -> Result<Format, Refusal> {
    match word {
        None | Some("mp3") => Ok(Format::Mp3),
        Some("wav") => Ok(Format::Wav),
        Some("pcm") => Ok(Format::Pcm),
        Some(word) => {
            let reason =
                format!("{} is not encoded here; send 'mp3', 'wav' or 'pcm'", quoted(word));
            Err(Refusal {
                code: "unsupported_value",
                ..Refusal::invalid_value("response_format", reason)
            })
        }
    }
}

/// The text, after how it is to be read: models that speak take both as one.
fn told(asked: &SpeechRequest<'_>) -> Result<String, Refusal> {
    let pace = match asked.speed {
        Some(speed) if !(0.25..=4.0).contains(&speed) => {
            return Err(Refusal::invalid_value("speed", "it must be from 0.25 to 4"));
        }
        Some(speed) if speed < 0.8 => "Read it slowly.",
        Some(speed) if speed > 1.25 => "Read it fast.",
        Some(_) | None => "",
    };
    let instructions = asked.instructions.as_deref().unwrap_or_default().trim();
    let how = [instructions, pace].join(" ");
    Ok(match how.trim() {
        "" => asked.input.to_string(),
        how => format!("{how}\n\n{}", &*asked.input),
    })
}

impl Spoken {
    pub(super) const fn content_type(&self) -> &'static str {
        match self.0 {
            Format::Mp3 => "audio/mpeg",
            Format::Wav => "audio/wav",
            Format::Pcm => "audio/pcm",
        }
    }

    /// Takes the answer and writes the sound.
    ///
    /// # Errors
    /// [`Malformed`] when there is none.
    pub(super) fn whole(&self, body: &[u8], out: &mut Vec<u8>) -> Result<Summary, Malformed> {
        let answer = answer(body)?;
        let parts = answer.candidates.iter().filter_map(|each| each.content.as_ref());
        let blobs =
            parts.flat_map(|content| &content.parts).filter_map(|part| part.inline_data.as_ref());
        let mut samples = Vec::new();
        let mut mime_type = None;
        for blob in blobs.filter(|blob| blob.mime_type.starts_with("audio/")) {
            let Ok(bytes) = STANDARD.decode(&*blob.data) else { continue };
            samples.extend(bytes);
            mime_type = Some(&*blob.mime_type);
        }
        let Some(mime_type) = mime_type.filter(|_| !samples.is_empty()) else {
            return Err(Malformed::Empty { reason: reason(&answer) });
        };
        match self.0 {
            Format::Mp3 => mp3(&samples, rate(mime_type), out)?,
            Format::Wav => {
                out.extend(header(mime_type, samples.len()));
                out.extend(samples);
            }
            Format::Pcm => out.extend(samples),
        }
        let mut tokens = Tokens::default();
        answer.usage_metadata.iter().for_each(|stated| tokens.update(stated));
        Ok(Summary { usage: tokens.counted, ending: Ending::Finished })
    }
}

/// Encodes samples of one channel.
fn mp3(samples: &[u8], rate: u32, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut encoder =
        Mp3Encoder::new(Mp3EncoderConfig { bitrate_kbps: MP3_KBPS, vbr_quality: None });
    let strange = |_| Malformed::Empty { reason: Some(format!("sound of {rate} Hz")) };
    encoder.push_pcm_s16le(samples, 1, rate).map_err(strange)?;
    encoder.finish();
    while let Ok(packet) = encoder.next_packet() {
        out.extend(packet);
    }
    Ok(())
}
