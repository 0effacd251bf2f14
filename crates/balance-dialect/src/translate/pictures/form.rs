//! Reads what a client wishes for, from JSON or a form.
//!
//! Invariant: both say the same; pictures of a form are what their bytes say they are.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Wish;
use crate::form::Field;
use crate::gemini::generate::request::{Blob, Data, Part};
use crate::openai::images::{ImagesRequest, Original};
use crate::openai::number::Integer;
use crate::translate::path::Path;
use crate::translate::posted::{Posted, media_type, number, text};
use crate::translate::refusal::Refusal;
use crate::translate::{decode, media};

/// What a client wishes for.
///
/// # Errors
/// A [`Refusal`] that names the field at fault.
pub(super) fn wish(posted: Posted<'_>) -> Result<Wish<'_>, Refusal> {
    if posted.is_form() { of_form(posted) } else { of_json(posted.body) }
}

fn of_json(body: &[u8]) -> Result<Wish<'_>, Refusal> {
    let asked: ImagesRequest<'_> = decode::decode(body)?;
    let path = Path::root("images");
    let originals = asked.images.into_iter().flatten().enumerate();
    let originals = originals.map(|(index, image)| original(image, path.index(index)));
    Ok(Wish {
        prompt: asked.prompt,
        model: asked.model,
        n: asked.n.map(|Integer(n)| n),
        size: asked.size,
        format: asked.response_format,
        originals: originals.collect::<Result<_, _>>()?,
        stream: asked.stream == Some(true),
    })
}

fn original<'a>(image: Original<'a>, path: Path<'_>) -> Result<Part<'a>, Refusal> {
    let data = match (image.image_url, image.file_id) {
        (Some(url), _) => owned(media::image(&url, path.field("image_url"))?),
        (None, Some(id)) => owned(media::held(&id, path.field("file_id"))?),
        (None, None) => return Err(Refusal::missing(path.field("image_url"))),
    };
    Ok(data.into())
}

/// The same, free of what it was read from.
fn owned(data: Data<'_>) -> Data<'static> {
    match data {
        Data::InlineData(Blob { mime_type, data }) => Data::InlineData(Blob {
            mime_type: mime_type.into_inner().into_owned().into(),
            data: data.into_inner().into_owned().into(),
        }),
        Data::FileData(file) => Data::FileData(crate::gemini::generate::request::FileData {
            file_uri: file.file_uri.into_inner().into_owned().into(),
        }),
        Data::Text(_)
        | Data::FunctionCall(_)
        | Data::FunctionResponse(_)
        | Data::ToolCall(_)
        | Data::ToolResponse(_) => Data::Text(String::new().into()),
    }
}

fn of_form(posted: Posted<'_>) -> Result<Wish<'_>, Refusal> {
    let fields = posted.fields()?;
    if fields.iter().any(|field| field.name == "mask") {
        let reason = "Gemini takes no mask; say in 'prompt' what is to be changed";
        return Err(Refusal::unsupported("mask", reason));
    }
    let pictures = fields.iter().filter(|field| is_picture(field));
    let n: Option<i64> = number(text(&fields, "n")?, "n", |text| text.parse().ok())?;
    Ok(Wish {
        prompt: text(&fields, "prompt")?.ok_or_else(|| Refusal::missing("prompt"))?.into(),
        model: text(&fields, "model")?.map(Into::into),
        n,
        size: text(&fields, "size")?.map(Into::into),
        format: text(&fields, "response_format")?.map(Into::into),
        originals: pictures.map(picture).collect::<Result<_, _>>()?,
        stream: text(&fields, "stream")? == Some("true"),
    })
}

fn is_picture(field: &Field<'_>) -> bool {
    field.name == "image" || field.name.starts_with("image[")
}

fn picture(field: &Field<'_>) -> Result<Part<'static>, Refusal> {
    let wanted = "it is no picture that Gemini reads; send a png, jpeg, webp, heic, heif or gif";
    let kind = media_type(field, &["image"], field.name, wanted)?;
    if !kind.strip_prefix("image/").is_some_and(media::reads_picture) {
        return Err(Refusal::invalid_value(field.name, wanted));
    }
    let blob = Blob { mime_type: kind.into(), data: STANDARD.encode(field.bytes).into() };
    Ok(Data::InlineData(blob).into())
}
