use serde_json::{Value, json};

use super::*;

const GIF: &[u8] = b"GIF89a\x01\0\x01\0\0\0\0,";
const PDF: &[u8] = b"%PDF-1.7\n";

fn chat(part: &Value) -> String {
    json!({ "model": "m", "messages": [
        { "role": "system", "content": "see https://example.com/a.png" },
        { "role": "user", "content": [{ "type": "text", "text": "\u{e9}" }, part] },
    ] })
    .to_string()
}

fn only(found: Vec<Remote>) -> Remote {
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

#[test]
fn each_place_of_a_chat_is_found_and_named() {
    for (part, param) in [
        (json!({ "image_url": { "url": "http://a.test/b" } }), "image_url.url"),
        (json!({ "image_url": "HTTPS://a.test/b" }), "image_url"),
        (json!({ "video_url": { "url": "https://a.test/b" } }), "video_url.url"),
        (json!({ "file": { "file_data": " https://a.test/b" } }), "file.file_data"),
    ] {
        let found = only(in_chat(chat(&part).as_bytes()));
        assert_eq!(found.param, format!("messages[1].content[1].{param}"));
    }
}

#[test]
fn each_place_of_a_responses_request_is_found_and_named() {
    let body = json!({ "input": [
        { "role": "user", "content": [
            { "type": "input_image", "image_url": "https://a.test/1" },
            { "type": "input_file", "file_url": "https://a.test/2" },
        ] },
        { "type": "function_call_output", "output": [{ "image_url": "https://a.test/3" }] },
    ] });
    let found = in_responses(body.to_string().as_bytes());
    let params: Vec<_> = found.iter().map(|remote| remote.param.as_str()).collect();
    assert_eq!(
        params,
        [
            "input[0].content[0].image_url",
            "input[0].content[1].file_url",
            "input[1].output[0].image_url"
        ]
    );
}

#[test]
fn what_google_reads_by_itself_and_what_is_no_address_is_left_alone() {
    for url in [
        "data:image/png;base64,AAAA",
        "https://www.youtube.com/watch?v=1",
        "https://generativelanguage.googleapis.com/v1beta/files/a",
        "gs://bucket/a",
        "file:///etc/passwd",
        "http:",
    ] {
        assert_eq!(in_chat(chat(&json!({ "image_url": url })).as_bytes()), [], "{url}");
    }
    for body in ["", "[", "{\"messages\": 5, \"a\": \"://\"}", "[\"://\"]", "\"://"] {
        assert_eq!((in_chat(body.as_bytes()), in_responses(body.as_bytes())), (vec![], vec![]));
    }
}

#[test]
fn files_take_the_place_of_their_addresses() {
    let body = r#"{"é": 1, "messages": [{"content": [
        {"image_url": {"url": "https:\/\/a.test\/1", "detail": "low"}},
        {"text": "é", "image_url": "https://a.test/2" }]}]}"#;
    let found = in_chat(body.as_bytes());
    let files = found.iter().zip([GIF, PDF]);
    let inlined = inline(body.as_bytes(), files.map(|(remote, bytes)| (remote, "x/y", bytes)));
    let url = |bytes: &[u8]| format!("\"data:x/y;base64,{}\"", STANDARD.encode(bytes));
    let expected = body
        .replace(r#""https:\/\/a.test\/1""#, &url(GIF))
        .replace("\"https://a.test/2\"", &url(PDF));
    assert_eq!(String::from_utf8(inlined).unwrap(), expected);
}

#[test]
fn a_picture_is_known_by_its_bytes_and_not_by_what_the_server_says() {
    let picture = only(in_chat(chat(&json!({ "image_url": "https://a.test/b.png" })).as_bytes()));
    assert_eq!(picture.accept(GIF, Some("text/html")).as_deref(), Ok("image/gif"));
    for bytes in [&b"<!DOCTYPE html>"[..], PDF, b"", b"BM\0\0", b"hello"] {
        let refusal = picture.accept(bytes, Some("image/png")).unwrap_err();
        assert_eq!(refusal.code, "invalid_image_format");
        assert_eq!(refusal.param.as_deref(), Some("messages[1].content[1].image_url"));
    }
}

#[test]
fn a_document_may_be_anything_that_gemini_reads() {
    let part = json!({ "file": { "file_data": "https://a.test/notes.md?x=1" } });
    let document = only(in_chat(chat(&part).as_bytes()));
    for (bytes, told, expected) in [
        (PDF, None, "application/pdf"),
        (GIF, None, "image/gif"),
        (b"# Notes", None, "text/markdown"),
        (b"a,b", Some("text/csv; charset=utf-8"), "text/csv"),
        (b"a,b", Some("application/x-sh"), "text/markdown"),
        (b"ID3\x04\0\0\0\0\0\0", None, "audio/mp3"),
    ] {
        assert_eq!(document.accept(bytes, told).as_deref(), Ok(expected));
    }
    for bytes in [&b""[..], b"\0\x01\x02", b"\xff\xfe\xfd"] {
        assert_eq!(
            document.accept(bytes, Some("text/plain")).unwrap_err().code,
            "invalid_file_format"
        );
    }
}

#[test]
fn a_file_that_did_not_come_is_refused_where_it_is_named() {
    let picture = only(in_chat(chat(&json!({ "image_url": "https://a.test/b" })).as_bytes()));
    let refusal = picture.refuse(&Obstacle::TooLarge { limit: 5 });
    assert_eq!((refusal.code, refusal.param.is_some()), ("image_too_large", true));
    let refusal = picture.refuse(&Obstacle::NotPublic);
    assert_eq!(refusal.code, "invalid_image_url");
    assert!(refusal.message.contains("'https://a.test/b'"), "{}", refusal.message);
}
