//! The answers that need no key: the status page, health, a browser's preflight.
//!
//! Invariant: they tell nothing that a stranger may not know.

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::json;

use crate::{body::Body, pool::Census, reply::Draft};

/// The status page, in English and Chinese.
pub(crate) fn home<B>() -> Draft<B> {
    Draft::full("text/html; charset=utf-8", include_str!("page/home.html"))
}

/// Whether the server can serve, and how many of its keys can.
/// `sharing` tells of the store, if there is one.
pub(crate) fn health<B>(census: &Census, sharing: Option<&String>) -> Draft<B> {
    let out: serde_json::Map<_, _> =
        census.out.iter().map(|(why, count)| ((*why).to_owned(), (*count).into())).collect();
    let mut body = json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "keys": {
            "total": census.total,
            "ready": census.ready + census.doubtful,
            "resting": census.resting,
            "disabled": census.disabled,
            "out": out,
        },
    });
    if let (Some(sharing), Some(body)) = (sharing, body.as_object_mut()) {
        body.insert("store".into(), sharing.as_str().into());
    }
    Draft::full("application/json", body.to_string())
}

/// Allows a page of any origin to call us with the headers that it asks for.
pub(crate) fn preflight<B>(headers: &HeaderMap) -> Draft<B> {
    let mut response = Response::new(Body::Full(bytes::Bytes::new()));
    *response.status_mut() = StatusCode::NO_CONTENT;
    let asked = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let answer = response.headers_mut();
    let fixed = HeaderValue::from_static;
    answer.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        fixed("GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"),
    );
    answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.unwrap_or_else(|| fixed("*")));
    answer.insert(header::ACCESS_CONTROL_MAX_AGE, fixed("86400"));
    Draft::of(response)
}
