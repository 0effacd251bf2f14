//! The error body of OpenAI's API.
//!
//! Invariant: `error` is an object and `code` is a string, never a number, as the official clients
//! expect.

use serde::Serialize;

use crate::json;

/// What went wrong, in the words of OpenAI's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ErrorObject<'a> {
    /// The place, the reason and the remedy, for people.
    pub message: &'a str,
    /// The class of the error, such as `invalid_request_error` or `server_error`.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// The field of the request that is at fault.
    pub param: Option<&'a str>,
    /// A stable word for programs, such as `rate_limit_exceeded`.
    pub code: Option<&'a str>,
}

impl ErrorObject<'_> {
    /// Appends the whole body, `{"error": {…}}`, as an answer or an event of a stream carries it.
    pub fn write(&self, out: &mut Vec<u8>) {
        json::write(&Body { error: self }, out);
    }

    /// Appends the body as an event of a stream.
    pub(crate) fn write_event(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"data: ");
        self.write(out);
        out.extend_from_slice(b"\n\n");
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a ErrorObject<'a>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_all_four_fields() {
        let error = ErrorObject {
            message: "Say \"model\".",
            kind: "invalid_request_error",
            param: Some("model"),
            code: None,
        };
        let mut out = Vec::new();
        error.write(&mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"error":{"message":"Say \"model\".","type":"invalid_request_error","param":"model","code":null}}"#
        );
    }
}
