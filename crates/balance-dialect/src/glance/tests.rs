//! Rows of what one event says.

use super::*;
use crate::summary::Usage;

fn carries(event: &str) -> Carries {
    Glance::at(event.as_bytes()).unwrap_or_else(|| panic!("no JSON: {event}")).carries
}

#[test]
fn an_event_is_weighed_by_what_it_brings() {
    let content = r#""content":{"parts":[{"text":"Hi"}],"role":"model"}"#;
    let rows = [
        (format!(r#"{{"candidates":[{{{content}}}],"modelVersion":"m"}}"#), Carries::Content),
        (format!(r#"{{"candidates":[{{{content},"finishReason":"STOP"}}]}}"#), Carries::End),
        (r#"{"candidates":[{"content":{},"finishReason":1}]}"#.into(), Carries::End),
        (r#"{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{}}"#.into(), Carries::End),
        (format!(r#"{{"candidates":[{{{content}}}],"promptFeedback":{{}}}}"#), Carries::Content),
        (r#"{"event_type":"interaction.completed","interaction":{}}"#.into(), Carries::End),
        ("[DONE]".into(), Carries::End),
        (
            r#"{"candidates":[{"content":{"parts":[]},"finishReason":"STOP"}]}"#.into(),
            Carries::BareEnd,
        ),
        (r#"{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL"}]}"#.into(), Carries::BareEnd),
        (r#"{"candidates":[{"finishReason":"MAX_TOKENS"}]}"#.into(), Carries::End),
        (
            r#"{"candidates":[{"finishReason":"SAFETY"},{"finishReason":"STOP"}]}"#.into(),
            Carries::End,
        ),
    ];
    for (event, expected) in rows {
        assert_eq!(carries(&event), expected, "{event}");
    }
}

#[test]
fn an_event_without_parts_brings_nothing() {
    let rows = [
        r#"{"usageMetadata":{"promptTokenCount":9},"modelVersion":"m","responseId":"r"}"#,
        r#"{"candidates":[{"content":{"role":"model"},"index":0}],"usageMetadata":{}}"#,
        r#"{"candidates":[{"content":{"parts":[]},"finishReason":null}]}"#,
        r#"{"candidates":[{}],"unknown":1}"#,
        r#"{"candidates":[]}"#,
        "{}",
    ];
    for event in rows {
        assert_eq!(carries(event), Carries::Nothing, "{event}");
    }
}

#[test]
fn what_is_no_generated_answer_counts_as_content() {
    let rows = [
        r#"{"embeddings":[{"values":[1]}],"usageMetadata":{"promptTokenCount":9}}"#,
        r#"{"name":"files/a","createTime":"t"}"#,
        r#"{"event_type":"step.delta","delta":{}}"#,
        r#"{"id":"c","choices":[{"delta":{"content":"a"}}]}"#,
        "[1,2]",
        "\"text\"",
        " null",
    ];
    for event in rows {
        assert_eq!(carries(event), Carries::Content, "{event}");
    }
}

#[test]
fn an_error_is_told_from_a_resource_that_failed() {
    let error = r#""error":{"code":503,"message":"Busy"}"#;
    for event in [
        format!("{{{error}}}"),
        format!("\n [{{{error}}}]"),
        format!(r#"{{{error},"candidates":[],"responseId":"r"}}"#),
        format!(r#"{{"event_type":"error",{error}}}"#),
    ] {
        let Carries::Error(body) = carries(&event) else { panic!("no error: {event}") };
        assert_eq!(body.code, Some(503), "{event}");
    }
    for event in [
        format!(r#"{{"name":"operations/a","done":true,{error}}}"#),
        format!(r#"{{"id":"resp_1","object":"response",{error}}}"#),
        r#"{"error":null}"#.to_owned(),
    ] {
        assert_eq!(carries(&event), Carries::Content, "{event}");
    }
}

#[test]
fn broken_json_gives_no_glance() {
    for event in ["", " ", "{", r#"{"error":{"code":503"#, "{}x", "<html>", r#"{"candidates":7}"#] {
        assert_eq!(Glance::at(event.as_bytes()), None, "{event}");
    }
}

#[test]
fn each_event_replaces_the_counts_it_states() {
    let events = [
        r#"{"usageMetadata":{"promptTokenCount":9,"totalTokenCount":9,"promptTokensDetails":[{"tokenCount":9}]}}"#,
        r#"{"usageMetadata":{"candidatesTokenCount":2,"thoughtsTokenCount":31,"totalTokenCount":42}}"#,
        r#"{"usageMetadata":{"cachedContentTokenCount":4,"toolUsePromptTokenCount":5,"totalTokenCount":null}}"#,
        r#"{"usageMetadata":null}"#,
        "{}",
    ];
    let mut usage = Usage::default();
    for event in events {
        Glance::at(event.as_bytes()).unwrap().usage.update(&mut usage);
    }
    let expected = Usage {
        prompt_tokens: 9,
        cached_tokens: 4,
        candidates_tokens: 2,
        thoughts_tokens: 31,
        tool_use_tokens: 5,
        total_tokens: 42,
    };
    assert_eq!(usage, expected);
}

#[test]
fn the_counts_of_other_formats_are_read() {
    let rows = [
        r#"{"event_type":"interaction.completed","interaction":{"usage":{"total_tokens":6,"total_input_tokens":1,"total_output_tokens":5}}}"#,
        r#"{"id":"v1","usage":{"total_tokens":6,"total_input_tokens":1,"total_output_tokens":5}}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":5,"total_tokens":6,"cost":0.1}}"#,
    ];
    for event in rows {
        let mut usage = Usage::default();
        Glance::at(event.as_bytes()).unwrap().usage.update(&mut usage);
        let counts = (usage.prompt_tokens, usage.candidates_tokens, usage.total_tokens);
        assert_eq!(counts, (1, 5, 6), "{event}");
    }
}
