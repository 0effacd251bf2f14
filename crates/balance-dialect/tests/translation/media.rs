//! Pictures, sounds and transcripts: what holds for every request and every answer.

use std::sync::LazyLock;

use balance_dialect::preset::Preset;
use balance_dialect::translate::{
    self, Call, Gallery, MediaPreset, Posted, Refusal, Stamp, Wording,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::laws::json_of;
use super::schema::Schema;

const STAMP: Stamp = Stamp { unix_seconds: 1_700_000_000, nonce: 42 };
/// A form's content type.
const FORM: &str = "multipart/form-data; boundary=b";
const JSON: &str = "application/json";

/// The endpoints.
const ENDPOINTS: [&str; 5] = ["pictures", "edits", "speech", "transcriptions", "translations"];

/// Words of the fields of all of them.
const WORDS: [&str; 24] = [
    "prompt",
    "model",
    "n",
    "size",
    "1024x1024",
    "response_format",
    "b64_json",
    "url",
    "images",
    "image_url",
    "data:image/png;base64,iVBORw0KGgo=",
    "file_id",
    "files/a",
    "input",
    "voice",
    "alloy",
    "mp3",
    "flac",
    "speed",
    "instructions",
    "stream_format",
    "sse",
    "imagen-4",
    "mask",
];

/// Words of answers.
const ANSWER_WORDS: [&str; 16] = [
    "candidates",
    "content",
    "parts",
    "inlineData",
    "mimeType",
    "data",
    "audio/L16;rate=24000",
    "image/png",
    "AAAA",
    "text",
    "predictions",
    "bytesBase64Encoded",
    "raiFilteredReason",
    "usageMetadata",
    "promptTokenCount",
    "finishReason",
];

/// The call that a body makes, with nothing set but models.
pub(crate) fn call(endpoint: &str, body: &[u8]) -> Result<Call, Refusal> {
    let kind = if matches!(endpoint, "transcriptions" | "translations") { FORM } else { JSON };
    posted(endpoint, body, kind)
}

fn posted(endpoint: &str, body: &[u8], content_type: &str) -> Result<Call, Refusal> {
    static NOTHING: LazyLock<Preset> = LazyLock::new(Preset::default);
    let (images, speech, transcription) = ("draws", "speaks", "hears");
    let preset = &MediaPreset { preset: &NOTHING, images, speech, transcription, voice: "alloy" };
    let posted = Posted { body, content_type };
    match endpoint {
        "pictures" => translate::pictures(posted, preset, Gallery::Answer, STAMP),
        "edits" => translate::edited_pictures(posted, preset, Gallery::Web, STAMP),
        "speech" => translate::speak(body, preset),
        "transcriptions" => translate::transcript(posted, Wording::Own, preset),
        _ => translate::transcript(posted, Wording::English, preset),
    }
}

/// A form of these fields, and a file if there is one.
fn form(fields: &[(String, String)], file: Option<&[u8]>) -> Vec<u8> {
    let mut form = Vec::new();
    for (name, value) in fields {
        let head = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        form.extend(head.bytes().chain(value.bytes()).chain(*b"\r\n"));
    }
    if let Some(file) = file {
        let head =
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\n";
        form.extend(head.bytes().chain(file.iter().copied()).chain(*b"\r\n"));
    }
    form.extend(b"--b--\r\n");
    form
}

proptest! {
    #[test]
    fn no_request_panics_and_what_is_sent_is_json(
        body in json_of(&WORDS),
        fields in prop::collection::vec(("[a-z_\\[\\]]{1,12}", ".{0,12}"), 0..6),
        file in prop::option::of(prop::collection::vec(any::<u8>(), 0..40)),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let json = body.to_string();
        let form = form(&fields, file.as_deref());
        for endpoint in ENDPOINTS {
            for (body, kind) in [(json.as_bytes(), JSON), (&form, FORM), (&bytes, JSON), (&bytes, FORM)] {
                match posted(endpoint, body, kind) {
                    Err(refusal) => prop_assert!(!refusal.message.is_empty()),
                    Ok(call) => for request in call.requests {
                        let sent = serde_json::from_slice::<Value>(&request.body.unwrap());
                        prop_assert!(sent.is_ok(), "{endpoint}");
                    },
                }
            }
        }
    }

    #[test]
    fn no_answer_panics_and_what_fails_writes_nothing(
        answer in json_of(&ANSWER_WORDS),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let recording = form(&[], Some(b"RIFF\x04\0\0\0WAVEfmt "));
        for endpoint in ENDPOINTS {
            let question = match endpoint {
                "pictures" => json!({ "prompt": "q" }).to_string().into_bytes(),
                "edits" => json!({ "prompt": "q", "images": [{ "file_id": "files/a" }] })
                    .to_string().into_bytes(),
                "speech" => json!({ "input": "q" }).to_string().into_bytes(),
                _ => recording.clone(),
            };
            for answer in [answer.to_string().as_bytes(), &bytes] {
                let mut call = call(endpoint, &question).unwrap();
                let mut out = Vec::new();
                if call.translator.whole(answer, &mut out).is_err() {
                    prop_assert!(out.is_empty(), "{endpoint}");
                }
            }
        }
    }
}

#[test]
fn answers_with_pictures_keep_to_the_schema() {
    let Some(schema) = Schema::read() else { return };
    let drawn = |kind: &str| {
        json!({ "candidates": [{ "content": { "parts": [{ "text": "Here." },
            { "inlineData": { "mimeType": kind, "data": "AAAA" } }] }, "finishReason": "STOP" }],
            "usageMetadata": { "promptTokenCount": 4, "candidatesTokenCount": 1290,
                "promptTokensDetails": [{ "modality": "IMAGE", "tokenCount": 2 }] } })
    };
    let imagen =
        json!({ "predictions": [{ "mimeType": "image/png", "bytesBase64Encoded": "AAAA" }] });
    for (request, answer) in [
        (json!({ "prompt": "q" }), drawn("image/png")),
        (json!({ "prompt": "q", "response_format": "url" }), drawn("image/webp")),
        (json!({ "prompt": "q", "model": "dall-e-3" }), drawn("image/heic")),
        (json!({ "prompt": "q", "model": "imagen-4" }), imagen),
    ] {
        let mut call = call("pictures", request.to_string().as_bytes()).unwrap();
        let mut out = Vec::new();
        call.translator.whole(answer.to_string().as_bytes(), &mut out).unwrap();
        schema.check_pictures(&out, &request.to_string());
    }
}
