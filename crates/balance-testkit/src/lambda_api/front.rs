//! The front: a caller's request becomes an event, the function's answer the caller's.
//!
//! Invariant: a caller that leaves is not told of.

use std::sync::Arc;

use http::{Request, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::{sync::oneshot, time::timeout};

use super::{Invocation, State, event};
use crate::answer_stream::{Answered, says};

pub(super) async fn answer(state: Arc<State>, request: Request<Incoming>) -> Answered {
    // The platform goes on with what a caller has begun, whether or not it stays.
    let asking = tokio::spawn(ask(state, request));
    asking.await.unwrap_or_else(|_| says(StatusCode::BAD_GATEWAY, "Internal Server Error"))
}

async fn ask(state: Arc<State>, request: Request<Incoming>) -> Answered {
    let (head, body) = request.into_parts();
    let before = state.function.before;
    let Ok(body) = body.collect().await else {
        return says(StatusCode::BAD_REQUEST, "Bad Request");
    };
    let body = body.to_bytes();
    if body.len() > before.largest() {
        return says(StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long");
    }
    let event = event::of(before, &head, &body).to_string();
    let (reply, answered) = oneshot::channel();
    if state.queue.send(Invocation { event, reply }).await.is_err() {
        return says(StatusCode::BAD_GATEWAY, "Internal Server Error");
    }
    match timeout(state.function.time, answered).await {
        Ok(Ok(answered)) => answered,
        Ok(Err(_)) => says(StatusCode::BAD_GATEWAY, "Internal Server Error"),
        Err(_) => says(StatusCode::BAD_GATEWAY, "Task timed out"),
    }
}
