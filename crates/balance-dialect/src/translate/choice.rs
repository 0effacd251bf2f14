//! Which of the functions the model may or must call.
//!
//! Invariant: a choice names only functions that are declared, under the names that Gemini is sent.

use super::names::Names;
use super::path::Path;
use super::refusal::{Refusal, quoted};
use crate::gemini::generate::request::{FunctionCallingConfig, Mode, ToolConfig};
use crate::json::Text;
use crate::openai::chat::{NamedFunction, NamedTool, ToolChoice};
use crate::openai::union::StringOrObject;

#[cfg(test)]
mod tests;

/// The choice of a chat request; none leaves it to the model.
///
/// # Errors
/// A [`Refusal`] of words and functions that are not known.
pub(crate) fn choice<'a>(
    choice: Option<&'a StringOrObject<'a, ToolChoice<'a>>>,
    names: &Names,
) -> Result<Option<ToolConfig<'a>>, Refusal> {
    let path = Path::root("tool_choice");
    // Gemini refuses a choice without functions.
    let Some(choice) = choice.filter(|_| !names.is_empty()) else { return Ok(None) };
    let choice = match choice {
        StringOrObject::String(word) => return mode(word, path).map(|mode| mode.map(config)),
        StringOrObject::Object(choice) => choice,
    };
    match choice.kind.as_deref() {
        Some("function") | None => {
            let (name, field) = match (&choice.function, &choice.name) {
                (Some(function), _) => (&function.name, "function"),
                (None, Some(name)) => (name, ""),
                (None, None) => return Err(Refusal::missing(path.field("function"))),
            };
            let nested = path.field(field);
            let path = if field.is_empty() { path } else { nested };
            let name = known(name, names, path.field("name"))?;
            Ok(Some(named(Mode::Any, vec![name])))
        }
        Some("allowed_tools") => {
            let nested = path.field("allowed_tools");
            match &choice.allowed_tools {
                Some(allowed) => {
                    allowed_tools(allowed.mode.as_deref(), allowed.tools.as_deref(), names, nested)
                }
                None => allowed_tools(choice.mode.as_deref(), choice.tools.as_deref(), names, path),
            }
        }
        Some(kind) => {
            let reason =
                format!("{} is not known; it must be 'function' or 'allowed_tools'", quoted(kind));
            Err(Refusal::invalid_value(path.field("type"), reason))
        }
    }
}

/// The choice of a request of the older kind, `function_call`.
///
/// # Errors
/// A [`Refusal`] of words and functions that are not known.
pub(crate) fn of_functions<'a>(
    choice: Option<&'a StringOrObject<'a, NamedFunction<'a>>>,
    names: &Names,
) -> Result<Option<ToolConfig<'a>>, Refusal> {
    let path = Path::root("function_call");
    match choice {
        None => Ok(None),
        Some(StringOrObject::String(word)) => mode(word, path).map(|mode| mode.map(config)),
        Some(StringOrObject::Object(function)) => {
            let name = known(&function.name, names, path.field("name"))?;
            Ok(Some(named(Mode::Any, vec![name])))
        }
    }
}

fn allowed_tools<'a>(
    word: Option<&str>,
    allowed: Option<&'a [NamedTool<'a>]>,
    names: &Names,
    path: Path<'_>,
) -> Result<Option<ToolConfig<'a>>, Refusal> {
    let mode = match mode(word.unwrap_or("auto"), path.field("mode"))? {
        // Which functions are allowed can be said with these two modes alone.
        None => Mode::Validated,
        Some(mode) => mode,
    };
    let field = path.field("tools");
    let mut allowed_names = Vec::new();
    for (index, tool) in allowed.unwrap_or_default().iter().enumerate() {
        let path = field.index(index);
        let name = tool.function.as_ref().map(|function| &function.name).or(tool.name.as_ref());
        let Some(name) = name else { return Err(Refusal::missing(path.field("name"))) };
        allowed_names.push(known(name, names, path)?);
    }
    if allowed_names.is_empty() {
        return Err(Refusal::missing(field));
    }
    Ok(Some(if mode == Mode::None { config(mode) } else { named(mode, allowed_names) }))
}

fn mode(word: &str, path: Path<'_>) -> Result<Option<Mode>, Refusal> {
    match word {
        "auto" => Ok(None),
        "none" => Ok(Some(Mode::None)),
        "required" | "any" => Ok(Some(Mode::Any)),
        word => {
            let reason = format!("{} must be 'auto', 'none' or 'required'", quoted(word));
            Err(Refusal::invalid_value(path, reason))
        }
    }
}

fn known<'a>(name: &'a str, names: &Names, path: Path<'_>) -> Result<Text<'a>, Refusal> {
    if names.has(name) {
        return Ok(names.to_gemini(name));
    }
    let reason = format!("{} is not the name of a declared function", quoted(name));
    Err(Refusal::invalid_value(path, reason))
}

fn config<'a>(mode: Mode) -> ToolConfig<'a> {
    named(mode, Vec::new())
}

fn named(mode: Mode, allowed_function_names: Vec<Text<'_>>) -> ToolConfig<'_> {
    let function_calling_config = Some(FunctionCallingConfig { mode, allowed_function_names });
    ToolConfig { function_calling_config, ..ToolConfig::default() }
}
