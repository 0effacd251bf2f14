//! What platforms bound, and where on them things happen.
//!
//! Invariant: a request is never begun that the platform would end for the number of its calls.

use super::{
    Settings,
    value::{Value, WrongValue},
};
use crate::error::Error;

impl Settings {
    /// How many calls upstream one request may make.
    pub(crate) fn calls_allowed(&self) -> usize {
        match self.calls_per_request.as_usize() {
            0 => usize::MAX,
            most => most,
        }
    }

    /// Lets a request make so many calls side by side.
    ///
    /// # Errors
    /// They are more than it may make.
    pub(crate) fn admit(&self, calls: usize) -> Result<usize, Error> {
        let most = self.calls_allowed();
        if calls <= most { Ok(calls) } else { Err(Error::TooManyCalls { calls, most }) }
    }
}

/// Who calls upstream on a platform where an object keeps what many workers share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallsFrom {
    /// The object.
    #[default]
    Object,
    /// The worker that a caller reaches.
    Worker,
}

impl Value for CallsFrom {
    const KIND: &'static str = "object or worker";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        match text {
            "object" => Ok(Self::Object),
            "worker" => Ok(Self::Worker),
            _ => Err(WrongValue("wanted object or worker".into())),
        }
    }
}

/// A part of the world, by its name on Cloudflare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Location(Option<&'static str>);

impl Location {
    const ALL: [&str; 9] = ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"];

    /// Its name; `None` if any will do.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        self.0
    }
}

impl Value for Location {
    const KIND: &'static str = "name of a location";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        let found = Self::ALL.into_iter().find(|name| *name == text);
        match (text, found) {
            ("any", _) => Ok(Self(None)),
            (_, Some(name)) => Ok(Self(Some(name))),
            (_, None) => Err(WrongValue(format!("wanted {} or any", Self::ALL.join(", ")))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_known_by_their_names() {
        assert_eq!(CallsFrom::parse("worker"), Ok(CallsFrom::Worker));
        assert!(CallsFrom::parse("edge").is_err());
        assert_eq!(Location::parse("apac").unwrap().name(), Some("apac"));
        assert_eq!(Location::parse("any").unwrap().name(), None);
        assert!(Location::parse("moon").unwrap_err().0.contains("wnam, enam"));
    }

    #[test]
    fn calls_are_bounded_only_where_a_number_is_set() {
        let settings = |most: &'static str| {
            Settings::read(&|name: &str| (name == "CALLS_PER_REQUEST").then(|| most.to_owned()))
        };
        assert_eq!(settings("0").unwrap().calls_allowed(), usize::MAX);
        let few = settings("4").unwrap();
        assert!(matches!(few.admit(4), Ok(4)));
        let error = few.admit(5).unwrap_err();
        assert!(matches!(error, Error::TooManyCalls { calls: 5, most: 4 }), "{error}");
        assert!(error.to_string().contains("CALLS_PER_REQUEST"));
    }
}
