use serde_json::{Value, json};

use super::*;

const MODELS: MediaModels<'static> =
    MediaModels { images: "", speech: "speaks", transcription: "" };

#[expect(clippy::needless_pass_by_value, reason = "rows read better without `&`")]
fn asked(fields: Value) -> Result<Call, Refusal> {
    speak(fields.to_string().as_bytes(), &MODELS)
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
        (json!({ "input": "x", "stream_format": "sse" }), "stream_format"),
        (json!({ "input": "x", "voice": { "id": "voice_1" } }), "voice"),
        (json!({ "input": "x", "speed": 9 }), "speed"),
    ] {
        assert_eq!(asked(fields.clone()).unwrap_err().param.as_deref(), Some(param), "{fields}");
    }
    let refusal = asked(json!({ "input": "x", "response_format": "opus" })).unwrap_err();
    assert!(refusal.message.contains("'mp3', 'wav' or 'pcm'"), "{}", refusal.message);
}

#[test]
fn an_answer_without_sound_is_none() {
    let mut call = asked(json!({ "input": "Hi" })).unwrap();
    let answer =
        br#"{"candidates":[{"finishReason":"OTHER","content":{"parts":[{"text":"Hi"}]}}]}"#;
    let empty = call.translator.whole(answer, &mut Vec::new());
    assert_eq!(empty, Err(Malformed::Empty { reason: Some("OTHER".into()) }));
}
