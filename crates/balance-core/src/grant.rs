//! The permission that an upload link carries: Google's clients send the bytes of an upload to the
//! link alone, without any credential.
//!
//! Invariant: a grant is good for the one link it was made for, and only an instance that holds the
//! key can make or check one; it needs no store and tells nothing about the key.

use std::{fmt, str::FromStr};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{key::KeyId, secret::Secret};

/// How many bytes of the authentication code a link carries.
const CODE_BYTES: usize = 16;

/// The permission to send bytes to one upload link with one key, as a query parameter: the key's
/// id, then a code over the link that only holders of the key can make, all in hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) key: KeyId,
    code: [u8; CODE_BYTES],
}

impl Grant {
    /// The grant for a link, given as upstream's path and query.
    pub(crate) fn for_link(link: &str, key: KeyId, secret: &Secret) -> Self {
        let mut code = [0; CODE_BYTES];
        if let Some(mac) = mac(link, secret) {
            for (byte, made) in code.iter_mut().zip(mac.finalize().into_bytes()) {
                *byte = made;
            }
        }
        Self { key, code }
    }

    /// Whether this is the grant for `link`. Takes the same time however wrong it is.
    pub(crate) fn is_for(&self, link: &str, secret: &Secret) -> bool {
        mac(link, secret).is_some_and(|mac| mac.verify_truncated_left(&self.code).is_ok())
    }
}

fn mac(link: &str, secret: &Secret) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok()?;
    mac.update(b"gemini-balance upload link\n");
    mac.update(link.as_bytes());
    Some(mac)
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.key)?;
        self.code.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The text is no grant.
#[derive(Debug)]
pub(crate) struct NotAGrant;

impl FromStr for Grant {
    type Err = NotAGrant;

    fn from_str(text: &str) -> Result<Self, NotAGrant> {
        let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex || text.len() != 16 + 2 * CODE_BYTES {
            return Err(NotAGrant);
        }
        let (key, digits) = text.split_at(16);
        let mut code = [0; CODE_BYTES];
        for (index, byte) in code.iter_mut().enumerate() {
            let pair = digits.get(2 * index..2 * index + 2).ok_or(NotAGrant)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| NotAGrant)?;
        }
        Ok(Self { key: key.parse().map_err(|_| NotAGrant)?, code })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "/upload/v1beta/files?upload_id=u&upload_protocol=resumable";

    fn grant() -> (Grant, Secret) {
        let secret = Secret::new("AIzaSyA-a-key");
        (Grant::for_link(LINK, KeyId::of("AIzaSyA-a-key"), &secret), secret)
    }

    #[test]
    fn a_grant_survives_being_written_in_a_link() {
        let (grant, secret) = grant();
        let read: Grant = grant.to_string().parse().unwrap();
        assert_eq!(read, grant);
        assert!(read.is_for(LINK, &secret));
    }

    #[test]
    fn a_grant_is_good_for_its_link_and_its_key_only() {
        let (grant, secret) = grant();
        assert!(
            !grant.is_for("/upload/v1beta/files?upload_id=v&upload_protocol=resumable", &secret)
        );
        assert!(!grant.is_for(LINK, &Secret::new("AIzaSyA-another-key")));
        let forged: Grant = format!("{}{}", grant.key, "0".repeat(32)).parse().unwrap();
        assert!(!forged.is_for(LINK, &secret));
    }

    #[test]
    fn other_texts_are_no_grants() {
        for text in
            ["", "0", "zz", &"0".repeat(47), &"0".repeat(49), &"é".repeat(24), &"+".repeat(48)]
        {
            assert!(text.parse::<Grant>().is_err(), "{text}");
        }
    }
}
