//! What the pool would do, told to its operator, and the way that an answer took, told to its caller.
//!
//! Invariant: without an admin token this part of the server does not exist, and no key is shown but
//! masked or by its name.

use std::fmt::Write as _;

use http::{HeaderValue, Uri, header, request};

use super::Gateway;
use crate::{
    authorize::credential, error::Error, host::Host, pool::Ask, pools::PoolId, reply::Draft,
    trail::Trail,
};

/// How many keys are told of one by one, unless the operator asks for more or fewer.
const USUAL_CANDIDATES: usize = 100;

/// The most that may be asked for.
const MOST_CANDIDATES: usize = 1000;

/// The header that tells the way of a request, and the one that tells how its pool stands.
const WAY: &str = "x-gemini-balance-way";
const STANDING: &str = "x-gemini-balance-pool";

/// How many keys the latter tells of, and how long it may be: clients and proxies take 8 kB of all
/// headers together.
const CANDIDATES_IN_HEADER: usize = 8;
const LONGEST_HEADER: usize = 4096;

impl<H: Host> Gateway<H> {
    /// What the operator's pool ignored since this was last asked, for the log: settings that are of
    /// no use, and each kind of odd answer once.
    pub fn take_remarks(&self) -> Vec<String> {
        self.pools().of(PoolId::Operator, self.host.now()).take_remarks()
    }

    /// How the keys of the pool stand for `?model=`, the best `?most=` of them one by one.
    ///
    /// # Errors
    /// [`Error::NotFound`] if no admin token is set, [`Error::Unauthorized`] for another one.
    pub(super) fn explain(&self, head: &request::Parts) -> Result<Draft<H::Body>, Error> {
        if self.settings.admin_token.is_empty() {
            return Err(Error::NotFound);
        }
        let shown = credential(&head.headers, &head.uri);
        if !shown.as_deref().is_some_and(|shown| self.settings.admin_token.admit(shown)) {
            return Err(Error::Unauthorized { credential_given: shown.is_some() });
        }
        let model = parameter(&head.uri, "model");
        let most = parameter(&head.uri, "most").and_then(|most| most.parse().ok());
        let most = most.unwrap_or(USUAL_CANDIDATES).min(MOST_CANDIDATES);
        let now = self.host.now();
        let model = model.as_deref().map(|model| model.strip_prefix("models/").unwrap_or(model));
        let ask = Ask { model, ..Ask::default() };
        let explanation = self.pools().of(PoolId::Operator, now).explain(&ask, most, now);
        let body = serde_json::to_vec(&explanation).map_err(|_| Error::Bug("an explanation"))?;
        let mut reply = Draft::full("application/json", body);
        let fresh = HeaderValue::from_static("no-store");
        reply.response.headers_mut().insert(header::CACHE_CONTROL, fresh);
        Ok(reply)
    }

    /// Tells in the reply's head which keys were tried, and how the pool stands for the request now,
    /// where the operator wants that.
    pub(super) fn tell_way(&self, reply: &mut Draft<H::Body>, trail: &Trail) {
        if !self.settings.explain_header.0 {
            return;
        }
        if let Some(standing) = self.standing(trail) {
            reply.response.headers_mut().insert(STANDING, standing);
        }
        if trail.tries.is_empty() {
            return;
        }
        let mut way = String::new();
        for one in &trail.tries {
            let comma = if way.is_empty() { "" } else { ", " };
            // Writing to a String cannot fail.
            let _written = write!(way, "{comma}{}={}", one.key, one.fault.unwrap_or("ok"));
        }
        if let Ok(way) = HeaderValue::try_from(way) {
            reply.response.headers_mut().insert(WAY, way);
        }
    }
}

impl<H: Host> Gateway<H> {
    /// What is known of the pool that a request asked, of as many keys as a header has room for.
    fn standing(&self, trail: &Trail) -> Option<HeaderValue> {
        let now = self.host.now();
        let tried: Vec<_> = trail.tries.iter().map(|one| one.key).collect();
        let ask = Ask { model: trail.model.as_deref(), tried: &tried, ..Ask::default() };
        let mut told = self.pools().of(trail.pool?, now).explain(&ask, CANDIDATES_IN_HEADER, now);
        loop {
            let text = in_ascii(&serde_json::to_string(&told).ok()?);
            if text.len() <= LONGEST_HEADER {
                return HeaderValue::try_from(text).ok();
            }
            told.candidates.pop()?;
            told.omitted += 1;
        }
    }
}

/// The same JSON without letters that headers do not take.
fn in_ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_ascii() {
            text.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _written = write!(text, "\\u{unit:04x}");
        }
    }
    text
}

fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let pairs = uri.query()?.split('&');
    let value = pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?.1;
    let value = percent_encoding::percent_decode_str(value).decode_utf8().ok()?;
    (!value.is_empty()).then(|| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_any_script_stand_in_a_header_and_are_read_as_they_were() {
        let json = r#"{"project":"проект 😀","model":"a"}"#;
        let text = in_ascii(json);
        assert!(text.is_ascii());
        let read = |text| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&text), read(json));
    }
}
