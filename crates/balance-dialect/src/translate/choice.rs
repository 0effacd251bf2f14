//! Which of the functions the model may or must call.
//!
//! Invariant: a choice names only functions that are declared, under the names that Gemini is sent.

use super::built_in;
use super::names::Names;
use super::path::Path;
use super::refusal::{Refusal, quoted};
use crate::gemini::generate::request::{FunctionCallingConfig, Mode};
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
) -> Result<Option<FunctionCallingConfig<'a>>, Refusal> {
    let path = Path::root("tool_choice");
    // Gemini refuses a choice without functions.
    let Some(choice) = choice.filter(|_| !names.is_empty()) else { return Ok(None) };
    let choice = match choice {
        StringOrObject::String(word) => return mode(word, path).map(|mode| mode.map(config)),
        StringOrObject::Object(choice) => choice,
    };
    match choice.kind.as_deref() {
        Some("allowed_tools") => {
            let nested = path.field("allowed_tools");
            match &choice.allowed_tools {
                Some(allowed) => {
                    allowed_tools(allowed.mode.as_deref(), allowed.tools.as_deref(), names, nested)
                }
                None => allowed_tools(choice.mode.as_deref(), choice.tools.as_deref(), names, path),
            }
        }
        // Gemini decides by itself when it uses a tool of Google's.
        Some(kind) if built_in::of_kind(kind).is_some() => Ok(None),
        kind => {
            let nested = (choice.function.as_ref(), choice.custom.as_ref());
            let name = named_tool((kind, nested, choice.name.as_ref()), names, path)?;
            Ok(Some(named(Mode::Any, vec![name])))
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
) -> Result<Option<FunctionCallingConfig<'a>>, Refusal> {
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
) -> Result<Option<FunctionCallingConfig<'a>>, Refusal> {
    let mode = match mode(word.unwrap_or("auto"), path.field("mode"))? {
        // Which functions are allowed can be said with these two modes alone.
        None => Mode::Validated,
        Some(mode) => mode,
    };
    let field = path.field("tools");
    let allowed = allowed.unwrap_or_default();
    if allowed.is_empty() {
        return Err(Refusal::missing(field));
    }
    let mut allowed_names = Vec::new();
    for (index, tool) in allowed.iter().enumerate() {
        let kind = tool.kind.as_deref();
        if kind.is_some_and(|kind| built_in::of_kind(kind).is_some()) {
            continue;
        }
        let nested = (tool.function.as_ref(), tool.custom.as_ref());
        let name = named_tool((kind, nested, tool.name.as_ref()), names, field.index(index))?;
        allowed_names.push(name);
    }
    let none_allowed = mode == Mode::None || allowed_names.is_empty();
    Ok(Some(if none_allowed { config(Mode::None) } else { named(mode, allowed_names) }))
}

/// The fields that name a tool: its kind, what is nested, and the name of the flat form.
type Naming<'a> = (
    Option<&'a str>,
    (Option<&'a NamedFunction<'a>>, Option<&'a NamedFunction<'a>>),
    Option<&'a Text<'a>>,
);

/// The name of one tool that was declared.
fn named_tool<'a>(
    (kind, nested, flat): Naming<'a>,
    names: &Names,
    path: Path<'_>,
) -> Result<Text<'a>, Refusal> {
    let (nested, field) = match (kind, nested) {
        (Some("function"), (function, _)) => (function, "function"),
        (Some("custom"), (_, custom)) => (custom, "custom"),
        (None, (Some(function), _)) => (Some(function), "function"),
        (None, (None, custom)) => (custom, "custom"),
        (Some(kind), _) => {
            let reason = format!(
                "{} is not known; it must be 'function', 'custom' or 'allowed_tools'",
                quoted(kind)
            );
            return Err(Refusal::invalid_value(path.field("type"), reason));
        }
    };
    match (nested, flat) {
        (Some(tool), _) => known(&tool.name, names, path.field(field).field("name")),
        (None, Some(name)) => known(name, names, path.field("name")),
        (None, None) => Err(Refusal::missing(path.field("function"))),
    }
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

fn config<'a>(mode: Mode) -> FunctionCallingConfig<'a> {
    named(mode, Vec::new())
}

fn named(mode: Mode, allowed_function_names: Vec<Text<'_>>) -> FunctionCallingConfig<'_> {
    FunctionCallingConfig { mode, allowed_function_names }
}
