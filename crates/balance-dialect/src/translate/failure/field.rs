//! Which field of a client's request a field of Gemini's came from.
//!
//! Invariant: a field that nothing of OpenAI's became has no name here.

/// The field of OpenAI's that became the field at this path of Gemini's, such as
/// `generation_config.stop_sequences[0]`.
pub(super) fn param_of(path: &str) -> Option<&'static str> {
    let path: String = path.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect();
    let path = path.strip_prefix("generatecontentrequest.").unwrap_or(&path);
    let is_within = |field: &str| {
        let rest = path.strip_prefix(field)?;
        (rest.is_empty() || rest.starts_with(['.', '['])).then_some(())
    };
    let row = FIELDS.iter().find(|(field, _)| is_within(field).is_some());
    row.or_else(|| {
        CONFIG.iter().find(|(field, _)| is_within(&format!("generationconfig.{field}")).is_some())
    })
    .map(|(_, param)| *param)
}

/// Fields of a request, in small letters and without `_`.
const FIELDS: [(&str, &str); 9] = [
    ("contents", "messages"),
    ("systeminstruction", "messages"),
    ("tools", "tools"),
    ("toolconfig", "tool_choice"),
    ("safetysettings", "safety_settings"),
    ("cachedcontent", "cached_content"),
    ("servicetier", "service_tier"),
    ("requests", "input"),
    ("model", "model"),
];

/// Fields of `generationConfig`, likewise.
const CONFIG: [(&str, &str); 18] = [
    ("temperature", "temperature"),
    ("topp", "top_p"),
    ("topk", "top_k"),
    ("seed", "seed"),
    ("maxoutputtokens", "max_completion_tokens"),
    ("stopsequences", "stop"),
    ("candidatecount", "n"),
    ("presencepenalty", "presence_penalty"),
    ("frequencypenalty", "frequency_penalty"),
    ("responselogprobs", "logprobs"),
    ("logprobs", "top_logprobs"),
    ("responsejsonschema", "response_format"),
    ("responseschema", "response_format"),
    ("responsemimetype", "response_format"),
    ("responsemodalities", "modalities"),
    ("speechconfig", "audio"),
    ("thinkingconfig", "reasoning_effort"),
    ("mediaresolution", "messages"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_gemini_s_is_named_as_the_client_wrote_it() {
        for (path, param) in [
            ("contents[0].parts[1].inline_data", Some("messages")),
            ("contents", Some("messages")),
            ("generation_config.stop_sequences[0]", Some("stop")),
            ("generationConfig.responseJsonSchema.properties[a]", Some("response_format")),
            ("GenerateContentRequest.generation_config.top_p", Some("top_p")),
            ("GenerateContentRequest.tools[0].function_declarations[0].name", Some("tools")),
            ("generation_config.image_config", None),
            ("contentsx", None),
            ("", None),
        ] {
            assert_eq!(param_of(path), param, "{path}");
        }
    }
}
