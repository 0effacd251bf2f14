//! Google's error bodies: read in any of the shapes they come in, and written.
//!
//! Invariant: reading never fails as a whole because of a part. A field of the wrong type counts
//! as absent, and a detail that cannot be understood is kept as [`Detail::Other`].

use std::time::Duration;

use memchr::memmem;
use serde_json::{Map, Value, json};

pub use self::detail::{Detail, FieldViolation, Link, QuotaDimensions, Violation};
pub use self::duration::retry_after_in_message;
use crate::sse;

mod detail;
mod duration;
#[cfg(test)]
mod tests;

/// What stands under `error` in an error body.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ErrorBody {
    /// The HTTP status that the body names, which may differ from the one it came with.
    pub code: Option<u16>,
    /// The canonical word, as `RESOURCE_EXHAUSTED`; for the Interactions API, which has a word in
    /// place of the number, that word, as `rate_limit_exceeded`.
    pub status: Option<String>,
    /// The text for people. It may quote the API key: mask it before it is shown or logged.
    pub message: String,
    /// Typed facts about the error, in the order they came.
    pub details: Vec<Detail>,
}

impl ErrorBody {
    /// Reads an error from a whole body: an object with `error`, that object in an array, or
    /// server-sent events of which one is such an object. `None` for anything else, as HTML.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        // Most bodies that are no error are told by a quick search, before any parsing.
        memmem::find(body, b"\"error\"")?;
        match crate::json::read(body) {
            Ok(value) => Self::from_value(value),
            Err(_) => Self::parse_events(body),
        }
    }

    /// Reads an error from a parsed body, an object with `error` or an array of such.
    #[must_use]
    pub fn from_value(body: Value) -> Option<Self> {
        match body {
            Value::Array(elements) => elements.into_iter().find_map(Self::from_value),
            Value::Object(mut body) => Self::from_error(body.remove("error")?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        }
    }

    /// Reads what stands under `error`: an object, or only a message.
    #[must_use]
    pub fn from_error(error: Value) -> Option<Self> {
        match error {
            Value::Object(error) => Some(Self::from_object(error)),
            Value::String(message) => Some(Self { message, ..Self::default() }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
        }
    }

    fn from_object(mut error: Map<String, Value>) -> Self {
        let code = error.get("code").and_then(detail::count);
        let word = error.get("code").and_then(Value::as_str).filter(|_| code.is_none());
        let status = error.get("status").and_then(Value::as_str).or(word).map(str::to_owned);
        let code = code.and_then(|code| u16::try_from(code).ok());
        let message = detail::text(&error, "message");
        let details = match error.remove("details") {
            Some(Value::Array(details)) => details.into_iter().map(Detail::from_value).collect(),
            _ => Vec::new(),
        };
        Self { code, status, message, details }
    }

    fn parse_events(body: &[u8]) -> Option<Self> {
        let mut decoder = sse::Decoder::new(usize::MAX);
        decoder.push(body);
        std::iter::from_fn(|| decoder.finish())
            .filter_map(|event| crate::json::read(&event.data).ok())
            .find_map(Self::from_value)
    }

    /// The machine word of the first `ErrorInfo`, as `API_KEY_INVALID`.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.details.iter().find_map(|detail| {
            let Detail::ErrorInfo { reason, .. } = detail else { return None };
            (!reason.is_empty()).then_some(reason.as_str())
        })
    }

    /// The first field of the request that is named as wrong, by its path, in the details or else
    /// in the message.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        let named = self.details.iter().find_map(|detail| {
            let Detail::BadRequest { field_violations } = detail else { return None };
            field_violations.iter().map(|it| it.field.as_str()).find(|field| !field.is_empty())
        });
        // `Invalid value at 'generation_config.top_k' (TYPE_INT32)`, and
        // `* GenerateContentRequest.contents[0].parts: contents.parts must not be empty.`
        let quoted = || self.message.split_once(" at '")?.1.split_once('\'').map(|(path, _)| path);
        let listed = || {
            let (_, path) = self.message.split_once("* GenerateContentRequest.")?;
            path.split_once(':').map(|(path, _)| path)
        };
        named.or_else(quoted).or_else(listed)
    }

    /// All violated quotas, of all `QuotaFailure` details.
    pub fn quota_violations(&self) -> impl Iterator<Item = &Violation> {
        self.details.iter().flat_map(|detail| {
            let Detail::QuotaFailure { violations } = detail else { return [].as_slice() };
            violations
        })
    }

    /// How long Google asks to wait: `RetryInfo`, else what the message says.
    #[must_use]
    pub fn retry_delay(&self) -> Option<Duration> {
        let stated = self.details.iter().find_map(|detail| {
            let Detail::RetryInfo { retry_delay } = detail else { return None };
            *retry_delay
        });
        stated.or_else(|| retry_after_in_message(&self.message))
    }

    /// The number of the project that the key belongs to, from `ErrorInfo`'s
    /// `consumer: "projects/123"`.
    #[must_use]
    pub fn project_number(&self) -> Option<&str> {
        self.details.iter().find_map(|detail| {
            let Detail::ErrorInfo { metadata, .. } = detail else { return None };
            let number = metadata.get("consumer")?.strip_prefix("projects/")?;
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then_some(number)
        })
    }

    /// Whether the message is about a file, a cache or a tuned model. Google answers 403 to a key
    /// of another project than the one that owns it, which says nothing against the key.
    #[must_use]
    pub fn mentions_resource(&self) -> bool {
        const SIGNS: &[&str] = &[
            "access the file",
            "files/",
            "cachedcontent not found",
            "cachedcontents/",
            "cached content",
            "tuned model",
            "tunedmodels/",
        ];
        let message = self.message.to_ascii_lowercase();
        SIGNS.iter().any(|sign| message.contains(sign))
    }
}

/// Writes an error body in Google's shape: `{"error":{code,message,status}}`, with a `RetryInfo`
/// detail when it is known when to come back.
pub fn write(
    code: u16,
    status: &str,
    message: &str,
    retry_after: Option<Duration>,
    out: &mut Vec<u8>,
) {
    let mut error = json!({ "code": code, "message": message, "status": status });
    if let (Some(error), Some(delay)) = (error.as_object_mut(), retry_after) {
        let details = json!([{
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": duration::protobuf_text(delay),
        }]);
        error.insert("details".to_owned(), details);
    }
    out.extend_from_slice(json!({ "error": error }).to_string().as_bytes());
}

/// Google's canonical word for an HTTP status
/// (<https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto>).
#[must_use]
pub fn status_word(code: u16) -> &'static str {
    match code {
        200..=299 => "OK",
        401 => "UNAUTHENTICATED",
        402 | 412 => "FAILED_PRECONDITION",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        405 | 501 => "UNIMPLEMENTED",
        408 | 504 => "DEADLINE_EXCEEDED",
        409 => "ABORTED",
        416 => "OUT_OF_RANGE",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        400..=498 => "INVALID_ARGUMENT",
        502 | 503 => "UNAVAILABLE",
        500..=599 => "INTERNAL",
        _ => "UNKNOWN",
    }
}
