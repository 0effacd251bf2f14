//! Google's own fields, which clients send in `extra_body.google`, in Gemini's request.
//!
//! Invariant: each of them goes to the one place that Gemini has for it, as it was written; one that
//! would replace what the request is made of is refused.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::path::Path;
use super::refusal::Refusal;
use super::upstream::Upstream;
use crate::gemini::generate::request::GenerateContentRequest;
use crate::json::fields::{Fields, Raw};
use crate::openai::chat::Google;

const CONFIG: &str = "generationConfig";
const IMAGE_CONFIG: &str = "imageConfig";

/// Fields to be put into a request.
#[derive(Debug, Default)]
pub(crate) struct More<'a> {
    /// Into the request itself.
    of_request: Vec<(String, Raw<'a>)>,
    /// Into how the answer is made.
    of_config: Vec<(String, Raw<'a>)>,
    /// Into what pictures are like.
    of_images: Vec<(String, Raw<'a>)>,
}

/// Refuses a cache beside what only a cache may hold then: Gemini takes it in one place.
///
/// # Errors
/// A [`Refusal`] that names the cache.
pub(crate) fn check_cached(
    request: &GenerateContentRequest<'_>,
    path: Path<'_>,
) -> Result<(), Refusal> {
    let is_beside = request.system_instruction.is_some()
        || !request.tools.is_empty()
        || request.tool_config.is_some();
    if request.cached_content.is_none() || !is_beside {
        return Ok(());
    }
    let reason = "Gemini takes no system message and no tools beside a cache, which holds them; \
                  leave out one or the other";
    Err(Refusal::invalid_value(path.field("cached_content"), reason))
}

impl<'a> More<'a> {
    /// The fields that a client sends at `path`, and what pictures are like.
    ///
    /// # Errors
    /// A [`Refusal`] of fields that are made of the messages, and of objects that are none.
    pub(crate) fn of(
        google: Option<&Google<'a>>,
        image_config: Option<&'a RawValue>,
        path: Path<'_>,
    ) -> Result<Self, Refusal> {
        let mut more = Self::default();
        if let Some(config) = image_config {
            more.of_images.extend(object(config, Path::root("image_config"))?);
        }
        for (name, value) in google.into_iter().flat_map(|google| &google.more) {
            more.take(camel(name), Cow::Borrowed(*value), path.field(name))?;
        }
        Ok(more)
    }

    fn take(&mut self, name: String, value: Raw<'a>, path: Path<'_>) -> Result<(), Refusal> {
        match &*name {
            "contents" | "systemInstruction" => {
                return Err(Refusal::unsupported(path, "it is made of 'messages'"));
            }
            "model" => return Err(Refusal::unsupported(path, "it is told in 'model'")),
            CONFIG => self.of_config.extend(object(&value, path)?),
            IMAGE_CONFIG => self.of_images.extend(object(&value, path)?),
            "aspectRatio" | "imageSize" => self.of_images.push((name, value)),
            of_config if OF_CONFIG.contains(&of_config) => self.of_config.push((name, value)),
            _ => self.of_request.push((name, value)),
        }
        Ok(())
    }

    /// The request with the fields.
    pub(crate) fn put(&self, upstream: Upstream) -> Upstream {
        if self.of_request.is_empty() && self.of_config.is_empty() && self.of_images.is_empty() {
            return upstream;
        }
        let body = upstream.body.as_deref().and_then(|body| {
            let mut request = Fields::read(body)?;
            set(&mut request, &self.of_request);
            request.within(&[CONFIG], |config| {
                set(config, &self.of_config);
                config.within(&[IMAGE_CONFIG], |images| set(images, &self.of_images));
            });
            serde_json::to_vec(&request).ok()
        });
        Upstream { body: body.or(upstream.body), ..upstream }
    }
}

fn set(fields: &mut Fields<'_>, more: &[(String, Raw<'_>)]) {
    for (name, value) in more {
        fields.put(name, value);
    }
}

/// The fields of an object, under Gemini's names.
fn object<'a>(json: &RawValue, path: Path<'_>) -> Result<Vec<(String, Raw<'a>)>, Refusal> {
    let fields = Fields::of(json);
    let fields = fields.ok_or_else(|| Refusal::invalid_type(path, "expected an object"))?;
    Ok(fields.into_owned().map(|(name, value)| (camel(&name), value)).collect())
}

/// `aspect_ratio` as `aspectRatio`.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

/// Fields of `generationConfig` that clients send without it.
const OF_CONFIG: [&str; 19] = [
    "audioTimestamp",
    "candidateCount",
    "enableEnhancedCivicAnswers",
    "frequencyPenalty",
    "logprobs",
    "maxOutputTokens",
    "mediaResolution",
    "presencePenalty",
    "responseJsonSchema",
    "responseLogprobs",
    "responseMimeType",
    "responseModalities",
    "responseSchema",
    "seed",
    "speechConfig",
    "stopSequences",
    "temperature",
    "topK",
    "topP",
];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::translate::{self, Refusal, Stamp};

    fn sent(fields: &Value) -> Result<Value, Refusal> {
        let mut body = json!({ "model": "gemini-3-pro-image", "temperature": 1,
                               "messages": [{ "role": "user", "content": "q" }] });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let stamp = Stamp { unix_seconds: 0, nonce: 0 };
        let call = translate::chat(body.to_string().as_bytes(), stamp)?;
        Ok(serde_json::from_slice(call.requests[0].body.as_ref().unwrap()).unwrap())
    }

    #[test]
    fn each_field_goes_to_its_place() {
        let google = json!({
            "generation_config": { "temperature": 0.5, "top_k": 3, "newField": [1, 2.50] },
            "image_config": { "aspect_ratio": "16:9" },
            "image_size": "2K",
            "response_modalities": ["IMAGE"],
            "labels": { "team": "a_b" },
        });
        let expected = json!({
            "contents": [{ "role": "user", "parts": [{ "text": "q" }] }],
            "labels": { "team": "a_b" },
            "generationConfig": {
                "temperature": 0.5, "topK": 3, "newField": [1, 2.5], "responseModalities": ["IMAGE"],
                "imageConfig": { "aspectRatio": "16:9", "imageSize": "2K" },
            },
        });
        for fields in [json!({ "extra_body": { "google": google } }), json!({ "google": google })] {
            assert_eq!(sent(&fields).unwrap(), expected);
        }
    }

    #[test]
    fn the_shape_of_pictures_may_stand_by_itself() {
        let config = json!({ "aspect_ratio": "1:1", "image_size": "4K" });
        let sent = sent(&json!({ "image_config": config })).unwrap();
        let expected = json!({ "aspectRatio": "1:1", "imageSize": "4K" });
        assert_eq!(sent["generationConfig"]["imageConfig"], expected);
    }

    #[test]
    fn what_the_request_is_made_of_is_not_replaced() {
        for (google, param) in [
            (json!({ "contents": [] }), "extra_body.google.contents"),
            (json!({ "system_instruction": {} }), "extra_body.google.system_instruction"),
            (json!({ "model": "x" }), "extra_body.google.model"),
            (json!({ "generation_config": 5 }), "extra_body.google.generation_config"),
            (json!({ "tools": 5 }), "extra_body.google.tools"),
            (
                json!({ "thinking_config": { "include_thoughts": "yes" } }),
                "extra_body.google.thinking_config.include_thoughts",
            ),
        ] {
            let refusal = sent(&json!({ "extra_body": { "google": google } })).unwrap_err();
            assert_eq!(refusal.param.as_deref(), Some(param), "{google}");
        }
        let refusal = sent(&json!({ "google": { "model": "x" } })).unwrap_err();
        assert_eq!(refusal.param.as_deref(), Some("google.model"));
    }

    #[test]
    fn a_cache_stands_alone() {
        let cached = |fields: Value| {
            let mut body = json!({ "google": { "cached_content": "cachedContents/c" } });
            body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            sent(&body)
        };
        assert_eq!(cached(json!({})).unwrap()["cachedContent"], "cachedContents/c");
        let system =
            json!([{ "role": "system", "content": "s" }, { "role": "user", "content": "q" }]);
        let tools = json!([{ "type": "function", "function": { "name": "f" } }]);
        for fields in [
            json!({ "messages": system }),
            json!({ "tools": tools }),
            json!({ "web_search_options": {} }),
        ] {
            let refusal = cached(fields).unwrap_err();
            assert_eq!(refusal.param.as_deref(), Some("google.cached_content"));
        }
    }
}
