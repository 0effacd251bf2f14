//! What Google refuses in a body. Invariant: only refusals that were seen; unknown names are let
//! through, because which ones Google knows changes by the month.

use serde_json::Value;

use super::call::Call;
use crate::answer::{Prompt, field};
use crate::google::{ApiError, ErrorName, Place, ProjectId};
use crate::log::lock;

/// Checks the body of `generateContent`.
pub(super) fn check(
    call: &Call<'_>,
    prompt: &Prompt<'_>,
    project: ProjectId,
) -> Result<(), ApiError> {
    let contents = field(prompt.body, "contents", "contents");
    let empty = contents.is_none_or(|contents| contents.as_array().is_some_and(Vec::is_empty));
    if empty {
        return Err(ErrorName::NoContents.at(&call.place()));
    }
    if contents.into_iter().flat_map(items).any(has_unknown_role) {
        return Err(ApiError::invalid_argument("Please use a valid role: user, model."));
    }
    candidate_count(prompt)?;
    function_calling(prompt)?;
    resources(call, prompt.body, project)
}

/// Checks the body of `embedContent`.
pub(super) fn embedding(body: &Value) -> Result<(), ApiError> {
    match field(body, "content", "content") {
        Some(_) => Ok(()),
        None => Err(ApiError::invalid_argument(
            "* EmbedContentRequest.content: contents is not specified\n",
        )),
    }
}

/// Checks the body of `batchEmbedContents`.
pub(super) fn batch(body: &Value, model: &str) -> Result<(), ApiError> {
    let requests = body.get("requests").and_then(Value::as_array);
    let Some(requests) = requests.filter(|requests| !requests.is_empty()) else {
        return Err(ApiError::invalid_argument(
            "* BatchEmbedContentsRequest.requests: requests is not specified\n",
        ));
    };
    if requests.len() > 100 {
        return Err(ApiError::invalid_argument(
            "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch\n",
        ));
    }
    for (index, request) in requests.iter().enumerate() {
        let named = request.get("model").and_then(Value::as_str);
        if named.is_none_or(|named| named.strip_prefix("models/") != Some(model)) {
            return Err(ApiError::invalid_argument(format!(
                "* BatchEmbedContentsRequest.requests[{index}].model: unexpected model name format\n"
            )));
        }
    }
    Ok(())
}

fn has_unknown_role(content: &Value) -> bool {
    let role = content.get("role").and_then(Value::as_str).unwrap_or_default();
    !["", "user", "model", "function", "tool"].contains(&role)
}

fn candidate_count(prompt: &Prompt<'_>) -> Result<(), ApiError> {
    let count =
        prompt.config().and_then(|config| field(config, "candidateCount", "candidate_count"));
    match count.and_then(Value::as_u64) {
        Some(2..) => {
            Err(ApiError::invalid_argument("Multiple candidates is not enabled for this model"))
        }
        _ => Ok(()),
    }
}

fn function_calling(prompt: &Prompt<'_>) -> Result<(), ApiError> {
    let config = field(prompt.body, "toolConfig", "tool_config")
        .and_then(|config| field(config, "functionCallingConfig", "function_calling_config"));
    if config.is_some() && !prompt.declares_functions() {
        return Err(ApiError::invalid_argument(
            "Function calling config is set without function_declarations.",
        ));
    }
    Ok(())
}

/// Files and caches that the body names must be the project's.
fn resources(call: &Call<'_>, body: &Value, project: ProjectId) -> Result<(), ApiError> {
    let now = call.state.now();
    if let Some(name) = field(body, "cachedContent", "cached_content").and_then(Value::as_str) {
        let name = name.strip_prefix("cachedContents/").unwrap_or(name);
        if lock(&call.state.caches).find(name, project, now).is_none() {
            return Err(ErrorName::CacheForbidden.at(&call.place()));
        }
    }
    let parts = field(body, "contents", "contents")
        .into_iter()
        .flat_map(items)
        .flat_map(|content| content.get("parts").into_iter().flat_map(items));
    for part in parts {
        let uri = field(part, "fileData", "file_data")
            .and_then(|data| field(data, "fileUri", "file_uri"))
            .and_then(Value::as_str);
        let Some((_, name)) = uri.and_then(|uri| uri.rsplit_once("/v1beta/files/")) else {
            continue;
        };
        if lock(&call.state.files).find(name, project, now).is_none() {
            return Err(ErrorName::FileForbidden.at(&Place { name, ..call.place() }));
        }
    }
    Ok(())
}

/// The elements of a list, or the one thing that stands in its place.
fn items(value: &Value) -> &[Value] {
    value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice)
}
