//! A proxy as an operator writes it, taken apart.
//!
//! Invariant: the address carries no credentials, so it may stand in errors.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderValue, Uri, uri::Authority};
use percent_encoding::percent_decode_str;

/// How to reach a proxy and what to show it.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) protocol: Protocol,
    /// Scheme (`http` or `https`: how to connect to the proxy itself), host and port.
    pub(crate) address: Uri,
    pub(crate) credentials: Option<Credentials>,
}

/// What is spoken with the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP `CONNECT` (RFC 9110 §9.3.6).
    Connect,
    /// SOCKS version 5 (RFC 1928); the proxy resolves names.
    Socks5,
}

/// User and password, percent-decoded.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Proxy {
    /// # Errors
    /// What is wrong with the URL, without its credentials.
    pub(crate) fn read(url: &Uri) -> Result<Self, String> {
        let (protocol, scheme, port) = match url.scheme_str() {
            Some("http") => (Protocol::Connect, "http", 80),
            Some("https") => (Protocol::Connect, "https", 443),
            Some("socks5" | "socks5h") => (Protocol::Socks5, "http", 1080),
            _ => return Err("a proxy wants http://, https:// or socks5://".into()),
        };
        let host = url.host().unwrap_or_default();
        let port = url.port_u16().unwrap_or(port);
        let address = Uri::builder()
            .scheme(scheme)
            .authority(format!("{host}:{port}"))
            .path_and_query("/")
            .build()
            .map_err(|_| format!("a proxy wants a host name or address, not `{host}`"))?;
        let credentials = url.authority().and_then(Credentials::read).transpose()?;
        Ok(Self { protocol, address, credentials })
    }
}

impl Credentials {
    fn read(authority: &Authority) -> Option<Result<Self, String>> {
        let (credentials, _) = authority.as_str().rsplit_once('@')?;
        let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        let decoded = |text| percent_decode_str(text).decode_utf8().map(Into::into);
        Some(match (decoded(user), decoded(password)) {
            (Ok(user), Ok(password)) => Ok(Self { user, password }),
            _ => Err("user and password of a proxy want UTF-8, percent-encoded".into()),
        })
    }

    /// As the value of `Proxy-Authorization` (RFC 7617).
    pub(crate) fn basic(&self) -> Result<HeaderValue, String> {
        let text = STANDARD.encode(format!("{}:{}", self.user, self.password));
        HeaderValue::try_from(format!("Basic {text}")).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Proxy {
        Proxy::read(&url.parse().unwrap()).unwrap()
    }

    #[test]
    fn each_scheme_has_its_protocol_and_port() {
        for (url, protocol, address) in [
            ("http://proxy.test", Protocol::Connect, "http://proxy.test:80/"),
            ("http://proxy.test:3128", Protocol::Connect, "http://proxy.test:3128/"),
            ("https://proxy.test", Protocol::Connect, "https://proxy.test:443/"),
            ("socks5://proxy.test", Protocol::Socks5, "http://proxy.test:1080/"),
            ("socks5h://[::1]:9050", Protocol::Socks5, "http://[::1]:9050/"),
        ] {
            let proxy = read(url);
            assert_eq!((proxy.protocol, proxy.address.to_string().as_str()), (protocol, address));
            assert!(proxy.credentials.is_none());
        }
    }

    #[test]
    fn credentials_are_decoded_and_leave_the_address() {
        let proxy = read("http://us%40er:p%3Aw@proxy.test:8080");
        let credentials = proxy.credentials.unwrap();
        assert_eq!((&*credentials.user, &*credentials.password), ("us@er", "p:w"));
        assert_eq!(credentials.basic().unwrap(), "Basic dXNAZXI6cDp3");
        assert_eq!(proxy.address, "http://proxy.test:8080/");
    }

    #[test]
    fn a_user_alone_has_an_empty_password() {
        assert_eq!(read("socks5://user@proxy.test").credentials.unwrap().password, "");
    }
}
