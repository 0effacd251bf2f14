//! Errors as HTTP answers, in the shape of the API that was called.
//!
//! Invariant: this is the only place that writes an error body, and whatever comes from upstream
//! has been scrubbed of keys.

use balance_dialect::{gemini, openai::error::ErrorObject};
use http::{HeaderMap, HeaderValue, Response, header};

use crate::{body::Body, error::Error, route::Dialect};

mod openai;

/// The answer that an error gives.
pub(crate) fn render<B>(error: &Error, dialect: Dialect) -> Response<Body<B>> {
    let mut body = Vec::new();
    let status = match (dialect, error) {
        (Dialect::Gemini, Error::Upstream { fault, .. }) if !fault.body.is_empty() => {
            body.extend_from_slice(&fault.body);
            fault.status
        }
        (Dialect::Gemini, _) => {
            let (status, message) = (error.status(), error.to_string());
            let word = gemini::error::status_word(status.as_u16());
            gemini::error::write(status.as_u16(), word, &message, error.retry_after(), &mut body);
            status
        }
        (Dialect::OpenAi, _) => {
            let message = error.to_string();
            let class = openai::classify(error);
            let param = class.param.as_deref();
            ErrorObject { message: &message, kind: class.kind, param, code: Some(class.code) }
                .write(&mut body);
            class.status
        }
    };
    let mut response = Response::new(Body::Full(body.into()));
    *response.status_mut() = status;
    describe(error, response.headers_mut());
    if let (Dialect::Gemini, Error::Upstream { fault, .. }) = (dialect, error)
        && let Some(kind) = &fault.content_type
    {
        response.headers_mut().insert(header::CONTENT_TYPE, kind.clone());
    }
    response
}

fn describe(error: &Error, headers: &mut HeaderMap) {
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, json);
    if let Some(after) = error.retry_after() {
        let seconds = crate::error::whole_seconds(after);
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Error::MethodNotAllowed { allowed } = error
        && let Ok(list) = HeaderValue::try_from(crate::error::list(allowed))
    {
        headers.insert(header::ALLOW, list);
    }
    if let Error::Unauthorized { .. } = error {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
}
