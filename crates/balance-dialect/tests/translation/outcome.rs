//! What a client understands of an answer, whether it came whole or as a stream.

use std::collections::BTreeMap;

use serde_json::Value;

/// What a client of the chat API understands.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) choices: BTreeMap<u64, Choice>,
    pub(crate) usage: Value,
    pub(crate) error: Option<Value>,
    pub(crate) is_done: bool,
}

/// One of the answers.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Choice {
    pub(crate) text: String,
    pub(crate) thoughts: String,
    pub(crate) calls: Vec<Call>,
    /// The last one of the message itself.
    pub(crate) signature: Option<String>,
    pub(crate) images: Vec<Value>,
    pub(crate) annotations: Vec<Value>,
    /// What Gemini told of the sources.
    pub(crate) sources: Value,
    /// The sound, of a whole number of groups in each piece.
    pub(crate) audio: String,
    pub(crate) finish: Option<String>,
    pub(crate) refusal: String,
    /// How likely the tokens were.
    pub(crate) logprobs: Vec<Value>,
}

/// A call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) arguments: Value,
    pub(crate) signature: Option<String>,
}

impl Outcome {
    /// Reads a whole answer.
    pub(crate) fn of_whole(reply: &[u8]) -> Self {
        let reply: Value = serde_json::from_slice(reply).unwrap();
        assert_eq!(reply["object"], "chat.completion");
        let mut outcome = Self { usage: reply["usage"].clone(), is_done: true, ..Self::default() };
        for choice in reply["choices"].as_array().unwrap() {
            let read = outcome.choice(choice);
            read.add(&choice["message"]);
            read.add_logprobs(choice);
            read.finish = choice["finish_reason"].as_str().map(str::to_owned);
        }
        outcome
    }

    /// Reads a stream, and checks that it is one that strict clients accept.
    pub(crate) fn of_stream(reply: &[u8]) -> Self {
        let mut outcome = Self::default();
        let mut head = None;
        for event in str::from_utf8(reply).unwrap().split_terminator("\n\n") {
            assert!(!outcome.is_done && outcome.error.is_none(), "an event after the end: {event}");
            let data = event.strip_prefix("data: ").expect("an event of one data line");
            if data == "[DONE]" {
                outcome.is_done = true;
                continue;
            }
            let chunk: Value = serde_json::from_str(data).unwrap();
            if let Some(error) = chunk.get("error") {
                outcome.error = Some(error.clone());
                continue;
            }
            let named = FIELDS.map(|field| chunk[field].clone());
            assert_eq!(head.get_or_insert_with(|| named.clone()), &named, "the head changed");
            assert_eq!(chunk["object"], "chat.completion.chunk");
            outcome.chunk(&chunk);
        }
        outcome
    }

    fn chunk(&mut self, chunk: &Value) {
        let choices = chunk["choices"].as_array().unwrap();
        if choices.is_empty() {
            assert!(self.usage.is_null(), "usage came twice");
            self.usage = chunk["usage"].clone();
        }
        for choice in choices {
            let is_first = !self.choices.contains_key(&choice["index"].as_u64().unwrap());
            let delta = &choice["delta"];
            assert_eq!(delta.get("role").is_some(), is_first, "the role stands in the first chunk");
            let read = self.choice(choice);
            assert_eq!(read.finish, None, "a chunk after the finish reason");
            read.add(delta);
            read.add_logprobs(choice);
            read.finish = choice["finish_reason"].as_str().map(str::to_owned);
        }
    }

    fn choice(&mut self, choice: &Value) -> &mut Choice {
        self.choices.entry(choice["index"].as_u64().unwrap()).or_default()
    }
}

const FIELDS: [&str; 4] = ["id", "object", "created", "model"];

impl Choice {
    fn add_logprobs(&mut self, choice: &Value) {
        let tokens = choice["logprobs"]["content"].as_array();
        self.logprobs.extend(tokens.into_iter().flatten().cloned());
    }

    /// Adds a message or a delta.
    fn add(&mut self, message: &Value) {
        let text = |field: &str| message[field].as_str().unwrap_or_default();
        self.text += text("content");
        self.thoughts += text("reasoning_content");
        self.refusal += text("refusal");
        self.signature = signature(message).or_else(|| self.signature.take());
        self.annotations.extend(message["annotations"].as_array().into_iter().flatten().cloned());
        let google = &message["extra_content"]["google"];
        if !google["grounding_metadata"].is_null() {
            self.sources = google["grounding_metadata"].clone();
        }
        self.audio += message["audio"]["data"].as_str().unwrap_or_default();
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            if let Some(index) = call.get("index") {
                assert_eq!(index, self.calls.len(), "the index of a call");
            }
            let id = call["id"].as_str().unwrap().to_owned();
            assert!(!id.is_empty());
            let name = call["function"]["name"].as_str().unwrap().to_owned();
            let arguments = call["function"]["arguments"].as_str().unwrap();
            let arguments = serde_json::from_str(arguments).unwrap();
            self.calls.push(Call { id, name, arguments, signature: signature(call) });
        }
        for image in message["images"].as_array().into_iter().flatten() {
            assert_eq!(image["index"], self.images.len(), "the index of an image");
            self.images.push(image["image_url"]["url"].clone());
        }
    }
}

fn signature(signed: &Value) -> Option<String> {
    signed["extra_content"]["google"]["thought_signature"].as_str().map(str::to_owned)
}
