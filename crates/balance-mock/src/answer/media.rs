//! Pictures and sounds that the fake makes. Invariant: always the same ones, small and whole, so
//! that whoever shows or plays them finds nothing amiss.

use serde_json::{Value, json};

/// A red pixel, as PNG.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
/// Six samples of 16 bits, a full wave: three up, three down.
const WAVE: &str = "ABAAEAAQAPAA8ADw";
/// Half a second of such waves, at 24 kHz.
const WAVES: usize = 2000;

/// The parts of a drawn answer.
pub(super) fn picture() -> Vec<Value> {
    vec![json!({ "inlineData": { "mimeType": "image/png", "data": PIXEL } })]
}

/// The parts of a spoken answer.
pub(super) fn speech() -> Vec<Value> {
    let data = WAVE.repeat(WAVES);
    vec![json!({ "inlineData": { "mimeType": "audio/L16;codec=pcm;rate=24000", "data": data } })]
}

/// The body of `predict`: as many pictures as are asked for.
pub(crate) fn predictions(body: &Value) -> Value {
    let count = body.pointer("/parameters/sampleCount").and_then(Value::as_u64).unwrap_or(4);
    let one = json!({ "mimeType": "image/png", "bytesBase64Encoded": PIXEL });
    let count = usize::try_from(count.clamp(1, 4)).unwrap_or(1);
    json!({ "predictions": vec![one; count] })
}
