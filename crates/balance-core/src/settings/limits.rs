//! The limits that operators know of, as they are written in settings.
//!
//! Invariant: a limit is a whole number from 1 on; what is not limited is left out or `null`. No
//! error repeats a part of a key.

use std::{collections::BTreeMap, time::Duration};

use balance_dialect::json::read_str;
use serde::Deserialize;

use super::{
    Settings,
    value::{Value, WrongValue, texts},
};
use crate::{
    fault::Limits,
    pool::{KeyLimits, PaidModels, PoolLimits, Sharing},
};

/// The largest limit that is believed to be one.
const MOST: u64 = 1_000_000_000_000;

/// Limits of models, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelRateLimits(pub BTreeMap<String, Limits>);

impl Value for ModelRateLimits {
    const KIND: &'static str = "JSON object of limits";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        by_name(text, "model", |model| model.trim_start_matches("models/")).map(Self)
    }
}

impl Value for KeyLimits {
    const KIND: &'static str = "JSON object of limits";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        by_name(text, "key", Self::ending).map(Self)
    }
}

impl Value for PaidModels {
    const KIND: &'static str = "names of models";
    fn parse(text: &str) -> Result<Self, WrongValue> {
        let names = texts(text)?.into_iter();
        Ok(Self::new(names.map(|name| name.trim_start_matches("models/").to_owned())))
    }
}

impl Settings {
    /// How often keys that are out are checked; `None` means never.
    #[must_use]
    pub fn check_interval(&self) -> Option<Duration> {
        let hours = self.check_interval_hours.value();
        (hours > 0).then(|| Duration::from_secs(hours * 3600))
    }

    /// The limits that the pool keeps from its first request on.
    #[must_use]
    pub fn pool_limits(&self) -> PoolLimits {
        let instances = self.instances.value();
        PoolLimits {
            default: Limits {
                requests_per_minute: self.default_rpm.map(super::Bounded::value),
                tokens_per_minute: self.default_tpm.map(super::Bounded::value),
                requests_per_day: self.default_rpd.map(super::Bounded::value),
                tokens_per_day: None,
            },
            by_model: self.model_rate_limits.0.clone(),
            by_key: self.key_rate_limits.clone(),
            alike: self.projects_alike.0,
            paid_models: self.paid_models.clone(),
            sharing: if instances > 1 { Sharing::Evenly { instances } } else { Sharing::Alone },
            infer_projects: self.infer_projects.0,
        }
    }
}

/// The two ways to write limits: `[rpm, rpd, tpm]`, or by name.
enum Written {
    List(Vec<Option<u64>>),
    Named(Named),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    rpm: Option<u64>,
    rpd: Option<u64>,
    tpm: Option<u64>,
}

/// The limits in an object, each under that part of its name that `known_by` gives; `of` what, for
/// errors, which count from 1 as names may be secret.
fn by_name(
    text: &str,
    of: &str,
    known_by: fn(&str) -> &str,
) -> Result<BTreeMap<String, Limits>, WrongValue> {
    let mut all = BTreeMap::new();
    if text.is_empty() {
        return Ok(all);
    }
    let wanted = || {
        WrongValue(format!(
            "wanted a JSON object such as {{\"{of}\": [5, 100]}}: requests a minute, requests a \
             day and, if known, tokens a minute; or {{\"{of}\": {{\"rpm\": 5, \"tpm\": 250000}}}}"
        ))
    };
    let items: serde_json::Map<String, serde_json::Value> = read_str(text).map_err(|_| wanted())?;
    for (index, (name, written)) in items.into_iter().enumerate() {
        let json = written.to_string();
        let list = read_str(&json).map(Written::List);
        let written = list.or_else(|_| read_str(&json).map(Written::Named));
        let written = written.map_err(|_| wanted())?;
        let reason = |reason| WrongValue(format!("{of} {}: {reason}", index + 1));
        all.insert(known_by(name.trim()).to_owned(), limits(written).map_err(reason)?);
    }
    Ok(all)
}

fn limits(written: Written) -> Result<Limits, String> {
    let (rpm, rpd, tpm) = match written {
        Written::Named(Named { rpm, rpd, tpm }) => (rpm, rpd, tpm),
        Written::List(list) => match *list.as_slice() {
            [rpm, rpd] => (rpm, rpd, None),
            [rpm, rpd, tpm] => (rpm, rpd, tpm),
            _ => return Err("wanted two or three numbers, or null where there is no limit".into()),
        },
    };
    if [rpm, rpd, tpm].into_iter().flatten().any(|limit| limit == 0 || limit > MOST) {
        return Err(format!("wanted whole numbers from 1 to {MOST}, or null"));
    }
    let (requests_per_minute, requests_per_day, tokens_per_minute) = (rpm, rpd, tpm);
    Ok(Limits { requests_per_minute, requests_per_day, tokens_per_minute, tokens_per_day: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rpm: Option<u64>, rpd: Option<u64>, tpm: Option<u64>) -> Limits {
        Limits {
            requests_per_minute: rpm,
            requests_per_day: rpd,
            tokens_per_minute: tpm,
            tokens_per_day: None,
        }
    }

    #[test]
    fn limits_are_read_as_lists_and_by_name() {
        let text = r#"{"a": [5, 100], "models/b": [5, null, 250000], "c": {"tpm": 7}}"#;
        let limits = ModelRateLimits::parse(text).unwrap().0;
        assert_eq!(limits["a"], of(Some(5), Some(100), None));
        assert_eq!(limits["b"], of(Some(5), None, Some(250_000)));
        assert_eq!(limits["c"], of(None, None, Some(7)));
        assert_eq!(ModelRateLimits::parse("").unwrap(), ModelRateLimits::default());
    }

    #[test]
    fn paid_models_are_listed_with_or_without_models_in_front() {
        let some = PaidModels::parse("models/gemini-3.8-pro, gemini-4-*").unwrap();
        assert!(some.contain("gemini-3.8-pro") && some.contain("gemini-4-argon"));
        assert!(!some.contain("gemini-3.8-flash"));
        assert_eq!(PaidModels::parse(""), Ok(PaidModels::default()));
    }

    #[test]
    fn a_key_is_named_by_its_ending_or_as_a_whole() {
        let text = r#"{"AIzaSy-0123456789_90123456": [1, 2], "abcdefgh": [3, 4]}"#;
        let limits = KeyLimits::parse(text).unwrap().0;
        assert_eq!(limits["90123456"], of(Some(1), Some(2), None));
        assert_eq!(limits["abcdefgh"], of(Some(3), Some(4), None));
    }

    #[test]
    fn what_is_no_limit_is_refused_without_showing_a_key() {
        let secret = "AIzaSy-0123456789";
        for limits in [
            "5",
            "[5]",
            "[0, 5]",
            "[-1, 5]",
            "[1.5, 5]",
            "[\"5\", 5]",
            "[1, 2, 3, 4]",
            "[1000000000001, 1]",
            "{\"rpm\": 0}",
            "{\"requests\": 1}",
        ] {
            let text = format!("{{\"{secret}\": {limits}}}");
            let WrongValue(reason) = KeyLimits::parse(&text).unwrap_err();
            assert!(reason.contains("wanted"), "{limits}: {reason}");
            assert!(!reason.contains(secret), "{limits}: {reason}");
        }
        assert!(ModelRateLimits::parse("[5, 100]").is_err());
        assert!(ModelRateLimits::parse("{").is_err());
    }
}
