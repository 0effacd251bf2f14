//! Rows and laws of watching an answer.

use proptest::prelude::*;

use super::*;
use crate::{cut::pieces, gemini::error::ErrorBody, json_array, sse};

const TEXT: &str = r#"{"candidates":[{"content":{"parts":[{"text":"Hel"}]}}],"usageMetadata":{"promptTokenCount":9,"totalTokenCount":9}}"#;
const LAST: &str = r#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"candidatesTokenCount":2,"totalTokenCount":11}}"#;
const ERROR: &str = r#"{"error":{"code":503,"message":"Busy","status":"UNAVAILABLE"}}"#;

fn summary<'a>(framing: Framing, pieces: impl IntoIterator<Item = &'a [u8]>) -> Summary {
    let mut observer = Observer::new(framing);
    for piece in pieces {
        observer.observe(piece);
    }
    observer.finish()
}

fn whole(framing: Framing, body: &str) -> Summary {
    summary(framing, [body.as_bytes()])
}

/// `finished`, `truncated` or the code of the error.
fn ending(framing: Framing, body: &str) -> String {
    match whole(framing, body).ending {
        Ending::Finished => "finished".to_owned(),
        Ending::Truncated => "truncated".to_owned(),
        Ending::Failed(error) => error.code.unwrap().to_string(),
    }
}

#[test]
fn an_event_stream_ends_as_its_events_say() {
    let pretty = ERROR.replace(',', ",\n  ");
    let rows = [
        (format!("data: {TEXT}\r\n\r\ndata: {LAST}\r\n\r\n"), "finished"),
        (format!("data: {LAST}\n\ndata: {TEXT}\n\n"), "finished"),
        (format!("data: {LAST}"), "finished"),
        ("data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}\r\n\r\n".to_owned(), "finished"),
        (format!("data: {TEXT}\r\n\r\n"), "truncated"),
        (format!("data: {TEXT}\r\n\r\ndata: {{\"candidates\":[{{\"finishReason\""), "truncated"),
        (format!("data: {LAST}\r\n\r\ndata: {{\"candidates\":[{{\"cont"), "truncated"),
        (String::new(), "truncated"),
        (format!("data: {TEXT}\r\n\r\ndata: {ERROR}\r\n\r\n"), "503"),
        (format!("data: {LAST}\r\n\r\n{pretty}\n"), "503"),
        (pretty, "503"),
    ];
    for (body, expected) in rows {
        assert_eq!(ending(Framing::Sse, &body), expected, "{body}");
    }
}

#[test]
fn an_array_ends_as_its_elements_say_and_must_be_closed() {
    let rows = [
        (format!("[{TEXT}\n,\r\n{LAST}\n]"), "finished"),
        (format!("[{TEXT}\n,\r\n{LAST}\n"), "truncated"),
        (format!("[{TEXT}\n]"), "truncated"),
        ("[".to_owned(), "truncated"),
        (format!("[{TEXT}\n,\r\n{ERROR}\n]"), "503"),
        (format!("[{ERROR}]"), "503"),
        (ERROR.to_owned(), "503"),
        ("<html>".to_owned(), "truncated"),
    ];
    for (body, expected) in rows {
        assert_eq!(ending(Framing::Array, &body), expected, "{body}");
    }
}

#[test]
fn a_whole_body_is_finished_unless_it_is_an_error() {
    let rows = [
        (TEXT.to_owned(), "finished"),
        (String::new(), "finished"),
        ("\u{0}binary".to_owned(), "finished"),
        (ERROR.to_owned(), "503"),
        (format!("[{ERROR}]"), "503"),
        (format!("{{\"name\":\"operations/a\",\"done\":true,{}", &ERROR[1..]), "finished"),
    ];
    for (body, expected) in rows {
        assert_eq!(ending(Framing::Whole, &body), expected, "{body}");
    }
}

#[test]
fn usage_is_the_last_stated_of_each_field() {
    let expected =
        Usage { prompt_tokens: 9, candidates_tokens: 2, total_tokens: 11, ..Usage::default() };
    let stream = format!("data: {TEXT}\r\n\r\ndata: {LAST}\r\n\r\n");
    assert_eq!(whole(Framing::Sse, &stream).usage, expected);
    assert_eq!(whole(Framing::Array, &format!("[{TEXT},{LAST}]")).usage, expected);
}

#[test]
fn usage_is_found_at_the_end_of_a_body_too_long_to_hold() {
    let blob = "A".repeat(3 * TAIL_LIMIT);
    let body = format!(
        r#"{{"candidates":[{{"content":{{"parts":[{{"text":"{blob}"}}]}}}}],"usageMetadata":{{"totalTokenCount":7}},"responseId":"r"}}"#
    );
    for size in [1, 1000, body.len()] {
        let summary = summary(Framing::Whole, body.as_bytes().chunks(size));
        assert_eq!(summary.usage.total_tokens, 7, "pieces of {size}");
        assert_eq!(summary.ending, Ending::Finished, "pieces of {size}");
    }
}

#[test]
fn a_stream_with_an_event_too_large_to_hold_is_not_called_truncated() {
    let mut observer = Observer::new(Framing::Sse);
    observer.observe(format!("data: {TEXT}\n\ndata: ").as_bytes());
    let blob = vec![b'A'; 1 << 20];
    for _ in 0..=EVENT_LIMIT >> 20 {
        observer.observe(&blob);
    }
    let summary = observer.finish();
    assert_eq!(summary.ending, Ending::Finished);
    assert_eq!(summary.usage.total_tokens, 9);
}

/// What the reader of an interrupted stream gets: its body, and the bytes that were added.
fn interrupted(framing: Framing, body: &str) -> (String, String) {
    let mut observer = Observer::new(framing);
    observer.observe(body.as_bytes());
    let mut added = Vec::new();
    observer.interrupt(504, "upstream fell \"silent\"", &mut added);
    let added = String::from_utf8(added).unwrap();
    (format!("{body}{added}"), added)
}

#[test]
fn wherever_an_event_stream_breaks_its_last_event_is_the_error() {
    let body =
        format!(": ping\r\n\r\nevent: x\rdata: {TEXT}\r\n\r\ndata: {TEXT}\n\n{{\n\"a\": [\n");
    for cut in 0..=body.len() {
        let (stream, added) = interrupted(Framing::Sse, &body[..cut]);
        let mut decoder = sse::Decoder::new(1 << 20);
        decoder.push(stream.as_bytes());
        let events: Vec<_> = std::iter::from_fn(|| decoder.next().unwrap()).collect();
        let last = events.last().unwrap();
        assert_eq!(last.kind, sse::Kind::Data, "cut at {cut}");
        assert_eq!(last.name, None, "cut at {cut}");
        let error = ErrorBody::parse(&last.data).unwrap();
        assert_eq!(error.status.as_deref(), Some("DEADLINE_EXCEEDED"), "cut at {cut}");
        assert_eq!(error.message, "upstream fell \"silent\"", "cut at {cut}");
        assert!(added.ends_with("}\r\n\r\n"), "cut at {cut}");
    }
    let (_, added) = interrupted(Framing::Sse, &format!("data: {TEXT}\r\n\r\n"));
    assert!(added.starts_with("data: {\"error\":"), "{added}");
}

#[test]
fn wherever_an_array_breaks_between_elements_its_last_element_is_the_error() {
    let body = format!(" [ {TEXT}\n,\r\n{TEXT}\n,\r\n");
    let mut ended = 0;
    for cut in 0..=body.len() {
        let (stream, added) = interrupted(Framing::Array, &body[..cut]);
        let mut decoder = json_array::Decoder::new(1 << 20);
        decoder.push(&body.as_bytes()[..cut]);
        while let Ok(Some(_)) = decoder.next() {}
        if decoder.separator().is_none() {
            assert_eq!(added, "", "cut at {cut}");
            continue;
        }
        let value: serde_json::Value = serde_json::from_str(&stream).unwrap();
        let last = value.as_array().unwrap().last().unwrap().clone();
        assert_eq!(ErrorBody::from_value(last).unwrap().code, Some(504), "cut at {cut}");
        ended += 1;
    }
    assert_eq!(ended, body.len() + 1 - 2 * (TEXT.len() - 1));
}

#[test]
fn nothing_is_added_where_nothing_can_follow() {
    for (framing, body) in
        [(Framing::Whole, TEXT), (Framing::Array, "[{}]"), (Framing::Array, ERROR)]
    {
        assert_eq!(interrupted(framing, body).1, "", "{body}");
    }
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_summary(
        events in prop::collection::vec(
            prop::sample::select(&[TEXT, LAST, ERROR, "[DONE]", "{", "{}"][..]), 0..5),
        framing in prop::sample::select(&[Framing::Sse, Framing::Array, Framing::Whole][..]),
        end in 0usize..40,
        sizes in prop::collection::vec(1usize..50, 1..6),
    ) {
        let body = match framing {
            Framing::Sse => events.iter().map(|event| format!("data: {event}\r\n\r\n")).collect(),
            Framing::Array => format!("[{}]", events.join("\n,\r\n")),
            Framing::Whole => events.concat(),
        };
        let body = &body.as_bytes()[..body.len().saturating_sub(end)];
        prop_assert_eq!(summary(framing, pieces(body, &sizes)), summary(framing, [body]));
    }

    #[test]
    fn no_bytes_make_the_observer_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..100),
        framing in prop::sample::select(&[Framing::Sse, Framing::Array, Framing::Whole][..]),
    ) {
        let mut observer = Observer::new(framing);
        observer.observe(&bytes);
        observer.interrupt(500, "", &mut Vec::new());
        observer.finish();
    }
}
