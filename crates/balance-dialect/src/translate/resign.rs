//! A request whose signatures of thoughts Google refused, with the stand-in that it documents.
//!
//! Invariant: nothing but signatures changes; the first call of each step is signed, and nothing
//! else is, as Google wants it.

use super::dialogue::LOST_SIGNATURE;
use crate::json::fields::Fields;

const SIGNATURE: [&str; 2] = ["thoughtSignature", "thought_signature"];
const CALL: [&str; 2] = ["functionCall", "function_call"];

/// The body of a request for generated content, signed anew; none when that changes nothing.
#[must_use]
pub fn resign(body: &[u8]) -> Option<Vec<u8>> {
    let mut request = Fields::read(body)?;
    let mut changed = false;
    request.each(&["contents"], |_, turn| {
        let mut is_signed = false;
        turn.each(&["parts"], |_, part| {
            let old = part.text(&SIGNATURE).map(std::borrow::Cow::into_owned);
            if part.has(&CALL) && !is_signed {
                is_signed = true;
                part.set(&SIGNATURE, &LOST_SIGNATURE);
                changed |= old.as_deref() != Some(LOST_SIGNATURE);
            } else {
                part.remove(&SIGNATURE);
                changed |= old.is_some();
            }
        });
    });
    if changed { serde_json::to_vec(&request).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_first_call_of_each_step_is_signed_anew_and_nothing_else() {
        let call = json!({ "name": "f", "args": {} });
        let response = json!({ "functionResponse": { "name": "f", "response": {} } });
        let contents = |first: Value, second: Value, third: Value| {
            json!({ "tools": [], "contents": [
                { "role": "user", "parts": [{ "text": "Hi" }] },
                { "role": "model", "parts": [first, second] },
                { "role": "user", "parts": [response, response] },
                { "role": "model", "parts": [third] },
            ] })
        };
        let asked = contents(
            json!({ "text": "Let me see.", "thoughtSignature": "x" }),
            json!({ "functionCall": call, "thoughtSignature": "y" }),
            json!({ "functionCall": call }),
        );
        let signed = json!({ "functionCall": call, "thoughtSignature": LOST_SIGNATURE });
        let expected = contents(json!({ "text": "Let me see." }), signed.clone(), signed);
        let resigned = resign(asked.to_string().as_bytes()).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&resigned).unwrap(), expected);
        // What is signed anew already stays as it is.
        assert_eq!(resign(&resigned), None);
    }

    #[test]
    fn of_parallel_calls_only_the_first_is_signed() {
        let parts = json!([{ "functionCall": { "name": "f" } }, { "functionCall": { "name": "g" }, "thoughtSignature": "x" }]);
        let body = json!({ "contents": [{ "role": "model", "parts": parts }] }).to_string();
        let resigned: Value = serde_json::from_slice(&resign(body.as_bytes()).unwrap()).unwrap();
        assert_eq!(resigned["contents"][0]["parts"][0]["thoughtSignature"], LOST_SIGNATURE);
        assert_eq!(resigned["contents"][0]["parts"][1].get("thoughtSignature"), None);
    }

    #[test]
    fn a_request_without_calls_or_signatures_stays_as_it_is() {
        for body in ["", "[]", r#"{"contents": 1}"#, r#"{"contents":[{"parts":[{"text":"a"}]}]}"#] {
            assert_eq!(resign(body.as_bytes()), None, "{body}");
        }
    }
}
