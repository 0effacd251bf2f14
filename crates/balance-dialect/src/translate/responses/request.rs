//! A Responses request, as the request that Gemini is sent.
//!
//! Invariant: what needs a store of answers is refused, since nothing is kept between calls.

use super::input;
use crate::gemini::generate::request::{GenerateContentRequest, GenerationConfig, ThinkingConfig};
use crate::openai::chat::Google;
use crate::openai::responses::{Format, ResponsesRequest};
use crate::translate::config::{self, Form};
use crate::translate::google::{More, check_cached};
use crate::translate::model::Family;
use crate::translate::names::Names;
use crate::translate::path::Path;
use crate::translate::refusal::Refusal;
use crate::translate::thinking::{self, Wish};
use crate::translate::{built_in, choice, detail, tools};

/// The request for Gemini, and what its answer has to be translated with.
///
/// # Errors
/// A [`Refusal`] that names the field that cannot be translated.
pub(crate) fn request<'a>(
    request: &'a ResponsesRequest<'a>,
    family: &Family,
) -> Result<(GenerateContentRequest<'a>, More<'a>, Names), Refusal> {
    refuse_kept(request)?;
    let mut tools = tools::tools(request.tools.as_deref().unwrap_or_default())?;
    let more = google(request).and_then(|google| google.tools.as_deref()).unwrap_or_default();
    more.iter().filter_map(built_in::of).for_each(|tool| tools.use_built_in(tool));
    let choice = choice::choice(request.tool_choice.as_ref(), &tools.names)?;
    let tool_config = tools.config(choice, family);
    let has_tools = !tools.is_empty();
    let mut generation_config = generation_config(request, family, has_tools)?;
    let (tools, names) = tools.into_tools(family);
    let dialogue = input::dialogue(request.instructions.as_deref(), &request.input)?;
    let mut turns = dialogue.finish(family, &names);
    if turns.contents.is_empty() {
        return Err(Refusal::missing("input"));
    }
    generation_config.media_resolution = detail::settle(&mut turns.contents, family);
    let google = google(request);
    let body = Path::root("extra_body");
    let is_nested = request.extra_body.as_ref().is_some_and(|body| body.google.is_some());
    let path = if is_nested { body.field("google") } else { Path::root("google") };
    let more = More::of(google, None, path)?;
    let request = GenerateContentRequest {
        contents: turns.contents,
        system_instruction: turns.system,
        tools,
        tool_config,
        safety_settings: google.and_then(|google| google.safety_settings),
        generation_config,
        cached_content: google.and_then(|google| google.cached_content.as_deref()),
        service_tier: config::service_tier(request.service_tier.as_deref())?,
    };
    check_cached(&request, path)?;
    Ok((request, more, names))
}

/// Google's extensions.
fn google<'a>(request: &'a ResponsesRequest<'a>) -> Option<&'a Google<'a>> {
    let nested = request.extra_body.as_ref().and_then(|body| body.google.as_ref());
    nested.or(request.google.as_ref())
}

fn refuse_kept(request: &ResponsesRequest<'_>) -> Result<(), Refusal> {
    let reason = "nothing is kept between calls; send the whole conversation as 'input'";
    for (field, is_there) in [
        ("previous_response_id", request.previous_response_id.is_some()),
        ("conversation", request.conversation.is_some()),
        ("prompt", request.prompt.is_some()),
        ("background", request.background == Some(true)),
    ] {
        if is_there {
            return Err(Refusal::unsupported(field, reason));
        }
    }
    Ok(())
}

fn generation_config<'a>(
    request: &'a ResponsesRequest<'a>,
    family: &Family,
    has_tools: bool,
) -> Result<GenerationConfig<'a>, Refusal> {
    let named = "message.output_text.logprobs";
    let is_asked = request.include.iter().flatten().any(|wanted| &**wanted == named);
    let alternatives = config::alternatives(request.top_logprobs)?;
    let tells = (is_asked || alternatives.is_some()) && family.logprobs;
    let mut config = GenerationConfig {
        response_logprobs: tells.then_some(true),
        logprobs: alternatives.filter(|_| tells),
        max_output_tokens: config::positive(request.max_output_tokens, "max_output_tokens")?,
        temperature: config::within(request.temperature, 0..=2, "temperature")?,
        top_p: config::within(request.top_p, 0..=1, "top_p")?,
        thinking_config: thinking_config(request, family)?,
        ..GenerationConfig::default()
    };
    let text = Path::root("text");
    let path = text.field("format");
    let format = request.text.as_ref().and_then(|text| text.format.as_ref());
    let form = format.map_or(Ok(Form::Text), |format| form(format, path))?;
    form.put(&mut config, (has_tools, family), path.field("schema"))?;
    Ok(config)
}

fn form<'a>(format: &Format<'a>, path: Path<'_>) -> Result<Form<'a>, Refusal> {
    match &*format.kind {
        "json_schema" => match format.schema {
            Some(schema) => Ok(Form::Schema(schema)),
            None => Err(Refusal::missing(path.field("schema"))),
        },
        kind => config::plain_form(kind, path.field("type")),
    }
}

/// Thoughts are shown only to a client that asks for their summary.
fn thinking_config<'a>(
    request: &'a ResponsesRequest<'a>,
    family: &Family,
) -> Result<Option<ThinkingConfig<'a>>, Refusal> {
    if let Some(config) = google(request).and_then(|google| google.thinking_config.as_ref()) {
        return Ok(Some(thinking::of_google(config)));
    }
    let Some(reasoning) = &request.reasoning else { return Ok(None) };
    let path = Path::root("reasoning");
    let wish = match &reasoning.effort {
        Some(effort) => thinking::of_effort(effort, path.field("effort"))?,
        None => Wish::AUTO,
    };
    let wants_summary = reasoning.summary.is_some() || reasoning.generate_summary.is_some();
    let shows_thoughts = wish.shows_thoughts && wants_summary;
    Ok(Wish { shows_thoughts, ..wish }.config(family))
}
