//! Pictures, sounds and documents of a message, as Gemini's data.
//!
//! Invariant: base64 is passed on as it is, without blanks; nothing is fetched; a picture goes under
//! the type that its first bytes tell.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::path::Path;
use super::refusal::{Refusal, quoted};
use crate::gemini::generate::request::{Blob, Data, FileData};
use crate::json::Text;

mod signs;
#[cfg(test)]
mod tests;

/// Where Google keeps the files of the Files API.
const FILES: &str = "https://generativelanguage.googleapis.com/v1beta/";

/// A picture by its address; any other medium in a `data:` URL is taken too.
///
/// # Errors
/// A [`Refusal`] for addresses that are not inlined and for pictures that Gemini cannot read.
pub(crate) fn image<'a>(url: &'a str, path: Path<'_>) -> Result<Data<'a>, Refusal> {
    if let Some(url) = strip_scheme(url, "data:") {
        let blob = data_url(url, path)?;
        return match blob.mime_type.strip_prefix("image/") {
            Some(kind) if !IMAGES.contains(&kind) => Err(Refusal::invalid_value(
                path,
                format_args!(
                    "Gemini cannot read pictures of the type {}; send png, jpeg, webp, heic, heif or gif",
                    quoted(&blob.mime_type)
                ),
            )),
            Some(_) => picture(blob, path).map(Data::InlineData),
            None => Ok(Data::InlineData(blob)),
        };
    }
    if is_read_by_google(url) {
        return Ok(Data::FileData(FileData { file_uri: url.into() }));
    }
    let reason = "it is no address of a picture; send an 'https:' or a 'data:' URL";
    Err(Refusal { code: "invalid_image_url", ..Refusal::invalid_value(path, reason) })
}

/// A picture, under the type that its bytes are of.
fn picture<'a>(blob: Blob<'a>, path: Path<'_>) -> Result<Blob<'a>, Refusal> {
    let Some(mime_type) = signs::picture(&blob.data) else {
        let reason = "the bytes are no picture that Gemini reads; send png, jpeg, webp, heic, heif \
                      or gif";
        return Err(Refusal { code: "invalid_image", ..Refusal::invalid_value(path, reason) });
    };
    Ok(Blob { mime_type: mime_type.into(), ..blob })
}

/// A film by its address: a `data:` URL, a file of Google's, or a film on `YouTube`.
///
/// # Errors
/// A [`Refusal`] for any other address.
pub(crate) fn video<'a>(url: &'a str, path: Path<'_>) -> Result<Data<'a>, Refusal> {
    if let Some(url) = strip_scheme(url, "data:") {
        return data_url(url, path).map(Data::InlineData);
    }
    if is_read_by_google(url) {
        return Ok(Data::FileData(FileData { file_uri: url.into() }));
    }
    let reason = "it is no address of a film; send an 'https:' or a 'data:' URL, a file of Gemini \
                  or the address of a film on YouTube";
    Err(Refusal::invalid_value(path, reason))
}

/// A sound: base64 of a format, or a `data:` URL.
///
/// # Errors
/// A [`Refusal`] for formats that Gemini cannot read.
pub(crate) fn audio<'a>(
    data: &'a str,
    format: Option<&str>,
    path: Path<'_>,
) -> Result<Data<'a>, Refusal> {
    if let Some(url) = strip_scheme(data, "data:") {
        return data_url(url, path.field("data")).map(Data::InlineData);
    }
    let Some(format) = format else { return Err(Refusal::missing(path.field("format"))) };
    let Some((_, mime_type)) = SOUNDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(format))
    else {
        let reason = format!(
            "Gemini cannot read {}; send wav, mp3, flac, ogg, aac, aiff or m4a",
            quoted(format)
        );
        return Err(Refusal::invalid_value(path.field("format"), reason));
    };
    inline((*mime_type).into(), data.into(), path.field("data")).map(Data::InlineData)
}

/// A document: a `data:` URL, or base64 of a type that the ending of its name tells.
///
/// # Errors
/// A [`Refusal`] when the type of the bytes is not known.
pub(crate) fn document<'a>(
    data: &'a str,
    name: Option<&str>,
    path: Path<'_>,
) -> Result<Data<'a>, Refusal> {
    if let Some(url) = strip_scheme(data, "data:") {
        return data_url(url, path).map(Data::InlineData);
    }
    if is_read_by_google(data) {
        return Ok(Data::FileData(FileData { file_uri: data.into() }));
    }
    if is_web(data) {
        return Err(Refusal::invalid_value(path, "it is no address of a file"));
    }
    let Some(mime_type) = name.and_then(type_of) else {
        let reason = "its type is unknown; send a 'data:' URL, or a 'filename' with an ending \
                      such as '.pdf'";
        return Err(Refusal::invalid_value(path, reason));
    };
    inline(mime_type.into(), data.into(), path).map(Data::InlineData)
}

/// A file that was uploaded to Google before.
///
/// # Errors
/// A [`Refusal`] of names that Google does not give.
pub(crate) fn held<'a>(id: &'a str, path: Path<'_>) -> Result<Data<'a>, Refusal> {
    let file_uri = match id {
        id if is_google_file(id) => id.into(),
        id if id.starts_with("files/") => format!("{FILES}{id}").into(),
        id => {
            let reason = format!("{} is no file of Gemini; send 'files/…'", quoted(id));
            return Err(Refusal::invalid_value(path, reason));
        }
    };
    Ok(Data::FileData(FileData { file_uri }))
}

/// Reads what follows `data:`.
fn data_url<'a>(url: &'a str, path: Path<'_>) -> Result<Blob<'a>, Refusal> {
    let Some((head, data)) = url.split_once(',') else {
        return Err(Refusal::invalid_value(path, "the 'data:' URL has no ','"));
    };
    let mut head = head.split(';').map(str::trim);
    let mime_type = mime_type(head.next().unwrap_or_default());
    if head.any(|word| word.eq_ignore_ascii_case("base64")) {
        return inline(mime_type, data.into(), path);
    }
    let bytes: Vec<u8> = percent_decode_str(data).collect();
    inline(mime_type, STANDARD.encode(bytes).into(), path)
}

fn mime_type(written: &str) -> Text<'_> {
    match written {
        "" => "text/plain".into(),
        written if written.eq_ignore_ascii_case("image/jpg") => "image/jpeg".into(),
        written if written.contains(|c: char| c.is_ascii_uppercase()) => {
            written.to_ascii_lowercase().into()
        }
        written => written.into(),
    }
}

fn inline<'a>(mime_type: Text<'a>, data: Text<'a>, path: Path<'_>) -> Result<Blob<'a>, Refusal> {
    let data = if signs::has_blanks(&data) {
        data.replace(|c: char| c.is_ascii_whitespace(), "").into()
    } else {
        data
    };
    if data.is_empty() {
        return Err(Refusal::invalid_value(path, "there are no bytes"));
    }
    if !signs::is_base64(&data) {
        return Err(Refusal::invalid_value(path, "it is no base64"));
    }
    Ok(Blob { mime_type, data })
}

/// What follows a scheme, which may be in any case.
fn strip_scheme<'a>(url: &'a str, scheme: &str) -> Option<&'a str> {
    let url = url.trim_start();
    let (start, rest) = url.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// Whether an address is one of the web.
pub(crate) fn is_web(url: &str) -> bool {
    strip_scheme(url, "https://").or_else(|| strip_scheme(url, "http://")).is_some()
}

/// Whether Google reads what lies at an address by itself.
pub(crate) fn is_read_by_google(url: &str) -> bool {
    is_google_file(url) || is_youtube(url)
}

/// Whether Gemini reads pictures of this kind, such as `png`.
pub(crate) fn reads_picture(kind: &str) -> bool {
    IMAGES.contains(&kind)
}

/// The media type that bytes begin as, in Gemini's words; none for most texts and what is not known.
pub(crate) fn sniff(bytes: &[u8]) -> Option<&'static str> {
    let seen = infer::get(bytes)?.mime_type();
    let row = SNIFFED.iter().find(|(name, _)| *name == seen);
    Some(row.map_or(seen, |(_, gemini)| gemini))
}

fn is_google_file(url: &str) -> bool {
    let rest = url.strip_prefix("https://generativelanguage.googleapis.com/");
    rest.is_some_and(|path| path.contains("/files/"))
}

fn is_youtube(url: &str) -> bool {
    const HOSTS: [&str; 4] = [
        "https://www.youtube.com/",
        "https://youtube.com/",
        "https://m.youtube.com/",
        "https://youtu.be/",
    ];
    HOSTS.iter().any(|host| url.starts_with(host))
}

/// The media type that the ending of a name tells.
pub(crate) fn type_of(name: &str) -> Option<&'static str> {
    let (_, ending) = name.rsplit_once('.')?;
    let row = DOCUMENTS.iter().chain(&SOUNDS).find(|(name, _)| name.eq_ignore_ascii_case(ending));
    row.map(|(_, mime_type)| *mime_type)
}

/// Names of media types that Gemini does not take, and those that it takes for them.
const SNIFFED: [(&str, &str); 6] = [
    ("audio/mpeg", "audio/mp3"),
    ("audio/x-wav", "audio/wav"),
    ("audio/x-flac", "audio/flac"),
    ("audio/x-aiff", "audio/aiff"),
    ("video/quicktime", "video/mov"),
    ("video/x-msvideo", "video/avi"),
];

/// The pictures that Gemini reads.
const IMAGES: [&str; 6] = ["png", "jpeg", "webp", "heic", "heif", "gif"];

/// The sounds that Gemini reads, by format.
const SOUNDS: [(&str, &str); 9] = [
    ("wav", "audio/wav"),
    ("mp3", "audio/mp3"),
    ("flac", "audio/flac"),
    ("ogg", "audio/ogg"),
    ("aac", "audio/aac"),
    ("aiff", "audio/aiff"),
    ("m4a", "audio/m4a"),
    ("opus", "audio/opus"),
    ("webm", "audio/webm"),
];

/// Documents, pictures and films by the ending of their names.
const DOCUMENTS: [(&str, &str); 21] = [
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("csv", "text/csv"),
    ("xml", "text/xml"),
    ("json", "application/json"),
    ("css", "text/css"),
    ("js", "text/javascript"),
    ("py", "text/x-python"),
    ("rtf", "text/rtf"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("webp", "image/webp"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("gif", "image/gif"),
    ("mp4", "video/mp4"),
    ("mov", "video/mov"),
];
