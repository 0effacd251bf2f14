//! Resumable uploads. Invariant: a body is taken piece by piece as it arrives, and what arrived
//! before a connection broke counts.

use bytes::Bytes;
use http::StatusCode;
use http::header::{HeaderName, HeaderValue};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::call::Call;
use super::route::Route;
use crate::files::Start;
use crate::google::{ApiError, ErrorName, Place};
use crate::log::{Ticket, lock};
use crate::reply::{Cut, JSON, Reply};
use sha2::{Digest, Sha256};

const STATUS: HeaderName = HeaderName::from_static("x-goog-upload-status");
const SIZE_RECEIVED: HeaderName = HeaderName::from_static("x-goog-upload-size-received");
const URL: HeaderName = HeaderName::from_static("x-goog-upload-url");
const CONTROL_URL: HeaderName = HeaderName::from_static("x-goog-upload-control-url");
const GRANULARITY: HeaderName = HeaderName::from_static("x-goog-upload-chunk-granularity");

/// The `start` command: an address to send the bytes to.
pub(super) fn start(call: &Call<'_>) -> Result<Reply, ApiError> {
    let project = call.project()?;
    if call.header("x-goog-upload-protocol") != Some("resumable") || !has(call, "start") {
        return Err(ApiError::invalid_argument(
            "The fake takes resumable uploads only: send X-Goog-Upload-Protocol: resumable and \
             X-Goog-Upload-Command: start.",
        ));
    }
    let length = call.header("x-goog-upload-header-content-length");
    let mime_type = call.header("x-goog-upload-header-content-type");
    let id = lock(&call.state.files).start(Start {
        project,
        mime_type: mime_type.unwrap_or("application/octet-stream").to_owned(),
        declared: length.and_then(|length| length.parse().ok()),
        metadata: call.json()?,
    });
    let base = &call.state.base_url;
    let url = format!("{base}{}?upload_id={id}&upload_protocol=resumable", call.path);
    let mut reply = status("active");
    if let Ok(url) = HeaderValue::from_str(&url) {
        reply.headers.insert(URL, url.clone());
        reply.headers.insert(CONTROL_URL, url);
    }
    reply.headers.insert(GRANULARITY, HeaderValue::from_static("262144"));
    Ok(reply)
}

/// Everything after the start.
pub(super) async fn receive(
    call: &Call<'_>,
    body: Incoming,
    ticket: &Ticket,
) -> Result<Reply, Cut> {
    let Some(Route::ContinueUpload(id)) = &call.route else {
        return Err(Cut);
    };
    if let Err(error) = authorize(call, id) {
        drain(body, ticket).await?;
        return Ok(Reply::error(&error, call.form()));
    }
    let reply = if has(call, "cancel") {
        drain(body, ticket).await?;
        lock(&call.state.files).cancel(id);
        Ok(status("cancelled"))
    } else if has(call, "query") {
        drain(body, ticket).await?;
        Ok(progress(call, id))
    } else {
        take(call, id, body, ticket).await?
    };
    Ok(reply.unwrap_or_else(|error| Reply::error(&error, call.form())))
}

/// Reads a body that nobody wants.
pub(super) async fn drain(body: Incoming, ticket: &Ticket) -> Result<(), Cut> {
    each_piece(body, ticket, |_| {}).await
}

/// The commands `upload` and `finalize`.
async fn take(
    call: &Call<'_>,
    id: &str,
    body: Incoming,
    ticket: &Ticket,
) -> Result<Result<Reply, ApiError>, Cut> {
    if let Err(error) = check_offset(call, id) {
        drain(body, ticket).await?;
        return Ok(Err(error));
    }
    let files = &call.state.files;
    each_piece(body, ticket, |piece| lock(files).append(id, piece)).await?;
    if !has(call, "finalize") {
        return Ok(Ok(progress(call, id)));
    }
    let finished = lock(files).finish(id, call.state.now(), &call.state.base_url);
    Ok(finished.map_err(ApiError::invalid_argument).map(|file| {
        let mut reply = Reply::json(&file);
        reply.headers.insert(STATUS, HeaderValue::from_static("final"));
        reply
    }))
}

async fn each_piece(
    mut body: Incoming,
    ticket: &Ticket,
    mut take: impl FnMut(&Bytes),
) -> Result<(), Cut> {
    let mut digest = Sha256::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Err(Cut) };
        if let Some(piece) = frame.data_ref() {
            ticket.received(piece.len());
            digest.update(piece);
            take(piece);
        }
    }
    ticket.digest(digest.finalize().into());
    Ok(())
}

/// The upload must exist, and a key that comes along must be its project's.
fn authorize(call: &Call<'_>, id: &str) -> Result<(), ApiError> {
    let Some((owner, _)) = lock(&call.state.files).progress(id) else {
        return Err(ApiError::plain(404, "NOT_FOUND", "Requested entity was not found."));
    };
    if !call.is_anonymous() && call.project()? != owner {
        return Err(ErrorName::FileForbidden.at(&Place { name: id, ..call.place() }));
    }
    Ok(())
}

fn check_offset(call: &Call<'_>, id: &str) -> Result<(), ApiError> {
    let received = lock(&call.state.files).progress(id).map_or(0, |(_, received)| received);
    let offset = call.header("x-goog-upload-offset").map(str::parse::<u64>);
    match offset {
        None => Ok(()),
        Some(Ok(offset)) if offset == received => Ok(()),
        Some(_) => Err(ApiError::invalid_argument(format!(
            "Invalid X-Goog-Upload-Offset: {received} bytes were received."
        ))),
    }
}

fn progress(call: &Call<'_>, id: &str) -> Reply {
    let received = lock(&call.state.files).progress(id).map_or(0, |(_, received)| received);
    let mut reply = status("active");
    reply.headers.insert(SIZE_RECEIVED, received.into());
    reply
}

fn status(word: &'static str) -> Reply {
    let mut reply = Reply::new(StatusCode::OK, JSON, Bytes::new());
    reply.headers.insert(STATUS, HeaderValue::from_static(word));
    reply
}

/// Whether `X-Goog-Upload-Command`, a list, holds a command.
fn has(call: &Call<'_>, command: &str) -> bool {
    call.header("x-goog-upload-command")
        .is_some_and(|list| list.split(',').any(|word| word.trim() == command))
}
