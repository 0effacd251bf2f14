use serde_json::{Value, json};

use crate::translate::{self, Call, Malformed, Refusal};

fn call(body: &Value) -> Result<Call, Refusal> {
    translate::embeddings(body.to_string().as_bytes())
}

fn sent(call: &Call) -> Vec<Value> {
    let bodies = call.requests.iter().map(|request| request.body.as_ref().unwrap());
    bodies.map(|body| serde_json::from_slice(body).unwrap()).collect()
}

fn answer(vectors: &[&[f64]]) -> Vec<u8> {
    let embeddings: Vec<Value> = vectors.iter().map(|values| json!({ "values": values })).collect();
    json!({ "embeddings": embeddings }).to_string().into_bytes()
}

#[test]
fn inputs_become_one_batch() {
    let call = call(&json!({ "model": "models/gemini-embedding-001", "input": ["a", "b"],
        "dimensions": 256, "task_type": "RETRIEVAL_QUERY", "user": "u" }))
    .unwrap();
    assert_eq!(call.model, "gemini-embedding-001");
    assert_eq!(call.requests[0].path, "/v1beta/models/gemini-embedding-001:batchEmbedContents");
    let request = |text: &str| {
        json!({ "model": "models/gemini-embedding-001", "content": { "parts": [{ "text": text }] },
                "outputDimensionality": 256, "taskType": "RETRIEVAL_QUERY" })
    };
    assert_eq!(sent(&call), [json!({ "requests": [request("a"), request("b")] })]);
}

#[test]
fn the_answer_has_the_shortest_numbers_and_an_estimate_of_tokens() {
    let mut call = call(&json!({ "model": "text-x", "input": "12345" })).unwrap();
    let mut out = Vec::new();
    call.translator.whole(&answer(&[&[0.1, -0.25, 1e-7]]), &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1,-0.25,1e-7]}],"model":"text-x","usage":{"prompt_tokens":2,"total_tokens":2}}"#
    );
}

#[test]
fn base64_is_the_bytes_of_the_numbers_little_end_first() {
    let body = json!({ "model": "m", "input": ["a"], "encoding_format": "base64" });
    let mut call = call(&body).unwrap();
    let mut out = Vec::new();
    call.translator.whole(&answer(&[&[1.0, -2.0]]), &mut out).unwrap();
    let answer: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(answer["data"][0]["embedding"], "AACAPwAAAMA=");
}

#[test]
fn tokens_that_gemini_counted_are_reported() {
    let mut call = call(&json!({ "model": "m", "input": "a" })).unwrap();
    let body =
        json!({ "embeddings": [{ "values": [1] }], "usageMetadata": { "promptTokenCount": 9 } });
    let mut out = Vec::new();
    let summary = call.translator.whole(body.to_string().as_bytes(), &mut out).unwrap();
    assert_eq!(summary.usage.prompt_tokens, 9);
    let answer: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(answer["usage"], json!({ "prompt_tokens": 9, "total_tokens": 9 }));
}

#[test]
fn more_than_a_hundred_inputs_are_sent_in_batches_and_answered_in_order() {
    let input: Vec<String> = (0..250).map(|i| format!("text {i}")).collect();
    let mut call = call(&json!({ "model": "m", "input": input })).unwrap();
    let sizes: Vec<usize> =
        sent(&call).iter().map(|body| body["requests"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [100, 100, 50]);
    assert_eq!(sent(&call)[2]["requests"][49]["content"]["parts"][0]["text"], "text 249");
    let mut out = Vec::new();
    let mut number = 0.0;
    for size in sizes {
        assert!(out.is_empty());
        let vectors: Vec<[f64; 1]> = (0..size).map(|i| [number + i as f64]).collect();
        let vectors: Vec<&[f64]> = vectors.iter().map(|v| &v[..]).collect();
        call.translator.whole(&answer(&vectors), &mut out).unwrap();
        number += size as f64;
    }
    let answer: Value = serde_json::from_slice(&out).unwrap();
    for (index, embedding) in answer["data"].as_array().unwrap().iter().enumerate() {
        assert_eq!(embedding["index"], index);
        assert_eq!(embedding["embedding"][0], index as f64);
    }
}

#[test]
fn shortened_vectors_are_scaled_to_length_one() {
    let body = json!({ "model": "gemini-embedding-001", "input": "a", "dimensions": 2 });
    let mut call = call(&body).unwrap();
    let mut out = Vec::new();
    call.translator.whole(&answer(&[&[3.0, 4.0]]), &mut out).unwrap();
    let answer: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(answer["data"][0]["embedding"], json!([0.6, 0.8]));
}

#[test]
fn what_gemini_cannot_embed_is_refused() {
    for (input, param) in [
        (json!(""), "input"),
        (json!([]), "input"),
        (json!(["a", ""]), "input[1]"),
        (json!([1, 2]), "input"),
        (json!([[1, 2], [3]]), "input"),
        (json!(vec!["a"; 2049]), "input"),
        (json!({}), "input"),
        (json!([true]), "input[0]"),
    ] {
        let refusal = call(&json!({ "model": "m", "input": input })).unwrap_err();
        assert_eq!(refusal.param.as_deref(), Some(param), "{input}");
    }
    let tokens = call(&json!({ "model": "m", "input": [[1, 2]] })).unwrap_err();
    assert!(tokens.message.contains("check_embedding_ctx_length=False"));
    for body in [
        json!({ "model": "m", "input": "a", "encoding_format": "hex" }),
        json!({ "model": "m", "input": "a", "dimensions": 0 }),
        json!({ "model": "", "input": "a" }),
        json!({ "model": "m" }),
    ] {
        assert!(call(&body).is_err(), "{body}");
    }
}

#[test]
fn an_answer_that_lacks_embeddings_is_malformed() {
    let mut call = call(&json!({ "model": "m", "input": ["a", "b"] })).unwrap();
    let mut out = Vec::new();
    let error = call.translator.whole(&answer(&[&[1.0]]), &mut out).unwrap_err();
    assert_eq!(error, Malformed::Empty { reason: None });
    assert!(out.is_empty());
}
