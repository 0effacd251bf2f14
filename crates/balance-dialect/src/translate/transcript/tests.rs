use std::sync::LazyLock;

use super::*;
use crate::preset::Preset;

/// Nothing is set but the models.
fn preset() -> MediaPreset<'static> {
    static NOTHING: LazyLock<Preset> = LazyLock::new(Preset::default);
    let (images, speech, transcription) = ("", "", "hears");
    MediaPreset { preset: &NOTHING, images, speech, transcription, voice: "alloy" }
}

const WAV: &[u8] = b"RIFF\x04\0\0\0WAVE";

fn body(fields: &[(&str, &str)], file: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part =
            format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend(part.bytes());
    }
    body.extend(
        b"--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.ogg\"\r\n\r\n",
    );
    body.extend(file);
    body.extend(b"\r\n--B--");
    body
}

fn asked(fields: &[(&str, &str)], wording: Wording) -> Result<Call, Refusal> {
    let body = body(fields, WAV);
    let posted = Posted { body: &body, content_type: "multipart/form-data; boundary=B" };
    transcript(posted, wording, &preset())
}

fn sent(call: &Call) -> Value {
    serde_json::from_slice(call.requests[0].body.as_ref().unwrap()).unwrap()
}

fn written(format: &str, said: &str) -> (String, &'static str) {
    let mut call = asked(&[("response_format", format)], Wording::Own).unwrap();
    let answer = json!({ "candidates": [{ "content": { "parts": [{ "text": said }] }, "finishReason": "STOP" }],
        "usageMetadata": { "promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7 } });
    let mut out = Vec::new();
    call.translator.whole(answer.to_string().as_bytes(), &mut out).unwrap();
    (String::from_utf8(out).unwrap(), call.translator.content_type())
}

const FILLED: &str = r#"{"language":"english","segments":[
    {"start":0,"end":1.5,"text":" Hello  there. "},
    {"start":1.25,"end":3661.5,"text":"A & B <c>\n\nd"},
    {"start":-5,"end":1,"text":"End"},
    {"start":9,"end":9,"text":""}]}"#;

#[test]
fn a_recording_is_sent_with_what_is_to_be_done() {
    let fields =
        [("model", "whisper-1"), ("language", "de"), ("prompt", "Zürich"), ("temperature", "0.2")];
    let call = asked(&fields, Wording::Own).unwrap();
    assert_eq!(call.requests[0].path, "/v1beta/models/hears:generateContent");
    let sent = sent(&call);
    let parts = &sent["contents"][0]["parts"];
    assert_eq!(
        parts[0]["inlineData"],
        json!({ "mimeType": "audio/wav", "data": STANDARD.encode(WAV) })
    );
    let told = parts[1]["text"].as_str().unwrap();
    assert!(
        told.contains("word for word") && told.contains(": de.") && told.contains("Zürich"),
        "{told}"
    );
    assert_eq!(sent["generationConfig"], json!({ "temperature": 0.2 }));
    let call = asked(&[("response_format", "srt")], Wording::English).unwrap();
    let sent = self::sent(&call);
    assert_eq!(sent["generationConfig"]["responseMimeType"], "application/json");
    assert!(sent["contents"][0]["parts"][1]["text"].as_str().unwrap().contains("English"));
}

#[test]
fn words_come_alone_or_with_what_they_took() {
    assert_eq!(written("text", "Hello.\n"), ("Hello.\n".to_owned(), "text/plain; charset=utf-8"));
    let (json, kind) = written("json", "Hello.");
    let usage =
        json!({ "type": "tokens", "input_tokens": 3, "output_tokens": 4, "total_tokens": 7 });
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json, kind), (json!({ "text": "Hello.", "usage": usage }), "application/json"));
}

#[test]
fn subtitles_have_times_that_never_run_backwards() {
    let (srt, _) = written("srt", FILLED);
    let expected = "1\n00:00:00,000 --> 00:00:01,500\nHello there.\n\n\
        2\n00:00:01,250 --> 01:01:01,500\nA & B <c> d\n\n\
        3\n00:00:01,250 --> 00:00:01,250\nEnd\n\n";
    assert_eq!(srt, expected);
    let (vtt, kind) = written("vtt", FILLED);
    assert!(vtt.starts_with("WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nHello there.\n\n"), "{vtt}");
    assert!(vtt.contains("A &amp; B &lt;c&gt; d"), "{vtt}");
    assert_eq!(kind, "text/vtt; charset=utf-8");
}

#[test]
fn the_verbose_form_has_the_segments() {
    let (json, _) = written("verbose_json", FILLED);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["text"], "Hello there. A & B <c> d End");
    assert_eq!((&json["language"], &json["task"]), (&json!("english"), &json!("transcribe")));
    assert_eq!(json["duration"], 3661.5);
    assert_eq!(json["segments"][1]["start"], 1.25);
    assert_eq!(json["segments"].as_array().unwrap().len(), 3);
}

#[test]
fn what_cannot_be_written_down_is_refused_by_name() {
    for (fields, param) in [
        (vec![("response_format", "docx")], "response_format"),
        (vec![("stream", "perhaps")], "stream"),
        (vec![("timestamp_granularities[]", "word")], "timestamp_granularities"),
        (vec![("temperature", "5")], "temperature"),
        (vec![("temperature", "warm")], "temperature"),
    ] {
        let refusal = asked(&fields, Wording::Own).unwrap_err();
        assert_eq!(refusal.param.as_deref(), Some(param), "{fields:?}");
    }
    let of = |body: &[u8], content_type| {
        transcript(Posted { body, content_type }, Wording::Own, &preset()).unwrap_err()
    };
    let form = "multipart/form-data; boundary=B";
    assert_eq!(of(&body(&[], b"GIF89a"), form).param.as_deref(), Some("file"));
    assert_eq!(of(&body(&[], b""), form).param.as_deref(), Some("file"));
    assert_eq!(of(b"{}", "application/json").code, "invalid_form");
    assert_eq!(of(b"--B--", form).param.as_deref(), Some("file"));
}

#[test]
fn an_answer_that_is_none_is_an_error() {
    let mut call = asked(&[("response_format", "srt")], Wording::Own).unwrap();
    let answer = br#"{"candidates":[{"content":{"parts":[{"text":"no JSON"}]}}]}"#;
    let broken = call.translator.whole(answer, &mut Vec::new());
    assert!(matches!(broken, Err(Malformed::Unreadable { .. })), "{broken:?}");
}

#[test]
fn a_transcript_may_come_in_events() {
    let answer = json!({ "candidates": [{ "content": { "parts": [{ "text": " Hi. " }] }, "finishReason": "STOP" }],
        "usageMetadata": { "promptTokenCount": 3, "candidatesTokenCount": 4 } });
    let told = |fields: &[(&str, &str)]| {
        let mut call = asked(fields, Wording::Own).unwrap();
        let mut out = Vec::new();
        call.translator.whole(answer.to_string().as_bytes(), &mut out).unwrap();
        (String::from_utf8(out).unwrap(), call.translator.content_type())
    };
    let (events, kind) = told(&[("stream", "true")]);
    assert_eq!(kind, "text/event-stream");
    assert_eq!(
        events,
        "data: {\"type\":\"transcript.text.delta\",\"delta\":\"Hi.\"}\n\n\
         data: {\"type\":\"transcript.text.done\",\"text\":\"Hi.\",\"usage\":{\"type\":\"tokens\",\
         \"input_tokens\":3,\"output_tokens\":4,\"total_tokens\":7}}\n\n"
    );
    let (plain, kind) = told(&[("stream", "false"), ("response_format", "text")]);
    assert_eq!((&*plain, kind), ("Hi.\n", "text/plain; charset=utf-8"));
}
