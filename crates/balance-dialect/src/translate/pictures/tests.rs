use std::sync::LazyLock;

use serde_json::{Value, json};

use super::*;
use crate::preset::Preset;

/// Nothing is set but the models.
fn preset() -> MediaPreset<'static> {
    static NOTHING: LazyLock<Preset> = LazyLock::new(Preset::default);
    let (images, speech, transcription) = ("draws", "", "");
    MediaPreset { preset: &NOTHING, images, speech, transcription, voice: "alloy" }
}

const STAMP: Stamp = Stamp { unix_seconds: 7, nonce: 0 };

fn posted(body: &str) -> Posted<'_> {
    Posted { body: body.as_bytes(), content_type: "application/json" }
}

#[expect(clippy::needless_pass_by_value, reason = "rows read better without `&`")]
fn made(body: Value, gallery: Gallery) -> Result<Call, Refusal> {
    pictures(posted(&body.to_string()), &preset(), gallery, STAMP)
}

fn sent(call: &Call) -> Value {
    serde_json::from_slice(call.requests[0].body.as_ref().unwrap()).unwrap()
}

fn drawn(data: &str) -> String {
    json!({ "candidates": [{ "finishReason": "STOP", "content": { "parts": [
        { "text": "Here." },
        { "thought": true, "inlineData": { "mimeType": "image/png", "data": "AAAA" } },
        { "inlineData": { "mimeType": "image/jpeg", "data": data } },
    ] } }], "usageMetadata": { "promptTokenCount": 5, "candidatesTokenCount": 10, "totalTokenCount": 15,
        "promptTokensDetails": [{ "modality": "IMAGE", "tokenCount": 2 }] } })
    .to_string()
}

#[test]
fn a_picture_is_asked_of_a_model_that_draws() {
    let asked =
        json!({ "prompt": "a cat", "model": "gemini-3-pro-image", "size": "2048x1152", "n": 2 });
    let call = made(asked, Gallery::Answer).unwrap();
    assert_eq!((call.model.as_str(), call.requests.len()), ("gemini-3-pro-image", 2));
    let config = json!({ "responseModalities": ["TEXT", "IMAGE"],
                         "imageConfig": { "aspectRatio": "16:9", "imageSize": "2K" } });
    assert_eq!(sent(&call)["generationConfig"], config);
    assert_eq!(sent(&call)["contents"][0]["parts"], json!([{ "text": "a cat" }]));
    for name in [json!("dall-e-3"), json!("gpt-image-1"), Value::Null] {
        let call = made(json!({ "prompt": "a cat", "model": name }), Gallery::Answer).unwrap();
        assert_eq!(call.model, "draws");
        assert_eq!(sent(&call)["generationConfig"].get("imageConfig"), None);
    }
}

#[test]
fn imagen_draws_four_at_a_time() {
    let asked = json!({ "prompt": "a cat", "model": "imagen-4.0-generate-001", "size": "1024x1792", "n": 6 });
    let mut call = made(asked, Gallery::Answer).unwrap();
    assert_eq!(call.requests[0].path, "/v1beta/models/imagen-4.0-generate-001:predict");
    let counts: Vec<Value> = call
        .requests
        .iter()
        .map(|it| {
            let body: Value = serde_json::from_slice(it.body.as_ref().unwrap()).unwrap();
            body["parameters"].clone()
        })
        .collect();
    assert_eq!(
        counts,
        [
            json!({ "sampleCount": 4, "aspectRatio": "9:16" }),
            json!({ "sampleCount": 2, "aspectRatio": "9:16" })
        ]
    );
    let mut out = Vec::new();
    let answer = br#"{"predictions":[{"mimeType":"image/png","bytesBase64Encoded":"AAAA"},{"raiFilteredReason":"x"}]}"#;
    call.translator.whole(answer, &mut out).unwrap();
    assert!(out.is_empty(), "one answer is missing");
    call.translator.whole(b"{}", &mut out).unwrap();
    let written: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(
        written,
        json!({ "created": 7, "data": [{ "b64_json": "AAAA" }], "output_format": "png" })
    );
}

#[test]
fn a_client_gets_pictures_in_the_form_that_it_reads() {
    for (asked, gallery, expected) in [
        (
            json!({ "response_format": "b64_json", "model": "dall-e-3" }),
            Gallery::Web,
            json!({ "b64_json": "BBBB" }),
        ),
        (
            json!({ "response_format": "url" }),
            Gallery::Answer,
            json!({ "url": "data:image/jpeg;base64,BBBB" }),
        ),
        (
            json!({ "model": "dall-e-3" }),
            Gallery::Answer,
            json!({ "url": "data:image/jpeg;base64,BBBB" }),
        ),
        (json!({ "model": "gpt-image-1" }), Gallery::Web, json!({ "b64_json": "BBBB" })),
        (json!({ "model": "gemini-3-pro-image" }), Gallery::Answer, json!({ "b64_json": "BBBB" })),
        (json!({}), Gallery::Web, json!({ "url": "data:image/jpeg;base64,BBBB" })),
    ] {
        let mut body = asked.clone();
        body["prompt"] = "a cat".into();
        let mut call = made(body, gallery).unwrap();
        let mut out = Vec::new();
        call.translator.whole(drawn("BBBB").as_bytes(), &mut out).unwrap();
        let written: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(written["data"], json!([expected]), "{asked}");
        assert_eq!(
            written["usage"],
            json!({ "input_tokens": 5, "output_tokens": 10, "total_tokens": 15,
            "input_tokens_details": { "text_tokens": 3, "image_tokens": 2 } })
        );
    }
}

#[test]
fn a_picture_on_the_web_is_given_by_its_address() {
    let mut call =
        made(json!({ "prompt": "a cat", "response_format": "url" }), Gallery::Web).unwrap();
    assert!(call.translator.takes_addresses());
    let mut out = Vec::new();
    call.translator.whole(drawn("https://a.test/1.png").as_bytes(), &mut out).unwrap();
    let written: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(written["data"][0]["url"], "https://a.test/1.png");
}

#[test]
fn an_answer_without_a_picture_is_declined_with_gemini_s_word() {
    for (answer, reason) in [
        (json!({ "candidates": [{ "finishReason": "IMAGE_SAFETY" }] }), Some("IMAGE_SAFETY")),
        (
            json!({ "promptFeedback": { "blockReason": "PROHIBITED_CONTENT" } }),
            Some("PROHIBITED_CONTENT"),
        ),
        (
            json!({ "candidates": [{ "content": { "parts": [{ "text": "No." }] }, "finishReason": "STOP" }] }),
            Some("STOP"),
        ),
        (json!({}), None),
    ] {
        let mut call = made(json!({ "prompt": "a cat" }), Gallery::Answer).unwrap();
        let declined = call.translator.whole(answer.to_string().as_bytes(), &mut Vec::new());
        assert_eq!(declined, Err(Malformed::Declined { reason: reason.map(Into::into) }));
    }
}

#[test]
fn what_cannot_be_drawn_is_refused_by_name() {
    for (asked, param) in [
        (json!({}), "prompt"),
        (json!({ "prompt": " " }), "prompt"),
        (json!({ "prompt": "a", "n": 0 }), "n"),
        (json!({ "prompt": "a", "n": 11 }), "n"),
        (json!({ "prompt": "a", "n": -1 }), "n"),
        (json!({ "prompt": "a", "size": "large" }), "size"),
        (json!({ "prompt": "a", "size": "0x5" }), "size"),
        (json!({ "prompt": "a", "response_format": "png" }), "response_format"),
        (json!({ "prompt": "a", "model": "a/b" }), "model"),
    ] {
        let refusal = made(asked.clone(), Gallery::Answer).unwrap_err();
        assert_eq!(refusal.param.as_deref(), Some(param), "{asked}");
    }
}

fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (head, bytes) in parts {
        body.extend(format!("--B\r\nContent-Disposition: form-data; {head}\r\n\r\n").bytes());
        body.extend(*bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--B--\r\n");
    body
}

fn edited(body: &[u8], content_type: &str) -> Result<Call, Refusal> {
    edited_pictures(Posted { body, content_type }, &preset(), Gallery::Answer, STAMP)
}

const FORM: &str = "multipart/form-data; boundary=B";

#[test]
fn pictures_of_a_form_stand_before_the_words() {
    let body = form(&[
        ("name=\"prompt\"", b"a hat on the cat"),
        ("name=\"image[]\"; filename=\"a.png\"", b"GIF89a"),
        ("name=\"image[]\"; filename=\"b.png\"", b"\xff\xd8\xff\xe0"),
        ("name=\"n\"", b"2"),
    ]);
    let call = edited(&body, FORM).unwrap();
    assert_eq!(call.requests.len(), 2);
    assert_eq!(
        sent(&call)["contents"][0]["parts"],
        json!([
            { "inlineData": { "mimeType": "image/gif", "data": "R0lGODlh" } },
            { "inlineData": { "mimeType": "image/jpeg", "data": "/9j/4A==" } },
            { "text": "a hat on the cat" },
        ])
    );
}

#[test]
fn pictures_of_json_are_data_urls() {
    let body = json!({ "prompt": "a hat", "images": [{ "image_url": "data:image/gif;base64,R0lGODlh" },
                                                     { "file_id": "files/abc" }] });
    let call = edited(body.to_string().as_bytes(), "application/json").unwrap();
    let parts = &sent(&call)["contents"][0]["parts"];
    assert_eq!(parts[0]["inlineData"]["data"], "R0lGODlh");
    assert_eq!(
        parts[1]["fileData"]["fileUri"],
        "https://generativelanguage.googleapis.com/v1beta/files/abc"
    );
}

#[test]
fn forms_that_cannot_be_used_are_refused_by_name() {
    let image: (&str, &[u8]) = ("name=\"image\"", b"GIF89a");
    let prompt: (&str, &[u8]) = ("name=\"prompt\"", b"x");
    for (parts, param) in [
        (vec![image], Some("prompt")),
        (vec![prompt], Some("image")),
        (vec![prompt, ("name=\"image\"", b"hello")], Some("image")),
        (vec![prompt, ("name=\"image\"", b"")], Some("image")),
        (vec![prompt, image, ("name=\"mask\"", b"GIF89a")], Some("mask")),
        (vec![prompt, image, ("name=\"n\"", b"two")], Some("n")),
        (vec![prompt, image, ("name=\"model\"", b"imagen-4")], Some("model")),
        (vec![image, ("name=\"prompt\"", b"\xff")], Some("prompt")),
    ] {
        let refusal = edited(&form(&parts), FORM).unwrap_err();
        assert_eq!(refusal.param.as_deref(), param, "{parts:?}");
    }
    assert_eq!(edited(b"--B", FORM).unwrap_err().code, "invalid_form");
}

#[test]
fn pictures_may_come_in_events() {
    let mut call = made(
        json!({ "prompt": "x", "n": 2, "stream": true, "response_format": "url" }),
        Gallery::Web,
    )
    .unwrap();
    assert!(!call.translator.takes_addresses());
    let mut out = Vec::new();
    for data in ["AAAA", "BBBB"] {
        call.translator.whole(drawn(data).as_bytes(), &mut out).unwrap();
    }
    assert_eq!(call.translator.content_type(), "text/event-stream");
    let text = String::from_utf8(out).unwrap();
    let events = text.split_terminator("\n\n").map(|event| event.strip_prefix("data: ").unwrap());
    let events: Vec<Value> = events.map(|data| serde_json::from_str(data).unwrap()).collect();
    let data: Vec<&Value> = events.iter().map(|event| &event["b64_json"]).collect();
    assert_eq!(data, ["AAAA", "BBBB"]);
    for event in &events {
        assert_eq!(event["type"], "image_generation.completed");
        assert_eq!((&event["output_format"], &event["created_at"]), (&json!("jpeg"), &json!(7)));
        assert_eq!(event["usage"]["total_tokens"], 30);
    }
}
