use serde_json::{Value, json};

use super::*;

fn written(data: Data<'_>) -> Value {
    serde_json::to_value(data).unwrap()
}

fn path() -> Path<'static> {
    Path::root("url")
}

#[test]
fn a_data_url_is_inlined() {
    for (url, mime_type, data) in [
        ("data:image/png;base64,iVBORw0K", "image/png", "iVBORw0K"),
        ("DATA:Image/PNG;Base64,iVBORw0K", "image/png", "iVBORw0K"),
        ("data:image/jpg;base64,/9j/4AAQ", "image/jpeg", "/9j/4AAQ"),
        ("data:image/png;base64,/9j/4AAQ", "image/jpeg", "/9j/4AAQ"),
        ("data:image/webp;x=y;base64,UklGRiQA AABX\nRUJQ", "image/webp", "UklGRiQAAABXRUJQ"),
        ("  data:image/gif;base64,R0lGODlh", "image/gif", "R0lGODlh"),
        ("data:application/pdf;base64,JVBERg==", "application/pdf", "JVBERg=="),
        ("data:video/mp4;base64,AAAA", "video/mp4", "AAAA"),
        ("data:text/plain,a%20b", "text/plain", "YSBi"),
        ("data:,x", "text/plain", "eA=="),
    ] {
        let expected = json!({ "inlineData": { "mimeType": mime_type, "data": data } });
        assert_eq!(written(image(url, path()).unwrap()), expected, "{url}");
    }
}

#[test]
fn inlined_bytes_are_not_copied() {
    let url = format!("data:image/png;base64,iVBORw0K{}", "A".repeat(1 << 20));
    let Data::InlineData(blob) = image(&url, path()).unwrap() else { panic!("not inlined") };
    assert!(matches!(blob.data.into_inner(), std::borrow::Cow::Borrowed(_)));
}

#[test]
fn pictures_that_gemini_cannot_read_are_refused() {
    for url in [
        "data:image/svg+xml;base64,AAAA",
        "data:image/bmp;base64,AAAA",
        "data:image/tiff;base64,AAAA",
        "data:image/png;base64,",
        "data:image/png;base64",
    ] {
        let refusal = image(url, path()).unwrap_err();
        assert_eq!((refusal.code, refusal.param.as_deref()), ("invalid_value", Some("url")));
    }
}

#[test]
fn bytes_that_are_no_picture_are_refused() {
    for (url, code) in [
        ("data:image/png;base64,AAAA", "invalid_image"),
        ("data:image/jpeg;base64,PCFET0NUWVBFIGh0bWw+", "invalid_image"),
        ("data:image/png;base64,not base64!", "invalid_value"),
        ("data:application/pdf;base64,%%%", "invalid_value"),
    ] {
        let refusal = image(url, path()).unwrap_err();
        assert_eq!((refusal.code, refusal.param.as_deref()), (code, Some("url")), "{url}");
    }
}

#[test]
fn pictures_are_not_fetched() {
    for url in [
        "https://example.com/a.png",
        "http://169.254.169.254/latest/meta-data",
        "gs://bucket/a.png",
        "file:///etc/passwd",
        "",
        "é",
    ] {
        let refusal = image(url, path()).unwrap_err();
        assert_eq!((refusal.code, refusal.param.as_deref()), ("invalid_image_url", Some("url")));
    }
}

#[test]
fn what_google_holds_is_named_to_it() {
    const FILE: &str = "https://generativelanguage.googleapis.com/v1beta/files/x";
    for url in [FILE, "https://www.youtube.com/watch?v=x", "https://youtu.be/x"] {
        let expected = json!({ "fileData": { "fileUri": url } });
        assert_eq!(written(image(url, path()).unwrap()), expected);
    }
    let expected = json!({ "fileData": { "fileUri": FILE } });
    assert_eq!(written(held("files/x", path()).unwrap()), expected);
    assert_eq!(written(held(FILE, path()).unwrap()), expected);
    assert_eq!(held("file-abc", path()).unwrap_err().param.as_deref(), Some("url"));
}

#[test]
fn sounds_are_inlined_by_their_format() {
    for (data, format, mime_type) in [
        ("AAAA", Some("wav"), "audio/wav"),
        ("AAAA", Some("MP3"), "audio/mp3"),
        ("data:audio/ogg;base64,AAAA", None, "audio/ogg"),
    ] {
        let expected = json!({ "inlineData": { "mimeType": mime_type, "data": "AAAA" } });
        assert_eq!(written(audio(data, format, path()).unwrap()), expected);
    }
    let refusal = audio("AAAA", Some("midi"), path()).unwrap_err();
    assert_eq!(refusal.param.as_deref(), Some("url.format"));
    let refusal = audio("AAAA", None, path()).unwrap_err();
    assert_eq!(refusal.code, "missing_required_parameter");
}

#[test]
fn documents_are_inlined_by_their_name() {
    for (data, name, mime_type) in [
        ("AAAA", Some("a.b.PDF"), "application/pdf"),
        ("AAAA", Some("a.csv"), "text/csv"),
        ("AAAA", Some("a.mp3"), "audio/mp3"),
        ("data:application/json;base64,AAAA", None, "application/json"),
    ] {
        let expected = json!({ "inlineData": { "mimeType": mime_type, "data": "AAAA" } });
        assert_eq!(written(document(data, name, path()).unwrap()), expected);
    }
    for name in [None, Some("noending"), Some("a.xyz")] {
        let refusal = document("AAAA", name, path()).unwrap_err();
        assert!(refusal.message.contains("'filename'"), "{}", refusal.message);
    }
}
