//! The request for the rest of an answer.
//!
//! Invariant: it asks what the first one asked; only the text so far, and the room that is left for
//! the answer, differ.

use serde_json::{Map, Value, json};

use crate::summary::Usage;

/// A `generateContent` request.
#[derive(Debug)]
pub(super) struct Question {
    body: Map<String, Value>,
    /// Whether its answer is text, which a model can take up anywhere. A document of JSON it would
    /// begin anew.
    pub(super) takes_up_text: bool,
}

impl Question {
    /// `None` for what is no such request, or one for several answers.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let Ok(Value::Object(body)) = crate::json::read(body) else { return None };
        body.get("contents")?.as_array()?;
        let config = config(&body);
        let setting = |names: [&str; 2]| names.iter().find_map(|name| config?.get(*name));
        let count = setting(["candidateCount", "candidate_count"]).and_then(Value::as_u64);
        let kind = setting(["responseMimeType", "response_mime_type"]).and_then(Value::as_str);
        let takes_up_text = kind.is_none_or(|kind| kind.is_empty() || kind == "text/plain");
        (count.unwrap_or(1) <= 1).then_some(Self { body, takes_up_text })
    }

    /// The request for what comes after `said`, of which so much was `taken`.
    pub(super) fn for_rest(&self, said: &str, taken: Usage) -> Vec<u8> {
        let mut body = self.body.clone();
        if let Some(Value::Array(contents)) = body.get_mut("contents")
            && !said.is_empty()
        {
            add_turn(contents, said);
        }
        let answered = taken.candidates_tokens + taken.thoughts_tokens;
        let config = ["generationConfig", "generation_config"];
        let config = config.iter().find(|name| self.body.contains_key(**name));
        if let Some(Value::Object(config)) = config.and_then(|name| body.get_mut(*name)) {
            for name in ["maxOutputTokens", "max_output_tokens"] {
                if let Some(most) = config.get_mut(name)
                    && let Some(tokens) = most.as_u64()
                {
                    *most = tokens.saturating_sub(answered).max(1).into();
                }
            }
        }
        Value::Object(body).to_string().into_bytes()
    }
}

fn config(body: &Map<String, Value>) -> Option<&Map<String, Value>> {
    ["generationConfig", "generation_config"].iter().find_map(|name| body.get(*name)?.as_object())
}

/// Adds to the model's last turn, or makes one.
fn add_turn(contents: &mut Vec<Value>, said: &str) {
    let part = json!({ "text": said });
    if let Some(last) = contents.last_mut()
        && last.get("role").and_then(Value::as_str) == Some("model")
        && let Some(Value::Array(parts)) = last.get_mut("parts")
    {
        parts.push(part);
        return;
    }
    contents.push(json!({ "role": "model", "parts": [part] }));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &Value) -> Option<Question> {
        Question::read(body.to_string().as_bytes())
    }

    fn rest(body: &Value, said: &str, answered: u64) -> Value {
        let taken = Usage { candidates_tokens: answered, ..Usage::default() };
        serde_json::from_slice(&read(body).unwrap().for_rest(said, taken)).unwrap()
    }

    #[test]
    fn the_text_so_far_is_a_turn_of_the_model() {
        let body =
            json!({ "contents": [{ "role": "user", "parts": [{ "text": "Hi" }] }], "tools": [1] });
        let asked = rest(&body, "Hel", 1);
        assert_eq!(asked["contents"][1], json!({ "role": "model", "parts": [{ "text": "Hel" }] }));
        assert_eq!(
            (&asked["contents"][0], &asked["tools"]),
            (&body["contents"][0], &body["tools"])
        );
        assert_eq!(rest(&body, "", 0), body, "without text it is asked again");
        let begun = json!({ "contents": [{ "role": "model", "parts": [{ "text": "{" }] }] });
        assert_eq!(
            rest(&begun, "a", 0)["contents"],
            json!([{ "role": "model", "parts": [{ "text": "{" }, { "text": "a" }] }])
        );
    }

    #[test]
    fn the_answers_room_is_what_is_left_of_it() {
        for (config, name) in
            [("generationConfig", "maxOutputTokens"), ("generation_config", "max_output_tokens")]
        {
            let body = json!({ "contents": [], config: { name: 100 } });
            assert_eq!(rest(&body, "a", 30)[config][name], 70);
            assert_eq!(rest(&body, "a", 300)[config][name], 1);
        }
    }

    #[test]
    fn several_answers_and_other_requests_are_not_gone_on_with() {
        assert!(
            read(&json!({ "contents": [], "generationConfig": { "candidateCount": 2 } })).is_none()
        );
        assert!(read(&json!({ "requests": [] })).is_none());
        assert!(Question::read(b"[1]").is_none() && Question::read(b"{").is_none());
        let document = json!({ "contents": [], "generationConfig": { "responseMimeType": "application/json" } });
        assert!(!read(&document).unwrap().takes_up_text);
    }
}
