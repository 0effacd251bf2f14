//! Finds the addresses of files in a request, without reading more of it than it takes.
//!
//! Invariant: what is not of the expected shape holds no address. It is the translation that
//! refuses it, in its own words.

use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Remote;
use super::kind::Kind;
use crate::json::Text;
use crate::translate::media;
use crate::translate::path::Path;

/// The files that a chat request names by their addresses.
#[must_use]
pub fn in_chat(body: &[u8]) -> Vec<Remote> {
    let mut search = Search::new(body);
    if search.is_worth_it()
        && let Ok(chat) = crate::json::read::<Chat<'_>>(body)
    {
        let messages = Path::root("messages");
        for (index, message) in elements::<Message<'_>>(chat.messages).iter().enumerate() {
            let message_path = messages.index(index);
            search.parts(message.content, message_path.field("content"));
        }
    }
    search.found
}

/// The pictures that a request to change pictures names by their addresses.
#[must_use]
pub fn in_edit(body: &[u8]) -> Vec<Remote> {
    let mut search = Search::new(body);
    if search.is_worth_it()
        && let Ok(edit) = crate::json::read::<Edit<'_>>(body)
    {
        search.parts(edit.images, Path::root("images"));
    }
    search.found
}

/// The files that a Responses request names by their addresses.
#[must_use]
pub fn in_responses(body: &[u8]) -> Vec<Remote> {
    let mut search = Search::new(body);
    if search.is_worth_it()
        && let Ok(request) = crate::json::read::<Responses<'_>>(body)
    {
        let input = Path::root("input");
        for (index, item) in elements::<Message<'_>>(request.input).iter().enumerate() {
            let item_path = input.index(index);
            search.parts(item.content, item_path.field("content"));
            search.parts(item.output, item_path.field("output"));
        }
    }
    search.found.sort_by_key(|remote| remote.span.start);
    search.found
}

#[derive(Deserialize)]
struct Chat<'a> {
    #[serde(borrow, default)]
    messages: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Edit<'a> {
    #[serde(borrow, default)]
    images: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Responses<'a> {
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    output: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Part<'a> {
    #[serde(borrow, default)]
    image_url: Option<&'a RawValue>,
    #[serde(borrow, default)]
    video_url: Option<&'a RawValue>,
    #[serde(borrow, default)]
    file: Option<File<'a>>,
    #[serde(borrow, default)]
    file_data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    file_url: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow, default)]
    file_data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Address<'a> {
    #[serde(borrow, default)]
    url: Option<&'a RawValue>,
}

/// The elements of an array that can be read; one that cannot holds its place.
fn elements<'a, T: Deserialize<'a> + Default>(array: Option<&'a RawValue>) -> Vec<T> {
    let Some(array) = array.filter(|json| json.get().starts_with('[')) else { return Vec::new() };
    let elements: Vec<&RawValue> = crate::json::read_str(array.get()).unwrap_or_default();
    elements.iter().map(|json| crate::json::read_str(json.get()).unwrap_or_default()).collect()
}

struct Search<'a> {
    body: &'a [u8],
    found: Vec<Remote>,
}

impl<'a> Search<'a> {
    fn new(body: &'a [u8]) -> Self {
        Self { body, found: Vec::new() }
    }

    /// Whether there is any address at all: most requests have none, and some are long.
    fn is_worth_it(&self) -> bool {
        memmem::find(self.body, b"://").is_some() || memmem::find(self.body, b":\\/").is_some()
    }

    fn parts(&mut self, content: Option<&'a RawValue>, path: Path<'_>) {
        for (index, part) in elements::<Part<'_>>(content).into_iter().enumerate() {
            let part_path = path.index(index);
            self.address(part.image_url, Kind::Picture, part_path.field("image_url"));
            self.address(part.video_url, Kind::Film, part_path.field("video_url"));
            let file = part_path.field("file");
            let data = part.file.and_then(|file| file.file_data);
            self.note(data, Kind::Document, file.field("file_data"));
            self.note(part.file_data, Kind::Document, part_path.field("file_data"));
            self.note(part.file_url, Kind::Document, part_path.field("file_url"));
        }
    }

    /// An address, alone or in an object.
    fn address(&mut self, json: Option<&'a RawValue>, kind: Kind, path: Path<'_>) {
        let object = json.filter(|json| json.get().starts_with('{'));
        match object.and_then(|object| crate::json::read_str::<Address<'_>>(object.get()).ok()) {
            Some(address) => self.note(address.url, kind, path.field("url")),
            None => self.note(json, kind, path),
        }
    }

    fn note(&mut self, json: Option<&'a RawValue>, kind: Kind, path: Path<'_>) {
        let Some(json) = json.map(RawValue::get) else { return };
        let Ok(url) = crate::json::read_str::<Text<'_>>(json) else { return };
        let url = url.trim();
        if media::is_web(url) && !media::is_read_by_google(url) {
            // The JSON is a slice of the body, so the distance of the two is its place.
            let start = (json.as_ptr() as usize).saturating_sub(self.body.as_ptr() as usize);
            let span = start..start + json.len();
            self.found.push(Remote { url: url.to_owned(), param: path.to_string(), kind, span });
        }
    }
}
