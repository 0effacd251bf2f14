//! Embeddings: vectors of length one that depend on the parts of the content alone. Invariant: the
//! same parts have the same vector, alone or in a batch.

use serde_json::{Value, json};

use super::prompt::field;
use super::tokens::of_contents;

/// What Google sends when the request does not say.
const DIMENSIONS: u64 = 3072;

/// The answer of `embedContent`.
pub(crate) fn embedding(request: &Value) -> Value {
    json!({ "embedding": { "values": vector(request) } })
}

/// The answer of `batchEmbedContents`.
pub(crate) fn batch_embeddings(body: &Value) -> Value {
    let requests = body.get("requests").and_then(Value::as_array);
    let embeddings: Vec<_> = requests
        .into_iter()
        .flatten()
        .map(|request| json!({ "values": vector(request) }))
        .collect();
    json!({ "embeddings": embeddings })
}

/// Input tokens of an embedding request, single or batch.
pub(crate) fn tokens(body: &Value) -> u64 {
    match body.get("requests").and_then(Value::as_array) {
        Some(requests) => requests.iter().map(tokens).sum(),
        None => body.get("content").map_or(0, of_contents).max(1),
    }
}

fn vector(request: &Value) -> Vec<f64> {
    let dimensions = field(request, "outputDimensionality", "output_dimensionality")
        .and_then(Value::as_u64)
        .unwrap_or(DIMENSIONS)
        .clamp(1, DIMENSIONS);
    let content = request.get("content");
    let parts = content.map(|content| content.get("parts").unwrap_or(content));
    let text = parts.map(Value::to_string).unwrap_or_default();
    let mut state = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let raw: Vec<f64> = (0..dimensions)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            f64::from(u32::try_from(state >> 32).unwrap_or(0)) / f64::from(u32::MAX) - 0.5
        })
        .collect();
    let length = raw.iter().map(|value| value * value).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
    raw.iter().map(|value| (value / length * 1e9).round() / 1e9).collect()
}
