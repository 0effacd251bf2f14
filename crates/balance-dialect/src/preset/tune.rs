//! A request to Gemini, with what the operator sets and what the suffixes of its model ask for.
//!
//! Invariant: a field that the client set stays as it was written; a tool is added only where the
//! model takes it beside everything else in the request.

use std::borrow::Cow;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::naming::{Asked, Suffixes};
use super::{Preset, Prompt, PromptPlace};
use crate::gemini::generate::request::ThinkingConfig;
use crate::json::fields::{Fields, Raw, list};
use crate::translate::model::{Family, family};

#[cfg(test)]
mod tests;

const CACHED: [&str; 2] = ["cachedContent", "cached_content"];
const CONFIG: [&str; 2] = ["generationConfig", "generation_config"];
const DECLARATIONS: [&str; 2] = ["functionDeclarations", "function_declarations"];
const MIME_TYPE: [&str; 2] = ["responseMimeType", "response_mime_type"];
const MODALITIES: [&str; 2] = ["responseModalities", "response_modalities"];
const SAFETY: [&str; 2] = ["safetySettings", "safety_settings"];
const SEARCH: [&str; 2] = ["googleSearch", "google_search"];
const SYSTEM: [&str; 2] = ["systemInstruction", "system_instruction"];
const THINKING: [&str; 2] = ["thinkingConfig", "thinking_config"];
const TOOL_CONFIG: [&str; 2] = ["toolConfig", "tool_config"];

impl Preset {
    /// The body of a request for generated content, tuned; none when it stays as it is, be it that
    /// nothing is set for it or that it is no JSON object.
    #[must_use]
    pub fn tune(&self, asked: &Asked, body: &[u8]) -> Option<Vec<u8>> {
        let is_renamed = asked.name != asked.model;
        if !is_renamed && asked.suffixes == Suffixes::default() && self.sets_nothing() {
            return None;
        }
        let family = family(&asked.model);
        let thinking = self.thinking.config(asked, self.shows_thoughts, &family);
        let tools = self.tools(asked, &family);
        let is_set = is_renamed
            || asked.suffixes.image
            || self.safety_settings.is_some()
            || self.prompt.is_some();
        if !is_set && thinking.is_none() && tools.is_empty() {
            return None;
        }
        let mut request = Fields::read(body)?;
        if is_renamed && request.has(&["model"]) {
            request.set(&["model"], &format!("models/{}", asked.model));
        }
        if let Some(settings) = &self.safety_settings {
            request.set_default(&SAFETY, settings);
        }
        if let Some(thinking) = &thinking {
            request.within(&CONFIG, |config| think(config, thinking));
        }
        if asked.suffixes.image {
            let both = ["TEXT", "IMAGE"];
            request.within(&CONFIG, |config| config.set_default(&MODALITIES, &both));
        }
        add_tools(&mut request, &tools, &family);
        if let Some(prompt) = &self.prompt {
            say(&mut request, prompt, &family);
        }
        serde_json::to_vec(&request).ok()
    }

    /// Whether there is nothing that is set for requests of any model.
    fn sets_nothing(&self) -> bool {
        self.safety_settings.is_none()
            && self.prompt.is_none()
            && !self.code_execution
            && self.thinking.is_empty()
            && self.url_context.is_empty()
    }

    /// The tools that are to be added, by their names in Gemini's requests.
    fn tools(&self, asked: &Asked, family: &Family) -> Vec<Added> {
        let Asked { model, suffixes, .. } = asked;
        let wished = |tool| Added { tool, by_client: true };
        let set = |tool| Added { tool, by_client: false };
        let mut tools = Vec::new();
        tools.extend(suffixes.search.then(|| wished("googleSearch")));
        // A picture takes no tools, nor do models that speak or draw.
        if family.built_in_tools && !suffixes.image {
            tools.extend(self.url_context.match_name(model).then(|| set("urlContext")));
            let runs_code = self.code_execution && !suffixes.search;
            tools.extend(runs_code.then(|| set("codeExecution")));
        }
        tools
    }
}

/// A tool that is to be added.
#[derive(Debug, Clone, Copy)]
struct Added {
    tool: &'static str,
    /// Whether the client asked for it by a suffix, or else the operator set it.
    by_client: bool,
}

impl Added {
    /// The tool's name, and its older spelling.
    const fn names(self) -> [&'static str; 2] {
        match self.tool.as_bytes() {
            b"googleSearch" => SEARCH,
            b"urlContext" => ["urlContext", "url_context"],
            _ => ["codeExecution", "code_execution"],
        }
    }
}

/// Sets how much is thought, unless the client said so, and whether the thoughts are told.
fn think(config: &mut Fields<'_>, thinking: &ThinkingConfig<'_>) {
    config.within(&THINKING, |own| {
        let amount = ["thinkingBudget", "thinking_budget", "thinkingLevel", "thinking_level"];
        if own.has(&amount) {
            return;
        }
        if let Some(budget) = thinking.thinking_budget {
            own.set(&["thinkingBudget", "thinking_budget"], &budget);
        }
        if let Some(level) = thinking.thinking_level {
            own.set(&["thinkingLevel", "thinking_level"], &level);
        }
        own.set_default(&["includeThoughts", "include_thoughts"], &thinking.include_thoughts);
    });
}

/// Adds tools of Google's where they go together with what the client wants.
fn add_tools(request: &mut Fields<'_>, added: &[Added], family: &Family) {
    // What is cached has its tools already, and Google takes no others beside them.
    if added.is_empty() || request.has(&CACHED) {
        return;
    }
    let own = request.find(&["tools"]).map(ToOwned::to_owned);
    let own = own.as_deref().and_then(list).unwrap_or_default();
    let own_fields: Vec<Fields<'_>> = own.iter().filter_map(|tool| Fields::of(tool)).collect();
    let has = |names: &[&str]| own_fields.iter().any(|tool| tool.has(names));
    let (has_functions, has_search) = (has(&DECLARATIONS), has(&SEARCH));
    let goes = |tool: &&Added| {
        let beside_functions = !has_functions || (tool.by_client && family.since_3);
        let beside_json = family.json_with_tools || !wants_json(request);
        let beside_search = tool.by_client || tool.tool != "codeExecution" || !has_search;
        beside_functions && beside_json && beside_search && !has(&tool.names())
    };
    let new: Vec<Value> = added.iter().filter(goes).map(|add| json!({ add.tool: {} })).collect();
    if new.is_empty() {
        return;
    }
    let new = new.iter().filter_map(|tool| serde_json::value::to_raw_value(tool).ok());
    let all: Vec<Raw<'_>> =
        own.iter().map(|tool| Cow::Borrowed(*tool)).chain(new.map(Cow::Owned)).collect();
    request.set(&["tools"], &all);
    if has_functions {
        let names = ["includeServerSideToolInvocations", "include_server_side_tool_invocations"];
        request.within(&TOOL_CONFIG, |config| config.set_default(&names, &true));
    }
}

/// Whether the answer has to be JSON, or anything but text.
fn wants_json(request: &Fields<'_>) -> bool {
    let config = request.find(&CONFIG).and_then(Fields::of);
    let mime_type = config.as_ref().and_then(|config| config.text(&MIME_TYPE));
    mime_type.is_some_and(|mime_type| mime_type != "text/plain")
}

/// Says the operator's words.
fn say(request: &mut Fields<'_>, prompt: &Prompt, family: &Family) {
    let words = json!({ "text": prompt.text });
    let place = match prompt.place {
        // What is cached has its system instruction already.
        PromptPlace::System if family.system_instruction && !request.has(&CACHED) => {
            request.within(&SYSTEM, |system| put(system, &words, Side::Before));
            return;
        }
        PromptPlace::System | PromptPlace::UserPrefix => Side::Before,
        PromptPlace::UserSuffix => Side::Behind,
    };
    let contents = ["contents"];
    let Some(own) = request.find(&contents).map(ToOwned::to_owned) else { return };
    let Some(turns) = list(&own) else { return };
    let Some(last) = turns.iter().rposition(|turn| is_users_word(turn)) else { return };
    request.each(&contents, |index, turn| {
        if index == last {
            put(turn, &words, place);
        }
    });
}

/// Where words are put.
#[derive(Debug, Clone, Copy)]
enum Side {
    Before,
    Behind,
}

/// Puts a part at an end of the parts of a turn.
fn put(turn: &mut Fields<'_>, part: &Value, side: Side) {
    let Ok(part) = serde_json::value::to_raw_value(part) else { return };
    let own = turn.find(&["parts"]).map(ToOwned::to_owned);
    let own = own.as_deref().map_or_else(|| Some(Vec::new()), list);
    let Some(own) = own else { return };
    let own = own.into_iter().map(Cow::Borrowed);
    let part = std::iter::once(Cow::Owned(part));
    let parts: Vec<Raw<'_>> = match side {
        Side::Before => part.chain(own).collect(),
        Side::Behind => own.chain(part).collect(),
    };
    turn.set(&["parts"], &parts);
}

/// Whether a turn is the user's and has words, not only results of calls.
fn is_users_word(turn: &RawValue) -> bool {
    let Some(turn) = Fields::of(turn) else { return false };
    let is_users = turn.text(&["role"]).is_none_or(|role| role == "user");
    let parts = turn.find(&["parts"]).and_then(list).unwrap_or_default();
    let mut parts = parts.into_iter().filter_map(Fields::of);
    is_users && parts.any(|part| !part.has(&["functionResponse", "function_response"]))
}
