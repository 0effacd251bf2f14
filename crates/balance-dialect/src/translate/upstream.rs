//! Requests to Gemini, ready to be sent.
//!
//! Invariant: a model's name takes one segment of the path, whatever letters it has.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde::Serialize;

use crate::gemini::generate::request::GenerateContentRequest;
use crate::json;

/// The letters that stand for themselves in a path (RFC 3986, unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A request to Gemini.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The path with its query, such as
    /// `/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse`.
    pub path: String,
    /// The JSON to post; without one the request is a GET.
    pub body: Option<Vec<u8>>,
}

impl Upstream {
    /// `generateContent` or `streamGenerateContent`; `size` is about how long the body will be.
    pub(super) fn generate(
        model: &str,
        stream: bool,
        request: &GenerateContentRequest<'_>,
        size: usize,
    ) -> Self {
        let method = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
        Self::post(model, method, request, size)
    }

    /// Any method of a model.
    pub(super) fn post(model: &str, method: &str, body: &impl Serialize, size: usize) -> Self {
        let mut json = Vec::with_capacity(size + 256);
        json::write(body, &mut json);
        Self { path: [&model_path(model), ":", method].concat(), body: Some(json) }
    }
}

/// The path of a model.
pub(super) fn model_path(model: &str) -> String {
    ["/v1beta/models/"].into_iter().chain(segment(model)).collect()
}

/// A name as one segment of a path.
pub(crate) fn segment(name: &str) -> PercentEncode<'_> {
    utf8_percent_encode(name, SEGMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_one_segment_of_the_path() {
        assert_eq!(model_path("gemini-2.5-flash"), "/v1beta/models/gemini-2.5-flash");
        assert_eq!(model_path("a:b@c é"), "/v1beta/models/a%3Ab%40c%20%C3%A9");
    }
}
