//! The models on offer. Invariant: a model answers only the methods of its row; everything else
//! is 404, in Google's words.

use serde_json::{Value, json};

/// A model of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// The name, without `models/`.
    pub name: &'static str,
    /// The name for people.
    pub display_name: &'static str,
    /// Input tokens that fit.
    pub input_token_limit: u64,
    /// Output tokens that it can write.
    pub output_token_limit: u64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Image,
    Speech,
    Open,
    Live,
    Embedding,
    Imagen,
}

/// What can be asked of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Generate,
    StreamGenerate,
    CountTokens,
    Embed,
    BatchEmbed,
    Predict,
}

/// What a model makes instead of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Makes {
    Pictures,
    Speech,
}

impl Method {
    /// The method named in the URL.
    pub(crate) fn find(word: &str) -> Option<Self> {
        Some(match word {
            "generateContent" => Self::Generate,
            "streamGenerateContent" => Self::StreamGenerate,
            "countTokens" => Self::CountTokens,
            "embedContent" => Self::Embed,
            "batchEmbedContents" => Self::BatchEmbed,
            "predict" => Self::Predict,
            _ => return None,
        })
    }
}

const fn model(
    name: &'static str,
    display_name: &'static str,
    input_token_limit: u64,
    output_token_limit: u64,
    kind: Kind,
) -> Model {
    Model { name, display_name, input_token_limit, output_token_limit, kind }
}

/// All models, in the order of the list.
pub(crate) const CATALOGUE: &[Model] = &[
    model("gemini-2.5-flash", "Gemini 2.5 Flash", 1_048_576, 65_536, Kind::Text),
    model("gemini-2.5-pro", "Gemini 2.5 Pro", 1_048_576, 65_536, Kind::Text),
    model("gemini-2.5-flash-lite", "Gemini 2.5 Flash-Lite", 1_048_576, 65_536, Kind::Text),
    model("gemini-flash-latest", "Gemini Flash Latest", 1_048_576, 65_536, Kind::Text),
    model("gemini-flash-lite-latest", "Gemini Flash-Lite Latest", 1_048_576, 65_536, Kind::Text),
    model("gemini-pro-latest", "Gemini Pro Latest", 1_048_576, 65_536, Kind::Text),
    model("gemini-3-flash-preview", "Gemini 3 Flash Preview", 1_048_576, 65_536, Kind::Text),
    model("gemini-3.1-pro-preview", "Gemini 3.1 Pro Preview", 1_048_576, 65_536, Kind::Text),
    model("gemini-3.1-flash-lite", "Gemini 3.1 Flash Lite", 1_048_576, 65_536, Kind::Text),
    model("gemini-3.5-flash", "Gemini 3.5 Flash", 1_048_576, 65_536, Kind::Text),
    model("gemini-3.5-flash-lite", "Gemini 3.5 Flash Lite", 1_048_576, 65_536, Kind::Text),
    model("gemini-3.6-flash", "Gemini 3.6 Flash", 1_048_576, 65_536, Kind::Text),
    model("gemini-3.7-flash", "Gemini 3.7 Flash", 1_048_576, 65_536, Kind::Text),
    model("gemini-3.8-flash", "Gemini 3.8 Flash", 1_048_576, 65_536, Kind::Text),
    model("gemini-4-argon", "Gemini 4 Argon", 1_048_576, 65_536, Kind::Text),
    model("gemini-4-carbon", "Gemini 4 Carbon", 1_048_576, 65_536, Kind::Text),
    model("gemini-2.5-flash-image", "Nano Banana", 32_768, 32_768, Kind::Image),
    model("gemini-3.1-flash-image", "Nano Banana 2", 65_536, 65_536, Kind::Image),
    model("gemini-3-pro-image", "Nano Banana Pro", 131_072, 32_768, Kind::Image),
    model("gemini-2.5-flash-preview-tts", "Gemini 2.5 Flash TTS", 8_192, 16_384, Kind::Speech),
    model("gemini-3.1-flash-tts-preview", "Gemini 3.1 Flash TTS", 8_192, 16_384, Kind::Speech),
    model("gemini-3.1-flash-live-preview", "Gemini 3.1 Flash Live", 131_072, 65_536, Kind::Live),
    model("gemma-4-26b-a4b-it", "Gemma 4 26B A4B IT", 262_144, 32_768, Kind::Open),
    model("gemma-4-31b-it", "Gemma 4 31B IT", 262_144, 32_768, Kind::Open),
    model("imagen-4.0-generate-001", "Imagen 4", 480, 8_192, Kind::Imagen),
    model("gemini-embedding-001", "Gemini Embedding 001", 2_048, 1, Kind::Embedding),
    model("gemini-embedding-2", "Gemini Embedding 2", 8_192, 1, Kind::Embedding),
];

impl Model {
    /// The model of this name (without `models/`).
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        CATALOGUE.iter().find(|model| model.name == name)
    }

    /// Whether it answers this method.
    pub(crate) fn supports(&self, method: Method) -> bool {
        match method {
            Method::Generate | Method::StreamGenerate => {
                !matches!(self.kind, Kind::Embedding | Kind::Live | Kind::Imagen)
            }
            Method::CountTokens => !matches!(self.kind, Kind::Live | Kind::Imagen),
            Method::Predict => self.kind == Kind::Imagen,
            Method::Embed | Method::BatchEmbed => self.kind == Kind::Embedding,
        }
    }

    /// What it makes instead of words, if it does.
    pub(crate) fn makes(&self) -> Option<Makes> {
        match self.kind {
            Kind::Image => Some(Makes::Pictures),
            Kind::Speech => Some(Makes::Speech),
            Kind::Text | Kind::Open | Kind::Live | Kind::Embedding | Kind::Imagen => None,
        }
    }

    /// Whether it thinks: its usage then counts thoughts, and calls carry signatures.
    pub(crate) fn thinks(&self) -> bool {
        self.kind == Kind::Text
    }

    /// As `models.get` answers it.
    pub(crate) fn to_json(self) -> Value {
        let mut json = json!({
            "name": format!("models/{}", self.name),
            "version": "001",
            "displayName": self.display_name,
            "description": format!("{} (a fake one)", self.display_name),
            "inputTokenLimit": self.input_token_limit,
            "outputTokenLimit": self.output_token_limit,
            "supportedGenerationMethods": self.kind.methods(),
        });
        if let (Some(fields), true) = (json.as_object_mut(), self.kind != Kind::Embedding) {
            fields.insert("temperature".into(), 1.into());
            fields.insert("topP".into(), 0.95.into());
            fields.insert("topK".into(), 64.into());
            fields.insert("maxTemperature".into(), 2.into());
            if self.thinks() {
                fields.insert("thinking".into(), true.into());
            }
        }
        json
    }
}

impl Kind {
    fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Text => {
                &["generateContent", "countTokens", "createCachedContent", "batchGenerateContent"]
            }
            Self::Image => &["generateContent", "countTokens", "batchGenerateContent"],
            Self::Speech => &["countTokens", "generateContent"],
            Self::Open => &["generateContent", "countTokens"],
            Self::Live => &["bidiGenerateContent"],
            Self::Imagen => &["predict"],
            Self::Embedding => {
                &["embedContent", "countTextTokens", "countTokens", "asyncBatchEmbedContent"]
            }
        }
    }
}
