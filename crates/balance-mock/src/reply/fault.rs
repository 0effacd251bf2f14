//! What a rule does to an answer: from pieces to the steps that send them. Invariant: without a
//! rule the steps are the pieces.

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::transmission::Step;
use super::{Form, Reply, piece, pretty};
use crate::google::{ErrorName, Place};
use crate::rule::{ErrorEvent, ErrorForm, Rule};

/// What was sent before a connection ends gets so long to reach the client.
const SETTLE: Duration = Duration::from_millis(2);

/// A body that is ready to go.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sending {
    pub(crate) steps: Vec<Step>,
    /// What to tell as content-length; `None`: chunked.
    pub(crate) length: Option<u64>,
}

/// The steps that send this answer's body.
pub(crate) fn sending(reply: Reply, rule: Option<&Rule>, place: &Place<'_>) -> Sending {
    let Reply { form, mut pieces, .. } = reply;
    pieces.retain(|piece| !piece.is_empty());
    let Some(rule) = rule else {
        let length = (form == Form::Whole).then(|| total(&pieces));
        return Sending { steps: pieces.into_iter().map(Step::Send).collect(), length };
    };
    if let Some(broken) = rule.malformed_event.and_then(|index| pieces.get_mut(index)) {
        *broken = malformed(broken, form);
    }
    if let (Some(event), true) = (&rule.error_event, form != Form::Whole) {
        insert_error(&mut pieces, form, event, place);
    }
    if rule.gzip {
        pieces = gzip(&pieces);
    }
    let whole = form == Form::Whole && rule.content_length.is_none();
    let length = whole.then(|| total(&pieces));
    let steps = schedule(pieces, rule);
    let steps = match (rule.cut, rule.silence) {
        (Some(limit), _) if rule.reset => stop(steps, limit, Step::Reset),
        (Some(limit), _) => stop(steps, limit, Step::Cut),
        (None, Some(limit)) => stop(steps, limit, Step::Silence),
        (None, None) => steps,
    };
    Sending { steps, length }
}

fn total(pieces: &[Bytes]) -> u64 {
    pieces.iter().map(|piece| piece.len() as u64).sum()
}

/// The first half of an event, ended as if it were whole.
fn malformed(piece: &Bytes, form: Form) -> Bytes {
    let mut bytes = piece.slice(..piece.len() / 2).to_vec();
    if form == Form::Sse {
        bytes.extend_from_slice(b"\r\n\r\n");
    }
    bytes.into()
}

/// Ends the stream with an error after so many events.
fn insert_error(pieces: &mut Vec<Bytes>, form: Form, event: &ErrorEvent, place: &Place<'_>) {
    let error = ErrorName::at(event.error, place).to_json();
    pieces.truncate(event.after);
    pieces.push(match event.form {
        ErrorForm::Sse => piece(&error, form, event.after),
        ErrorForm::Raw => pretty(&error),
    });
    if form == Form::Array && event.form == ErrorForm::Sse {
        pieces.push(Bytes::from_static(b"]"));
    }
}

/// Pieces at their pace, cut to their size.
fn schedule(pieces: Vec<Bytes>, rule: &Rule) -> Vec<Step> {
    let mut steps = Vec::with_capacity(pieces.len());
    for (index, piece) in pieces.into_iter().enumerate() {
        if let (Some(pace), true) = (rule.pace_ms, index > 0) {
            let beats = u64::try_from(index).unwrap_or(u64::MAX);
            steps.push(Step::Until(Duration::from_millis(pace.saturating_mul(beats))));
        }
        match rule.chunk {
            Some(size) => send_in_chunks(&mut steps, piece, size.max(1)),
            None => steps.push(Step::Send(piece)),
        }
    }
    steps
}

fn send_in_chunks(steps: &mut Vec<Step>, mut piece: Bytes, size: usize) {
    while !piece.is_empty() {
        let chunk = piece.split_to(size.min(piece.len()));
        steps.push(Step::Send(chunk));
        steps.push(Step::Flush);
    }
}

/// The steps up to a number of bytes, and then the end.
fn stop(steps: Vec<Step>, limit: u64, end: Step) -> Vec<Step> {
    let mut left = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut kept = Vec::new();
    for step in steps {
        let Step::Send(mut bytes) = step else {
            kept.push(step);
            continue;
        };
        let is_last = bytes.len() >= left;
        bytes.truncate(left);
        left -= bytes.len();
        kept.push(Step::Send(bytes));
        if is_last {
            break;
        }
    }
    kept.retain(|step| !matches!(step, Step::Send(bytes) if bytes.is_empty()));
    kept.push(Step::Pause(SETTLE));
    kept.push(end);
    kept
}

/// One gzip stream over all pieces, each of them readable as soon as it has arrived.
fn gzip(pieces: &[Bytes]) -> Vec<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut compressed: Vec<Bytes> = pieces
        .iter()
        .map(|piece| {
            // Writing to memory does not fail.
            let _ = encoder.write_all(piece).and_then(|()| encoder.flush());
            std::mem::take(encoder.get_mut()).into()
        })
        .collect();
    compressed.push(encoder.finish().unwrap_or_default().into());
    compressed
}

#[cfg(test)]
mod tests;
