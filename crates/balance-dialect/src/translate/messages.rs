//! The messages of a chat request, told to a [`Dialogue`].
//!
//! Invariant: no word of a message is lost or changed; empty parts are left out.

use serde_json::value::RawValue;

use super::dialogue::{Call, Dialogue, Outcome};
use super::path::Path;
use super::refusal::{Refusal, quoted};
use super::{packed, parts};
use crate::gemini::generate::request::{Data, Object, Part};
use crate::json::Text;
use crate::openai::chat::{ExtraContent, FunctionCall, Message, OtherPart, ToolCall};
use crate::openai::union::StringOrArray;

/// What becomes of the steps of Google's own tools that come back with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToolSteps {
    /// They are told; Gemini wants them back where it was allowed such tools beside functions.
    Told,
    /// They are left out: Gemini would refuse them.
    LeftOut,
}

/// Tells all messages, in order.
///
/// # Errors
/// A [`Refusal`] that names the part of a message that has no place in a conversation.
pub(crate) fn dialogue<'a>(
    messages: &'a [Message<'a>],
    steps: ToolSteps,
) -> Result<Dialogue<'a>, Refusal> {
    let path = Path::root("messages");
    let mut dialogue = Dialogue::default();
    for (index, message) in messages.iter().enumerate() {
        if steps == ToolSteps::Told && &*message.role == "assistant" {
            message.tool_steps().filter_map(step).for_each(|part| dialogue.say(part));
        }
        tell(&mut dialogue, message, path.index(index))?;
    }
    Ok(dialogue)
}

/// A step of a tool of Google's. What it did with media is not taken back.
fn step<'a>(step: &'a OtherPart<'a>) -> Option<Part<'a>> {
    let call = step.tool_call.map(|json| (json, Data::ToolCall(json)));
    let (json, data) =
        call.or_else(|| step.tool_response.map(|json| (json, Data::ToolResponse(json))))?;
    let thought_signature = step.thought_signature.clone();
    let is_taken = !json.get().contains("\"MEDIA_PROCESSING\"");
    is_taken.then_some(Part { thought_signature, ..data.into() })
}

/// The names of all calls in the conversation.
pub(crate) fn call_ids<'a>(messages: &'a [Message<'a>]) -> impl Iterator<Item = &'a str> {
    let calls = messages.iter().flat_map(|message| message.tool_calls.iter().flatten());
    calls.filter_map(|call| call.id.as_deref())
}

fn tell<'a>(
    dialogue: &mut Dialogue<'a>,
    message: &'a Message<'a>,
    path: Path<'_>,
) -> Result<(), Refusal> {
    let content = path.field("content");
    let parts = parts::parts(message.content.as_ref(), content);
    match &*message.role {
        "system" | "developer" => dialogue.system(parts?),
        "user" => dialogue.user(parts?),
        "assistant" => {
            let signature = say(dialogue, message, parts?);
            make_calls(dialogue, message, signature, path)?;
        }
        "tool" | "function" => {
            let (id, name) = (message.tool_call_id.as_deref(), message.name.as_deref());
            let (known_by, field) = match (id, name) {
                (Some(id), _) => (id, "tool_call_id"),
                (None, Some(name)) => (name, "name"),
                (None, None) => return Err(Refusal::missing(path.field("tool_call_id"))),
            };
            let told = dialogue.result(id, name, outcome(message.content.as_ref(), parts?));
            told.map_err(|_| no_such_call(known_by, path.field(field)))?;
        }
        role => {
            let reason = format!(
                "{} is no role; it must be 'system', 'developer', 'user', 'assistant' or 'tool'",
                quoted(role)
            );
            return Err(Refusal::invalid_value(path.field("role"), reason));
        }
    }
    Ok(())
}

/// The text of an assistant. The signature that came with it goes back with its last part; without
/// text it is given back to the caller, since it then belongs to a call.
fn say<'a>(
    dialogue: &mut Dialogue<'a>,
    message: &'a Message<'a>,
    mut parts: Vec<Part<'a>>,
) -> Option<&'a str> {
    if let Some(refusal) = &message.refusal {
        parts.extend(parts::text(refusal));
    }
    let mut signature = message.signature();
    if let Some(last) = parts.last_mut() {
        last.thought_signature = signature.take().map(Text::from);
    }
    for part in parts {
        dialogue.say(part);
    }
    signature
}

fn make_calls<'a>(
    dialogue: &mut Dialogue<'a>,
    message: &'a Message<'a>,
    mut signature: Option<&'a str>,
    path: Path<'_>,
) -> Result<(), Refusal> {
    let field = path.field("tool_calls");
    for (index, call) in message.tool_calls.iter().flatten().enumerate() {
        let mut call = tool_call(call, message, field.index(index))?;
        call.signature = call.signature.or_else(|| signature.take().map(Text::from));
        dialogue.call(call);
    }
    if let Some(function) = &message.function_call {
        let call = function_call(function, path.field("function_call"))?;
        dialogue.call(Call { signature: signature.map(Text::from), ..call });
    }
    Ok(())
}

fn tool_call<'a>(
    call: &'a ToolCall<'a>,
    message: &'a Message<'a>,
    path: Path<'_>,
) -> Result<Call<'a>, Refusal> {
    let named = match (&call.function, &call.custom) {
        (Some(function), _) => function_call(function, path.field("function"))?,
        (None, Some(custom)) => {
            let args = Object::Input { input: (&*custom.input).into() };
            Call { id: None, function: &custom.name, args, signature: None }
        }
        (None, None) => return Err(Refusal::missing(path.field("function"))),
    };
    let id = call.id.as_deref();
    let signature = call.extra_content.as_ref().and_then(ExtraContent::signature).map(Text::from);
    let signature = signature.or_else(|| packed::unpack(id?).1);
    // Where other gateways put it.
    let signature = signature.or_else(|| call.signature_of_others().map(Text::from));
    let signature = signature.or_else(|| message.signature_of(id?).map(Text::from));
    Ok(Call { id, signature, ..named })
}

fn function_call<'a>(function: &'a FunctionCall<'a>, path: Path<'_>) -> Result<Call<'a>, Refusal> {
    let arguments = parts::require(function.arguments.as_deref(), "arguments", path)?;
    let args = arguments_object(arguments, path.field("arguments"))?;
    Ok(Call { id: None, function: &function.name, args, signature: None })
}

/// Arguments as the object that Gemini demands.
///
/// # Errors
/// A [`Refusal`] when they are no JSON.
pub(crate) fn arguments_object<'a>(
    arguments: &'a str,
    path: Path<'_>,
) -> Result<Object<'a>, Refusal> {
    let arguments = arguments.trim();
    if arguments.is_empty() {
        return Ok(Object::Empty {});
    }
    match crate::json::read_str::<&RawValue>(arguments) {
        Ok(json) if arguments.starts_with('{') => Ok(Object::Raw(json)),
        Ok(value) => Ok(Object::Value { value }),
        Err(_) => Err(Refusal::invalid_value(path, "it must be JSON in a string")),
    }
}

/// A result as the object that Gemini demands, and its media.
pub(crate) fn outcome<'a, T>(
    content: Option<&'a StringOrArray<'a, T>>,
    parts: Vec<Part<'a>>,
) -> Outcome<'a> {
    if let Some(StringOrArray::String(text)) = content {
        return Outcome { response: result_object(text), media: Vec::new() };
    }
    let mut texts = Vec::new();
    let mut media = Vec::new();
    for part in parts {
        match part.data {
            Data::Text(text) => texts.push(text),
            Data::InlineData(_)
            | Data::FileData(_)
            | Data::FunctionCall(_)
            | Data::FunctionResponse(_)
            | Data::ToolCall(_)
            | Data::ToolResponse(_) => media.push(part),
        }
    }
    let response = match <[Text<'a>; 1]>::try_from(texts) {
        Ok([text]) => Object::Result { result: text },
        Err(texts) => {
            let all: String = texts.iter().map(|text| &**text).collect();
            Object::Result { result: all.into() }
        }
    };
    Outcome { response, media }
}

/// A JSON object as it is; anything else as text in one. `$ref` means something to Gemini within a
/// response, so an object that may have one is text too.
fn result_object(text: &str) -> Object<'_> {
    let is_object = text.trim_start().starts_with('{');
    let has_ref = text.contains("$ref") || text.contains("\\u0024");
    match crate::json::read_str::<&RawValue>(text.trim()) {
        Ok(json) if is_object && !has_ref => Object::Raw(json),
        _ => Object::Result { result: text.into() },
    }
}

/// A result that belongs to no call.
pub(crate) fn no_such_call(name: &str, path: Path<'_>) -> Refusal {
    let name = quoted(name);
    let reason = format!("{name} names no call of an earlier message that still lacks its result");
    Refusal::invalid_value(path, reason)
}
