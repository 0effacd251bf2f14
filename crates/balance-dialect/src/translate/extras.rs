//! What Gemini tells of an answer that OpenAI's clients have no field for.
//!
//! Invariant: the last that is told of a candidate counts, and no part of it is told twice.

use serde_json::value::{RawValue, to_raw_value};

use super::piece::Piece;
use crate::gemini::generate::answer::{Candidate, Part, PromptFeedback};
use crate::gemini::generate::request::Blob;
use crate::json::OneLine;
use crate::openai::completion::{GoogleContent, OtherPart};

/// What is told of a whole answer.
pub(crate) fn of<'a>(candidate: &Candidate<'_>) -> GoogleContent<'a> {
    let mut told = GoogleContent::default();
    keep(&mut told, candidate);
    told
}

/// What is told of a prompt that is not answered.
pub(crate) fn of_prompt<'a>(feedback: &PromptFeedback<'_>) -> GoogleContent<'a> {
    let safety_ratings = feedback.safety_ratings.and_then(|told| OneLine::new(told.get()));
    GoogleContent { safety_ratings, ..GoogleContent::default() }
}

/// Takes what an event of a stream tells.
pub(crate) fn keep(known: &mut GoogleContent<'_>, candidate: &Candidate<'_>) {
    for (known, told) in [
        (&mut known.grounding_metadata, candidate.grounding_metadata),
        (&mut known.url_context_metadata, candidate.url_context_metadata),
        (&mut known.citation_metadata, candidate.citation_metadata),
        (&mut known.safety_ratings, candidate.safety_ratings),
        (&mut known.avg_logprobs, candidate.avg_logprobs),
    ] {
        // Many an event repeats the one before.
        let is_new = |told: &&RawValue| known.as_ref().is_none_or(|it| it.as_str() != told.get());
        if let Some(told) = told.filter(is_new) {
            *known = OneLine::new(told.get()).or_else(|| known.take());
        }
    }
    let parts = candidate.content.iter().flat_map(|content| &content.parts);
    known.parts.extend(parts.filter_map(other));
}

/// A part that is no piece of the answer, but says something.
fn other(part: &Part<'_>) -> Option<OtherPart> {
    let written = [
        ("toolCall", part.tool_call),
        ("toolResponse", part.tool_response),
        ("functionResponse", part.function_response),
        ("fileData", part.file_data),
    ];
    let written = written.into_iter().find_map(|(kind, data)| Some((kind, data?)));
    let (kind, data) = match (written, &part.inline_data) {
        (Some((kind, data)), _) => (kind, OneLine::new(data.get())?),
        // Drafts of a picture are thoughts.
        (None, Some(_)) if part.thought == Some(true) || Piece::of(part).is_some() => return None,
        (None, Some(blob)) => {
            let (mime_type, data) = ((&*blob.mime_type).into(), (&*blob.data).into());
            let blob = to_raw_value(&Blob { mime_type, data }).ok()?;
            ("inlineData", OneLine::new(blob.get())?)
        }
        (None, None) => return None,
    };
    let thought_signature = part.thought_signature.as_deref().map(str::to_owned);
    Some(OtherPart { kind, data, thought_signature })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn told(events: &[Value]) -> Value {
        let mut known = GoogleContent::default();
        for event in events {
            let event = event.to_string();
            keep(&mut known, &serde_json::from_str(&event).unwrap());
        }
        serde_json::to_value(known).unwrap()
    }

    #[test]
    fn the_last_that_is_told_counts() {
        let events = [
            json!({ "safetyRatings": [{ "category": "A" }], "avgLogprobs": -0.5 }),
            json!({ "safetyRatings": [{ "category": "B" }] }),
            json!({ "citationMetadata": { "citationSources": [] }, "safetyRatings": null }),
        ];
        let expected = json!({ "safety_ratings": [{ "category": "B" }], "avg_logprobs": -0.5,
                               "citation_metadata": { "citationSources": [] } });
        assert_eq!(told(&events), expected);
    }

    #[test]
    fn parts_without_a_field_of_openai_s_are_kept_in_their_order() {
        let event = |parts: Value| json!({ "content": { "parts": parts } });
        let parts = [
            json!({ "toolCall": { "id": "1", "toolType": "GOOGLE_SEARCH_WEB" }, "thoughtSignature": "s" }),
            json!({ "toolResponse": { "id": "1", "response": {} } }),
            json!({ "functionResponse": { "name": "f", "response": {} } }),
            json!({ "fileData": { "fileUri": "https://f" } }),
            json!({ "inlineData": { "mimeType": "video/mp4", "data": "AAAA" } }),
        ];
        let events = [
            event(json!([parts[0], { "text": "a" }, parts[1]])),
            event(json!([parts[2], parts[3], parts[4]])),
            event(json!([{ "inlineData": { "mimeType": "image/png", "data": "AAAA" } }])),
            event(
                json!([{ "inlineData": { "mimeType": "image/png", "data": "A" }, "thought": true }]),
            ),
        ];
        assert_eq!(told(&events), json!({ "parts": parts }));
    }
}
