//! Fetches the files that a request names by their addresses, and puts them into it.
//!
//! Invariant: every address, be it the caller's or one that a server sends on to, is fetched with
//! the reach that the settings allow; and no file costs more bytes or time than they allow.

use std::{pin::pin, time::Duration};

use balance_dialect::translate::remote::{
    Obstacle, Remote, in_chat, in_edit, in_responses, inline,
};
use bytes::Bytes;
use futures_util::future::{Either, join_all, select};
use http::{HeaderValue, Request, Response, StatusCode, Uri, header, uri};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::{
    error::Error,
    host::{BoxError, Host, Payload, VisitError},
    reach::Reach,
    route::{Endpoint, MediaEndpoint, Route},
    settings::Settings,
};

/// How often a file may be sent on to another address.
const MOST_REDIRECTS: usize = 5;
/// How many files are fetched at the same time.
const AT_ONCE: usize = 4;
/// What servers log; some turn away who says nothing.
const USER_AGENT: HeaderValue = HeaderValue::from_static("gemini-balance");
/// What an address must not hold as it stands (RFC 3986, §2).
const UNSAFE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^');

/// What one file may cost.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    reach: Reach,
    bytes: u64,
    time: Duration,
}

/// A file as it came.
struct File {
    bytes: Bytes,
    content_type: Option<String>,
}

/// The payload of a request, with the files inside that it names by their addresses.
///
/// # Errors
/// [`Error::BadRequest`] that names the field whose file did not come or is not what it should be;
/// [`Error::TooLarge`] if all together are too large.
pub(crate) async fn complete<H: Host>(
    host: &H,
    settings: &Settings,
    route: &Route,
    payload: Payload<H::Incoming>,
) -> Result<Payload<H::Incoming>, Error> {
    let Payload::Full(body) = payload else { return Ok(payload) };
    let remotes = remotes(route, &body);
    if remotes.is_empty() {
        return Ok(Payload::Full(body));
    }
    // Boxed, as few requests need the room that it takes.
    Box::pin(bring(host, settings, body, &remotes)).await.map(Payload::Full)
}

/// The body with all its files inside.
async fn bring<H: Host>(
    host: &H,
    settings: &Settings,
    body: Bytes,
    remotes: &[Remote],
) -> Result<Bytes, Error> {
    let allowance = Allowance {
        reach: if settings.remote_private.0 { Reach::Anywhere } else { Reach::Public },
        bytes: settings.remote_max_bytes.value(),
        time: settings.remote_time.0,
    };
    let limit = settings.max_body_bytes.value();
    let mut total = body.len() as u64;
    let mut files: Vec<(&Remote, String, Bytes)> = Vec::with_capacity(remotes.len());
    for few in remotes.chunks(AT_ONCE) {
        let fetches = few.iter().map(|remote| fetch(host, allowance, remote.url.clone()));
        for (remote, fetched) in few.iter().zip(join_all(fetches).await) {
            let file = fetched.map_err(|why| Error::BadRequest(remote.refuse(&why)))?;
            let accepted = remote.accept(&file.bytes, file.content_type.as_deref());
            total = total.saturating_add(file.bytes.len() as u64);
            if total > limit {
                return Err(Error::TooLarge { limit });
            }
            files.push((remote, accepted.map_err(Error::BadRequest)?, file.bytes));
        }
    }
    Ok(inline(&body, files.iter().map(|(remote, kind, bytes)| (*remote, &**kind, &**bytes))).into())
}

/// The files that a request names by their addresses.
fn remotes(route: &Route, body: &[u8]) -> Vec<Remote> {
    match route {
        Route::OpenAi(Endpoint::Chat) => in_chat(body),
        Route::OpenAi(Endpoint::Responses) => in_responses(body),
        Route::OpenAi(Endpoint::Media(MediaEndpoint::EditedPictures)) => in_edit(body),
        Route::OpenAi(_)
        | Route::Native(_)
        | Route::Home
        | Route::Health
        | Route::Preflight
        | Route::Verify
        | Route::Explain => Vec::new(),
    }
}

/// Fetches one file, in time.
async fn fetch<H: Host>(host: &H, allowance: Allowance, url: String) -> Result<File, Obstacle> {
    match select(pin!(follow(host, allowance, &url)), pin!(host.sleep(allowance.time))).await {
        Either::Left((file, _)) => file,
        Either::Right(_) => Err(Obstacle::TooSlow),
    }
}

/// Goes from address to address until one has the file.
async fn follow<H: Host>(host: &H, allowance: Allowance, url: &str) -> Result<File, Obstacle> {
    let mut address = address(url).ok_or(Obstacle::Address)?;
    for _ in 0..=MOST_REDIRECTS {
        let response = host.visit(question(&address), allowance.reach).await.map_err(obstacle)?;
        if let Some(next) = redirection(&response) {
            address = join(&address, next).ok_or(Obstacle::Address)?;
        } else if response.status() == StatusCode::OK {
            return read(response, allowance.bytes).await;
        } else {
            return Err(Obstacle::Status(response.status().as_u16()));
        }
    }
    Err(Obstacle::Redirects)
}

fn question(address: &Uri) -> Request<Bytes> {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = address.clone();
    let headers = request.headers_mut();
    headers.insert(header::USER_AGENT, USER_AGENT);
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    request
}

async fn read<B>(response: Response<B>, limit: u64) -> Result<File, Obstacle>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>>,
{
    let (head, body) = response.into_parts();
    let too_large = Obstacle::TooLarge { limit };
    if body.size_hint().lower() > limit {
        return Err(too_large);
    }
    let content_type = head.headers.get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    match pin!(Limited::new(body, most)).collect().await {
        Ok(body) => Ok(File { bytes: body.to_bytes(), content_type }),
        Err(cause) if cause.is::<LengthLimitError>() => Err(too_large),
        Err(cause) => Err(Obstacle::Unreachable(cause.to_string())),
    }
}

fn obstacle(error: VisitError) -> Obstacle {
    match error {
        VisitError::OutOfReach => Obstacle::NotPublic,
        VisitError::Lost(cause) => Obstacle::Unreachable(cause.to_string()),
    }
}

/// An address as the web knows them: no credentials, which would be sent to a server in plain words
/// of ours, and nothing but letters that may stand in one.
fn address(url: &str) -> Option<Uri> {
    let url = url.split('#').next().unwrap_or(url);
    let uri: Uri = utf8_percent_encode(url, UNSAFE).to_string().parse().ok()?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let authority = uri.authority()?;
    let is_plain = !authority.as_str().contains('@') && !authority.host().is_empty();
    (is_web && is_plain).then_some(uri)
}

/// Where an answer sends on to.
fn redirection<B>(response: &Response<B>) -> Option<&str> {
    let sends_on = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(header::LOCATION).filter(|_| sends_on)?;
    str::from_utf8(location.as_bytes()).ok()
}

/// The address that `location` means at `base` (RFC 3986, §5.2, but for dots, which servers resolve
/// themselves).
fn join(base: &Uri, location: &str) -> Option<Uri> {
    let (scheme, authority) = (base.scheme_str()?, base.authority()?);
    let rest = location.trim();
    if rest.contains("://") && rest.split(['/', '?']).next()?.ends_with(':') {
        return address(rest);
    }
    if rest.starts_with("//") {
        return address(&format!("{scheme}:{rest}"));
    }
    let path = match rest.chars().next()? {
        '/' => rest.to_owned(),
        '?' => format!("{}{rest}", base.path()),
        _ => {
            let directory = base.path().rsplit_once('/').map_or("", |(directory, _)| directory);
            format!("{directory}/{rest}")
        }
    };
    let parts = uri::Builder::new().scheme(scheme).authority(authority.clone());
    let plain = path.split('#').next().unwrap_or("/");
    parts.path_and_query(utf8_percent_encode(plain, UNSAFE).to_string()).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_the_web() {
        for (url, expected) in [
            ("https://a.test/b c.png#d", Some("https://a.test/b%20c.png")),
            ("HTTP://A.test", Some("http://A.test/")),
            ("https://a.test/é?ü", Some("https://a.test/%C3%A9?%C3%BC")),
            ("https://user:word@a.test/", None),
            ("ftp://a.test/", None),
            ("https:///a", None),
            ("https://", None),
            ("https://a test/", None),
            ("/a", None),
        ] {
            let found = address(url).map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn a_redirection_is_read_from_where_it_stands() {
        let base = "http://a.test:81/b/c?d".parse().unwrap();
        for (location, expected) in [
            ("https://x.test/y", Some("https://x.test/y")),
            ("//x.test/y", Some("http://x.test/y")),
            ("/y?z=http://q", Some("http://a.test:81/y?z=http://q")),
            ("y", Some("http://a.test:81/b/y")),
            ("?y", Some("http://a.test:81/b/c?y")),
            ("file:///etc/passwd", None),
            ("https://u@x.test/", None),
            ("", None),
        ] {
            let found = join(&base, location).map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), expected, "{location}");
        }
    }
}
