//! A chat request, as the request that Gemini is sent.
//!
//! Invariant: the body is read once and written once; what lies between borrows from it.

use super::config;
use super::google::{More, check_cached};
use super::messages::ToolSteps;
use super::model::Family;
use super::names::Names;
use super::path::Path;
use super::refusal::Refusal;
use super::speech::SoundFormat;
use super::tools::Tools;
use super::{built_in, choice, detail, messages, speech, thinking, tools};
use crate::gemini::generate::request::{
    GenerateContentRequest, GenerationConfig, Object, ThinkingConfig, Tool, ToolConfig,
};
use crate::openai::chat::{ChatRequest, Google};
use crate::openai::number::Integer;

/// A request for Gemini.
#[derive(Debug)]
pub(crate) struct Prepared<'a> {
    pub(crate) request: GenerateContentRequest<'a>,
    /// What is to be put into it besides.
    pub(crate) more: More<'a>,
    /// What its answer has to be translated with.
    pub(crate) names: Names,
    pub(crate) sound: SoundFormat,
}

/// The request for Gemini.
///
/// # Errors
/// A [`Refusal`] that names the field that cannot be translated.
pub(crate) fn request<'a>(
    chat: &'a ChatRequest<'a>,
    family: &Family,
) -> Result<Prepared<'a>, Refusal> {
    check(chat)?;
    let tools = tools(chat)?;
    let choice = if is_legacy(chat) {
        choice::of_functions(chat.function_call.as_ref(), &tools.names)?
    } else {
        choice::choice(chat.tool_choice.as_ref(), &tools.names)?
    };
    let tool_config = tools.config(choice, family);
    let has_tools = !tools.is_empty();
    let mut generation_config = generation_config(chat, family, has_tools)?;
    let sound = speech::put(chat, &mut generation_config)?;
    let (tools, names) = tools.into_tools(family);
    let is_mixed = |config: &ToolConfig<'_>| config.include_server_side_tool_invocations.is_some();
    let steps = match &tool_config {
        Some(config) if is_mixed(config) => ToolSteps::Told,
        Some(_) | None => ToolSteps::LeftOut,
    };
    let mut turns = messages::dialogue(&chat.messages, steps)?.finish(family, &names);
    if turns.contents.is_empty() {
        let reason = "there is nothing in it that could be sent; add a message with content";
        return Err(Refusal::invalid_value("messages", reason));
    }
    generation_config.media_resolution = detail::settle(&mut turns.contents, family);
    let google = google(chat);
    let body = Path::root("extra_body");
    let is_nested = chat.extra_body.as_ref().is_some_and(|body| body.google.is_some());
    let path = if is_nested { body.field("google") } else { Path::root("google") };
    let more = More::of(google, chat.image_config, path)?;
    let request = GenerateContentRequest {
        contents: turns.contents,
        system_instruction: turns.system,
        tools,
        tool_config,
        safety_settings: google.and_then(|google| google.safety_settings).or(chat.safety_settings),
        generation_config,
        cached_content: google.and_then(|google| google.cached_content.as_deref()),
        service_tier: config::service_tier(chat.service_tier.as_deref())?,
    };
    check_cached(&request, path)?;
    Ok(Prepared { request, more, names, sound })
}

/// Whether the client speaks of functions as OpenAI did before there were tools; it waits for
/// `function_call` in the answer then.
pub(crate) fn is_legacy(chat: &ChatRequest<'_>) -> bool {
    let has_tools = chat.tools.as_ref().is_some_and(|tools| !tools.is_empty());
    !has_tools && chat.functions.as_ref().is_some_and(|functions| !functions.is_empty())
}

/// The client's tools, and Google Search when it is asked for in another way.
fn tools<'a>(chat: &'a ChatRequest<'a>) -> Result<Tools<'a>, Refusal> {
    let mut tools = tools::tools(chat.tools.as_deref().unwrap_or_default())?;
    if is_legacy(chat) {
        tools.declare_all(chat.functions.as_deref().unwrap_or_default())?;
    }
    let more = google(chat).and_then(|google| google.tools.as_deref()).unwrap_or_default();
    let search = chat.web_search_options.map(|_| Tool::GoogleSearch(Object::Empty {}));
    for tool in more.iter().filter_map(built_in::of).chain(search) {
        tools.use_built_in(tool);
    }
    Ok(tools)
}

/// Refuses what OpenAI refuses and Gemini has no word for.
fn check(chat: &ChatRequest<'_>) -> Result<(), Refusal> {
    if chat.messages.is_empty() {
        return Err(Refusal::missing("messages"));
    }
    if chat.stream_options.is_some() && chat.stream != Some(true) {
        let reason = "it stands only with 'stream': true";
        return Err(Refusal::invalid_value("stream_options", reason));
    }
    Ok(())
}

fn generation_config<'a>(
    chat: &'a ChatRequest<'a>,
    family: &Family,
    has_tools: bool,
) -> Result<GenerationConfig<'a>, Refusal> {
    let limit = config::positive(chat.max_completion_tokens, "max_completion_tokens")?;
    let older_limit = config::positive(chat.max_tokens, "max_tokens")?;
    let mut config = GenerationConfig {
        candidate_count: config::Answers::of(chat.n, family)?.candidate_count(),
        stop_sequences: config::stops(chat.stop.as_ref())?,
        max_output_tokens: limit.or(older_limit),
        temperature: config::within(chat.temperature, 0..=2, "temperature")?,
        top_p: config::within(chat.top_p, 0..=1, "top_p")?,
        // Not OpenAI's field: clients say 0 or −1 for no limit.
        top_k: chat.top_k.map(|Integer(k)| k).filter(|k| *k > 0),
        seed: config::seed(chat.seed),
        response_logprobs: chat.logprobs.filter(|wanted| *wanted && family.logprobs),
        logprobs: config::top_logprobs(chat)?.filter(|_| family.logprobs),
        presence_penalty: config::penalty(chat.presence_penalty, family, "presence_penalty")?,
        frequency_penalty: config::penalty(chat.frequency_penalty, family, "frequency_penalty")?,
        thinking_config: thinking_config(chat, family)?,
        ..GenerationConfig::default()
    };
    let form = config::form(chat.response_format.as_ref())?;
    let path = Path::root("response_format");
    let path = path.field("json_schema");
    form.put(&mut config, (has_tools, family), path.field("schema"))?;
    Ok(config)
}

/// The first of the ways to say how much the model thinks that is there.
fn thinking_config<'a>(
    chat: &'a ChatRequest<'a>,
    family: &Family,
) -> Result<Option<ThinkingConfig<'a>>, Refusal> {
    if let Some(config) = google(chat).and_then(|google| google.thinking_config.as_ref()) {
        return Ok(Some(thinking::of_google(config)));
    }
    let wish = if let Some(effort) = &chat.reasoning_effort {
        thinking::of_effort(effort, Path::root("reasoning_effort"))?
    } else if let Some(reasoning) = &chat.reasoning {
        thinking::of_reasoning(reasoning)?
    } else if let Some(thinking) = &chat.thinking {
        thinking::of_thinking(thinking)
    } else if chat.enable_thinking.is_some() || chat.thinking_budget.is_some() {
        thinking::of_switch(chat.enable_thinking, chat.thinking_budget)
    } else {
        return Ok(None);
    };
    Ok(wish.config(family))
}

fn google<'a>(chat: &'a ChatRequest<'a>) -> Option<&'a Google<'a>> {
    chat.extra_body.as_ref().and_then(|body| body.google.as_ref()).or(chat.google.as_deref())
}
