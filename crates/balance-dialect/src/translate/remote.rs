//! Files of a request that lie elsewhere: which ones there are, and the request with them inside.
//!
//! Invariant: nothing is fetched here. Whoever fetches asks [`Remote::accept`] whether the bytes are
//! what the place takes; the request is then the same but for the addresses, which have become
//! `data:` URLs, so that its translation knows nothing of the network.

mod find;
mod kind;

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub use self::find::{in_chat, in_edit, in_responses};

use self::kind::Kind;
use super::refusal::{Refusal, quoted};

/// A file that a request names by its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// The address, `http` or `https`.
    pub url: String,
    /// The field that holds it, such as `messages[0].content[1].image_url.url`.
    param: String,
    kind: Kind,
    /// Where the JSON string with the address stands in the body.
    span: Range<usize>,
}

/// Why a file did not come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// The address cannot be read.
    Address,
    /// The address is not on the open network.
    NotPublic,
    /// No answer, for this reason.
    Unreachable(String),
    /// An answer without the file.
    Status(u16),
    /// It has more bytes than may be read.
    TooLarge {
        /// The most.
        limit: u64,
    },
    /// It took longer than it may.
    TooSlow,
    /// It was sent on more often than is followed.
    Redirects,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address => f.write_str("that is no address of a file"),
            Self::NotPublic => f.write_str(
                "that address is not on the open network, and nothing else is fetched; send the \
                 bytes as a 'data:' URL",
            ),
            Self::Unreachable(why) => write!(f, "nothing could be fetched from there ({why})"),
            Self::Status(status) => write!(f, "the server there answered with status {status}"),
            Self::TooLarge { limit } => write!(f, "it has more than {limit} bytes"),
            Self::TooSlow => f.write_str("it took too long to fetch"),
            Self::Redirects => f.write_str("it is redirected too often"),
        }
    }
}

impl Remote {
    /// The media type that these bytes have, if the place takes it. `told` is the type that the
    /// server gave: it counts only for texts, whose bytes do not tell.
    ///
    /// # Errors
    /// A [`Refusal`] that names the field.
    pub fn accept(&self, bytes: &[u8], told: Option<&str>) -> Result<String, Refusal> {
        self.kind.accept(bytes, told, &self.url).map_err(|is| {
            let wanted = self.kind.wanted();
            let reason = format!("what lies at {} is {is}; {wanted}", quoted(&self.url));
            self.refusal("format", reason)
        })
    }

    /// The refusal of a request whose file did not come.
    #[must_use]
    pub fn refuse(&self, why: &Obstacle) -> Refusal {
        let what = if matches!(why, Obstacle::TooLarge { .. }) { "size" } else { "url" };
        self.refusal(what, format!("{}: {why}", quoted(&self.url)))
    }

    fn refusal(&self, what: &str, reason: String) -> Refusal {
        let code = match (self.kind, what) {
            (Kind::Picture, "size") => "image_too_large",
            (Kind::Picture, "format") => "invalid_image_format",
            (Kind::Picture, _) => "invalid_image_url",
            (Kind::Film | Kind::Document, "size") => "file_too_large",
            (Kind::Film | Kind::Document, "format") => "invalid_file_format",
            (Kind::Film | Kind::Document, _) => "invalid_file_url",
        };
        Refusal { code, ..Refusal::invalid_value(&self.param, reason) }
    }
}

/// The body with these files in place of their addresses: each with its media type and its bytes,
/// in the order in which they were found.
#[must_use]
pub fn inline<'f>(
    body: &[u8],
    files: impl IntoIterator<Item = (&'f Remote, &'f str, &'f [u8])> + Clone,
) -> Vec<u8> {
    let more: usize = files.clone().into_iter().map(|(_, _, bytes)| bytes.len() / 3 * 4 + 64).sum();
    let mut inlined = String::with_capacity(body.len() + more);
    let mut done = 0;
    for (remote, media_type, bytes) in files {
        let before = body.get(done..remote.span.start).unwrap_or_default();
        inlined.push_str(&String::from_utf8_lossy(before));
        inlined.push_str("\"data:");
        inlined.push_str(media_type);
        inlined.push_str(";base64,");
        STANDARD.encode_string(bytes, &mut inlined);
        inlined.push('"');
        done = remote.span.end;
    }
    inlined.push_str(&String::from_utf8_lossy(body.get(done..).unwrap_or_default()));
    inlined.into_bytes()
}
