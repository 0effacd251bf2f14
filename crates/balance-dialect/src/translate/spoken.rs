//! Texts read aloud by the models that speak.
//!
//! Invariant: Gemini gives 16-bit samples; a client gets them in the format that it asked for, or
//! is told before anything is sent that there is no such format here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rusty_mp3::{Mp3Encoder, Mp3EncoderConfig};

use super::chat::sound::{header, rate};
use super::made::{Delivery, write_event};
use super::posted::{MediaPreset, answer, reason};
use super::refusal::{Refusal, quoted};
use super::usage::Tokens;
use super::{Call, Kind, Made, Malformed, Translator, Upstream, decode, flac, speech};
use crate::gemini::generate::request::{
    Content, Data, GenerateContentRequest, GenerationConfig, Role, SpeechConfig,
};
use crate::openai::audio::{SpeechEvent, SpeechRequest, SpeechUsage};
use crate::openai::union::StringOrObject;
use crate::summary::{Ending, Summary};

#[cfg(test)]
mod tests;

/// As good as speech of 24 kHz needs.
const MP3_KBPS: u32 = 64;
/// The bytes of the sound that one event has.
const PIECE: usize = 48 * 1024;

/// How the sound is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Mp3,
    Flac,
    Wav,
    Pcm,
}

/// The sound in the making.
#[derive(Debug)]
pub(super) struct Spoken {
    format: Format,
    delivery: Delivery,
}

/// Reads the body of `POST /v1/audio/speech`.
///
/// # Errors
/// A [`Refusal`] that names the field at fault; nothing must be sent then.
pub fn speak(body: &[u8], preset: &MediaPreset<'_>) -> Result<Call, Refusal> {
    let wanted: SpeechRequest<'_> = decode::decode(body)?;
    if wanted.input.trim().is_empty() {
        return Err(Refusal::invalid_value("input", "there is nothing to read aloud"));
    }
    let format = format(wanted.response_format.as_deref())?;
    let delivery = delivery(wanted.stream_format.as_deref())?;
    let name = match &wanted.voice {
        None => preset.voice,
        Some(StringOrObject::String(name)) => name,
        Some(StringOrObject::Object(_)) => return Err(speech::no_voice_by_id("voice")),
    };
    let asked = preset.asked(wanted.model.as_deref(), preset.speech)?;
    let text = told(&wanted)?;
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
    let upstream = Upstream::generate(&asked.model, false, &request, body.len());
    let requests = vec![preset.tuned(&asked, upstream)];
    let translator = Translator(Kind::Made(Made::Spoken(Spoken { format, delivery })));
    Ok(Call { model: asked.model, stream: false, requests, translator })
}

fn delivery(word: Option<&str>) -> Result<Delivery, Refusal> {
    match word {
        None | Some("audio") => Ok(Delivery::Bytes),
        Some("sse") => Ok(Delivery::Events),
        Some(word) => {
            let reason = format!("{} must be 'audio' or 'sse'", quoted(word));
            Err(Refusal::invalid_value("stream_format", reason))
        }
    }
}

fn format(word: Option<&str>) -> Result<Format, Refusal> {
    match word {
        None | Some("mp3") => Ok(Format::Mp3),
        Some("flac") => Ok(Format::Flac),
        Some("wav") => Ok(Format::Wav),
        Some("pcm") => Ok(Format::Pcm),
        Some(word) => {
            let word = quoted(word);
            let reason = format!("{word} is not encoded here; send 'mp3', 'flac', 'wav' or 'pcm'");
            Err(Refusal {
                code: "unsupported_value",
                ..Refusal::invalid_value("response_format", reason)
            })
        }
    }
}

/// The text, after how it is to be read: models that speak take both as one.
fn told(wanted: &SpeechRequest<'_>) -> Result<String, Refusal> {
    let pace = match wanted.speed {
        Some(speed) if !(0.25..=4.0).contains(&speed) => {
            return Err(Refusal::invalid_value("speed", "it must be from 0.25 to 4"));
        }
        Some(speed) if speed < 0.8 => "Read it slowly.",
        Some(speed) if speed > 1.25 => "Read it fast.",
        Some(_) | None => "",
    };
    let instructions = wanted.instructions.as_deref().unwrap_or_default().trim();
    let how = [instructions, pace].join(" ");
    Ok(match how.trim() {
        "" => wanted.input.to_string(),
        how => format!("{how}\n\n{}", &*wanted.input),
    })
}

impl Spoken {
    pub(super) const fn content_type(&self) -> &'static str {
        let as_it_is = match self.format {
            Format::Mp3 => "audio/mpeg",
            Format::Flac => "audio/flac",
            Format::Wav => "audio/wav",
            Format::Pcm => "audio/pcm",
        };
        self.delivery.content_type(as_it_is)
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
        let mut tokens = Tokens::default();
        answer.usage_metadata.iter().for_each(|stated| tokens.update(stated));
        let sound = self.format.encode(samples, mime_type)?;
        match self.delivery {
            Delivery::Bytes => out.extend(sound),
            Delivery::Events => tell(&sound, &tokens, out),
        }
        Ok(Summary { usage: tokens.counted, ending: Ending::Finished })
    }
}

impl Format {
    fn encode(self, samples: Vec<u8>, mime_type: &str) -> Result<Vec<u8>, Malformed> {
        let mut sound = Vec::new();
        match self {
            Self::Mp3 => mp3(&samples, rate(mime_type), &mut sound)?,
            Self::Flac => flac::write(&samples, rate(mime_type), &mut sound),
            Self::Wav => {
                sound.extend(header(mime_type, samples.len()));
                sound.extend(samples);
            }
            Self::Pcm => return Ok(samples),
        }
        Ok(sound)
    }
}

/// The sound in events, and the tokens that it took.
fn tell(sound: &[u8], tokens: &Tokens, out: &mut Vec<u8>) {
    let pieces =
        sound.chunks(PIECE).map(|piece| SpeechEvent::Delta { audio: STANDARD.encode(piece) });
    let usage = SpeechUsage {
        input_tokens: tokens.prompt(),
        output_tokens: tokens.completion(),
        total_tokens: tokens.total(),
    };
    for event in pieces.chain([SpeechEvent::Done { usage }]) {
        write_event(&event, out);
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
