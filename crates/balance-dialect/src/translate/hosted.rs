//! Pictures of an answer that are put on the web before it is translated.
//!
//! Invariant: nothing is sent here. In the answer, the address takes the place of the base64, which
//! it cannot be mistaken for; the rest of it stays byte for byte.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::Text;

/// A picture of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// The media type.
    pub mime_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Where the JSON string with the base64 stands in the answer.
    span: Range<usize>,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow, default)]
    candidates: Vec<Candidate<'a>>,
    #[serde(borrow, default)]
    predictions: Vec<Prediction<'a>>,
}

#[derive(Deserialize)]
struct Candidate<'a> {
    #[serde(borrow)]
    content: Option<Content<'a>>,
}

#[derive(Deserialize)]
struct Content<'a> {
    #[serde(borrow, default)]
    parts: Vec<Part<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part<'a> {
    #[serde(borrow)]
    inline_data: Option<Blob<'a>>,
    #[serde(default)]
    thought: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blob<'a> {
    #[serde(borrow)]
    mime_type: Text<'a>,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Prediction<'a> {
    #[serde(borrow)]
    mime_type: Option<Text<'a>>,
    #[serde(borrow)]
    bytes_base64_encoded: Option<&'a RawValue>,
}

/// Whether the answer to a request may hold pictures: they are asked for, or the model makes them of
/// itself, as its name tells.
#[must_use]
pub fn may_be_drawn(model: &str, request: &[u8]) -> bool {
    // A text with these words has its quotes escaped.
    model.contains("-image") || memmem::find(request, b"\"IMAGE\"").is_some()
}

/// The pictures of an answer of Gemini or Imagen; none of what is no such answer.
#[must_use]
pub fn pictures(answer: &[u8]) -> Vec<Drawn> {
    let Ok(read) = crate::json::read::<Answer<'_>>(answer) else { return Vec::new() };
    let parts = read.candidates.into_iter().filter_map(|it| it.content).flat_map(|it| it.parts);
    let blobs = parts.filter(|part| !part.thought).filter_map(|part| part.inline_data);
    let blobs = blobs.map(|blob| (blob.mime_type.to_string(), blob.data));
    let predictions = read.predictions.into_iter().filter_map(|it| {
        let mime_type = it.mime_type.map_or_else(|| "image/png".to_owned(), |it| it.to_string());
        Some((mime_type, it.bytes_base64_encoded?))
    });
    let drawn = |(mime_type, json): (String, &RawValue)| {
        let base64: Text<'_> = crate::json::read_str(json.get()).ok()?;
        let bytes = STANDARD.decode(&*base64).ok()?;
        // The JSON is a slice of the answer, so the distance of the two is its place.
        let start = (json.get().as_ptr() as usize).checked_sub(answer.as_ptr() as usize)?;
        Some(Drawn { mime_type, bytes, span: start..start + json.get().len() })
    };
    let all = blobs.chain(predictions).filter(|(kind, _)| kind.starts_with("image/"));
    all.filter_map(drawn).collect()
}

/// The answer with the addresses of these pictures, in the order in which they were found.
#[must_use]
pub fn with_addresses<'d>(
    answer: &[u8],
    pictures: impl IntoIterator<Item = (&'d Drawn, &'d str)>,
) -> Vec<u8> {
    let mut written = Vec::new();
    let mut done = 0;
    for (drawn, address) in pictures {
        written.extend_from_slice(answer.get(done..drawn.span.start).unwrap_or_default());
        crate::json::write(&address, &mut written);
        done = drawn.span.end;
    }
    written.extend_from_slice(answer.get(done..).unwrap_or_default());
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_expected_where_they_are_asked_for() {
        assert!(may_be_drawn("gemini-2.5-flash-image", b"{}"));
        let asked = br#"{"generationConfig":{"responseModalities":["TEXT","IMAGE"]}}"#;
        assert!(may_be_drawn("gemini-3-pro", asked));
        let told = br#"{"contents":[{"parts":[{"text":"an \"IMAGE\" of it"}]}]}"#;
        assert!(!may_be_drawn("gemini-3-pro", told));
    }

    #[test]
    fn addresses_take_the_place_of_pictures_and_of_nothing_else() {
        let answer = br#"{"candidates":[{"content":{"parts":[
            {"text":"R0lG"},{"thought":true,"inlineData":{"mimeType":"image/png","data":"R0lG"}},
            {"inlineData":{"mimeType":"image/png","data":"R0lG"}},
            {"inlineData":{"mimeType":"audio/wav","data":"R0lG"}}]}}], "x": 1.50}"#;
        let found = pictures(answer);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].mime_type.as_str(), &found[0].bytes[..]), ("image/png", &b"GIF"[..]));
        let written = with_addresses(answer, found.iter().map(|it| (it, "https://a.test/\"")));
        let old = r#"{"inlineData":{"mimeType":"image/png","data":"R0lG"}},
"#;
        let new = r#"{"inlineData":{"mimeType":"image/png","data":"https://a.test/\""}},
"#;
        let text = String::from_utf8(answer.to_vec()).unwrap();
        let at = text.rfind(old).unwrap();
        let expected = [&text[..at], new, &text[at + old.len()..]].concat();
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }

    #[test]
    fn imagens_pictures_are_found_too() {
        let answer =
            br#"{"predictions":[{"bytesBase64Encoded":"R0lG"},{"raiFilteredReason":"x"}]}"#;
        assert_eq!(pictures(answer).len(), 1);
        assert_eq!(pictures(b"[]"), []);
    }
}
