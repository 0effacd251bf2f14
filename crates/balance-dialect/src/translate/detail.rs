//! How closely the model looks at pictures.
//!
//! Invariant: a model is told of it only where its family takes it: at each picture, once for all
//! of them, or not at all.

use super::model::{Family, Resolution};
use super::path::Path;
use super::refusal::{Refusal, quoted};
use crate::gemini::generate::request::{Content, Data, MediaResolution, Part, ResolutionLevel};

/// The detail that a client wants of a picture; none leaves it to the model.
///
/// # Errors
/// A [`Refusal`] of words that are not known.
pub(crate) fn level(
    word: Option<&str>,
    path: Path<'_>,
) -> Result<Option<MediaResolution>, Refusal> {
    let level = match word {
        None | Some("auto") => return Ok(None),
        Some("low") => ResolutionLevel::Low,
        Some("high") => ResolutionLevel::High,
        Some("original") => ResolutionLevel::UltraHigh,
        Some(word) => {
            let reason = format!("{} must be 'auto', 'low', 'high' or 'original'", quoted(word));
            return Err(Refusal::invalid_value(path.field("detail"), reason));
        }
    };
    Ok(Some(MediaResolution { level }))
}

/// Leaves the detail at the pictures where the family takes it there; else takes it away and gives
/// the one for all of them.
pub(crate) fn settle(contents: &mut [Content<'_>], family: &Family) -> Option<ResolutionLevel> {
    if family.resolution == Resolution::Part {
        return None;
    }
    let mut levels = Vec::new();
    for content in contents {
        take(&mut content.parts, &mut levels);
    }
    let highest = levels.iter().max().copied().flatten()?;
    // Without a word, the model looks closer than `low`: one such picture keeps it from all.
    let blurs = highest == ResolutionLevel::Low && levels.contains(&None);
    let is_told = family.resolution == Resolution::Request && !blurs;
    is_told.then_some(highest.min(ResolutionLevel::High))
}

/// Takes the details of all pictures.
fn take(parts: &mut [Part<'_>], levels: &mut Vec<Option<ResolutionLevel>>) {
    for part in parts {
        let detail = part.media_resolution.take();
        match &mut part.data {
            Data::InlineData(_) | Data::FileData(_) => levels.push(detail.map(|d| d.level)),
            Data::FunctionResponse(response) => take(&mut response.parts, levels),
            Data::Text(_) | Data::FunctionCall(_) | Data::ToolCall(_) | Data::ToolResponse(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::translate::{self, Refusal, Stamp};

    const PIXEL: &str = "data:image/gif;base64,R0lGODlhAQABAAAAACw=";

    fn sent(model: &str, details: &[Option<&str>]) -> Result<Value, Refusal> {
        let parts: Vec<Value> = details
            .iter()
            .map(|detail| {
                json!({ "type": "image_url", "image_url": { "url": PIXEL, "detail": detail } })
            })
            .collect();
        let body = json!({ "model": model, "messages": [{ "role": "user", "content": parts }] });
        let stamp = Stamp { unix_seconds: 0, nonce: 0 };
        let call = translate::chat(body.to_string().as_bytes(), stamp)?;
        Ok(serde_json::from_slice(call.requests[0].body.as_ref().unwrap()).unwrap())
    }

    #[test]
    fn since_gemini_3_each_picture_has_its_own() {
        let details = [Some("low"), Some("high"), Some("original"), Some("auto"), None];
        let sent = sent("gemini-3-flash", &details).unwrap();
        let level = |n: usize| sent["contents"][0]["parts"][n]["mediaResolution"]["level"].clone();
        assert_eq!(level(0), "MEDIA_RESOLUTION_LOW");
        assert_eq!(level(1), "MEDIA_RESOLUTION_HIGH");
        assert_eq!(level(2), "MEDIA_RESOLUTION_ULTRA_HIGH");
        assert_eq!((level(3), level(4)), (Value::Null, Value::Null));
        assert_eq!(sent.get("generationConfig"), None);
    }

    #[test]
    fn before_gemini_3_the_highest_is_for_all() {
        for (details, expected) in [
            (&[Some("low"), Some("low")][..], json!("MEDIA_RESOLUTION_LOW")),
            (&[Some("low"), Some("original")], json!("MEDIA_RESOLUTION_HIGH")),
            (&[Some("low"), None], Value::Null),
            (&[Some("high"), None], json!("MEDIA_RESOLUTION_HIGH")),
            (&[None, Some("auto")], Value::Null),
        ] {
            let sent = sent("gemini-2.5-flash", details).unwrap();
            assert_eq!(sent["generationConfig"]["mediaResolution"], expected, "{details:?}");
            assert_eq!(sent["contents"][0]["parts"][0].get("mediaResolution"), None);
        }
    }

    #[test]
    fn other_models_are_told_nothing() {
        let sent = sent("gemma-4-31b-it", &[Some("high")]).unwrap();
        assert_eq!(sent.get("generationConfig"), None);
        assert_eq!(sent["contents"][0]["parts"][0].get("mediaResolution"), None);
    }

    #[test]
    fn words_that_are_not_known_are_refused() {
        let refusal = sent("gemini-3-flash", &[Some("blurred")]).unwrap_err();
        assert_eq!(refusal.param.as_deref(), Some("messages[0].content[0].image_url.detail"));
    }
}
