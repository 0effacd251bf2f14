//! Pictures made and changed, by the models of Gemini that draw and by Imagen.
//!
//! Invariant: an answer has every picture that was made, and there is none without a picture.

mod form;
mod size;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::made::{Delivery, write_event};
use super::posted::{MediaPreset, Posted, answer, reason};
use super::refusal::{Refusal, quoted};
use super::usage::Tokens;
use super::{Call, Kind, Made, Malformed, Stamp, Translator, Upstream, model};
use crate::gemini::generate::request::{
    Content, Data, GenerateContentRequest, GenerationConfig, ImageConfig, Part, Role,
};
use crate::json::{self, Text};
use crate::openai::completion::DataUrl;
use crate::openai::images::{Image, ImageEvent, ImagesResponse, InputTokens, Usage};
use crate::summary::{Ending, Summary};

/// How many pictures OpenAI makes at once.
const MOST: u64 = 10;
/// How many of them Imagen makes at once.
const IMAGEN_MOST: u64 = 4;

/// Where pictures are shown when a client does not say how it wants them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gallery {
    /// Nowhere but in the answer.
    Answer,
    /// At addresses of their own.
    Web,
}

/// What a client wishes for.
struct Wish<'a> {
    prompt: Text<'a>,
    model: Option<Text<'a>>,
    n: Option<i64>,
    size: Option<Text<'a>>,
    format: Option<Text<'a>>,
    originals: Vec<Part<'a>>,
    stream: bool,
}

/// How a client is given pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Base64,
    Url,
}

/// The answer in the making.
#[derive(Debug)]
pub(super) struct Pictures {
    created: u64,
    format: Format,
    /// Whether the pictures were made of others.
    is_edit: bool,
    delivery: Delivery,
    is_imagen: bool,
    /// How many answers are missing.
    waiting: usize,
    /// Each with its media type, as base64 or, where it was put on the web, as its address.
    made: Vec<(String, String)>,
    tokens: Tokens,
    image_tokens: u64,
}

/// Reads the body of `POST /v1/images/generations`.
///
/// # Errors
/// A [`Refusal`] that names the field at fault; nothing must be sent then.
pub fn pictures(
    posted: Posted<'_>,
    preset: &MediaPreset<'_>,
    gallery: Gallery,
    stamp: Stamp,
) -> Result<Call, Refusal> {
    let mut wish = form::wish(posted)?;
    wish.originals.clear();
    call(wish, preset, gallery, stamp)
}

/// Reads the body of `POST /v1/images/edits`.
///
/// # Errors
/// A [`Refusal`] that names the field at fault; nothing must be sent then.
pub fn edited_pictures(
    posted: Posted<'_>,
    preset: &MediaPreset<'_>,
    gallery: Gallery,
    stamp: Stamp,
) -> Result<Call, Refusal> {
    let wish = form::wish(posted)?;
    if wish.originals.is_empty() {
        return Err(Refusal::missing("image"));
    }
    call(wish, preset, gallery, stamp)
}

fn call(
    wish: Wish<'_>,
    preset: &MediaPreset<'_>,
    gallery: Gallery,
    stamp: Stamp,
) -> Result<Call, Refusal> {
    if wish.prompt.trim().is_empty() {
        return Err(Refusal::missing("prompt"));
    }
    let n = match wish.n.map_or(Ok(1), u64::try_from) {
        Ok(n) if (1..=MOST).contains(&n) => n,
        _ => return Err(Refusal::invalid_value("n", format_args!("it must be from 1 to {MOST}"))),
    };
    let delivery = if wish.stream { Delivery::Events } else { Delivery::Bytes };
    let format = match delivery {
        // An event has no place for an address.
        Delivery::Events => Format::Base64,
        Delivery::Bytes => format(&wish, gallery)?,
    };
    let is_edit = !wish.originals.is_empty();
    let asked = preset.asked(wish.model.as_deref(), preset.images)?;
    let model = &*asked.model;
    let is_imagen = model.starts_with("imagen");
    let requests = if is_imagen {
        imagen(&wish, model, n)?
    } else {
        let upstream = preset.tuned(&asked, gemini(wish, model)?);
        (0..n).map(|_| upstream.clone()).collect()
    };
    let pictures = Pictures {
        created: stamp.unix_seconds,
        format,
        is_edit,
        delivery,
        is_imagen,
        waiting: requests.len(),
        made: Vec::new(),
        tokens: Tokens::default(),
        image_tokens: 0,
    };
    let translator = Translator(Kind::Made(Made::Pictures(pictures)));
    Ok(Call { model: asked.model, stream: false, requests, translator })
}

/// Clients of `dall-e` models read `url` when they say nothing; those of others read what OpenAI
/// gives, which is base64, unless there is an address to be had.
fn format(wish: &Wish<'_>, gallery: Gallery) -> Result<Format, Refusal> {
    let is_dall_e = wish.model.as_deref().is_some_and(|model| model.starts_with("dall-e"));
    let is_gpt = wish.model.as_deref().is_some_and(|model| model.starts_with("gpt-"));
    match wish.format.as_deref() {
        Some("b64_json") => Ok(Format::Base64),
        Some("url") => Ok(Format::Url),
        None if is_dall_e || (gallery == Gallery::Web && !is_gpt) => Ok(Format::Url),
        None => Ok(Format::Base64),
        Some(word) => {
            let reason = format!("{} must be 'url' or 'b64_json'", quoted(word));
            Err(Refusal::invalid_value("response_format", reason))
        }
    }
}

/// These models draw one picture for a request.
fn gemini(wish: Wish<'_>, model: &str) -> Result<Upstream, Refusal> {
    let size = size::read(wish.size.as_deref())?;
    let is_sized = model::family(model).since_3;
    let image_config = size.map(|size| ImageConfig {
        aspect_ratio: size.nearest(&size::GEMINI),
        image_size: size.resolution().filter(|_| is_sized),
    });
    let mut parts = wish.originals;
    parts.push(Data::Text(wish.prompt).into());
    let request = GenerateContentRequest {
        contents: vec![Content { role: Some(Role::User), parts }],
        generation_config: GenerationConfig {
            response_modalities: vec!["TEXT", "IMAGE"],
            image_config,
            ..GenerationConfig::default()
        },
        ..GenerateContentRequest::default()
    };
    Ok(Upstream::generate(model, false, &request, 0))
}

fn imagen(wish: &Wish<'_>, model: &str, n: u64) -> Result<Vec<Upstream>, Refusal> {
    if !wish.originals.is_empty() {
        let reason = "Imagen only makes new pictures; ask a model of Gemini that draws";
        return Err(Refusal::invalid_value("model", reason));
    }
    let size = size::read(wish.size.as_deref())?;
    let ratio = size.map_or("1:1", |size| size.nearest(&size::IMAGEN));
    let counts = (0..n).step_by(4).map(|done| (n - done).min(IMAGEN_MOST));
    Ok(counts
        .map(|count| {
            let parameters = json!({ "sampleCount": count, "aspectRatio": ratio });
            let body =
                json!({ "instances": [{ "prompt": &*wish.prompt }], "parameters": parameters });
            Upstream::post(model, "predict", &body, wish.prompt.len())
        })
        .collect())
}

/// What Imagen answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Predictions<'a> {
    #[serde(borrow, default)]
    predictions: Vec<Prediction<'a>>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Prediction<'a> {
    #[serde(borrow)]
    mime_type: Option<Text<'a>>,
    #[serde(borrow)]
    bytes_base64_encoded: Option<Text<'a>>,
    #[serde(borrow)]
    rai_filtered_reason: Option<Text<'a>>,
}

impl Pictures {
    pub(super) const fn content_type(&self) -> &'static str {
        self.delivery.content_type("application/json")
    }

    /// Whether the client wants the pictures at addresses of their own.
    pub(super) fn want_addresses(&self) -> bool {
        self.format == Format::Url
    }

    /// Takes an answer; the last one writes the client's.
    ///
    /// # Errors
    /// [`Malformed`] when it is none, or no answer had a picture.
    pub(super) fn whole(&mut self, body: &[u8], out: &mut Vec<u8>) -> Result<Summary, Malformed> {
        let (summary, reason) =
            if self.is_imagen { self.take_predictions(body)? } else { self.take(body)? };
        self.waiting = self.waiting.saturating_sub(1);
        if self.waiting == 0 {
            if self.made.is_empty() {
                return Err(Malformed::Declined { reason });
            }
            self.write(out);
        }
        Ok(summary)
    }

    fn take(&mut self, body: &[u8]) -> Result<(Summary, Option<String>), Malformed> {
        let answer = answer(body)?;
        let mut tokens = Tokens::default();
        if let Some(stated) = &answer.usage_metadata {
            tokens.update(stated);
            let images =
                stated.prompt_tokens_details.iter().filter(|it| &*it.modality.0 == "IMAGE");
            self.image_tokens += images.map(|it| it.token_count).sum::<u64>();
        }
        self.tokens.add(&tokens);
        for part in
            answer.candidates.iter().filter_map(|it| it.content.as_ref()).flat_map(|it| &it.parts)
        {
            let blob = part.inline_data.as_ref().filter(|_| part.thought != Some(true));
            if let Some(blob) = blob.filter(|blob| blob.mime_type.starts_with("image/")) {
                self.made.push((blob.mime_type.to_string(), blob.data.to_string()));
            }
        }
        Ok((Summary { usage: tokens.counted, ending: Ending::Finished }, reason(&answer)))
    }

    fn take_predictions(&mut self, body: &[u8]) -> Result<(Summary, Option<String>), Malformed> {
        let answer: Predictions<'_> = json::read(body).map_err(|error| Malformed::from(&error))?;
        let mut reason = None;
        for prediction in answer.predictions {
            match prediction.bytes_base64_encoded {
                Some(data) => {
                    let kind = prediction
                        .mime_type
                        .map_or_else(|| "image/png".into(), |it| it.to_string());
                    self.made.push((kind, data.to_string()));
                }
                None => {
                    let told = prediction.rai_filtered_reason.map(|it| it.to_string());
                    reason = reason.or(told);
                }
            }
        }
        Ok((Summary { usage: Tokens::default().counted, ending: Ending::Finished }, reason))
    }

    fn write(&self, out: &mut Vec<u8>) {
        if self.delivery == Delivery::Events {
            let kind =
                if self.is_edit { "image_edit.completed" } else { "image_generation.completed" };
            for (mime_type, data) in &self.made {
                let (b64_json, created_at, usage) = (data, self.created, self.usage());
                let output_format = output_format(mime_type).unwrap_or("png");
                let event = ImageEvent::of(kind, (b64_json, output_format), created_at, usage);
                write_event(&event, out);
            }
            return;
        }
        let data = self.made.iter().map(|(mime_type, data)| match self.format {
            Format::Base64 => Image::B64Json(data),
            Format::Url => Image::Url(DataUrl { mime_type, data }.to_string()),
        });
        let response = ImagesResponse {
            created: self.created,
            data: data.collect(),
            output_format: self.made.first().and_then(|(kind, _)| output_format(kind)),
            usage: (!self.is_imagen).then(|| self.usage()),
        };
        json::write(&response, out);
    }

    fn usage(&self) -> Usage {
        let input = self.tokens.prompt();
        Usage {
            input_tokens: input,
            input_tokens_details: InputTokens {
                text_tokens: input.saturating_sub(self.image_tokens),
                image_tokens: self.image_tokens,
            },
            output_tokens: self.tokens.completion(),
            total_tokens: self.tokens.total(),
        }
    }
}

/// The kind of a picture, if it is one that OpenAI has.
fn output_format(mime_type: &str) -> Option<&str> {
    mime_type.strip_prefix("image/").filter(|kind| ["png", "jpeg", "webp"].contains(kind))
}
