//! What a place takes, told from the bytes themselves.
//!
//! Invariant: a server's word about its bytes is believed for texts only.

use std::fmt;

use crate::translate::media;

/// What a place takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Picture,
    Film,
    Document,
}

/// What bytes are instead of what is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Other(Option<&'static str>);

impl fmt::Display for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.unwrap_or("of no known type"))
    }
}

impl Kind {
    /// The remedy.
    pub(super) const fn wanted(self) -> &'static str {
        match self {
            Self::Picture => "send the address of a png, jpeg, webp, heic, heif or gif",
            Self::Film => "send the address of a film, such as an mp4",
            Self::Document => "send the address of a PDF, a text, a picture, a sound or a film",
        }
    }

    /// The media type of the bytes.
    ///
    /// # Errors
    /// What they are instead.
    pub(super) fn accept(
        self,
        bytes: &[u8],
        told: Option<&str>,
        url: &str,
    ) -> Result<String, Other> {
        let seen = media::sniff(bytes);
        let is_wanted = |seen: &str| match (self, seen.split_once('/')) {
            (Self::Picture | Self::Document, Some(("image", kind))) => media::reads_picture(kind),
            (Self::Film | Self::Document, Some(("video", _)))
            | (Self::Document, Some(("audio", _))) => true,
            (Self::Document, _) => seen == "application/pdf",
            (Self::Picture | Self::Film, _) => false,
        };
        match seen {
            Some(seen) if is_wanted(seen) => Ok(seen.to_owned()),
            seen if self == Self::Document
                && seen.is_none_or(|seen| seen.starts_with("text/"))
                && is_text(bytes) =>
            {
                Ok(text_type(told.or(seen), url))
            }
            seen => Err(Other(seen)),
        }
    }
}

fn is_text(bytes: &[u8]) -> bool {
    !bytes.is_empty() && !bytes.contains(&0) && str::from_utf8(bytes).is_ok()
}

/// The type of a text: the server's word if it says that it is one, else by the address.
fn text_type(told: Option<&str>, url: &str) -> String {
    let told = told.and_then(|told| told.split(';').next()).map(str::trim);
    let told = told.filter(|told| told.starts_with("text/") || *told == "application/json");
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let by_ending = || media::type_of(path).filter(|seen| seen.starts_with("text/"));
    told.or_else(by_ending).unwrap_or("text/plain").to_ascii_lowercase()
}
