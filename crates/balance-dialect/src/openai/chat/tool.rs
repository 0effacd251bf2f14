//! The tools of a chat request, and the choice among them.
//!
//! Invariant: a function may be nested in `function`, as chat has it, or flat, as the Responses API
//! has it.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::Text;

/// A tool; in a flat one the function's fields stand beside the type.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct Tool<'a> {
    /// `function`, `custom`, or the name of a tool of the provider, such as `web_search`.
    #[serde(rename = "type")]
    pub kind: Option<Text<'a>>,
    /// The function, when it is not flat.
    pub function: Option<Function<'a>>,
    /// The custom tool, when it is not flat.
    pub custom: Option<Custom<'a>>,
    /// The name of a flat function or custom tool.
    pub name: Option<Text<'a>>,
    /// The description of a flat function or custom tool.
    pub description: Option<Text<'a>>,
    /// What a flat custom tool takes.
    pub format: Option<InputFormat<'a>>,
    /// Whether the arguments of a flat function have to obey its schema.
    pub strict: Option<bool>,
    /// The parameters of a flat function.
    #[serde(borrow)]
    pub parameters: Option<&'a RawValue>,
    /// Google Search, as Gemini's own API has it.
    #[serde(borrow, alias = "googleSearch")]
    pub google_search: Option<&'a RawValue>,
    /// Code that the model runs, as Gemini's own API has it.
    #[serde(borrow, alias = "codeExecution")]
    pub code_execution: Option<&'a RawValue>,
    /// Pages that the model reads, as Gemini's own API has it.
    #[serde(borrow, alias = "urlContext")]
    pub url_context: Option<&'a RawValue>,
    /// Google Maps, as Gemini's own API has it.
    #[serde(borrow, alias = "googleMaps")]
    pub google_maps: Option<&'a RawValue>,
    /// Stores of documents, as Gemini's own API has it.
    #[serde(borrow, alias = "fileSearch")]
    pub file_search: Option<&'a RawValue>,
}

/// A function that the model may call.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct Function<'a> {
    /// The function's name.
    pub name: Text<'a>,
    /// What it is good for.
    pub description: Option<Text<'a>>,
    /// The JSON schema of its arguments.
    #[serde(borrow)]
    pub parameters: Option<&'a RawValue>,
    /// Whether the arguments have to obey the schema.
    pub strict: Option<bool>,
}

/// A tool that takes one text instead of arguments.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct Custom<'a> {
    /// The tool's name.
    pub name: Text<'a>,
    /// What it is good for.
    pub description: Option<Text<'a>>,
    /// What it takes; any text when absent.
    pub format: Option<InputFormat<'a>>,
}

/// What a custom tool takes.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct InputFormat<'a> {
    /// `text` or `grammar`.
    #[serde(rename = "type")]
    pub kind: Text<'a>,
    /// The grammar, as chat has it.
    pub grammar: Option<Grammar<'a>>,
    /// The language of a flat grammar, as the Responses API has it.
    pub syntax: Option<Text<'a>>,
    /// The rules of a flat grammar.
    pub definition: Option<Text<'a>>,
}

/// The rules that a text has to follow.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct Grammar<'a> {
    /// `lark` or `regex`.
    pub syntax: Text<'a>,
    /// The rules.
    pub definition: Text<'a>,
}

/// A choice among the tools that is more than a word.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct ToolChoice<'a> {
    /// `function`, `custom`, `allowed_tools`, or the name of a tool of the provider.
    #[serde(rename = "type")]
    pub kind: Option<Text<'a>>,
    /// The one function that must be called.
    pub function: Option<NamedFunction<'a>>,
    /// The one custom tool that must be called.
    pub custom: Option<NamedFunction<'a>>,
    /// The name of either, in the flat form.
    pub name: Option<Text<'a>>,
    /// The functions that may be called.
    pub allowed_tools: Option<AllowedTools<'a>>,
    /// How strict `tools` is, in the flat form.
    pub mode: Option<Text<'a>>,
    /// The functions that may be called, in the flat form.
    pub tools: Option<Vec<NamedTool<'a>>>,
}

/// The functions that may be called.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct AllowedTools<'a> {
    /// `auto`: one of them may be called. `required`: one of them must be.
    pub mode: Option<Text<'a>>,
    /// The functions.
    pub tools: Option<Vec<NamedTool<'a>>>,
}

/// A tool by its name, which stands in `function` or `custom` or, in the flat form, beside the type.
/// Tools of the provider have the type alone.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct NamedTool<'a> {
    /// `function`, `custom`, or the name of a tool of the provider.
    #[serde(rename = "type")]
    pub kind: Option<Text<'a>>,
    /// The function.
    pub function: Option<NamedFunction<'a>>,
    /// The custom tool.
    pub custom: Option<NamedFunction<'a>>,
    /// The name in the flat form.
    pub name: Option<Text<'a>>,
}

/// A function by its name.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), expecting = "an object")]
pub struct NamedFunction<'a> {
    /// The name.
    pub name: Text<'a>,
}
