//! What the fuzz targets hold of the translation and of the decoders.
//!
//! Invariant: everything here panics when a law of the wire formats is broken, and only then.

use balance_dialect::json_array;
use balance_dialect::preset::{Naming, Preset, Prompt, PromptPlace, ThinkingMap};
use balance_dialect::sse;
use balance_dialect::translate::{
    self, Call, Gallery, MediaPreset, Posted, Refusal, Stamp, Wording, remote,
};
use serde_json::value::RawValue;

/// The moment and chance of every call.
const STAMP: Stamp = Stamp { unix_seconds: 1_700_000_000, nonce: 42 };
/// The bytes that one event may have.
const LIMIT: usize = 1 << 16;

/// The endpoints, each with a question whose answer is to be translated.
pub const ENDPOINTS: [(&str, &str); 11] = [
    ("chat", r#"{"model":"gemini-3-flash","messages":[{"role":"user","content":"q"}]}"#),
    (
        "chat",
        r#"{"model":"m","messages":[{"role":"user","content":"q"}],"functions":[{"name":"f"}],"stream":true}"#,
    ),
    (
        "chat",
        r#"{"model":"m","messages":[{"role":"user","content":"q"}],"modalities":["audio"],"audio":{"voice":"alloy","format":"pcm16"},"stream":true,"stream_options":{"include_usage":true}}"#,
    ),
    ("completions", r#"{"model":"m","prompt":"q","echo":true,"stream":true}"#),
    ("responses", r#"{"model":"m","input":"q","stream":true}"#),
    ("embeddings", r#"{"model":"m","input":["a","b"],"encoding_format":"base64"}"#),
    ("pictures", r#"{"prompt":"q","response_format":"url"}"#),
    ("pictures", r#"{"prompt":"q","model":"imagen-4"}"#),
    ("speech", r#"{"input":"q","response_format":"flac"}"#),
    ("speech", r#"{"input":"q","response_format":"wav","stream_format":"sse"}"#),
    ("transcripts", RECORDING),
];

/// A form with a recording, of which times are asked.
const RECORDING: &str = "--b\r\nContent-Disposition: form-data; name=\"response_format\"\r\n\r\nsrt\r\n\
    --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\n\
    RIFF....WAVEfmt \r\n--b--\r\n";

/// The call that a body makes.
pub fn call(endpoint: &str, body: &[u8]) -> Result<Call, Refusal> {
    match endpoint {
        "chat" => translate::chat(body, STAMP),
        "completions" => translate::completions(body, STAMP),
        "responses" => translate::responses(body, STAMP),
        "embeddings" => translate::embeddings(body),
        endpoint => media(endpoint, body),
    }
}

/// The call that a body makes at an endpoint of pictures or sounds.
fn media(endpoint: &str, body: &[u8]) -> Result<Call, Refusal> {
    let nothing = Preset::default();
    let (images, speech, transcription) = ("draws", "speaks", "hears");
    let preset = &MediaPreset { preset: &nothing, images, speech, transcription, voice: "alloy" };
    let is_form = body.starts_with(b"--b");
    let content_type = if is_form { "multipart/form-data; boundary=b" } else { "application/json" };
    let posted = Posted { body, content_type };
    match endpoint {
        "pictures" => translate::pictures(posted, preset, Gallery::Answer, STAMP),
        "edits" => translate::edited_pictures(posted, preset, Gallery::Web, STAMP),
        "speech" => translate::speak(body, preset),
        _ => translate::transcript(posted, Wording::Own, preset),
    }
}

/// A body of a client: what is sent is JSON, what is refused has a reason.
pub fn request(body: &[u8]) {
    for endpoint in ["chat", "completions", "responses", "embeddings"] {
        check_sent(call(endpoint, body));
    }
    for endpoint in ["pictures", "edits", "speech", "transcripts"] {
        check_sent(call(endpoint, body));
    }
    let preset = everything();
    check_sent(translate::chat_by(&preset, body, STAMP));
    check_sent(translate::responses_by(&preset, body, STAMP));
    for model in ["gemini-2.5-flash-search", "gemini-3-flash-thinking", "gemma-3-27b-it"] {
        let asked = preset.naming.resolve(model);
        if let Some(tuned) = asked.ok().and_then(|asked| preset.tune(&asked, body)) {
            assert!(is_json(&tuned), "what is tuned is JSON");
        }
    }
    for remotes in [remote::in_chat(body), remote::in_responses(body)] {
        let files = remotes.iter().map(|remote| (remote, "image/png", &b"png"[..]));
        let inlined = remote::inline(body, files);
        assert!(is_json(&inlined) || !is_json(body), "what is inlined is JSON");
    }
}

fn check_sent(call: Result<Call, Refusal>) {
    match call {
        Ok(call) => {
            assert!(!call.requests.is_empty());
            for request in &call.requests {
                assert!(request.path.starts_with("/v1beta/models/"), "{}", request.path);
                let body = request.body.as_deref().expect("a request to a model has a body");
                assert!(is_json(body), "what is sent is JSON");
            }
        }
        Err(refusal) => assert!(!refusal.message.is_empty()),
    }
}

/// Everything that an operator can set.
fn everything() -> Preset {
    let all = || ["*"].into_iter().collect();
    Preset {
        naming: Naming { search: all(), image: all(), thinking: all(), ..Naming::default() },
        thinking: ThinkingMap::read(r#"{"*":1024}"#).unwrap_or_default(),
        shows_thoughts: true,
        code_execution: true,
        url_context: all(),
        prompt: Some(Prompt { text: "Be kind.".to_owned(), place: PromptPlace::UserPrefix }),
        ..Preset::default()
    }
}

/// By its grammar alone, to which half of a surrogate pair is a letter like any other.
fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<&RawValue>(bytes).is_ok()
}

/// A whole answer: the client gets JSON or, with the error, nothing.
pub fn answer(body: &[u8]) {
    for (endpoint, question) in ENDPOINTS {
        let question = question.replace(r#","stream":true"#, "");
        let Ok(mut call) = call(endpoint, question.as_bytes()) else { continue };
        let mut out = Vec::new();
        match call.translator.whole(body, &mut out) {
            Ok(_) if out.is_empty() => {}
            Ok(_) if call.translator.content_type() == "application/json" => {
                assert!(is_json(&out), "the answer is JSON");
            }
            Ok(_) => {}
            Err(_) => assert!(out.is_empty(), "an answer that failed was begun"),
        }
    }
}

/// A streamed answer: the same events however it is cut, each of them JSON, and an end.
pub fn stream(bytes: &[u8]) {
    let size = 1 + usize::from(bytes.last().copied().unwrap_or_default() % 40);
    for (endpoint, question) in ENDPOINTS {
        if !question.contains("stream") {
            continue;
        }
        let whole = streamed(endpoint, question, [bytes].into_iter());
        let pieces = streamed(endpoint, question, bytes.chunks(size));
        assert_eq!(whole, pieces, "cut into pieces of {size}");
        let text = String::from_utf8(whole).expect("a stream is text");
        assert!(text.is_empty() || text.ends_with("\n\n"), "a stream ends with an event");
        for event in text.split_terminator("\n\n") {
            let data = event.lines().find_map(|line| line.strip_prefix("data: "));
            let data = data.expect("an event has data");
            assert!(data == "[DONE]" || is_json(data.as_bytes()), "{data}");
        }
    }
}

fn streamed<'a>(endpoint: &str, question: &str, pieces: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut call = call(endpoint, question.as_bytes()).expect("the questions are good");
    let mut out = Vec::new();
    for piece in pieces {
        if call.translator.push(piece, &mut out).is_err() {
            break;
        }
    }
    call.translator.finish(&mut out);
    out
}

/// Bytes through both decoders: the same events however they are cut.
pub fn decoders(bytes: &[u8]) {
    let size = 1 + usize::from(bytes.last().copied().unwrap_or_default() % 40);
    assert_eq!(events([bytes].into_iter()), events(bytes.chunks(size)));
    assert_eq!(elements([bytes].into_iter()), elements(bytes.chunks(size)));
}

fn events<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<sse::Event>, bool) {
    let mut decoder = sse::Decoder::new(LIMIT);
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        loop {
            match decoder.next() {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(_) => return (events, true),
            }
        }
    }
    events.extend(std::iter::from_fn(|| decoder.finish()));
    (events, false)
}

fn elements<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
) -> (Vec<Vec<u8>>, Option<json_array::Error>) {
    let mut decoder = json_array::Decoder::new(LIMIT);
    let mut elements = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        loop {
            match decoder.next() {
                Ok(Some(element)) => elements.push(element),
                Ok(None) => break,
                Err(error) => return (elements, Some(error)),
            }
        }
    }
    (elements, None)
}
