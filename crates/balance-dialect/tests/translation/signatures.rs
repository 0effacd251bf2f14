//! Signatures of thoughts in recorded answers, sent back on the next turn.
//!
//! Invariant: what comes back is compared with what Gemini sent, never with what we told of it.

use serde_json::{Value, json};

use super::call;
use super::cases::{Case, recorded};
use super::outcome::{Choice, Outcome};

#[test]
fn every_recorded_signature_comes_back_on_the_next_turn() {
    let cases: Vec<Case> = recorded().iter().filter_map(Case::read).collect();
    let (mut whole, mut kept, mut stripped) = (0, 0, 0);
    for case in &cases {
        let given: Vec<Option<String>> = case.parts().filter(is_call).map(signature).collect();
        let last = case.parts().filter_map(signature).last();
        let Some(reply) = case.whole().filter(|_| last.is_some()) else { continue };
        let reply: Value = serde_json::from_slice(&reply).unwrap();
        let sent = next_turn(&reply["choices"][0]["message"]);
        assert_eq!(calls_sent(&sent), given, "{}, as it came whole", case.name);
        whole += 1;

        let heard = Outcome::of_stream(&case.streamed(7)).choices.remove(&0).unwrap();
        let sent = next_turn(&heard.as_kept());
        assert_eq!(calls_sent(&sent), given, "{}, as it was streamed", case.name);
        if given.is_empty() {
            // A client that keeps what it does not know keeps the signature of words too.
            let words = sent.iter().filter_map(signature).next_back();
            assert_eq!(words, last, "{}, of its words", case.name);
        }
        kept += 1;

        if given.is_empty() {
            continue;
        }
        let sent = next_turn(&heard.as_stripped());
        assert_eq!(calls_sent(&sent), given, "{}, by the names of its calls", case.name);
        stripped += 1;
    }
    assert!(cases.is_empty() || stripped > 0);
    println!(
        "signatures of {whole} recorded answers came back unchanged, those of {kept} streams too, \
              and {stripped} times through the names of calls alone"
    );
}

/// What the model is told that it said, when an answer is sent back with the results of its calls.
fn next_turn(message: &Value) -> Vec<Value> {
    let mut messages = vec![json!({ "role": "user", "content": "q" }), message.clone()];
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        messages.push(json!({ "role": "tool", "tool_call_id": call["id"], "content": "r" }));
    }
    messages.push(json!({ "role": "user", "content": "and?" }));
    let body = json!({ "model": "gemini-3-flash", "messages": messages }).to_string();
    let sent = call("chat", body.as_bytes()).unwrap();
    let sent: Value = serde_json::from_slice(sent.requests[0].body.as_ref().unwrap()).unwrap();
    let turns = sent["contents"].as_array().unwrap().iter();
    let said = turns.filter(|turn| turn["role"] == "model");
    said.flat_map(|turn| turn["parts"].as_array().unwrap()).cloned().collect()
}

fn calls_sent(parts: &[Value]) -> Vec<Option<String>> {
    parts.iter().filter(is_call).map(signature).collect()
}

fn is_call(part: &&Value) -> bool {
    !part["functionCall"]["name"].is_null()
}

fn signature(part: &Value) -> Option<String> {
    part["thoughtSignature"].as_str().map(str::to_owned)
}

impl Choice {
    /// The message that a client sends back which keeps everything.
    fn as_kept(&self) -> Value {
        let mut message = self.as_stripped();
        if let Some(signature) = &self.signature {
            message["extra_content"] = extra(signature);
        }
        for (index, call) in self.calls.iter().enumerate() {
            if let Some(signature) = &call.signature {
                message["tool_calls"][index]["extra_content"] = extra(signature);
            }
        }
        message
    }

    /// The message that a client sends back which keeps only what it knows.
    fn as_stripped(&self) -> Value {
        let calls: Vec<Value> = self
            .calls
            .iter()
            .map(|call| {
                let function =
                    json!({ "name": call.name, "arguments": call.arguments.to_string() });
                json!({ "id": call.id, "type": "function", "function": function })
            })
            .collect();
        let mut message = json!({ "role": "assistant", "content": self.text });
        if !calls.is_empty() {
            message["tool_calls"] = calls.into();
        }
        message
    }
}

fn extra(signature: &str) -> Value {
    json!({ "google": { "thought_signature": signature } })
}
