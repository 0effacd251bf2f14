//! The forms that a transcript is given in.
//!
//! Invariant: times never run backwards, whatever the model says; subtitles have no empty lines
//! within, since those end them.

use std::fmt::Write;

use super::Wording;
use crate::json;
use crate::openai::audio::{Segment, Transcript, Usage, VerboseTranscript};
use crate::translate::usage::Tokens;

/// A form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Text,
    VerboseJson,
    Srt,
    Vtt,
}

/// What was heard.
#[derive(Debug, PartialEq)]
pub(super) struct Heard {
    pub(super) language: String,
    pub(super) text: String,
    /// Beginnings and ends in seconds, with the words.
    pub(super) segments: Vec<(f64, f64, String)>,
}

impl Heard {
    pub(super) fn of(language: String, said: impl Iterator<Item = (f64, f64, String)>) -> Self {
        let mut now: f64 = 0.0;
        let mut segments = Vec::new();
        for (start, end, text) in said {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            if text.is_empty() {
                continue;
            }
            let start = if start.is_finite() { start.max(now) } else { now };
            let end = if end.is_finite() { end.max(start) } else { start };
            now = start;
            segments.push((start, end, text));
        }
        let words: Vec<_> = segments.iter().map(|(_, _, text)| text.as_str()).collect();
        Self { language, text: words.join(" "), segments }
    }
}

impl Format {
    /// The form of this name; JSON if there is none.
    pub(super) fn of(name: Option<&str>) -> Option<Self> {
        match name {
            None | Some("json") => Some(Self::Json),
            Some("text") => Some(Self::Text),
            Some("verbose_json") => Some(Self::VerboseJson),
            Some("srt") => Some(Self::Srt),
            Some("vtt") => Some(Self::Vtt),
            Some(_) => None,
        }
    }

    pub(super) const fn has_times(self) -> bool {
        matches!(self, Self::VerboseJson | Self::Srt | Self::Vtt)
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Json | Self::VerboseJson => "application/json",
            Self::Text | Self::Srt => "text/plain; charset=utf-8",
            Self::Vtt => "text/vtt; charset=utf-8",
        }
    }

    /// Writes what was heard in this form.
    pub(super) fn write(
        self,
        heard: &Heard,
        (wording, tokens): (Wording, &Tokens),
        out: &mut Vec<u8>,
    ) {
        match self {
            Self::Json => {
                json::write(&Transcript { text: &heard.text, usage: Usage::of(tokens) }, out);
            }
            Self::VerboseJson => json::write(&verbose(heard, wording), out),
            Self::Text => {
                out.extend(heard.text.as_bytes());
                out.push(b'\n');
            }
            Self::Srt | Self::Vtt => out.extend(subtitles(heard, self).into_bytes()),
        }
    }
}

fn verbose(heard: &Heard, wording: Wording) -> VerboseTranscript<'_> {
    let segments = heard.segments.iter().enumerate().map(|(id, (start, end, text))| Segment {
        id,
        seek: 0,
        start: *start,
        end: *end,
        text,
        tokens: [],
        temperature: 0.0,
        avg_logprob: 0.0,
        compression_ratio: 0.0,
        no_speech_prob: 0.0,
    });
    VerboseTranscript {
        task: if wording == Wording::Own { "transcribe" } else { "translate" },
        language: &heard.language,
        duration: heard.segments.iter().map(|(_, end, _)| *end).fold(0.0, f64::max),
        text: &heard.text,
        segments: segments.collect(),
    }
}

/// Subtitles: numbered, with a comma before the milliseconds, as `SubRip` has them; or as the web
/// has them (WebVTT), where `-->` and `&` in words would mean something.
fn subtitles(heard: &Heard, format: Format) -> String {
    let mut lines = String::from(if format == Format::Vtt { "WEBVTT\n\n" } else { "" });
    let point = if format == Format::Vtt { '.' } else { ',' };
    for (number, (start, end, text)) in (1..).zip(&heard.segments) {
        let (start, end) = (clock(*start, point), clock(*end, point));
        // Writing to a string cannot fail.
        let _ = match format {
            Format::Vtt => {
                let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                write!(lines, "{start} --> {end}\n{text}\n\n")
            }
            Format::Json | Format::Text | Format::VerboseJson | Format::Srt => {
                write!(lines, "{number}\n{start} --> {end}\n{text}\n\n")
            }
        };
    }
    lines
}

/// Hours, minutes, seconds and milliseconds.
fn clock(seconds: f64, point: char) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 on; else it is capped"
    )]
    let millis = (seconds * 1000.0).round() as u64;
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}{point}{millis:03}")
}
