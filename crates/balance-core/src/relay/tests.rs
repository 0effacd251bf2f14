use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll},
};

use balance_dialect::{
    framing::Framing,
    observe::Observer,
    summary::{Ending, Summary},
};
use bytes::Bytes;
use futures_channel::oneshot;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;

use super::{Relay, Tap};
use crate::{
    body::Body as ReplyBody,
    host::BoxError,
    inflow::{Inflow, Strand},
    secret::Secret,
};

const KEY: &str = "AIzaSyA-the-key-that-was-used-0000000001";
const FINISHED: &str = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"STOP\"}]}\r\n\r\n";
const UNFINISHED: &str =
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}\r\n\r\n";

/// Frames, then an end or a break. Knows its length as a body with `content-length` does.
struct Frames {
    frames: VecDeque<Bytes>,
    breaks: bool,
    tells_its_end: bool,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(match self.frames.pop_front() {
            Some(frame) => Some(Ok(Frame::data(frame))),
            None if self.breaks => Some(Err("reset".into())),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.tells_its_end && self.frames.is_empty() && !self.breaks
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

fn frames(texts: &[&str]) -> Frames {
    let frames = texts.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect();
    Frames { frames, breaks: false, tells_its_end: false }
}

fn broken(texts: &[&str]) -> Frames {
    Frames { breaks: true, ..frames(texts) }
}

/// What the caller gets, and what is reported: `None` if nothing was.
fn relayed(
    framing: Option<Framing>,
    upstream: Frames,
) -> (Result<String, String>, Option<Summary>) {
    let tap = framing.map_or(Tap::Pass, |framing| Tap::Observe(Box::new(Observer::new(framing))));
    let (report, mut summary) = oneshot::channel();
    let relay = Relay::new(
        Strand { inflow: Inflow::new(VecDeque::new(), Some(upstream), &Secret::new(KEY)), report },
        tap,
    );
    let body = pollster::block_on(ReplyBody::Relay(Box::new(relay)).collect());
    let text = body
        .map(|body| String::from_utf8(body.to_bytes().to_vec()).unwrap())
        .map_err(|error| error.to_string());
    (text, summary.try_recv().ok().flatten())
}

fn ending(summary: Option<Summary>) -> Ending {
    summary.expect("a report").ending
}

#[test]
fn a_whole_answer_passes_as_it_is() {
    let (text, summary) = relayed(Some(Framing::Sse), frames(&[UNFINISHED, FINISHED]));
    assert_eq!(text.unwrap(), [UNFINISHED, FINISHED].concat());
    assert_eq!(ending(summary), Ending::Finished);
}

#[test]
fn a_stream_without_a_finish_reason_ends_with_an_error_event() {
    for upstream in
        [frames(&[UNFINISHED]), broken(&[UNFINISHED]), frames(&[UNFINISHED, "data: {\"ca"])]
    {
        let (text, summary) = relayed(Some(Framing::Sse), upstream);
        let text = text.unwrap();
        assert!(text.starts_with(UNFINISHED), "{text}");
        let last = text.trim_end().rsplit("\n").next().unwrap();
        let event: serde_json::Value =
            serde_json::from_str(last.trim_start_matches("data: ")).unwrap();
        assert_eq!(event["error"]["status"], "UNAVAILABLE", "{text}");
        assert_eq!(ending(summary), Ending::Truncated);
    }
}

#[test]
fn an_array_that_is_cut_inside_an_element_breaks_in_turn() {
    let cut = "[{\"candidates\":[{\"content\":{\"parts\":[{\"te";
    let (text, summary) = relayed(Some(Framing::Array), frames(&[cut]));
    assert!(text.unwrap_err().contains("broke off"));
    assert_eq!(ending(summary), Ending::Truncated);
}

#[test]
fn what_is_not_looked_at_breaks_where_upstream_breaks() {
    let (text, summary) = relayed(None, broken(&["abc"]));
    assert_eq!(text.unwrap_err(), "reset");
    assert_eq!(ending(summary), Ending::Truncated);
    let (text, summary) = relayed(Some(Framing::Whole), broken(&["{\"candidates\""]));
    assert_eq!(text.unwrap_err(), "reset");
    assert_eq!(ending(summary), Ending::Truncated);
}

#[test]
fn the_end_is_reported_with_the_last_byte_when_the_length_is_known() {
    let mut upstream = frames(&["{\"candidates\":[]", "}"]);
    upstream.tells_its_end = true;
    let (report, mut summary) = oneshot::channel();
    let tap = Tap::Observe(Box::new(Observer::new(Framing::Whole)));
    let relay = Relay::new(
        Strand { inflow: Inflow::new(VecDeque::new(), Some(upstream), &Secret::new(KEY)), report },
        tap,
    );
    let mut body = ReplyBody::Relay(Box::new(relay));
    for _ in 0..2 {
        pollster::block_on(body.frame()).unwrap().unwrap();
    }
    assert!(body.is_end_stream());
    assert_eq!(summary.try_recv().unwrap().unwrap().ending, Ending::Finished);
}

#[test]
fn an_empty_body_is_over_at_once() {
    let mut upstream = frames(&[]);
    upstream.tells_its_end = true;
    let (report, mut summary) = oneshot::channel();
    let relay = Relay::new(
        Strand { inflow: Inflow::new(VecDeque::new(), Some(upstream), &Secret::new(KEY)), report },
        Tap::Pass,
    );
    assert!(relay.is_end_stream());
    assert!(summary.try_recv().unwrap().is_some());
}

#[test]
fn a_caller_who_leaves_early_reports_nothing() {
    let (report, mut summary) = oneshot::channel();
    let relay = Relay::new(
        Strand {
            inflow: Inflow::new(VecDeque::new(), Some(frames(&["a"])), &Secret::new(KEY)),
            report,
        },
        Tap::Pass,
    );
    drop(ReplyBody::Relay(Box::new(relay)));
    assert!(summary.try_recv().is_err());
}

#[test]
fn the_key_that_was_used_is_dotted_out_and_lengths_stay() {
    let said = format!("data: {{\"error\":{{\"message\":\"api_key:{KEY} and {KEY}\"}}}}\r\n\r\n");
    let (text, _) = relayed(None, frames(&[&said]));
    let text = text.unwrap();
    assert!(!text.contains(KEY) && text.contains("AIzaSyA-....."), "{text}");
    assert_eq!(text.len(), said.len());
}

#[test]
fn a_full_body_knows_its_length() {
    let body = ReplyBody::<http_body_util::Empty<Bytes>>::Full(Bytes::from_static(b"abc"));
    assert_eq!(body.size_hint().exact(), Some(3));
    let collected: Result<_, BoxError> = pollster::block_on(body.collect());
    assert_eq!(collected.unwrap().to_bytes(), "abc");
}
