//! The items of a Responses request, told to a [`Dialogue`].
//!
//! Invariant: no word of an item is lost or changed; what cannot be told is refused, except for
//! thoughts, which Gemini does not take back.

use crate::gemini::generate::request::{Data, Object, Part};
use crate::json::Text;
use crate::openai::chat::ExtraContent;
use crate::openai::responses::{self, Item};
use crate::openai::union::StringOrArray;
use crate::translate::dialogue::{Call, Dialogue};
use crate::translate::messages::{arguments_object, no_such_call, outcome};
use crate::translate::path::Path;
use crate::translate::refusal::{Refusal, quoted};
use crate::translate::{detail, media, packed, parts};

/// Tells all items, in order, after the instructions.
///
/// # Errors
/// A [`Refusal`] that names the part of an item that has no place in a conversation.
pub(super) fn dialogue<'a>(
    instructions: Option<&'a str>,
    input: &'a StringOrArray<'a, Item<'a>>,
) -> Result<Dialogue<'a>, Refusal> {
    let path = Path::root("input");
    let mut dialogue = Dialogue::default();
    dialogue.system(instructions.and_then(parts::text).into_iter().collect());
    match input {
        StringOrArray::String(text) => dialogue.user(parts::text(text).into_iter().collect()),
        StringOrArray::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                tell(&mut dialogue, item, path.index(index))?;
            }
        }
    }
    Ok(dialogue)
}

/// The names of all calls in the conversation.
pub(crate) fn call_ids<'a>(
    input: &'a StringOrArray<'a, Item<'a>>,
) -> impl Iterator<Item = &'a str> {
    let items = match input {
        StringOrArray::String(_) => &[],
        StringOrArray::Array(items) => items.as_slice(),
    };
    items.iter().filter_map(|item| item.call_id.as_deref())
}

fn tell<'a>(
    dialogue: &mut Dialogue<'a>,
    item: &'a Item<'a>,
    path: Path<'_>,
) -> Result<(), Refusal> {
    match item.kind.as_deref() {
        None | Some("message") => message(dialogue, item, path),
        Some("function_call") => {
            dialogue.call(function_call(item, path)?);
            Ok(())
        }
        Some("custom_tool_call") => {
            let input = parts::require(item.input.as_deref(), "input", path)?;
            dialogue.call(call(item, Object::Input { input: input.into() }, path)?);
            Ok(())
        }
        Some("function_call_output" | "custom_tool_call_output") => {
            let id = parts::require(item.call_id.as_deref(), "call_id", path)?;
            let output = parts::require(item.output.as_ref(), "output", path)?;
            let parts = content(Some(output), path.field("output"))?;
            let told = dialogue.result(Some(id), None, outcome(Some(output), parts));
            told.map_err(|_| no_such_call(id, path.field("call_id")))
        }
        Some("reasoning") => Ok(()),
        Some(kind) => {
            let reason = format!(
                "{} is not translated; send messages, calls of functions and custom tools, and \
                 their outputs",
                quoted(kind)
            );
            Err(Refusal::unsupported(path.field("type"), reason))
        }
    }
}

fn message<'a>(
    dialogue: &mut Dialogue<'a>,
    item: &'a Item<'a>,
    path: Path<'_>,
) -> Result<(), Refusal> {
    let parts = content(item.content.as_ref(), path.field("content"))?;
    match parts::require(item.role.as_deref(), "role", path)? {
        "system" | "developer" => dialogue.system(parts),
        "user" => dialogue.user(parts),
        "assistant" => parts.into_iter().for_each(|part| dialogue.say(part)),
        role => {
            let reason = format!(
                "{} is no role; it must be 'system', 'developer', 'user' or 'assistant'",
                quoted(role)
            );
            return Err(Refusal::invalid_value(path.field("role"), reason));
        }
    }
    Ok(())
}

fn function_call<'a>(item: &'a Item<'a>, path: Path<'_>) -> Result<Call<'a>, Refusal> {
    let arguments = parts::require(item.arguments.as_deref(), "arguments", path)?;
    call(item, arguments_object(arguments, path.field("arguments"))?, path)
}

fn call<'a>(item: &'a Item<'a>, args: Object<'a>, path: Path<'_>) -> Result<Call<'a>, Refusal> {
    let id = parts::require(item.call_id.as_deref(), "call_id", path)?;
    let signature = item.extra_content.as_ref().and_then(ExtraContent::signature);
    Ok(Call {
        id: Some(id),
        function: parts::require(item.name.as_deref(), "name", path)?,
        args,
        signature: signature.map(Text::from).or_else(|| packed::unpack(id).1),
    })
}

fn content<'a>(
    content: Option<&'a StringOrArray<'a, responses::Part<'a>>>,
    path: Path<'_>,
) -> Result<Vec<Part<'a>>, Refusal> {
    parts::all(content, path, part)
}

fn part<'a>(part: &'a responses::Part<'a>, path: Path<'_>) -> Result<Option<Part<'a>>, Refusal> {
    let data = match &*part.kind {
        "input_text" | "output_text" | "text" | "summary_text" => {
            return parts::require(part.text.as_deref(), "text", path).map(parts::text);
        }
        "refusal" => {
            return parts::require(part.refusal.as_deref(), "refusal", path).map(parts::text);
        }
        "input_image" => match (&part.image_url, &part.file_id) {
            (None, Some(id)) => media::held(id, path.field("file_id")),
            (url, _) => {
                let url = parts::require(url.as_deref(), "image_url", path)?;
                let image = Part::from(media::image(url, path.field("image_url"))?);
                let media_resolution = detail::level(part.detail.as_deref(), path)?;
                return Ok(Some(Part { media_resolution, ..image }));
            }
        },
        "input_audio" => {
            let audio = parts::require(part.input_audio.as_ref(), "input_audio", path)?;
            media::audio(&audio.data, audio.format.as_deref(), path.field("input_audio"))
        }
        "input_file" => match (&part.file_data, &part.file_id) {
            (None, Some(id)) => media::held(id, path.field("file_id")),
            (None, None) if part.file_url.is_some() => {
                let url = part.file_url.as_deref().unwrap_or_default();
                media::document(url, part.filename.as_deref(), path.field("file_url"))
            }
            (data, _) => {
                let data = parts::require(data.as_deref(), "file_data", path)?;
                media::document(data, part.filename.as_deref(), path.field("file_data"))
            }
        },
        kind => {
            let reason = format!("{} is no kind of part that is translated", quoted(kind));
            Err(Refusal::invalid_value(path.field("type"), reason))
        }
    };
    data.map(|data: Data<'a>| Some(data.into()))
}
