//! Reading a request: what is asked, with which tools, in which form. Invariant: nothing is
//! demanded of the body; clients send lower-case types, snake case, nulls and objects for lists.

use serde_json::{Map, Value, json};

use super::schema::sample;

/// Characters of the prompt that the echo repeats.
const EXCERPT: usize = 200;

/// A request for content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prompt<'a> {
    pub(crate) model: &'a str,
    pub(crate) body: &'a Value,
}

impl Prompt<'_> {
    /// The start of the last text that the caller sent.
    pub(super) fn excerpt(&self) -> String {
        let text = field(self.body, "contents", "contents").and_then(last_text).unwrap_or_default();
        text.chars().take(EXCERPT).collect()
    }

    pub(super) fn max_output_tokens(&self) -> Option<u64> {
        field(self.config()?, "maxOutputTokens", "max_output_tokens")?.as_u64()
    }

    pub(super) fn wants_thoughts(&self) -> bool {
        self.config()
            .and_then(|config| field(config, "thinkingConfig", "thinking_config"))
            .and_then(|thinking| field(thinking, "includeThoughts", "include_thoughts"))
            .is_some_and(|include| include.as_bool() == Some(true))
    }

    /// The function that mode `ANY` forces, and arguments that fit its schema.
    pub(super) fn forced_call(&self) -> Option<(String, Value)> {
        let tools = field(self.body, "toolConfig", "tool_config")?;
        let config = field(tools, "functionCallingConfig", "function_calling_config")?;
        let mode = config.get("mode")?;
        let any = mode.as_u64() == Some(2)
            || mode.as_str().is_some_and(|mode| mode.eq_ignore_ascii_case("any"));
        if !any {
            return None;
        }
        let allowed = field(config, "allowedFunctionNames", "allowed_function_names")
            .and_then(Value::as_array)
            .and_then(|names| names.first())
            .and_then(Value::as_str);
        let declaration = self.declarations().find(|declaration| {
            allowed.is_none_or(|name| declaration.get("name").and_then(Value::as_str) == Some(name))
        })?;
        let name = declaration.get("name")?.as_str()?.to_owned();
        let parameters = field(declaration, "parametersJsonSchema", "parameters_json_schema")
            .or_else(|| declaration.get("parameters"));
        let arguments =
            parameters.map_or_else(|| json!({}), |schema| sample(schema, &self.excerpt()));
        Some((name, arguments))
    }

    /// Whether the request declares functions at all.
    pub(crate) fn declares_functions(&self) -> bool {
        self.declarations().next().is_some()
    }

    /// JSON or an enum value, where the request asks for it.
    pub(super) fn structured_output(&self) -> Option<String> {
        let config = self.config()?;
        let format = field(config, "responseFormat", "response_format")
            .and_then(|format| format.get("text"));
        let mime = field(config, "responseMimeType", "response_mime_type")
            .or_else(|| field(format?, "mimeType", "mime_type"))?
            .as_str()?;
        let schema = field(config, "responseJsonSchema", "response_json_schema")
            .or_else(|| field(config, "responseSchema", "response_schema"))
            .or_else(|| format?.get("schema"));
        let excerpt = self.excerpt();
        let value = match schema {
            Some(schema) => sample(schema, &excerpt),
            None => Value::Object(Map::from_iter([("echo".to_owned(), excerpt.into())])),
        };
        match mime {
            "application/json" => Some(value.to_string()),
            "text/x.enum" => value.as_str().map(str::to_owned),
            _ => None,
        }
    }

    pub(crate) fn config(&self) -> Option<&Value> {
        field(self.body, "generationConfig", "generation_config")
    }

    fn declarations(&self) -> impl Iterator<Item = &Value> {
        field(self.body, "tools", "tools")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|tool| field(tool, "functionDeclarations", "function_declarations"))
            .filter_map(Value::as_array)
            .flatten()
    }
}

/// A field that proto JSON accepts under two names; null counts as absent.
pub(crate) fn field<'a>(value: &'a Value, camel: &str, snake: &str) -> Option<&'a Value> {
    value.get(camel).or_else(|| value.get(snake)).filter(|found| !found.is_null())
}

/// The last text anywhere in contents, however they are wrapped.
fn last_text(value: &Value) -> Option<&str> {
    if let Some(items) = value.as_array() {
        return items.iter().rev().find_map(last_text);
    }
    if let Some(parts) = value.get("parts") {
        return last_text(parts);
    }
    value.as_str().or_else(|| value.get("text")?.as_str())
}
