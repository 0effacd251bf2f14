//! `files.list`, `get`, `delete` and download. Invariant: a file of another project is answered
//! exactly as one that does not exist. (Google lets only generated files be downloaded; the fake
//! lets all, so that large downloads can be tested.)

use bytes::Bytes;
use http::StatusCode;
use http::header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, HeaderValue};
use serde_json::json;

use super::call::Call;
use super::paging::{Sizes, page};
use crate::files::File;
use crate::google::{ApiError, ErrorName, Place};
use crate::log::lock;
use crate::reply::Reply;

pub(super) fn list(call: &Call<'_>) -> Result<Reply, ApiError> {
    let project = call.project()?;
    let items = lock(&call.state.files).list(project, call.state.now(), &call.state.base_url);
    Ok(Reply::json(&page(call, "files", items, &Sizes { usual: 10, most: 100 })?))
}

pub(super) fn read(call: &Call<'_>, name: &str) -> Result<Reply, ApiError> {
    Ok(Reply::json(&find(call, name)?.to_json(name, &call.state.base_url)))
}

pub(super) fn delete(call: &Call<'_>, name: &str) -> Result<Reply, ApiError> {
    let project = call.project()?;
    if lock(&call.state.files).delete(name, project, call.state.now()) {
        return Ok(Reply::json(&json!({})));
    }
    Err(forbidden(call, name))
}

pub(super) fn download(call: &Call<'_>, name: &str) -> Result<Reply, ApiError> {
    let file = find(call, name)?;
    let Some(content) = file.content() else {
        return Err(ApiError::invalid_argument("The fake keeps only files of up to 64 MiB."));
    };
    let mut reply = match call.header("range").and_then(|range| slice(range, content)) {
        Some((part, range)) => {
            let mut reply = Reply::new(StatusCode::PARTIAL_CONTENT, "", part);
            if let Ok(range) = HeaderValue::from_str(&range) {
                reply.headers.insert(CONTENT_RANGE, range);
            }
            reply
        }
        None => Reply::new(StatusCode::OK, "", content.clone()),
    };
    let octets = HeaderValue::from_static("application/octet-stream");
    let mime = HeaderValue::from_str(&file.mime_type).unwrap_or(octets);
    reply.headers.insert(CONTENT_TYPE, mime);
    reply.headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    Ok(reply)
}

fn find(call: &Call<'_>, name: &str) -> Result<File, ApiError> {
    let project = call.project()?;
    let found = lock(&call.state.files).find(name, project, call.state.now()).cloned();
    found.ok_or_else(|| forbidden(call, name))
}

fn forbidden(call: &Call<'_>, name: &str) -> ApiError {
    ErrorName::FileForbidden.at(&Place { name, ..call.place() })
}

/// The bytes of a range such as `bytes=5-9` or `bytes=5-`, and its `content-range`.
fn slice(range: &str, content: &Bytes) -> Option<(Bytes, String)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let first: usize = first.parse().ok()?;
    let last = if last.is_empty() { content.len() } else { last.parse::<usize>().ok()? + 1 };
    let last = last.min(content.len());
    if first >= last {
        return None;
    }
    let told = format!("bytes {first}-{}/{}", last - 1, content.len());
    Some((content.slice(first..last), told))
}
