//! Embeddings: one request of the client, and the requests of a hundred inputs each that Gemini
//! takes.
//!
//! Invariant: the answer has one embedding for each input, in their order.

use std::collections::VecDeque;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::config;
use super::malformed::Malformed;
use super::path::Path;
use super::refusal::{Refusal, quoted};
use super::upstream::Upstream;
use super::usage::Tokens;
use crate::gemini::embed::{
    BatchEmbedContentsRequest, BatchEmbedContentsResponse, EmbedContentRequest,
};
use crate::gemini::generate::request::{Content, Data};
use crate::json;
use crate::openai::embeddings::{
    Embedding, EmbeddingsRequest, EmbeddingsResponse, Input, Usage, Vector,
};
use crate::openai::union::StringOrArray;
use crate::summary::{Ending, Summary};

#[cfg(test)]
mod tests;

/// How many inputs OpenAI takes.
const INPUTS: usize = 2048;
/// How many of them Gemini takes at once.
const BATCH: usize = 100;
/// About how many letters a token has, where Gemini does not count.
const LETTERS_PER_TOKEN: u64 = 4;

/// The answer in the making.
#[derive(Debug)]
pub(crate) struct Embeddings {
    model: String,
    encoding: Encoding,
    /// Whether the numbers come shorter than the model makes them, which leaves them unscaled.
    is_shortened: bool,
    /// The batches that are not answered yet.
    waiting: VecDeque<Batch>,
    vectors: Vec<Vec<f32>>,
    tokens: u64,
}

#[derive(Debug, Clone, Copy)]
enum Encoding {
    Float,
    Base64,
}

#[derive(Debug)]
struct Batch {
    inputs: usize,
    letters: u64,
}

/// The requests to the model of this name, and what makes one answer, which names it `echo`, of
/// their answers.
///
/// # Errors
/// A [`Refusal`] that names the field that cannot be translated.
pub(crate) fn embeddings(
    request: &EmbeddingsRequest<'_>,
    name: &str,
    echo: &str,
) -> Result<(Vec<Upstream>, Embeddings), Refusal> {
    let inputs = inputs(&request.input)?;
    let dimensions = config::positive(request.dimensions, "dimensions")?;
    let batches = inputs.chunks(BATCH);
    let waiting = batches.clone().map(|texts| Batch {
        inputs: texts.len(),
        letters: texts.iter().map(|text| text.chars().count() as u64).sum(),
    });
    let embeddings = Embeddings {
        model: echo.to_owned(),
        encoding: encoding(request.encoding_format.as_deref())?,
        is_shortened: dimensions.is_some() && name.starts_with("gemini-embedding-001"),
        waiting: waiting.collect(),
        vectors: Vec::with_capacity(inputs.len()),
        tokens: 0,
    };
    let model = format!("models/{name}");
    let upstream = batches.map(|texts| {
        let requests = texts.iter().map(|text| EmbedContentRequest {
            model: &model,
            content: Content { role: None, parts: vec![Data::Text((*text).into()).into()] },
            output_dimensionality: dimensions,
            task_type: request.task_type.as_deref(),
            title: request.title.as_deref(),
        });
        let body = BatchEmbedContentsRequest { requests: requests.collect() };
        Upstream::post(name, "batchEmbedContents", &body, texts.iter().map(|t| t.len()).sum())
    });
    Ok((upstream.collect(), embeddings))
}

fn inputs<'a>(input: &'a StringOrArray<'a, Input<'a>>) -> Result<Vec<&'a str>, Refusal> {
    let path = Path::root("input");
    let texts = match input {
        StringOrArray::String(text) => vec![text_of(text, path)?],
        StringOrArray::Array(inputs) => {
            let texts = inputs.iter().enumerate().map(|(index, input)| match input {
                Input::Text(text) => text_of(text, path.index(index)),
                Input::Tokens => Err(tokens_refused()),
            });
            texts.collect::<Result<_, _>>()?
        }
    };
    match texts.len() {
        0 => Err(Refusal::invalid_value(path, "it is empty")),
        1..=INPUTS => Ok(texts),
        _ => {
            let reason = format!("it has more than {INPUTS} elements");
            Err(Refusal::invalid_value(path, reason))
        }
    }
}

fn text_of<'a>(text: &'a str, path: Path<'_>) -> Result<&'a str, Refusal> {
    if text.is_empty() { Err(Refusal::invalid_value(path, "it is empty")) } else { Ok(text) }
}

fn tokens_refused() -> Refusal {
    let reason = "Gemini takes text, not tokens of OpenAI's encodings; send strings (with \
                  LangChain: check_embedding_ctx_length=False)";
    Refusal::invalid_value("input", reason)
}

fn encoding(format: Option<&str>) -> Result<Encoding, Refusal> {
    match format {
        None | Some("float") => Ok(Encoding::Float),
        Some("base64") => Ok(Encoding::Base64),
        Some(format) => {
            let reason = format!("{} must be 'float' or 'base64'", quoted(format));
            Err(Refusal::invalid_value("encoding_format", reason))
        }
    }
}

impl Embeddings {
    /// Takes the answer to the next request; the last one writes the client's answer.
    ///
    /// # Errors
    /// [`Malformed`] when it has not one embedding for each input.
    pub(crate) fn whole(&mut self, body: &[u8], out: &mut Vec<u8>) -> Result<Summary, Malformed> {
        let answer: BatchEmbedContentsResponse<'_> =
            json::read(body).map_err(|error| Malformed::from(&error))?;
        let batch = self.waiting.pop_front().ok_or(Malformed::Unexpected)?;
        if answer.embeddings.len() != batch.inputs {
            return Err(Malformed::Empty { reason: None });
        }
        let mut tokens = Tokens::default();
        match &answer.usage_metadata {
            Some(stated) => tokens.update(stated),
            None => tokens.counted.prompt_tokens = batch.letters.div_ceil(LETTERS_PER_TOKEN),
        }
        self.tokens = self.tokens.saturating_add(tokens.counted.prompt_tokens);
        self.vectors.extend(answer.embeddings.into_iter().map(|embedding| embedding.values));
        if self.waiting.is_empty() {
            self.write(out);
        }
        Ok(Summary { usage: tokens.counted, ending: Ending::Finished })
    }

    fn write(&mut self, out: &mut Vec<u8>) {
        if self.is_shortened {
            self.vectors.iter_mut().for_each(|vector| scale(vector));
        }
        let data = self.vectors.iter().enumerate().map(|(index, vector)| Embedding {
            object: "embedding",
            index,
            embedding: match self.encoding {
                Encoding::Float => Vector::Float(vector),
                Encoding::Base64 => Vector::Base64(base64(vector)),
            },
        });
        let usage = Usage { prompt_tokens: self.tokens, total_tokens: self.tokens };
        let data = data.collect();
        let response = EmbeddingsResponse { object: "list", data, model: &self.model, usage };
        json::write(&response, out);
    }
}

/// Scales a vector to the length 1, as clients expect of embeddings.
fn scale(vector: &mut [f32]) {
    let square: f64 = vector.iter().map(|x| f64::from(*x).powi(2)).sum();
    let length = square.sqrt();
    if length > 0.0 {
        #[expect(clippy::cast_possible_truncation, reason = "the numbers came as f32")]
        vector.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
    }
}

fn base64(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}
