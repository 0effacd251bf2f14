//! What a platform means for settings: where an operator sets them, and what suits it.
//!
//! Invariant: what the operator set is changed in one case only, where the platform itself would
//! end a request sooner than the operator wants.

use std::time::Duration;

use crate::{
    error::Error,
    settings::{NAMES, Settings, Strings},
};

/// A platform, as far as settings go.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Where settings are set, in a few words for errors.
    pub settings: &'static str,
    /// Defaults that suit the platform better, by the settings' own names.
    pub defaults: &'static [(&'static str, &'static str)],
    /// How long it waits for the head of an answer, less the time to say that it took too long.
    pub longest_wait: Option<Duration>,
}

impl Place {
    /// Reads the settings, empty ones by the platform's defaults.
    ///
    /// # Errors
    /// [`Error::WrongSettings`] with all that is wrong, fit to be the answer to every request and to
    /// stand in the log: a platform of this kind does not show why a program refused to start.
    pub fn read(&self, source: &dyn Strings) -> Result<Settings, Error> {
        let value = |name: &str| {
            let set = source.value(name).filter(|text| !text.trim().is_empty());
            set.or_else(|| self.default(name, source))
        };
        let mut settings = Settings::read(&value).map_err(|wrong| Error::WrongSettings {
            lines: wrong.iter().map(|setting| format!("{setting}.")).collect(),
            place: self.settings,
        })?;
        settings.place = self.settings;
        if let Some(longest) = self.longest_wait {
            settings.deadline.0 = settings.deadline.0.min(longest);
        }
        Ok(settings)
    }

    /// The platform's default, unless the setting is set under another of its names.
    fn default(&self, name: &str, source: &dyn Strings) -> Option<String> {
        let (_, text) = self.defaults.iter().find(|(setting, _)| *setting == name)?;
        let names = NAMES.iter().find(|names| names.first() == Some(&name))?;
        let is_set = |name: &&str| source.value(name).is_some_and(|text| !text.trim().is_empty());
        (!names.iter().any(is_set)).then(|| (*text).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place {
        settings: "in the tests",
        defaults: &[("QUEUE_SECONDS", "0"), ("DEADLINE_SECONDS", "25")],
        longest_wait: Some(Duration::from_secs(38)),
    };

    fn read(given: &[(&str, &str)]) -> Result<Settings, Error> {
        PLACE.read(&|name: &str| {
            given.iter().find(|(given, _)| *given == name).map(|(_, text)| (*text).into())
        })
    }

    #[test]
    fn what_is_set_under_any_name_goes_before_the_defaults_of_the_place() {
        let settings = read(&[("QUEUE_SECONDS", " ")]).unwrap();
        assert_eq!((settings.queue.value(), settings.deadline.0.as_secs()), (0, 25));
        let settings = read(&[("QUEUE_SECONDS", "7"), ("TIME_OUT", "30")]).unwrap();
        assert_eq!((settings.queue.value(), settings.deadline.0.as_secs()), (7, 30));
    }

    #[test]
    fn nobody_waits_longer_than_the_platform_does() {
        assert_eq!(read(&[("DEADLINE_SECONDS", "300")]).unwrap().deadline.0.as_secs(), 38);
    }

    #[test]
    fn all_that_is_wrong_is_told_with_the_place_to_put_it_right_and_no_value() {
        let wrong = read(&[("IDLE_SECONDS", "soon"), ("OPEN_POOL", "perhaps")]).unwrap_err();
        let text = wrong.to_string();
        assert!(text.contains("IDLE_SECONDS: wanted") && text.contains("OPEN_POOL: wanted"));
        assert!(text.ends_with("Put that right (in the tests)."), "{text}");
        assert!(!text.contains("soon") && !text.contains("perhaps"));
        assert!(!text.contains('\n'));
    }
}
