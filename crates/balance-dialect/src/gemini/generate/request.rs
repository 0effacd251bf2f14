//! What is sent to `generateContent`.
//!
//! Invariant: absent fields are left out, since Gemini refuses many a null.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::json::Text;

/// The body of a request.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GenerateContentRequest<'a> {
    /// The conversation, oldest turn first.
    pub contents: Vec<Content<'a>>,
    /// What the model is told before the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_instruction: Option<Content<'a>>,
    /// What the model may use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool<'a>>,
    /// How it may use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_config: Option<ToolConfig<'a>>,
    /// What is blocked from which probability of harm on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safety_settings: Option<&'a RawValue>,
    /// How the answer is made.
    #[serde(skip_serializing_if = "GenerationConfig::is_empty")]
    pub generation_config: GenerationConfig<'a>,
    /// A context cached before, `cachedContents/…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_content: Option<&'a str>,
    /// `flex` or `priority`; none is `standard`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<&'static str>,
}

/// One turn.
#[derive(Debug, Serialize)]
pub struct Content<'a> {
    /// Whose turn it is; none for a system instruction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// What is said.
    pub parts: Vec<Part<'a>>,
}

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// The caller, and the results of functions.
    User,
    /// The model.
    Model,
}

/// One piece of a turn.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Part<'a> {
    /// The content.
    #[serde(flatten)]
    pub data: Data<'a>,
    /// The proof of the thoughts behind the part, as the model gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thought_signature: Option<Text<'a>>,
    /// The detail that a picture is read with; only since Gemini 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_resolution: Option<MediaResolution>,
}

/// The detail that pictures are read with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MediaResolution {
    /// How much of it.
    pub level: ResolutionLevel,
}

/// How much detail pictures are read with, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum ResolutionLevel {
    /// For few tokens.
    #[serde(rename = "MEDIA_RESOLUTION_LOW")]
    Low,
    /// For fine details.
    #[serde(rename = "MEDIA_RESOLUTION_HIGH")]
    High,
    /// As fine as the picture is; only at a picture of its own.
    #[serde(rename = "MEDIA_RESOLUTION_ULTRA_HIGH")]
    UltraHigh,
}

/// The content of a part.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Data<'a> {
    /// Words.
    Text(Text<'a>),
    /// A picture, sound or document.
    InlineData(Blob<'a>),
    /// A file that was uploaded before.
    FileData(FileData<'a>),
    /// A call that the model made.
    FunctionCall(FunctionCall<'a>),
    /// What a call gave.
    FunctionResponse(FunctionResponse<'a>),
    /// A call that the model made of a tool of Google's, as it came.
    ToolCall(&'a RawValue),
    /// What the tool gave, as it came.
    ToolResponse(&'a RawValue),
}

impl<'a> From<Data<'a>> for Part<'a> {
    fn from(data: Data<'a>) -> Self {
        Self { data, thought_signature: None, media_resolution: None }
    }
}

/// Bytes of a media type.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Blob<'a> {
    /// The media type, such as `image/png`.
    pub mime_type: Text<'a>,
    /// Base64.
    pub data: Text<'a>,
}

/// A file that Google holds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileData<'a> {
    /// The file's whole address.
    pub file_uri: Text<'a>,
}

/// A call that the model made.
#[derive(Debug, Serialize)]
pub struct FunctionCall<'a> {
    /// The call's name, for models that name their calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a str>,
    /// The function.
    pub name: Text<'a>,
    /// The arguments.
    pub args: Object<'a>,
}

/// What a call gave.
#[derive(Debug, Serialize)]
pub struct FunctionResponse<'a> {
    /// The call's name, for models that name their calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a str>,
    /// The function.
    pub name: Text<'a>,
    /// The result.
    pub response: Object<'a>,
    /// Pictures and other media of the result, for models that take them here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part<'a>>,
}

/// A JSON object: one that the client wrote, or one with a single field around what it wrote.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Object<'a> {
    /// As the client wrote it.
    Raw(&'a RawValue),
    /// `{}`.
    Empty {},
    /// Arguments that are no object.
    Value {
        /// The arguments as the client wrote them.
        value: &'a RawValue,
    },
    /// A result that is no object.
    Result {
        /// The result as text.
        result: Text<'a>,
    },
    /// The arguments of a function that takes one text.
    Input {
        /// The text.
        input: Text<'a>,
    },
    /// There is no result.
    Error {
        /// Why.
        error: &'static str,
    },
}

/// Something that the model may use.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Tool<'a> {
    /// Functions of the client.
    FunctionDeclarations(Vec<FunctionDeclaration<'a>>),
    /// The web.
    GoogleSearch(Object<'a>),
    /// Code that the model runs.
    CodeExecution(Object<'a>),
    /// Pages that the model reads.
    UrlContext(Object<'a>),
    /// Places.
    GoogleMaps(Object<'a>),
    /// Stores of documents.
    FileSearch(Object<'a>),
}

/// A function of the client.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionDeclaration<'a> {
    /// The name, of the letters that Gemini accepts.
    pub name: Text<'a>,
    /// What the function is good for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Text<'a>>,
    /// The JSON schema of its arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters_json_schema: Option<Value>,
    /// The same in Google's older subset, for models that do not take JSON schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Value>,
}

/// How tools may be used.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolConfig<'a> {
    /// How functions may be called; none leaves it to the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function_calling_config: Option<FunctionCallingConfig<'a>>,
    /// Whether the client's functions and Google's tools go together; only since Gemini 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_server_side_tool_invocations: Option<bool>,
}

/// How functions may be called.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionCallingConfig<'a> {
    /// Whether functions may or must be called.
    pub mode: Mode,
    /// Which; any when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_function_names: Vec<Text<'a>>,
}

/// Whether functions may or must be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Mode {
    /// One must be called.
    Any,
    /// None may be called.
    None,
    /// One may be called, with arguments that obey its schema.
    Validated,
}

/// How the answer is made.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GenerationConfig<'a> {
    /// How many answers are wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidate_count: Option<i64>,
    /// Texts that end the answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop_sequences: Vec<&'a str>,
    /// The most tokens the answer may have, thoughts included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<i64>,
    /// 0 to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// How many of the likeliest tokens are considered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<i64>,
    /// Makes sampling repeatable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i32>,
    /// How much less likely words become by having been used, −2 to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<f64>,
    /// The same for each time that they were used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<f64>,
    /// Whether the answer comes with the likelihood of its tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_logprobs: Option<bool>,
    /// How many alternatives to each token are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<i64>,
    /// The detail that all pictures are read with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_resolution: Option<ResolutionLevel>,
    /// The media type of the answer's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_mime_type: Option<&'static str>,
    /// The JSON schema of the answer's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_json_schema: Option<Value>,
    /// The same in Google's older subset, for models that do not take JSON schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_schema: Option<Value>,
    /// What the answer is made of, when it is not text alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub response_modalities: Vec<&'static str>,
    /// How a spoken answer sounds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speech_config: Option<SpeechConfig<'a>>,
    /// What pictures are like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_config: Option<ImageConfig>,
    /// How the model thinks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thinking_config: Option<ThinkingConfig<'a>>,
}

impl GenerationConfig<'_> {
    /// Whether everything is left to the model.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How a spoken answer sounds.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SpeechConfig<'a> {
    /// The voice.
    pub voice_config: VoiceConfig<'a>,
}

/// A voice.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VoiceConfig<'a> {
    /// A voice of Google's.
    pub prebuilt_voice_config: PrebuiltVoiceConfig<'a>,
}

/// A voice of Google's.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PrebuiltVoiceConfig<'a> {
    /// Its name, such as `Kore`.
    pub voice_name: Text<'a>,
}

impl<'a> SpeechConfig<'a> {
    /// A voice of Google's.
    #[must_use]
    pub fn of(voice_name: Text<'a>) -> Self {
        let prebuilt_voice_config = PrebuiltVoiceConfig { voice_name };
        Self { voice_config: VoiceConfig { prebuilt_voice_config } }
    }
}

/// What pictures are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageConfig {
    /// Width to height, such as `16:9`.
    pub aspect_ratio: &'static str,
    /// `2K` or `4K`, for models that draw so large.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_size: Option<&'static str>,
}

/// How the model thinks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ThinkingConfig<'a> {
    /// Whether the answer has the thoughts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_thoughts: Option<bool>,
    /// The tokens that thinking may take, for models of Gemini 2.5; −1 lets the model decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thinking_budget: Option<i64>,
    /// `MINIMAL`, `LOW`, `MEDIUM` or `HIGH`, for models since Gemini 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thinking_level: Option<&'a str>,
}
