//! What kinds of answer are wanted beside text, and how they sound.
//!
//! Invariant: OpenAI's voices become voices of Gemini; any other name is passed on, since Gemini
//! knows its own.

use super::path::Path;
use super::refusal::{Refusal, quoted};
use crate::gemini::generate::request::{GenerationConfig, SpeechConfig};
use crate::json::Text;
use crate::openai::chat::{ChatRequest, SpokenAnswer};
use crate::openai::union::StringOrObject;

/// The form in which a sound is sent to the client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum SoundFormat {
    /// As Gemini gives it: 16-bit samples.
    #[default]
    Raw,
    /// With a header that players know.
    Wav,
}

/// Asks for sounds or pictures, and tells the form in which the client wants the sounds.
///
/// # Errors
/// A [`Refusal`] of kinds, formats and voices that there are not.
pub(crate) fn put<'a>(
    chat: &'a ChatRequest<'a>,
    config: &mut GenerationConfig<'a>,
) -> Result<SoundFormat, Refusal> {
    config.response_modalities = modalities(chat.modalities.as_deref().unwrap_or_default())?;
    let Some(audio) = chat.audio.as_ref().filter(|_| config.response_modalities == ["AUDIO"])
    else {
        return Ok(SoundFormat::Raw);
    };
    let path = Path::root("audio");
    config.speech_config = voice(audio, path)?.map(SpeechConfig::of);
    format(audio.format.as_deref(), chat.stream == Some(true), path.field("format"))
}

/// Models that speak say nothing else, and those that draw want to talk too.
fn modalities(wanted: &[Text<'_>]) -> Result<Vec<&'static str>, Refusal> {
    let path = Path::root("modalities");
    let (mut speaks, mut draws) = (false, false);
    for (index, kind) in wanted.iter().enumerate() {
        match &*kind.to_ascii_lowercase() {
            "text" => {}
            "audio" => speaks = true,
            "image" => draws = true,
            _ => {
                let reason = format!("{} must be 'text', 'audio' or 'image'", quoted(kind));
                return Err(Refusal::invalid_value(path.index(index), reason));
            }
        }
    }
    match (speaks, draws) {
        (false, false) => Ok(Vec::new()),
        (true, false) => Ok(vec!["AUDIO"]),
        (false, true) => Ok(vec!["TEXT", "IMAGE"]),
        (true, true) => Err(Refusal::invalid_value(path, "no model both speaks and draws")),
    }
}

fn voice<'a>(audio: &'a SpokenAnswer<'a>, path: Path<'_>) -> Result<Option<Text<'a>>, Refusal> {
    match &audio.voice {
        None => Ok(None),
        Some(StringOrObject::String(name)) => Ok(Some(voice_of(name))),
        Some(StringOrObject::Object(_)) => Err(no_voice_by_id(path.field("voice"))),
    }
}

/// The voice of Gemini that a name stands for.
pub(crate) fn voice_of(name: &str) -> Text<'_> {
    let row = VOICES.iter().find(|(openai, _)| name.eq_ignore_ascii_case(openai));
    row.map_or_else(|| Text::from(name), |(_, gemini)| Text::from(*gemini))
}

/// The refusal of a voice that was made before.
pub(crate) fn no_voice_by_id(param: impl std::fmt::Display) -> Refusal {
    let reason = "there are no voices by id; send a name, such as 'alloy' or 'Kore'";
    Refusal::invalid_value(param, reason)
}

fn format(word: Option<&str>, stream: bool, path: Path<'_>) -> Result<SoundFormat, Refusal> {
    match word {
        None | Some("pcm16" | "pcm") => Ok(SoundFormat::Raw),
        Some("wav") if !stream => Ok(SoundFormat::Wav),
        Some("wav") => {
            Err(Refusal::invalid_value(path, "a stream has no length to write; send 'pcm16'"))
        }
        Some(word) => {
            let reason = format!("{} is not encoded; send 'wav' or 'pcm16'", quoted(word));
            Err(Refusal::invalid_value(path, reason))
        }
    }
}

/// OpenAI's voices, and those of Gemini that come near.
const VOICES: [(&str, &str); 13] = [
    ("alloy", "Kore"),
    ("ash", "Iapetus"),
    ("ballad", "Algieba"),
    ("cedar", "Achird"),
    ("coral", "Sulafat"),
    ("echo", "Charon"),
    ("fable", "Umbriel"),
    ("marin", "Despina"),
    ("nova", "Aoede"),
    ("onyx", "Orus"),
    ("sage", "Vindemiatrix"),
    ("shimmer", "Achernar"),
    ("verse", "Puck"),
];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::translate::decode::decode;

    #[expect(clippy::needless_pass_by_value, reason = "rows read better without `&`")]
    fn asked(fields: Value) -> Result<(Value, SoundFormat), String> {
        let mut body = json!({ "model": "m", "messages": [] });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let body = body.to_string();
        let chat = decode(body.as_bytes()).unwrap();
        let mut config = GenerationConfig::default();
        let format = put(&chat, &mut config).map_err(|refusal| refusal.param.unwrap())?;
        Ok((serde_json::to_value(config).unwrap(), format))
    }

    #[test]
    fn a_spoken_answer_has_gemini_s_voice() {
        for (voice, name) in [("alloy", "Kore"), ("Verse", "Puck"), ("Zephyr", "Zephyr")] {
            let fields = json!({ "modalities": ["text", "audio"],
                                 "audio": { "voice": voice, "format": "wav" } });
            let config = json!({ "responseModalities": ["AUDIO"], "speechConfig":
                { "voiceConfig": { "prebuiltVoiceConfig": { "voiceName": name } } } });
            assert_eq!(asked(fields), Ok((config, SoundFormat::Wav)));
        }
    }

    #[test]
    fn text_alone_is_what_there_is_anyway() {
        let audio = json!({ "voice": "alloy", "format": "mp3" });
        for fields in [json!({}), json!({ "modalities": ["text"], "audio": audio })] {
            assert_eq!(asked(fields), Ok((json!({}), SoundFormat::Raw)));
        }
        let drawn = json!({ "responseModalities": ["TEXT", "IMAGE"] });
        assert_eq!(asked(json!({ "modalities": ["image"] })), Ok((drawn, SoundFormat::Raw)));
    }

    #[test]
    fn what_there_is_not_is_refused() {
        let audio = |audio: Value, stream: bool| {
            asked(json!({ "modalities": ["audio"], "audio": audio, "stream": stream })).unwrap_err()
        };
        assert_eq!(audio(json!({ "format": "mp3" }), false), "audio.format");
        assert_eq!(audio(json!({ "format": "wav" }), true), "audio.format");
        assert_eq!(audio(json!({ "voice": { "id": "v" } }), false), "audio.voice");
        assert_eq!(asked(json!({ "modalities": ["smell"] })), Err("modalities[0]".to_owned()));
        assert_eq!(
            asked(json!({ "modalities": ["audio", "image"] })),
            Err("modalities".to_owned())
        );
    }
}
