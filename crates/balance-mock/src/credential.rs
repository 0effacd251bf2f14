//! The credentials of a request. Invariant: all are found, in every place where Google reads one,
//! since two of them are an error.

use std::borrow::Cow;

use http::{HeaderMap, Uri, header};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use crate::google::ErrorName;

/// Where a credential stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CredentialPlace {
    /// `x-goog-api-key`.
    #[serde(rename = "x-goog-api-key")]
    Header,
    /// `?key=`.
    #[serde(rename = "?key=")]
    Query,
    /// `Authorization`, of any scheme.
    #[serde(rename = "authorization")]
    Authorization,
}

/// A credential as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Where.
    pub place: CredentialPlace,
    /// What; of `Authorization` what follows the scheme.
    pub secret: String,
}

/// All credentials of a request.
pub(crate) fn credentials(uri: &Uri, headers: &HeaderMap) -> Vec<Credential> {
    let mut found = Vec::with_capacity(1);
    let mut add = |place, secret: Cow<'_, str>| {
        if !secret.is_empty() {
            found.push(Credential { place, secret: secret.into_owned() });
        }
    };
    for value in headers.get_all("x-goog-api-key") {
        add(CredentialPlace::Header, String::from_utf8_lossy(value.as_bytes()));
    }
    for secret in query_values(uri, "key") {
        add(CredentialPlace::Query, secret);
    }
    for value in headers.get_all(header::AUTHORIZATION) {
        let text = String::from_utf8_lossy(value.as_bytes());
        let secret = text.split_once(' ').map_or(&*text, |(_, secret)| secret);
        add(CredentialPlace::Authorization, secret.into());
    }
    found
}

/// The one API key of a request, or what is wrong with its credentials.
pub(crate) fn api_key(found: &[Credential]) -> Result<&str, ErrorName> {
    match found {
        [] => Err(ErrorName::NoKey),
        [Credential { place: CredentialPlace::Authorization, .. }] => {
            Err(ErrorName::TokenUnsupported)
        }
        [one] => Ok(&one.secret),
        _ => Err(ErrorName::TwoCredentials),
    }
}

/// The values of a query parameter, decoded.
pub(crate) fn query_values<'a>(uri: &'a Uri, name: &'a str) -> impl Iterator<Item = Cow<'a, str>> {
    uri.query()
        .unwrap_or_default()
        .split('&')
        .filter_map(move |pair| pair.strip_prefix(name)?.strip_prefix('='))
        .map(|value| percent_decode_str(value).decode_utf8_lossy())
}

/// The first value of a query parameter, decoded.
pub(crate) fn query_value<'a>(uri: &'a Uri, name: &'a str) -> Option<Cow<'a, str>> {
    query_values(uri, name).next()
}
