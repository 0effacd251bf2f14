//! Google's own tools, by all the names that clients have for them.
//!
//! Invariant: a tool that is asked for twice is sent once.

use serde_json::value::RawValue;

use super::tools::Declared;
use crate::gemini::generate::request::{Object, Tool};
use crate::openai::chat;

/// The tool of Google's that a tool of the client stands for; none when it is another.
pub(crate) fn of<'a>(tool: &'a chat::Tool<'a>) -> Option<Tool<'a>> {
    if let Some(settings) = tool.google_search {
        return Some(Tool::GoogleSearch(body(settings)));
    }
    if let Some(settings) = tool.code_execution {
        return Some(Tool::CodeExecution(body(settings)));
    }
    if let Some(settings) = tool.url_context {
        return Some(Tool::UrlContext(body(settings)));
    }
    if let Some(settings) = tool.google_maps {
        return Some(Tool::GoogleMaps(body(settings)));
    }
    if let Some(settings) = tool.file_search {
        return Some(Tool::FileSearch(body(settings)));
    }
    of_kind(tool.kind.as_deref()?)
}

/// The tool of Google's that a type alone stands for.
pub(crate) fn of_kind<'a>(kind: &str) -> Option<Tool<'a>> {
    match kind {
        "google_search" | "googleSearch" => Some(Tool::GoogleSearch(Object::Empty {})),
        // OpenAI dates some of its names, as in `web_search_preview_2025_03_11`.
        kind if kind.starts_with("web_search") => Some(Tool::GoogleSearch(Object::Empty {})),
        "code_execution" | "codeExecution" | "code_interpreter" => {
            Some(Tool::CodeExecution(Object::Empty {}))
        }
        "url_context" | "urlContext" => Some(Tool::UrlContext(Object::Empty {})),
        "google_maps" | "googleMaps" => Some(Tool::GoogleMaps(Object::Empty {})),
        _ => None,
    }
}

/// The tool of Google's that a function stands for, from clients that can only send functions: it
/// has the tool's name, and no parameters.
pub(crate) fn of_function<'a>(function: &Declared<'_>) -> Option<Tool<'a>> {
    match function.name {
        _ if function.parameters.is_some() => None,
        "googleSearch" => Some(Tool::GoogleSearch(Object::Empty {})),
        "codeExecution" => Some(Tool::CodeExecution(Object::Empty {})),
        "urlContext" => Some(Tool::UrlContext(Object::Empty {})),
        _ => None,
    }
}

/// Settings in an object as they are; `true` and the like stand for none.
fn body(settings: &RawValue) -> Object<'_> {
    if settings.get().starts_with('{') { Object::Raw(settings) } else { Object::Empty {} }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::translate::{self, Refusal, Stamp};

    fn sent(model: &str, fields: &Value) -> Result<Value, Refusal> {
        let messages = json!([{ "role": "user", "content": "q" }]);
        let mut body = json!({ "model": model, "messages": messages });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let stamp = Stamp { unix_seconds: 0, nonce: 0 };
        let call = translate::chat(body.to_string().as_bytes(), stamp)?;
        Ok(serde_json::from_slice(call.requests[0].body.as_ref().unwrap()).unwrap())
    }

    #[test]
    fn each_name_of_a_tool_is_known() {
        for (tool, expected) in [
            (json!({ "googleSearch": {} }), json!({ "googleSearch": {} })),
            (
                json!({ "google_search": { "timeRangeFilter": {} } }),
                json!({ "googleSearch": { "timeRangeFilter": {} } }),
            ),
            (json!({ "type": "web_search" }), json!({ "googleSearch": {} })),
            (json!({ "type": "web_search_preview" }), json!({ "googleSearch": {} })),
            (json!({ "type": "google_search" }), json!({ "googleSearch": {} })),
            (
                json!({ "type": "function", "function": { "name": "googleSearch" } }),
                json!({ "googleSearch": {} }),
            ),
            (json!({ "codeExecution": true }), json!({ "codeExecution": {} })),
            (
                json!({ "type": "code_interpreter", "container": { "type": "auto" } }),
                json!({ "codeExecution": {} }),
            ),
            (json!({ "url_context": {} }), json!({ "urlContext": {} })),
            (json!({ "googleMaps": {} }), json!({ "googleMaps": {} })),
            (json!({ "fileSearch": { "topK": 3 } }), json!({ "fileSearch": { "topK": 3 } })),
        ] {
            let sent = sent("gemini-2.5-flash", &json!({ "tools": [tool, tool] })).unwrap();
            assert_eq!(sent["tools"], json!([expected]), "{tool}");
            assert_eq!(sent.get("toolConfig"), None);
        }
    }

    #[test]
    fn a_search_may_be_asked_for_without_a_tool() {
        for fields in [
            json!({ "web_search_options": {} }),
            json!({ "web_search_options": { "search_context_size": "low" }, "tools": [{ "type": "web_search" }] }),
            json!({ "extra_body": { "google": { "tools": [{ "google_search": {} }] } } }),
        ] {
            let sent = sent("gemini-2.5-flash", &fields).unwrap();
            assert_eq!(sent["tools"], json!([{ "googleSearch": {} }]), "{fields}");
        }
    }

    #[test]
    fn functions_go_before_google_s_tools_where_both_cannot_be() {
        let function = json!({ "type": "function", "function": { "name": "f" } });
        let fields =
            json!({ "tools": [function, { "googleSearch": {} }], "tool_choice": "required" });
        let functions = json!({ "functionDeclarations": [{ "name": "f" }] });
        let any = json!({ "functionCallingConfig": { "mode": "ANY" } });
        let older = sent("gemini-2.5-flash", &fields).unwrap();
        assert_eq!((&older["tools"], &older["toolConfig"]), (&json!([functions]), &any));
        let newer = sent("gemini-3-flash", &fields).unwrap();
        assert_eq!(newer["tools"], json!([functions, { "googleSearch": {} }]));
        let both = json!({ "functionCallingConfig": { "mode": "ANY" },
                           "includeServerSideToolInvocations": true });
        assert_eq!(newer["toolConfig"], both);
    }

    #[test]
    fn a_function_with_parameters_is_the_client_s_own() {
        let parameters = json!({ "type": "object", "properties": { "q": { "type": "string" } } });
        let function = json!({ "name": "googleSearch", "parameters": parameters });
        let tools = json!({ "tools": [{ "type": "function", "function": function }] });
        let sent = sent("gemini-2.5-flash", &tools).unwrap();
        assert_eq!(sent["tools"][0]["functionDeclarations"][0]["name"], "googleSearch");
    }
}
