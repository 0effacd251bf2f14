//! Which headers and query parameters cross the gateway, in either direction.
//!
//! Invariant: no credential of the caller reaches upstream, and nothing that belongs to one
//! connection crosses to another (RFC 9110 §7.6.1).

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{grant::Grant, key::KeyId, secret::Secret};

/// Our own query parameter in upload links.
const GRANT_PARAMETER: &str = "gb_grant";

/// Google's own header for a key.
pub(crate) const GOOGLE_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");

/// Headers of upstream's answers that hold links to itself.
const LINKS: [HeaderName; 3] = [
    header::LOCATION,
    HeaderName::from_static("x-goog-upload-url"),
    HeaderName::from_static("x-goog-upload-control-url"),
];

/// The headers of a native request that upstream sees.
pub(crate) fn for_upstream(mut headers: HeaderMap) -> HeaderMap {
    remove(&mut headers, |name| belongs_to_connection(name) || is_private(name));
    headers
}

/// The headers of an upstream response that the caller sees. `content-length` stays only where the
/// body does.
pub(crate) fn for_caller(mut headers: HeaderMap, body_is_kept: bool) -> HeaderMap {
    remove(&mut headers, |name| match name {
        "content-length" => !body_is_kept,
        "alt-svc" => true,
        _ => belongs_to_connection(name),
    });
    headers
}

/// Whether a header is one connection's, or one that the sending client sets itself.
fn belongs_to_connection(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "content-length"
            | "host"
            | "keep-alive"
            | "proxy-authenticate"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Whether a header tells who the caller is to us, or where it comes from: nothing of it is Google's
/// business. Some are known by how they begin: what proxies and platforms add, and OpenAI's project
/// headers, which Google counts as a second credential.
fn is_private(name: &str) -> bool {
    let is_named = matches!(
        name,
        "api-key"
            | "authorization"
            | "cookie"
            | "expect"
            | "forwarded"
            | "origin"
            | "proxy-authorization"
            | "referer"
            | "true-client-ip"
            | "via"
            | "x-api-key"
            | "x-goog-api-key"
            | "x-real-ip"
    );
    let begins = |with: &str| name.starts_with(with);
    is_named
        || begins("cf-")
        || begins("fly-")
        || begins("openai-")
        || begins("sec-")
        || begins("x-amzn-")
        || begins("x-forwarded-")
        || begins("x-nf-")
        || begins("x-vercel-")
}

/// Removes the headers that `leaves` names, and those that `Connection` does.
fn remove(headers: &mut HeaderMap, leaves: impl Fn(&str) -> bool) {
    let listed = headers.get_all(header::CONNECTION).iter();
    let listed = listed.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let listed: Vec<HeaderName> = listed.filter_map(|name| name.trim().parse().ok()).collect();
    let leaves = |name: &&HeaderName| leaves(name.as_str()) || listed.contains(name);
    let leaving: Vec<HeaderName> = headers.keys().filter(leaves).cloned().collect();
    for name in leaving {
        headers.remove(name);
    }
}

/// Points links of upstream at us, so that the caller comes back through the pool: `Location`, and
/// the address of a started upload, with the permission to use it with the key it was started with.
pub(crate) fn point_links_at(
    headers: &mut HeaderMap,
    upstream: &str,
    ours: &str,
    key: KeyId,
    secret: &Secret,
) {
    for name in &LINKS {
        let Some(link) = headers.get(name).and_then(|link| link.to_str().ok()) else { continue };
        let (place, query) = link.split_once('?').map_or((link, None), |(p, q)| (p, Some(q)));
        // A link may show the key as well.
        let place = place.to_owned() + &Query::of(query).for_upstream;
        let path = place.strip_prefix(upstream).filter(|path| path.starts_with('/'));
        let link = match path {
            None => place,
            Some(path) if *name == header::LOCATION => format!("{ours}{path}"),
            Some(path) => {
                let grant = Grant::for_link(path, key, secret);
                let mark = if path.contains('?') { '&' } else { '?' };
                format!("{ours}{path}{mark}{GRANT_PARAMETER}={grant}")
            }
        };
        if let Ok(link) = HeaderValue::try_from(link) {
            headers.insert(name, link);
        }
    }
}

/// A query, taken apart into what is for upstream and what is for us.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    /// The rest, byte for byte, with its `?`; empty if there is none.
    pub(crate) for_upstream: String,
    /// The permission that a link of ours carries.
    pub(crate) grant: Option<Grant>,
}

impl Query {
    pub(crate) fn of(query: Option<&str>) -> Self {
        let mut taken = Self::default();
        for pair in query.into_iter().flat_map(|query| query.split('&')) {
            match pair.split_once('=').unwrap_or((pair, "")) {
                ("key", _) => {}
                (GRANT_PARAMETER, grant) => taken.grant = grant.parse().ok(),
                _ => {
                    taken.for_upstream.push(if taken.for_upstream.is_empty() { '?' } else { '&' });
                    taken.for_upstream.push_str(pair);
                }
            }
        }
        taken
    }
}

/// Whether a response is a stream of server-sent events.
pub(crate) fn is_event_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().starts_with("text/event-stream"))
}

/// Whether a body is compressed, so that we cannot look into it.
pub(crate) fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity")
}

/// The address that the caller reached us at, for links back: with what a proxy, or a platform, takes
/// off the front of each path.
pub(crate) fn own_address(headers: &HeaderMap, uri: &http::Uri) -> Option<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text("x-forwarded-host")
        .or_else(|| text("host"))
        .or_else(|| Some(uri.authority()?.as_str()))?;
    let scheme = text("x-forwarded-proto").or_else(|| uri.scheme_str()).unwrap_or("http");
    let prefix = text("x-forwarded-prefix").filter(|prefix| prefix.starts_with('/'));
    Some(format!("{scheme}://{host}{}", prefix.unwrap_or_default().trim_end_matches('/')))
}

/// Lets a page of any origin read an answer: every answer, errors included.
pub(crate) fn allow_any_origin(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
}

#[cfg(test)]
mod tests;
