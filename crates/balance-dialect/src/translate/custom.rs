//! Custom tools, which take one text, as functions of Gemini with one argument.
//!
//! Invariant: the text arrives as the model wrote it, both ways.

use serde::Deserialize;
use serde_json::{Value, json};

use super::path::Path;
use super::refusal::{Refusal, quoted};
use crate::gemini::generate::answer::FunctionCall;
use crate::json::{Text, compact};
use crate::openai::chat::{Custom, Grammar, InputFormat};

/// The schema of the one argument.
pub(crate) fn parameters() -> Value {
    json!({ "type": "object", "properties": { "input": { "type": "string" } }, "required": ["input"] })
}

/// What the model is told of a custom tool: what it is good for, and the grammar of its text, which
/// Gemini cannot be held to otherwise.
///
/// # Errors
/// A [`Refusal`] of formats that are not known.
pub(crate) fn description<'a>(
    custom: &'a Custom<'a>,
    path: Path<'_>,
) -> Result<Option<Text<'a>>, Refusal> {
    describe(custom.description.as_deref(), custom.format.as_ref(), path)
}

/// The same of a tool in the flat form.
///
/// # Errors
/// A [`Refusal`] of formats that are not known.
pub(crate) fn describe<'a>(
    description: Option<&'a str>,
    format: Option<&'a InputFormat<'a>>,
    path: Path<'_>,
) -> Result<Option<Text<'a>>, Refusal> {
    let description = description.filter(|text| !text.is_empty());
    let Some((syntax, definition)) = grammar(format, path.field("format"))? else {
        return Ok(description.map(Text::from));
    };
    let rule = match syntax {
        "regex" => "`input` must match this regular expression in whole:",
        _ => "`input` must follow this grammar, in the syntax of Lark:",
    };
    let before = description.map(|text| format!("{text}\n\n")).unwrap_or_default();
    Ok(Some(format!("{before}{rule}\n{definition}").into()))
}

/// The syntax and the rules of a format; none for any text.
fn grammar<'a>(
    format: Option<&'a InputFormat<'a>>,
    path: Path<'_>,
) -> Result<Option<(&'a str, &'a str)>, Refusal> {
    let Some(format) = format else { return Ok(None) };
    let (syntax, definition) = match (&*format.kind, &format.grammar) {
        ("text", _) => return Ok(None),
        ("grammar", Some(Grammar { syntax, definition })) => (&**syntax, &**definition),
        ("grammar", None) => match (&format.syntax, &format.definition) {
            (Some(syntax), Some(definition)) => (&**syntax, &**definition),
            (None, _) => return Err(Refusal::missing(path.field("syntax"))),
            (_, None) => return Err(Refusal::missing(path.field("definition"))),
        },
        (kind, _) => {
            let reason = format!("{} must be 'text' or 'grammar'", quoted(kind));
            return Err(Refusal::invalid_value(path.field("type"), reason));
        }
    };
    if !matches!(syntax, "lark" | "regex") {
        let reason = format!("{} must be 'lark' or 'regex'", quoted(syntax));
        return Err(Refusal::invalid_value(path.field("syntax"), reason));
    }
    Ok(Some((syntax, definition)))
}

/// The text in a call; all arguments when the model gave others than it was asked for.
pub(crate) fn input<'a>(call: &'a FunctionCall<'a>) -> Text<'a> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input<'a> {
        #[serde(borrow)]
        input: Text<'a>,
    }
    let Some(args) = call.args else { return Text::default() };
    match crate::json::read_str(args.get()) {
        Ok(Input { input }) => input,
        Err(_) => compact(args.get()).into_owned().into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::translate::{self, Stamp};

    const STAMP: Stamp = Stamp { unix_seconds: 0, nonce: 0 };

    fn chat(fields: &Value) -> Result<translate::Call, Refusal> {
        let mut body =
            json!({ "model": "gemini-3-flash", "messages": [{ "role": "user", "content": "q" }] });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        translate::chat(body.to_string().as_bytes(), STAMP)
    }

    fn sent(call: &translate::Call) -> Value {
        serde_json::from_slice(call.requests[0].body.as_ref().unwrap()).unwrap()
    }

    const ANSWER: &str = r#"{"candidates":[{"content":{"parts":[
        {"functionCall":{"name":"run_sql","args":{"input":"SELECT \"a\"\n"}}}]},"finishReason":"STOP"}]}"#;

    #[test]
    fn a_custom_tool_is_a_function_of_one_text() {
        let tool =
            json!({ "type": "custom", "custom": { "name": "run sql", "description": "Runs." } });
        let call = chat(&json!({ "tools": [tool] })).unwrap();
        assert_eq!(
            sent(&call)["tools"],
            json!([{ "functionDeclarations": [{ "name": "run_sql", "description": "Runs.",
                     "parametersJsonSchema": parameters() }] }])
        );
    }

    #[test]
    fn a_grammar_is_told_in_the_description() {
        let grammar = json!({ "syntax": "lark", "definition": "start: \"a\"" });
        let nested = json!({ "type": "custom", "custom": { "name": "f",
            "format": { "type": "grammar", "grammar": grammar } } });
        let flat = json!({ "type": "custom", "name": "f", "format":
            { "type": "grammar", "syntax": "lark", "definition": "start: \"a\"" } });
        for tool in [nested, flat] {
            let call = chat(&json!({ "tools": [tool] })).unwrap();
            let told = &sent(&call)["tools"][0]["functionDeclarations"][0]["description"];
            assert!(told.as_str().unwrap().ends_with("Lark:\nstart: \"a\""), "{told}");
        }
        let tool =
            json!({ "type": "custom", "custom": { "name": "f", "format": { "type": "x" } } });
        let refusal = chat(&json!({ "tools": [tool] })).unwrap_err();
        assert_eq!(refusal.param.as_deref(), Some("tools[0].custom.format.type"));
    }

    #[test]
    fn a_call_comes_back_as_custom_with_its_text() {
        let tool = json!({ "type": "custom", "custom": { "name": "run sql" } });
        let mut call = chat(&json!({ "tools": [tool] })).unwrap();
        let mut out = Vec::new();
        call.translator.whole(ANSWER.as_bytes(), &mut out).unwrap();
        let reply: Value = serde_json::from_slice(&out).unwrap();
        let told = &reply["choices"][0]["message"]["tool_calls"][0];
        assert_eq!(told["type"], "custom");
        assert_eq!(told["custom"], json!({ "name": "run sql", "input": "SELECT \"a\"\n" }));
        assert_eq!(reply["choices"][0]["finish_reason"], "tool_calls");
    }

    #[test]
    fn a_call_goes_back_as_it_came() {
        let calls = json!([{ "id": "c", "type": "custom",
                             "custom": { "name": "run sql", "input": "SELECT 1" } }]);
        let messages = json!([{ "role": "user", "content": "q" },
            { "role": "assistant", "tool_calls": calls },
            { "role": "tool", "tool_call_id": "c", "content": "1" }]);
        let tool = json!({ "type": "custom", "custom": { "name": "run sql" } });
        let call = chat(&json!({ "messages": messages, "tools": [tool] })).unwrap();
        let part = &sent(&call)["contents"][1]["parts"][0]["functionCall"];
        assert_eq!(
            (&part["name"], &part["args"]),
            (&json!("run_sql"), &json!({ "input": "SELECT 1" }))
        );
    }

    #[test]
    fn arguments_of_another_kind_are_the_text() {
        for (args, text) in [
            (r#"{"input":5}"#, r#"{"input":5}"#),
            (r#"{ "q": "x" }"#, r#"{"q":"x"}"#),
            ("{}", "{}"),
        ] {
            let json = format!(r#"{{"name":"f","args":{args}}}"#);
            let call: FunctionCall<'_> = serde_json::from_str(&json).unwrap();
            assert_eq!(&*input(&call), text);
        }
    }
}
