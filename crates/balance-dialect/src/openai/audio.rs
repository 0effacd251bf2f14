//! `POST /v1/audio/speech`, `/v1/audio/transcriptions` and `/v1/audio/translations`.
//!
//! Invariant: only what is translated is read; times are in seconds.

use serde::{Deserialize, Serialize};

use super::union::StringOrObject;
use crate::json::Text;

/// A text to be read aloud.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct SpeechRequest<'a> {
    /// The text.
    pub input: Text<'a>,
    /// The model that the client asks for.
    pub model: Option<Text<'a>>,
    /// Whose voice: a name, or an object that names a voice made before.
    pub voice: Option<StringOrObject<'a, Voice>>,
    /// `mp3`, `opus`, `aac`, `flac`, `wav` or `pcm`.
    pub response_format: Option<Text<'a>>,
    /// How it is to be read.
    pub instructions: Option<Text<'a>>,
    /// 0.25 to 4; 1 is usual.
    pub speed: Option<f64>,
    /// `audio` or `sse`.
    pub stream_format: Option<Text<'a>>,
}

/// A voice made before.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object")]
pub struct Voice {}

/// An event of a sound.
#[derive(Debug, Serialize)]
#[serde(tag = "type")]
pub enum SpeechEvent {
    /// More of the sound.
    #[serde(rename = "speech.audio.delta")]
    Delta {
        /// Base64.
        audio: String,
    },
    /// All is there.
    #[serde(rename = "speech.audio.done")]
    Done {
        /// What it took.
        usage: SpeechUsage,
    },
}

/// The tokens of a sound.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct SpeechUsage {
    /// Of the text.
    pub input_tokens: u64,
    /// Of the sound.
    pub output_tokens: u64,
    /// All.
    pub total_tokens: u64,
}

/// A transcript.
#[derive(Debug, Serialize)]
pub struct Transcript<'a> {
    /// The words.
    pub text: &'a str,
    /// What it took.
    pub usage: Usage,
}

/// An event of a transcript.
#[derive(Debug, Serialize)]
#[serde(tag = "type")]
pub enum TranscriptEvent<'a> {
    /// More words.
    #[serde(rename = "transcript.text.delta")]
    Delta {
        /// The words.
        delta: &'a str,
    },
    /// All is there.
    #[serde(rename = "transcript.text.done")]
    Done {
        /// All words.
        text: &'a str,
        /// What it took.
        usage: Usage,
    },
}

/// The tokens of a transcript.
#[derive(Debug, Serialize)]
pub struct Usage {
    /// Always `tokens`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Of the recording and what is said about it.
    pub input_tokens: u64,
    /// Of the words.
    pub output_tokens: u64,
    /// All.
    pub total_tokens: u64,
}

/// A transcript with its times.
#[derive(Debug, Serialize)]
pub struct VerboseTranscript<'a> {
    /// `transcribe` or `translate`.
    pub task: &'static str,
    /// The language that is spoken.
    pub language: &'a str,
    /// How long the recording is, as far as it was heard.
    pub duration: f64,
    /// The words.
    pub text: &'a str,
    /// The words with their times.
    pub segments: Vec<Segment<'a>>,
}

/// Some words with their times. What OpenAI's model tells of itself is 0.
#[derive(Debug, Serialize)]
pub struct Segment<'a> {
    /// Its place, from 0.
    pub id: usize,
    /// 0.
    pub seek: u64,
    /// When it begins.
    pub start: f64,
    /// When it ends.
    pub end: f64,
    /// The words.
    pub text: &'a str,
    /// None.
    pub tokens: [u64; 0],
    /// 0.
    pub temperature: f64,
    /// 0.
    pub avg_logprob: f64,
    /// 0.
    pub compression_ratio: f64,
    /// 0.
    pub no_speech_prob: f64,
}
