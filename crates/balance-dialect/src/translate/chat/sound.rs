//! The sound of an answer, in the format that the client asked for.
//!
//! Invariant: bytes are only repacked, never encoded anew: Gemini speaks 16-bit samples, which stand
//! alone as `pcm16` and behind a header of 44 bytes as `wav`.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::gemini::generate::answer::Blob;
use crate::translate::speech::SoundFormat;

/// The samples of a second when the media type does not tell.
const RATE: u32 = 24_000;

/// All sounds of a whole answer as one, in base64.
pub(super) fn joined<'a>(sounds: &[&'a Blob<'a>], format: SoundFormat) -> Option<Cow<'a, str>> {
    let first = sounds.first()?;
    let is_samples = first.mime_type.starts_with("audio/L16") || first.mime_type.contains("pcm");
    let needs_header = format == SoundFormat::Wav && is_samples;
    if sounds.len() == 1 && !needs_header {
        return Some(Cow::Borrowed(&*first.data));
    }
    let mut bytes = Vec::new();
    for sound in sounds {
        bytes.extend(STANDARD.decode(&*sound.data).ok()?);
    }
    if needs_header {
        bytes.splice(0..0, header(&first.mime_type, bytes.len()));
    }
    Some(Cow::Owned(STANDARD.encode(bytes)))
}

/// Adds base64 to base64, in which each may end within a group.
pub(crate) fn append(sound: &mut String, more: &str) {
    let joined = || {
        let mut bytes = STANDARD.decode(&*sound).ok()?;
        bytes.extend(STANDARD.decode(more).ok()?);
        Some(STANDARD.encode(bytes))
    };
    // What is no base64 stays at the end, where it harms least.
    match joined().filter(|_| sound.ends_with('=')) {
        Some(joined) => *sound = joined,
        None => sound.push_str(more),
    }
}

/// The samples of a second.
pub(crate) fn rate(mime_type: &str) -> u32 {
    let rate = mime_type.split(';').find_map(|word| word.trim().strip_prefix("rate="));
    rate.and_then(|rate| rate.parse().ok()).unwrap_or(RATE)
}

/// The header of a WAV file of one channel of 16-bit samples (RIFF, format 1).
pub(crate) fn header(mime_type: &str, length: usize) -> Vec<u8> {
    let rate = rate(mime_type);
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    let mut header = Vec::with_capacity(44);
    header.extend(b"RIFF");
    header.extend(length.saturating_add(36).to_le_bytes());
    header.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    header.extend(rate.to_le_bytes());
    header.extend(rate.saturating_mul(2).to_le_bytes());
    header.extend(b"\x02\0\x10\0data");
    header.extend(length.to_le_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob<'a>(mime_type: &'a str, data: &'a str) -> Blob<'a> {
        Blob { mime_type: mime_type.into(), data: data.into() }
    }

    #[test]
    fn samples_get_a_header_when_wav_is_asked_for() {
        let blob = blob("audio/L16;codec=pcm;rate=16000", "AQIDBA==");
        assert_eq!(joined(&[&blob], SoundFormat::Raw).as_deref(), Some("AQIDBA=="));
        let wav = STANDARD.decode(&*joined(&[&blob], SoundFormat::Wav).unwrap()).unwrap();
        assert_eq!(wav.len(), 48);
        assert_eq!(
            (&wav[..4], &wav[8..16], &wav[36..40]),
            (&b"RIFF"[..], &b"WAVEfmt "[..], &b"data"[..])
        );
        assert_eq!(wav[4..8], 40_u32.to_le_bytes());
        assert_eq!(wav[24..28], 16_000_u32.to_le_bytes());
        assert_eq!(wav[40..], [4, 0, 0, 0, 1, 2, 3, 4]);
    }

    #[test]
    fn sounds_in_pieces_are_joined() {
        let (first, second) = (blob("audio/L16", "AQI="), blob("audio/L16", "AwQ="));
        assert_eq!(joined(&[&first, &second], SoundFormat::Raw).as_deref(), Some("AQIDBA=="));
        assert_eq!(joined(&[&first, &blob("audio/L16", "?")], SoundFormat::Raw), None);
        assert_eq!(joined(&[], SoundFormat::Raw), None);
    }
}
