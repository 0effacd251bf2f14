//! The Runtime API: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.
//!
//! Invariant: a streamed answer is read to its end, whether or not its caller is still there.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;
use tokio::sync::mpsc;

use super::{Invocation, State, event};
use crate::answer_stream::{Answered, Stream, says};

const INVOCATION: &str = "/2018-06-01/runtime/invocation/";
/// What stands between the head of a streamed answer and its body.
const DELIMITER: [u8; 8] = [0; 8];

pub(super) async fn answer(state: Arc<State>, request: Request<Incoming>) -> Response<Stream> {
    let path = request.uri().path().to_owned();
    match path.strip_prefix(INVOCATION).and_then(|rest| rest.split_once('/')) {
        None if path.ends_with("/next") => next(&state).await,
        Some((number, "response")) => {
            if request.headers().contains_key("lambda-runtime-function-response-mode") {
                streamed(&state, number, request.into_body()).await;
            } else if let Ok(body) = request.into_body().collect().await {
                let answered = event::answered(state.function.before, &body.to_bytes());
                state.answer(number, answered);
            }
            accepted()
        }
        Some((number, "error")) => {
            // The text stays with the platform, as it does there.
            let _read = request.into_body().collect().await;
            state.answer(number, says(StatusCode::BAD_GATEWAY, "Internal Server Error"));
            accepted()
        }
        Some(_) | None => says(StatusCode::NOT_FOUND, "no such call of the Runtime API"),
    }
}

/// The next event, when there is one.
async fn next(state: &State) -> Response<Stream> {
    let invocation = state.waiting.lock().await.recv().await;
    let Some(Invocation { event, reply }) = invocation else {
        return says(StatusCode::GONE, "the platform ends");
    };
    let number = state.take_up(reply);
    let deadline = SystemTime::now() + state.function.time;
    let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let mut answer = Response::new(Stream::whole(event));
    for (name, value) in [
        ("lambda-runtime-aws-request-id", number.to_string()),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:test:0:function:balance".into()),
        ("lambda-runtime-trace-id", "Root=1-0-0".into()),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

/// Passes a streamed answer on as it comes.
async fn streamed(state: &State, number: &str, mut body: Incoming) {
    let mut opening = BytesMut::new();
    let mut pieces: Option<mpsc::UnboundedSender<Bytes>> = None;
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        if let Some(pieces) = &pieces {
            // The caller may be gone.
            let _gone = pieces.send(data);
            continue;
        }
        opening.extend_from_slice(&data);
        let end = opening.windows(DELIMITER.len()).position(|bytes| bytes == DELIMITER);
        let Some(end) = end else { continue };
        let rest = opening.split_off(end + DELIMITER.len()).freeze();
        opening.truncate(end);
        let (sender, stream) = Stream::new();
        let _first = (!rest.is_empty()).then(|| sender.send(rest));
        state.answer(number, opened(state, &opening, stream));
        pieces = Some(sender);
    }
}

fn opened(state: &State, prelude: &[u8], stream: Stream) -> Answered {
    let prelude: Value = serde_json::from_slice(prelude).unwrap_or_default();
    match event::head(state.function.before, &prelude) {
        Some(head) if state.function.streams => head.map(|()| stream),
        Some(_) | None => says(StatusCode::BAD_GATEWAY, "Internal Server Error"),
    }
}

fn accepted() -> Response<Stream> {
    let mut answer = Response::new(Stream::whole(r#"{"status":"OK"}"#));
    *answer.status_mut() = StatusCode::ACCEPTED;
    answer
}
