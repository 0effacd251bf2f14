use std::sync::LazyLock;

use serde_json::{Value, json};

use super::*;
use crate::preset::{ModelMap, Naming, Preset, Prompt, PromptPlace};

/// Nothing is set but the models.
fn preset() -> MediaPreset<'static> {
    static NOTHING: LazyLock<Preset> = LazyLock::new(Preset::default);
    let (images, speech, transcription) = ("", "speaks", "");
    MediaPreset { preset: &NOTHING, images, speech, transcription, voice: "alloy" }
}

#[expect(clippy::needless_pass_by_value, reason = "rows read better without `&`")]
fn asked(fields: Value) -> Result<Call, Refusal> {
    speak(fields.to_string().as_bytes(), &preset())
}

fn sent(call: &Call) -> Value {
    serde_json::from_slice(call.requests[0].body.as_ref().unwrap()).unwrap()
}

/// A second of a tone, as Gemini gives it.
fn tone() -> String {
    let wave = |n: u16| if n % 48 < 24 { 8000_i16 } else { -8000 };
    let samples: Vec<u8> = (0..24_000_u16).flat_map(|n| wave(n).to_le_bytes()).collect();
    let blob =
        json!({ "mimeType": "audio/L16;codec=pcm;rate=24000", "data": STANDARD.encode(samples) });
    json!({ "candidates": [{ "content": { "parts": [{ "inlineData": blob }] }, "finishReason": "STOP" }] })
        .to_string()
}

fn heard(format: &str) -> (Vec<u8>, &'static str) {
    let mut call =
        asked(json!({ "input": "Hi", "voice": "alloy", "response_format": format })).unwrap();
    let mut out = Vec::new();
    call.translator.whole(tone().as_bytes(), &mut out).unwrap();
    (out, call.translator.content_type())
}

#[test]
fn a_text_is_given_to_a_model_that_speaks_with_gemini_s_voice() {
    let call = asked(json!({ "model": "tts-1", "input": "Hello.", "voice": "nova",
                             "instructions": "Be glad.", "speed": 0.5 }))
    .unwrap();
    assert_eq!(call.requests[0].path, "/v1beta/models/speaks:generateContent");
    let sent = sent(&call);
    assert_eq!(sent["contents"][0]["parts"][0]["text"], "Be glad. Read it slowly.\n\nHello.");
    assert_eq!(
        sent["generationConfig"],
        json!({ "responseModalities": ["AUDIO"], "speechConfig":
        { "voiceConfig": { "prebuiltVoiceConfig": { "voiceName": "Aoede" } } } })
    );
    let call = asked(json!({ "model": "gemini-3.8-flash-tts", "input": "Hi", "voice": "Zephyr" }))
        .unwrap();
    assert_eq!(call.model, "gemini-3.8-flash-tts");
}

#[test]
fn samples_come_bare_or_with_a_header() {
    let (pcm, kind) = heard("pcm");
    assert_eq!((pcm.len(), kind), (48_000, "audio/pcm"));
    let (wav, kind) = heard("wav");
    assert_eq!((&wav[..4], &wav[44..], kind), (&b"RIFF"[..], &pcm[..], "audio/wav"));
}

#[test]
fn an_mp3_has_the_sound_in_it() {
    let (mp3, kind) = heard("mp3");
    assert_eq!(kind, "audio/mpeg");
    assert!((6_000..12_000).contains(&mp3.len()), "{} bytes for a second", mp3.len());
    let mut decoder = rusty_mp3::Mp3Decoder::new();
    decoder.push(&mp3);
    decoder.flush();
    let mut samples = Vec::new();
    while let Ok(frame) = decoder.next_frame() {
        assert_eq!(frame.sample_rate, 24_000);
        samples.extend(frame.samples);
    }
    let power = samples.iter().map(|x| x * x).sum::<f32>() / 24_000.0;
    assert!(samples.len() >= 24_000 && power > 0.02, "{} samples, power {power}", samples.len());
}

#[test]
fn what_cannot_be_spoken_is_refused_by_name() {
    for (fields, param) in [
        (json!({ "voice": "alloy" }), "input"),
        (json!({ "input": " " }), "input"),
        (json!({ "input": "x", "response_format": "opus" }), "response_format"),
        (json!({ "input": "x", "response_format": "aac" }), "response_format"),
        (json!({ "input": "x", "stream_format": "tape" }), "stream_format"),
        (json!({ "input": "x", "voice": { "id": "voice_1" } }), "voice"),
        (json!({ "input": "x", "speed": 9 }), "speed"),
    ] {
        assert_eq!(asked(fields.clone()).unwrap_err().param.as_deref(), Some(param), "{fields}");
    }
    let refusal = asked(json!({ "input": "x", "response_format": "opus" })).unwrap_err();
    assert!(refusal.message.contains("'mp3', 'flac', 'wav' or 'pcm'"), "{}", refusal.message);
}

#[test]
fn an_answer_without_sound_is_none() {
    let mut call = asked(json!({ "input": "Hi" })).unwrap();
    let answer =
        br#"{"candidates":[{"finishReason":"OTHER","content":{"parts":[{"text":"Hi"}]}}]}"#;
    let empty = call.translator.whole(answer, &mut Vec::new());
    assert_eq!(empty, Err(Malformed::Empty { reason: Some("OTHER".into()) }));
}

#[test]
fn flac_loses_nothing_and_is_smaller() {
    let (flac, kind) = heard("flac");
    assert_eq!((&flac[..4], kind), (&b"fLaC"[..], "audio/flac"));
    assert!(flac.len() < heard("pcm").0.len());
}

#[test]
fn a_sound_may_come_in_events() {
    let fields = json!({ "input": "Hi", "response_format": "pcm", "stream_format": "sse" });
    let mut call = asked(fields).unwrap();
    let mut answer: Value = serde_json::from_str(&tone()).unwrap();
    answer["usageMetadata"] = json!({ "promptTokenCount": 2, "candidatesTokenCount": 25 });
    let mut out = Vec::new();
    call.translator.whole(answer.to_string().as_bytes(), &mut out).unwrap();
    assert_eq!(call.translator.content_type(), "text/event-stream");
    let text = String::from_utf8(out).unwrap();
    let events = text.split_terminator("\n\n").map(|event| event.strip_prefix("data: ").unwrap());
    let events: Vec<Value> = events.map(|data| serde_json::from_str(data).unwrap()).collect();
    let (last, pieces) = events.split_last().unwrap();
    let usage = json!({ "input_tokens": 2, "output_tokens": 25, "total_tokens": 27 });
    assert_eq!(last, &json!({ "type": "speech.audio.done", "usage": usage }));
    let sound = pieces.iter().flat_map(|piece| {
        assert_eq!(piece["type"], "speech.audio.delta");
        STANDARD.decode(piece["audio"].as_str().unwrap()).unwrap()
    });
    assert_eq!(sound.collect::<Vec<_>>(), heard("pcm").0);
}

#[test]
fn the_operator_says_who_speaks_and_which_model() {
    let map =
        ModelMap { rows: vec![("tts-1-hd".into(), "gemini-pro-tts".into())], knows_openai: true };
    let safety = serde_json::value::to_raw_value(&json!([])).unwrap();
    let all = Preset {
        naming: Naming { map, ..Naming::default() },
        safety_settings: Some(safety),
        prompt: Some(Prompt { text: "Be kind.".into(), place: PromptPlace::UserPrefix }),
        code_execution: true,
        ..Preset::default()
    };
    let preset = MediaPreset { preset: &all, voice: "Zephyr", ..preset() };
    let call = |fields: Value| speak(fields.to_string().as_bytes(), &preset).unwrap();
    assert_eq!(call(json!({ "model": "tts-1", "input": "Hi" })).model, "speaks");
    let call = call(json!({ "model": "tts-1-hd", "input": "Hi" }));
    assert_eq!(call.model, "gemini-pro-tts");
    let sent = sent(&call);
    let voice = &sent["generationConfig"]["speechConfig"]["voiceConfig"]["prebuiltVoiceConfig"];
    assert_eq!(voice["voiceName"], "Zephyr");
    assert_eq!(sent["safetySettings"], json!([]));
    assert_eq!(sent["contents"][0]["parts"], json!([{ "text": "Hi" }]));
    assert_eq!(sent.get("tools"), None);
}
