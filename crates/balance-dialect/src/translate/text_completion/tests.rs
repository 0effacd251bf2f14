use serde_json::{Value, json};

use crate::translate::{self, Call, Refusal, Stamp};

fn call(fields: &Value) -> Result<Call, Refusal> {
    let mut body = json!({ "model": "gemini-2.5-flash", "prompt": "One, two," });
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    translate::completions(body.to_string().as_bytes(), Stamp { unix_seconds: 0, nonce: 0 })
}

fn sent(fields: &Value) -> Vec<Value> {
    let requests = call(fields).unwrap().requests;
    let bodies = requests.iter().map(|request| request.body.as_deref().unwrap());
    bodies.map(|body| serde_json::from_slice(body).unwrap()).collect()
}

#[test]
fn a_prompt_is_the_word_of_a_user() {
    let fields = json!({ "max_tokens": 5, "stop": ["x"], "logprobs": 2, "best_of": 1 });
    let user = json!({ "role": "user", "parts": [{ "text": "One, two," }] });
    let config = json!({ "maxOutputTokens": 5, "stopSequences": ["x"], "responseLogprobs": true,
                         "logprobs": 2 });
    assert_eq!(sent(&fields), [json!({ "contents": [user], "generationConfig": config })]);
}

#[test]
fn each_prompt_is_asked_by_itself() {
    let texts = |fields| -> Vec<Value> {
        sent(&fields).iter().map(|body| body["contents"][0]["parts"][0]["text"].clone()).collect()
    };
    assert_eq!(texts(json!({ "prompt": ["a", "b"] })), ["a", "b"]);
    assert_eq!(texts(json!({ "prompt": ["a", "b"], "n": 2 })), ["a", "b"]);
    let newer = json!({ "prompt": ["a", "b"], "n": 2, "model": "gemini-3-flash" });
    assert_eq!(texts(newer), ["a", "a", "b", "b"]);
}

#[test]
fn what_comes_after_is_told_to_the_model() {
    let sent = &sent(&json!({ "suffix": "four." }))[0];
    let told = sent["systemInstruction"]["parts"][0]["text"].as_str().unwrap();
    assert!(told.ends_with("\nfour."), "{told}");
}

#[test]
fn what_cannot_be_asked_is_refused_by_name() {
    let many = vec!["a"; 33];
    for (fields, param) in [
        (json!({ "prompt": null }), "prompt"),
        (json!({ "prompt": "" }), "prompt"),
        (json!({ "prompt": [] }), "prompt"),
        (json!({ "prompt": ["a", ""] }), "prompt[1]"),
        (json!({ "prompt": [1, 2] }), "prompt"),
        (json!({ "prompt": [[1, 2]] }), "prompt"),
        (json!({ "prompt": many }), "prompt"),
        (json!({ "best_of": 3 }), "best_of"),
        (json!({ "logprobs": 21 }), "logprobs"),
        (json!({ "n": 9 }), "n"),
        (json!({ "stream_options": {} }), "stream_options"),
        (json!({ "temperature": 3 }), "temperature"),
    ] {
        let refusal = call(&fields).unwrap_err();
        assert_eq!(refusal.param.as_deref(), Some(param), "{fields}");
    }
}

const ANSWER: &str = r#"{"candidates":[{"content":{"parts":[{"text":"hmm","thought":true},
    {"text":" thréé"}]},"finishReason":"MAX_TOKENS","logprobsResult":{
        "chosenCandidates":[{"token":" thr","logProbability":-0.5},{"token":"éé"}],
        "topCandidates":[{"candidates":[{"token":" thr","logProbability":-0.5}]}]}}],
    "usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"totalTokenCount":5},"responseId":"r"}"#;

#[test]
fn a_whole_answer_has_its_text_and_end() {
    let mut call = call(&json!({ "echo": true, "logprobs": 1 })).unwrap();
    let mut out = Vec::new();
    call.translator.whole(ANSWER.as_bytes(), &mut out).unwrap();
    let reply: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!((&reply["id"], &reply["object"]), (&json!("cmpl-r"), &json!("text_completion")));
    assert_eq!(reply["usage"]["total_tokens"], 5);
    let logprobs = json!({ "tokens": [" thr", "éé"], "token_logprobs": [-0.5, 0.0],
        "top_logprobs": [{ " thr": -0.5 }, {}], "text_offset": [9, 13] });
    let choice = json!({ "text": "One, two, thréé", "index": 0, "logprobs": logprobs,
                         "finish_reason": "length" });
    assert_eq!(reply["choices"], json!([choice]));
}

#[test]
fn a_stream_tells_the_same() {
    let options = json!({ "include_usage": true });
    let fields = json!({ "prompt": ["a", "b"], "echo": true, "stream": true,
                         "stream_options": options });
    let mut call = call(&fields).unwrap();
    let mut out = Vec::new();
    let event = format!("data: {}\r\n\r\n", ANSWER.replace('\n', ""));
    for lane in [1, 0] {
        call.translator.push_lane(lane, event.as_bytes(), &mut out).unwrap();
        call.translator.finish_lane(lane, &mut out);
    }
    let out = String::from_utf8(out).unwrap();
    let (all, done) = out.trim_end().rsplit_once("\n\n").unwrap();
    assert_eq!(done, "data: [DONE]");
    let chunks: Vec<Value> = all
        .split("\n\n")
        .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
        .collect();
    for (index, text) in [(0, "a thréé"), (1, "b thréé")] {
        let choices = chunks.iter().map(|chunk| &chunk["choices"][0]);
        let mine: Vec<&Value> = choices.filter(|choice| choice["index"] == index).collect();
        let told: String = mine.iter().filter_map(|choice| choice["text"].as_str()).collect();
        assert_eq!(told, text);
        assert_eq!(mine.last().unwrap()["finish_reason"], "length");
    }
    assert_eq!(chunks.last().unwrap()["usage"]["total_tokens"], 10);
}

#[test]
fn a_blocked_prompt_is_told_as_filtered() {
    let blocked = r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#;
    let mut out = Vec::new();
    call(&json!({})).unwrap().translator.whole(blocked.as_bytes(), &mut out).unwrap();
    let reply: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(reply["choices"][0]["finish_reason"], "content_filter");
    let mut call = call(&json!({ "stream": true })).unwrap();
    let mut out = Vec::new();
    call.translator.push(format!("data: {blocked}\n\n").as_bytes(), &mut out).unwrap();
    call.translator.finish(&mut out);
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("content_filter") && out.ends_with("[DONE]\n\n"), "{out}");
}
