//! What comes in from JavaScript: a caller's request body, or an upstream answer.
//!
//! Invariant: nothing is read before it is asked for, and a body that is dropped before its end
//! cancels what brings it.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use balance_core::host::BoxError;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, ReadableStream, ReadableStreamDefaultReader};

use crate::{
    promise::{Kept, Promised},
    silence::Silence,
};

#[wasm_bindgen(module = "/src/steps.js")]
extern "C" {
    fn bring(message: &JsValue, number: f64);
}

/// Bodies up to this size, if it is known, are taken in one piece: that is one wait, not three.
const SMALL: u64 = 256 * 1024;

/// A body out of JavaScript.
#[derive(Debug)]
pub struct Body {
    source: Source,
    /// Its length in bytes, if that was told.
    length: Option<u64>,
    silence: Option<Silence>,
    fetch: Option<Fetching>,
}

#[derive(Debug)]
enum Source {
    Nothing,
    /// Not begun.
    Message(Message),
    /// On its way in one piece.
    Whole(Promised),
    Stream {
        reader: ReadableStreamDefaultReader,
        read: Option<Promised>,
    },
}

/// What a body belongs to.
#[derive(Debug)]
pub(crate) enum Message {
    Request(web_sys::Request),
    Response(web_sys::Response),
}

impl Body {
    pub(crate) fn new(message: Message, length: Option<u64>) -> Self {
        // To ask for the stream makes one, on most platforms.
        let is_there = length.map_or_else(|| message.stream().is_some(), |length| length > 0);
        let (source, length) =
            if is_there { (Source::Message(message), length) } else { (Source::Nothing, Some(0)) };
        Self { source, length, silence: None, fetch: None }
    }

    /// An upstream answer: it ends with an error after too long a silence, and hangs up with the
    /// fetch that brings it.
    pub(crate) fn of_fetch(self, silence: Silence, fetch: Fetching) -> Self {
        let mut body = Self { silence: Some(silence), fetch: Some(fetch), ..self };
        if matches!(body.source, Source::Nothing) {
            body.end();
        }
        body
    }

    /// The JavaScript stream of what was not read yet, to be passed on without a look at it.
    pub(crate) fn into_stream(self) -> Option<ReadableStream> {
        match self.source {
            Source::Message(message) => message.stream(),
            Source::Nothing | Source::Whole(_) | Source::Stream { .. } => None,
        }
    }

    fn end(&mut self) {
        self.source = Source::Nothing;
        self.length = Some(0);
        self.silence = None;
        if let Some(fetch) = self.fetch.take() {
            fetch.over();
        }
    }

    fn poll_source(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, JsValue>> {
        loop {
            match &mut self.source {
                Source::Nothing => return Poll::Ready(Ok(None)),
                Source::Message(message) => {
                    let is_small = self.length.is_some_and(|length| length <= SMALL);
                    self.source = message.begin(is_small)?;
                }
                Source::Whole(whole) => {
                    let kept = ready!(Pin::new(whole).poll(cx))?;
                    self.source = Source::Nothing;
                    let Kept::Brought(bytes) = kept else { return Poll::Ready(Ok(None)) };
                    return Poll::Ready(Ok(Some(bytes.into())));
                }
                Source::Stream { reader, read } => {
                    let reading = read.get_or_insert_with(|| Promised::follow(&reader.read()));
                    let kept = ready!(Pin::new(reading).poll(cx))?;
                    *read = None;
                    let Kept::Told(_, piece) = kept else { return Poll::Ready(Ok(None)) };
                    let value = Reflect::get(&piece, &"value".into())?;
                    if value.is_undefined() {
                        return Poll::Ready(Ok(None));
                    }
                    return Poll::Ready(Ok(Some(Uint8Array::from(value).to_vec().into())));
                }
            }
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        match this.poll_source(cx) {
            Poll::Ready(Ok(Some(bytes))) => {
                if let Some(silence) = &mut this.silence {
                    silence.broken();
                }
                if let Some(left) = &mut this.length {
                    *left = left.saturating_sub(bytes.len() as u64);
                }
                if matches!(this.source, Source::Nothing) {
                    this.end();
                }
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Poll::Ready(Ok(None)) => {
                this.end();
                Poll::Ready(None)
            }
            Poll::Ready(Err(error)) => {
                this.source = Source::Nothing;
                Poll::Ready(Some(Err(in_words(&error).into())))
            }
            Poll::Pending => match &mut this.silence {
                Some(silence) => silence.poll(cx).map(|silent| Some(Err(silent.into()))),
                None => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.source, Source::Nothing)
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Message {
    fn stream(&self) -> Option<ReadableStream> {
        match self {
            Self::Request(request) => request.body(),
            Self::Response(response) => response.body(),
        }
    }

    fn whole(&self) -> Promised {
        let message: &JsValue = match self {
            Self::Request(request) => request,
            Self::Response(response) => response,
        };
        Promised::by(|number| bring(message, number)).0
    }

    fn begin(&self, in_one_piece: bool) -> Result<Source, JsValue> {
        if in_one_piece {
            return Ok(Source::Whole(self.whole()));
        }
        let Some(stream) = self.stream() else { return Ok(Source::Nothing) };
        let reader = ReadableStreamDefaultReader::new(&stream)?;
        Ok(Source::Stream { reader, read: None })
    }
}

/// A fetch that is under way; aborted with this, unless it is over.
#[derive(Debug)]
pub(crate) struct Fetching(Option<AbortController>);

impl Fetching {
    pub(crate) const fn by(controller: AbortController) -> Self {
        Self(Some(controller))
    }

    fn over(mut self) {
        self.0 = None;
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}

/// What JavaScript threw, as a sentence with its causes, which say what happened.
#[must_use]
pub fn in_words(thrown: &JsValue) -> String {
    let mut text = String::new();
    let mut error = thrown.clone();
    // Causes of causes end somewhere, but nothing promises it.
    for _ in 0..8 {
        let message = match Reflect::get(&error, &"message".into()) {
            Ok(message) => message.as_string(),
            Err(_) => error.as_string(),
        };
        let Some(message) = message.filter(|message| !message.is_empty()) else { break };
        text.push_str(if text.is_empty() { "" } else { ": " });
        text.push_str(&message);
        match Reflect::get(&error, &"cause".into()) {
            Ok(cause) if cause.is_object() => error = cause,
            Ok(_) | Err(_) => break,
        }
    }
    if text.is_empty() { "JavaScript gave no reason".into() } else { text }
}
