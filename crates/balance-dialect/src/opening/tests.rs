//! Rows and laws of judging the head of an answer.

use proptest::prelude::*;

use super::*;
use crate::cut::pieces;

const USAGE: &str = r#"{"usageMetadata":{"promptTokenCount":9},"modelVersion":"m"}"#;
const BARE: &str = r#"{"candidates":[{"content":{"role":"model"}}]}"#;
const TEXT: &str = r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]}"#;
const LAST: &str = r#"{"candidates":[{"finishReason":"STOP"}]}"#;
const BLOCKED: &str = r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#;
const ERROR: &str = r#"{"error":{"code":503,"message":"Busy"}}"#;
const CREATED: &str = r#"{"event_type":"interaction.created","interaction":{"id":"v1"}}"#;

/// The verdict, as a word or the code of the error, and whether it came before the end.
fn verdict<'a>(framing: Framing, pieces: impl IntoIterator<Item = &'a [u8]>) -> (String, bool) {
    let mut opening = Opening::new(framing);
    let early = pieces.into_iter().find_map(|piece| opening.push(piece));
    let is_early = early.is_some();
    let word = match early.unwrap_or_else(|| opening.finish()) {
        Verdict::Content => "content".to_owned(),
        Verdict::Empty => "empty".to_owned(),
        Verdict::Failed(error) => error.code.unwrap().to_string(),
    };
    (word, is_early)
}

fn check(framing: Framing, rows: &[(String, &str, bool)]) {
    for (body, word, is_early) in rows {
        let expected = ((*word).to_owned(), *is_early);
        assert_eq!(verdict(framing, [body.as_bytes()]), expected, "{body}");
    }
}

#[test]
fn an_event_stream_is_judged_by_its_first_telling_event() {
    let pretty = ERROR.replace(',', ",\n");
    check(
        Framing::Sse,
        &[
            (format!("data: {TEXT}\r\n\r\n"), "content", true),
            (
                format!(": ping\n\ndata: {USAGE}\n\ndata: {BARE}\n\ndata: {TEXT}\n\n"),
                "content",
                true,
            ),
            (format!("data: {LAST}\n\n"), "empty", true),
            (format!("data: {LAST}\n\n").replace("STOP", "MAX_TOKENS"), "content", true),
            (format!("data: {BLOCKED}\n\n"), "content", true),
            (format!("data: {CREATED}\n\n"), "content", true),
            (format!("data: {TEXT}\n\ndata: {ERROR}\n\n"), "content", true),
            (format!("data: {ERROR}\r\n\r\n"), "503", true),
            (format!("data: {USAGE}\r\n\r\n{pretty}\n"), "503", true),
            (pretty, "503", false),
            (format!("data: {TEXT}"), "content", false),
            (format!("event: error\ndata: {ERROR}\n\n"), "503", true),
            (format!("data: {USAGE}\n\n"), "empty", false),
            (format!("data: {USAGE}\n\ndata: {{\"candidates\":[{{\"con"), "empty", false),
            (": ping\n\n".to_owned(), "empty", false),
            (String::new(), "empty", false),
            ("<html>\n".to_owned(), "content", true),
        ],
    );
}

#[test]
fn an_array_is_judged_by_its_first_telling_element() {
    check(
        Framing::Array,
        &[
            (format!("[{TEXT}"), "content", true),
            (format!("[{USAGE},\r\n{LAST}"), "empty", true),
            (format!("[{USAGE},\r\n{ERROR}"), "503", true),
            (format!("[{ERROR}]"), "503", true),
            (ERROR.to_owned(), "503", true),
            (format!("[{USAGE}]"), "empty", false),
            ("[]".to_owned(), "empty", false),
            ("[{\"cand".to_owned(), "empty", false),
            (String::new(), "empty", false),
            ("<html>".to_owned(), "content", true),
        ],
    );
}

#[test]
fn a_whole_body_is_judged_at_its_end_unless_it_is_no_json() {
    check(
        Framing::Whole,
        &[
            (TEXT.to_owned(), "content", false),
            (BLOCKED.to_owned(), "content", false),
            (USAGE.to_owned(), "empty", false),
            (BARE.to_owned(), "empty", false),
            (ERROR.to_owned(), "503", false),
            (format!("\n[{ERROR}]"), "503", false),
            ("{}".to_owned(), "empty", false),
            (LAST.to_owned(), "empty", false),
            (r#"{"models":[]}"#.to_owned(), "content", false),
            (
                r#"{"name":"operations/a","done":true,"error":{"code":3}}"#.to_owned(),
                "content",
                false,
            ),
            (r#"{"candidates":[{"con"#.to_owned(), "empty", false),
            (String::new(), "empty", false),
            ("\u{0}binary".to_owned(), "content", true),
            (" <html>".to_owned(), "content", true),
        ],
    );
}

#[test]
fn an_answer_that_shows_nothing_for_long_is_passed_on() {
    let usage = format!("data: {USAGE}\n\n");
    let many = usage.repeat(LIMIT / usage.len() + 1) + "data: " + ERROR + "\n\n";
    let blob = "A".repeat(2 * LIMIT);
    for (framing, body) in [
        (Framing::Sse, many),
        (Framing::Sse, format!("data: {{\"candidates\":[\"{blob}")),
        (Framing::Array, format!("[{{\"candidates\":[\"{blob}")),
        (Framing::Whole, format!("{{\"candidates\":[\"{blob}")),
    ] {
        for size in [1, 4096, body.len()] {
            let verdict = verdict(framing, body.as_bytes().chunks(size));
            assert_eq!(verdict, ("content".to_owned(), true), "{framing:?} in pieces of {size}");
        }
    }
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_verdict(
        events in prop::collection::vec(
            prop::sample::select(&[USAGE, BARE, TEXT, LAST, BLOCKED, ERROR, CREATED, "{", "x"][..]),
            0..4),
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
        prop_assert_eq!(verdict(framing, pieces(body, &sizes)), verdict(framing, [body]));
    }
}

#[test]
fn a_whole_answer_is_judged_as_one_that_comes_in_pieces() {
    let rows = [
        r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP"}]}"#,
        r#"{"candidates": [ {"content": {"parts": [ {"text":"a \"parts\":[{"} ] } } ] } "#,
        r#"{"candidates":[{"content":{"parts":[]},"finishReason":"STOP"}]}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}]}}],"error":{"code":500,"message":"m"}}"#,
        r#"{"error":{"code":500,"message":"\"parts\":[{","status":"INTERNAL"}}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"Hi"#,
        r#"{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL"}]}"#,
        r#"{"data":[1]}"#,
        "plain text",
        "",
    ];
    for body in rows {
        let mut opening = Opening::new(Framing::Whole);
        let verdict = opening.push(body.as_bytes()).unwrap_or_else(|| opening.finish());
        assert_eq!(Verdict::on_whole(body.as_bytes()), verdict, "{body}");
    }
}
