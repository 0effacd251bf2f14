//! Who calls, and whose keys are used.
//!
//! Invariant: a credential is read from one place, in one order of preference, and is never
//! forwarded. Nobody uses the pool by accident: a pool without tokens opens to no one.

use std::{borrow::Cow, collections::HashSet};

use http::{HeaderMap, HeaderName, Uri, header::AUTHORIZATION};

use crate::{
    error::Error,
    headers::GOOGLE_KEY,
    key::Key,
    settings::{CallerKeys, Settings},
};

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const API_KEY: HeaderName = HeaderName::from_static("api-key");

/// Whose keys a request uses.
#[derive(Debug)]
pub(crate) enum Caller {
    /// A caller of the operator: the pool.
    Member,
    /// An owner of keys: those keys, and no others.
    Owner(Vec<Key>),
}

/// Decides whose keys the request may use.
///
/// # Errors
/// [`Error::Unauthorized`] for a stranger; [`Error::NoTokens`] and [`Error::NoKeys`] where the
/// operator has something left to set.
pub(crate) fn authorize(
    headers: &HeaderMap,
    uri: &Uri,
    settings: &Settings,
) -> Result<Caller, Error> {
    let place = settings.place;
    let credential = credential(headers, uri);
    let pool_is_empty = settings.api_keys.0.is_empty();
    if credential.as_deref().is_some_and(|token| settings.access_tokens.admit(token)) {
        return if pool_is_empty { Err(Error::NoKeys { place }) } else { Ok(Caller::Member) };
    }
    let own_keys_allowed = match settings.caller_keys {
        CallerKeys::Auto => pool_is_empty,
        CallerKeys::Always => true,
        CallerKeys::Never => false,
    };
    if own_keys_allowed && let Some(keys) = credential.as_deref().and_then(keys_in) {
        return Ok(Caller::Owner(keys));
    }
    match (pool_is_empty, settings.open_pool.0) {
        (false, true) => Ok(Caller::Member),
        (false, false) if settings.access_tokens.is_empty() => Err(Error::NoTokens { place }),
        (true, _) if !own_keys_allowed => Err(Error::NoKeys { place }),
        (true | false, _) => Err(Error::Unauthorized { credential_given: credential.is_some() }),
    }
}

/// The Gemini keys that a caller shows to be checked by `/verify`, whoever may use the pool.
#[must_use]
pub(crate) fn shown_keys(headers: &HeaderMap, uri: &Uri) -> Option<Vec<Key>> {
    credential(headers, uri).as_deref().and_then(keys_in)
}

/// What the caller shows: `Authorization: Bearer`, `x-goog-api-key`, `x-api-key`, `api-key`,
/// `?key=`, in this order.
pub(crate) fn credential<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<Cow<'a, str>> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text(&AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    });
    bearer
        .or_else(|| text(&GOOGLE_KEY))
        .or_else(|| text(&X_API_KEY))
        .or_else(|| text(&API_KEY))
        .map(|token| Cow::Borrowed(token.trim()))
        .or_else(|| key_in_query(uri.query()?))
        .filter(|token| !token.is_empty())
}

fn key_in_query(query: &str) -> Option<Cow<'_, str>> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("key="))?;
    percent_encoding::percent_decode_str(value).decode_utf8().ok()
}

/// Keys in one credential, comma separated, spaces allowed; `None` if one of them is no key.
fn keys_in(credential: &str) -> Option<Vec<Key>> {
    let texts = credential.split(',').map(str::trim).filter(|text| !text.is_empty());
    let mut keys: Vec<Key> = texts.map(|text| Key::parse(text).ok()).collect::<Option<_>>()?;
    let mut seen = HashSet::new();
    keys.retain(|key| seen.insert(key.id));
    (!keys.is_empty()).then_some(keys)
}

#[cfg(test)]
mod tests;
