//! How the answer is made: sampling, limits, form.
//!
//! Invariant: a value out of the range that OpenAI and Gemini share is refused, not bent; what a
//! family of models refuses whatever its value, as penalties and log probabilities, is left out.

use serde_json::value::RawValue;

use super::model::Family;
use super::path::Path;
use super::refusal::{Refusal, quoted};
use super::schema;
use super::upstream::Upstream;
use crate::gemini::generate::request::{GenerateContentRequest, GenerationConfig};
use crate::json::Text;
use crate::openai::chat::{ChatRequest, ResponseFormat};
use crate::openai::number::Integer;
use crate::openai::union::StringOrArray;

#[cfg(test)]
mod tests;

/// How many stop texts Gemini takes.
const STOPS: usize = 5;
/// How many answers Gemini gives at once.
const CANDIDATES: u32 = 8;

/// How many alternatives to each token Gemini tells.
const ALTERNATIVES: i64 = 20;

/// A number that must lie within bounds.
///
/// # Errors
/// A [`Refusal`] of a number that does not.
pub(crate) fn within(
    value: Option<f64>,
    bounds: std::ops::RangeInclusive<i32>,
    field: &str,
) -> Result<Option<f64>, Refusal> {
    let (least, most) = bounds.into_inner();
    match value {
        Some(value) if !(f64::from(least)..=f64::from(most)).contains(&value) => {
            let reason = format!("it must lie between {least} and {most}");
            Err(Refusal::invalid_value(field, reason))
        }
        value => Ok(value),
    }
}

/// A count that must be at least 1.
///
/// # Errors
/// A [`Refusal`] of anything less.
pub(crate) fn positive(value: Option<Integer>, field: &str) -> Result<Option<i64>, Refusal> {
    match value {
        Some(Integer(..=0)) => Err(Refusal::invalid_value(field, "it must be at least 1")),
        value => Ok(value.map(|Integer(value)| value)),
    }
}

/// How soon and at what price; none for the usual way.
///
/// # Errors
/// A [`Refusal`] of words that are not known.
pub(crate) fn service_tier(word: Option<&str>) -> Result<Option<&'static str>, Refusal> {
    match word {
        None | Some("auto" | "default" | "standard" | "scale") => Ok(None),
        Some("flex") => Ok(Some("flex")),
        Some("priority" | "fast") => Ok(Some("priority")),
        Some(word) => {
            let reason =
                format!("{} must be 'auto', 'default', 'flex' or 'priority'", quoted(word));
            Err(Refusal::invalid_value("service_tier", reason))
        }
    }
}

/// How many answers are asked for, and by how many requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answers {
    /// How many requests are sent side by side.
    pub(crate) requests: usize,
    /// How many answers each of them asks for.
    pub(crate) each: u32,
}

impl Answers {
    /// `n` answers: by one request where the family gives several, else by a request for each.
    ///
    /// # Errors
    /// A [`Refusal`] of less than one and of more than Gemini gives at once.
    pub(crate) fn of(n: Option<Integer>, family: &Family) -> Result<Self, Refusal> {
        let n = n.map_or(Some(1), |Integer(n)| u32::try_from(n).ok());
        match n.filter(|n| (1..=CANDIDATES).contains(n)) {
            Some(each) if family.candidates => Ok(Self { requests: 1, each }),
            Some(n) => Ok(Self { requests: n as usize, each: 1 }),
            None => {
                let reason = format!("it must lie between 1 and {CANDIDATES}");
                Err(Refusal::invalid_value("n", reason))
            }
        }
    }

    /// What each request asks for; none for one, which models that give only one accept.
    pub(crate) fn candidate_count(self) -> Option<i64> {
        (self.each > 1).then_some(self.each.into())
    }

    /// The requests. A seed that the client gave is another one in each, since the same would give
    /// the same answer.
    pub(crate) fn requests<'a>(
        self,
        mut request: GenerateContentRequest<'a>,
        write: impl Fn(&GenerateContentRequest<'a>) -> Upstream,
    ) -> Vec<Upstream> {
        let Some(seed) = request.generation_config.seed else {
            return vec![write(&request); self.requests];
        };
        let seeds = std::iter::successors(Some(seed), |seed| Some(seed.wrapping_add(1)));
        let requests = seeds.take(self.requests).map(|seed| {
            request.generation_config.seed = Some(seed);
            write(&request)
        });
        requests.collect()
    }
}

/// How much less likely words become by having been used; none for families that refuse it.
///
/// # Errors
/// A [`Refusal`] of a number out of OpenAI's range.
pub(crate) fn penalty(
    value: Option<f64>,
    family: &Family,
    field: &str,
) -> Result<Option<f64>, Refusal> {
    let value = within(value, -2..=2, field)?;
    // Gemini's range is the same but for 2 itself.
    Ok(value.filter(|value| family.penalties && *value != 0.0).map(|value| value.min(1.999)))
}

/// How many alternatives to each token are told.
///
/// # Errors
/// A [`Refusal`] of a number out of the range that OpenAI and Gemini share, and of one without
/// `logprobs`.
pub(crate) fn top_logprobs(chat: &ChatRequest<'_>) -> Result<Option<i64>, Refusal> {
    match chat.top_logprobs {
        Some(Integer(1..)) if chat.logprobs != Some(true) => {
            let reason = "it stands only with 'logprobs': true";
            Err(Refusal::invalid_value("top_logprobs", reason))
        }
        count => alternatives(count),
    }
}

/// The same without `logprobs` to go with it.
///
/// # Errors
/// A [`Refusal`] of a number out of the range that OpenAI and Gemini share.
pub(crate) fn alternatives(count: Option<Integer>) -> Result<Option<i64>, Refusal> {
    match count {
        Some(Integer(0)) | None => Ok(None),
        Some(Integer(count)) if (1..=ALTERNATIVES).contains(&count) => Ok(Some(count)),
        Some(_) => {
            let reason = format!("it must lie between 0 and {ALTERNATIVES}");
            Err(Refusal::invalid_value("top_logprobs", reason))
        }
    }
}

/// The seed in the 32 bits that Gemini takes.
pub(crate) fn seed(seed: Option<Integer>) -> Option<i32> {
    let Integer(seed) = seed?;
    let reduced = || i32::try_from(seed.rem_euclid(1 << 31)).ok();
    i32::try_from(seed).ok().or_else(reduced)
}

/// The texts that end the answer; empty ones would end none.
///
/// # Errors
/// A [`Refusal`] of more than Gemini takes.
pub(crate) fn stops<'a>(
    stop: Option<&'a StringOrArray<'a, Text<'a>>>,
) -> Result<Vec<&'a str>, Refusal> {
    let all = match stop {
        None => &[],
        Some(StringOrArray::String(text)) => std::slice::from_ref(text),
        Some(StringOrArray::Array(texts)) => texts.as_slice(),
    };
    let stops: Vec<&str> = all.iter().map(|text| &**text).filter(|text| !text.is_empty()).collect();
    if stops.len() > STOPS {
        let reason = format!("Gemini takes at most {STOPS} stop texts");
        return Err(Refusal::invalid_value("stop", reason));
    }
    Ok(stops)
}

/// What the answer must be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form<'a> {
    Text,
    Json,
    Schema(&'a RawValue),
}

/// The form that `response_format` of a chat request asks for.
///
/// # Errors
/// A [`Refusal`] of forms that are not known.
pub(crate) fn form<'a>(format: Option<&ResponseFormat<'a>>) -> Result<Form<'a>, Refusal> {
    let path = Path::root("response_format");
    let Some(format) = format else { return Ok(Form::Text) };
    match &*format.kind {
        "json_schema" => match &format.json_schema {
            Some(schema) => Ok(schema.schema.map_or(Form::Json, Form::Schema)),
            None => Err(Refusal::missing(path.field("json_schema"))),
        },
        kind => plain_form(kind, path.field("type")),
    }
}

/// A form that is named by a word alone.
///
/// # Errors
/// A [`Refusal`] of words that are not known.
pub(crate) fn plain_form<'a>(kind: &str, path: Path<'_>) -> Result<Form<'a>, Refusal> {
    match kind {
        "text" => Ok(Form::Text),
        "json_object" => Ok(Form::Json),
        kind => {
            let reason = format!("{} must be 'text', 'json_object' or 'json_schema'", quoted(kind));
            Err(Refusal::invalid_value(path, reason))
        }
    }
}

impl Form<'_> {
    /// Asks for the form.
    ///
    /// # Errors
    /// A [`Refusal`], naming the place below `path`, of a schema that Gemini cannot be told.
    pub(crate) fn put(
        self,
        config: &mut GenerationConfig<'_>,
        (has_tools, family): (bool, &Family),
        path: Path<'_>,
    ) -> Result<(), Refusal> {
        if let Form::Schema(schema) = self {
            let schema = schema::of_answer(schema, path)?;
            if family.json_schema {
                config.response_json_schema = Some(schema);
            } else {
                config.response_schema = Some(schema::subset::of(&schema));
            }
        }
        config.response_mime_type = match self {
            // Gemini 2 refuses the two together; the prompt asks for JSON already, as OpenAI demands.
            Form::Json if has_tools && !family.json_with_tools => None,
            Form::Text => None,
            Form::Json | Form::Schema(_) => Some("application/json"),
        };
        Ok(())
    }
}
