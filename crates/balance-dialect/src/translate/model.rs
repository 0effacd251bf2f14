//! Which model is asked for, and what models of its family can do.
//!
//! Invariant: the longest prefix of the name in [`FAMILIES`] decides; a model that no row knows is
//! asked for nothing special.

use std::ops::RangeInclusive;

use super::refusal::{Refusal, quoted};

/// The prefixes that clients put before a model's name.
const PREFIXES: [&str; 3] = ["models/", "google/", "gemini/"];

/// The name as Gemini knows it.
///
/// # Errors
/// A [`Refusal`] of `model` for a name that could change the path of a URL.
pub(crate) fn upstream_name(asked: &str) -> Result<&str, Refusal> {
    let mut name = asked;
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)) {
        name = rest;
    }
    let is_odd =
        |c: char| c.is_control() || c.is_whitespace() || matches!(c, '/' | '\\' | '?' | '#' | '%');
    if name.is_empty() {
        return Err(Refusal::invalid_value("model", "the name is empty"));
    }
    if name.contains(is_odd) || name.as_bytes().windows(2).any(|pair| pair == b"..") {
        let reason = format!(
            "{} is no name of a model; it may have letters, digits, '-', '_', '.' and ':'",
            quoted(asked)
        );
        return Err(Refusal::invalid_value("model", reason));
    }
    Ok(name)
}

/// What models of a family can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Family {
    /// How thinking is told to them.
    pub(crate) thinking: Thinking,
    /// Gemini 3 and later: calls have ids, and results take media.
    pub(crate) since_3: bool,
    /// Whether a call of the current turn must come back with its signature.
    pub(crate) signed_calls: bool,
    /// Whether there is a system instruction.
    pub(crate) system_instruction: bool,
    /// Whether functions and an answer in JSON go together.
    pub(crate) json_with_tools: bool,
    /// Whether schemas are told in JSON schema, or else in Google's older subset of it.
    pub(crate) json_schema: bool,
    /// Whether one request may ask for several answers.
    pub(crate) candidates: bool,
    /// Whether words that were used already can be made less likely, or likelier.
    pub(crate) penalties: bool,
    /// Whether the answer can come with the likelihood of its words.
    pub(crate) logprobs: bool,
    /// Where the detail that pictures are read with is told.
    pub(crate) resolution: Resolution,
    /// Whether models may run code and read pages.
    pub(crate) built_in_tools: bool,
}

/// Where the detail that pictures are read with is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// Nowhere.
    None,
    /// Once, for all pictures.
    Request,
    /// At each picture.
    Part,
}

/// How thinking is told to a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Thinking {
    /// Not at all: the model refuses any word of it.
    None,
    /// In tokens; 0 switches it off where `can_be_off`.
    Budget { range: RangeInclusive<i64>, can_be_off: bool },
    /// By one of these levels, lowest first.
    Levels(&'static [Level]),
}

/// How much a model thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Minimal,
    Low,
    Medium,
    High,
    ExtraHigh,
}

impl Level {
    /// The level's name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Minimal => "MINIMAL",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::ExtraHigh => "XHIGH",
        }
    }
}

/// What a model of this name can do.
pub(crate) fn family(name: &str) -> Family {
    let matching = FAMILIES.iter().filter(|(prefix, _)| name.starts_with(prefix));
    let row = matching.max_by_key(|(prefix, _)| prefix.len());
    row.map_or(UNKNOWN, |(_, family)| family.clone())
}

/// Whether Google gives this very name to a model, whatever it ends with.
pub(crate) fn is_known(name: &str) -> bool {
    FAMILIES.iter().any(|(known, _)| *known == name)
}

use Level::{ExtraHigh, High, Low, Medium, Minimal};

/// Prefixes of names, in the order of the families' age.
const FAMILIES: [(&str, Family); 26] = [
    ("gemma-", GEMMA),
    ("gemma-3", Family { system_instruction: false, ..GEMMA }),
    (
        "gemini-1",
        Family {
            json_schema: false,
            resolution: Resolution::None,
            built_in_tools: false,
            ..GEMINI_2
        },
    ),
    ("gemini-2", GEMINI_2),
    ("gemini-2.5-pro", budget(128..=32_768, false)),
    ("gemini-2.5-pro-preview-tts", UNKNOWN),
    ("gemini-2.5-flash", budget(1..=24_576, true)),
    ("gemini-2.5-flash-lite", budget(512..=24_576, true)),
    ("gemini-2.5-flash-image", UNKNOWN),
    ("gemini-2.5-flash-preview-tts", UNKNOWN),
    ("gemini-2.5-flash-native-audio", UNKNOWN),
    ("gemini-", levels(&[Low, Medium, High])),
    ("gemini-embedding", UNKNOWN),
    ("gemini-3-pro", levels(&[Low, High])),
    ("gemini-3-pro-image", image(Thinking::None)),
    ("gemini-3-flash", levels(&[Minimal, Low, Medium, High])),
    ("gemini-3.1-pro", levels(&[Low, Medium, High])),
    ("gemini-3.1-flash-lite", levels(&[Minimal, Low, Medium, High])),
    ("gemini-3.1-flash-image", image(Thinking::Levels(&[Minimal, High]))),
    ("gemini-3.1-flash-lite-image", image(Thinking::Levels(&[Minimal, High]))),
    ("gemini-3.5-flash", levels(&[Minimal, Low, Medium, High])),
    ("gemini-3.6-flash", levels(&[Minimal, Low, Medium, High])),
    ("gemini-3.1-flash-tts", UNKNOWN),
    ("gemini-3.8-live", Family { thinking: Thinking::None, ..levels(&[]) }),
    ("gemini-3.8-live-extended-thinking", Family { thinking: Thinking::None, ..levels(&[]) }),
    ("gemini-4-hydrogen", levels(&[Low, Medium, High, ExtraHigh])),
];

/// A model that no row knows, and those that do not think.
const UNKNOWN: Family = Family {
    thinking: Thinking::None,
    since_3: false,
    signed_calls: false,
    system_instruction: true,
    json_with_tools: false,
    json_schema: true,
    candidates: false,
    penalties: false,
    logprobs: false,
    resolution: Resolution::None,
    built_in_tools: false,
};

/// Google's open models.
const GEMMA: Family = Family { json_schema: false, ..UNKNOWN };

/// Gemini 2.0.
const GEMINI_2: Family = Family {
    candidates: true,
    penalties: true,
    logprobs: true,
    resolution: Resolution::Request,
    built_in_tools: true,
    ..UNKNOWN
};

/// Gemini 2.5.
const fn budget(range: RangeInclusive<i64>, can_be_off: bool) -> Family {
    let thinking = Thinking::Budget { range, can_be_off };
    Family { thinking, penalties: false, ..GEMINI_2 }
}

/// Gemini 3 and later.
const fn levels(levels: &'static [Level]) -> Family {
    Family {
        thinking: Thinking::Levels(levels),
        since_3: true,
        signed_calls: true,
        json_with_tools: true,
        resolution: Resolution::Part,
        built_in_tools: true,
        ..UNKNOWN
    }
}

/// A model of Gemini 3 that makes pictures.
const fn image(thinking: Thinking) -> Family {
    Family {
        thinking,
        since_3: true,
        json_with_tools: true,
        resolution: Resolution::Part,
        ..UNKNOWN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_other_tools_are_dropped() {
        for asked in [
            "gemini-2.5-flash",
            "models/gemini-2.5-flash",
            "google/gemini-2.5-flash",
            "gemini/gemini-2.5-flash",
            "google/models/gemini-2.5-flash",
        ] {
            assert_eq!(upstream_name(asked), Ok("gemini-2.5-flash"), "{asked}");
        }
    }

    #[test]
    fn names_that_could_change_the_path_are_refused() {
        for asked in [
            "",
            "models/",
            "a\r\nb",
            "a\nb",
            "a\0b",
            "a/b",
            "../x",
            "a..b",
            "a?b",
            "a#b",
            "a%2fb",
            "a b",
            "a\\b",
            "tunedModels/x",
        ] {
            let refusal = upstream_name(asked).unwrap_err();
            assert_eq!(refusal.param.as_deref(), Some("model"), "{asked:?}");
            assert_eq!(refusal.code, "invalid_value");
            assert!(!refusal.message.contains(['\r', '\n', '\0']), "{asked:?}");
        }
    }

    #[test]
    fn the_longest_prefix_decides() {
        let thinking = |name| family(name).thinking;
        let all: &[Level] = &[Minimal, Low, Medium, High];
        assert_eq!(thinking("gemini-2.0-flash"), Thinking::None);
        assert_eq!(thinking("gemini-2.5-flash-image"), Thinking::None);
        assert_eq!(
            thinking("gemini-2.5-flash-lite-preview-09-2025"),
            Thinking::Budget { range: 512..=24_576, can_be_off: true }
        );
        assert_eq!(thinking("gemini-3-flash-preview"), Thinking::Levels(all));
        assert_eq!(thinking("gemini-3.7-flash"), Thinking::Levels(&[Low, Medium, High]));
        assert_eq!(thinking("gemini-9-neon"), Thinking::Levels(&[Low, Medium, High]));
        assert_eq!(thinking("gemini-flash-latest"), Thinking::Levels(&[Low, Medium, High]));
        assert_eq!(thinking("gpt-4o"), Thinking::None);
        assert!(!family("gemma-3-27b-it").system_instruction);
        assert!(family("gemini-3.8-flash").signed_calls);
        assert!(!family("gemini-3.1-flash-image-preview").signed_calls);
        assert!(!family("gemini-2.5-pro").since_3);
        assert!(family("gemini-2.5-pro").candidates && !family("gemini-3-flash").candidates);
        assert!(family("gemini-2.0-flash").penalties && !family("gemini-2.5-pro").penalties);
        assert!(!family("gemma-4-31b-it").json_schema && family("gemini-2.5-pro").json_schema);
        assert!(family("gemma-4-31b-it").system_instruction);
    }
}
