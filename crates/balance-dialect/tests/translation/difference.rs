//! Differences between two JSON values, and patterns of them.
//!
//! Invariant: two values without a difference are equal.

use std::fmt;

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

/// How ours differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Only ours has it.
    Added,
    /// Only the other has it.
    Missing,
    /// Both have it, with other values.
    Changed,
}

/// One place where ours differs.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    change: Change,
    /// Names and indices down to the place.
    at: Vec<String>,
    shown: String,
}

impl Difference {
    /// A whole answer that this project does not make.
    pub(crate) fn elsewhere() -> Self {
        Self { change: Change::Missing, at: Vec::new(), shown: "no such output".to_owned() }
    }

    /// A value at a place that is not as expected.
    pub(crate) fn at(place: &str, shown: String) -> Self {
        let at = place.split('.').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        Self { change: Change::Changed, at, shown }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}: {}", self.change, self.at.join("."), self.shown)
    }
}

/// Where differences may stand: `+`, `-` or `~`, then names; `*` is any one of them, and a last
/// `**` whatever follows.
#[derive(Debug)]
pub(crate) struct Pattern {
    change: Change,
    at: Vec<String>,
}

impl Pattern {
    /// Whether the difference is one of these.
    pub(crate) fn matches(&self, difference: &Difference) -> bool {
        let (pattern, is_open) = match self.at.split_last() {
            Some((last, rest)) if last == "**" => (rest, true),
            _ => (&self.at[..], false),
        };
        let at = &difference.at;
        self.change == difference.change
            && (at.len() == pattern.len() || is_open && at.len() > pattern.len())
            && pattern.iter().zip(at).all(|(name, found)| name == "*" || name == found)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (sign, at) = text.split_at(1);
        let change = match sign {
            "+" => Change::Added,
            "-" => Change::Missing,
            "~" => Change::Changed,
            _ => return Err(D::Error::custom("a pattern begins with '+', '-' or '~'")),
        };
        let at = at.trim().split('.').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        Ok(Self { change, at })
    }
}

/// All places where `ours` differs from `theirs`.
pub(crate) fn differences(ours: &Value, theirs: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    collect(ours, theirs, &mut Vec::new(), &mut found);
    found
}

fn collect(ours: &Value, theirs: &Value, at: &mut Vec<String>, found: &mut Vec<Difference>) {
    let names: Vec<String> = match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let added = theirs.keys().filter(|name| !ours.contains_key(*name));
            ours.keys().chain(added).cloned().collect()
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            (0..ours.len().max(theirs.len())).map(|index| index.to_string()).collect()
        }
        _ if ours == theirs => return,
        _ => {
            let shown = format!("{ours} for {theirs}");
            found.push(Difference { change: Change::Changed, at: at.clone(), shown });
            return;
        }
    };
    for name in names {
        at.push(name);
        let name = at.last().unwrap();
        match (entry(ours, name), entry(theirs, name)) {
            (Some(ours), Some(theirs)) => collect(ours, theirs, at, found),
            (ours, theirs) => {
                let change = if ours.is_some() { Change::Added } else { Change::Missing };
                let shown = ours.or(theirs).unwrap().to_string();
                found.push(Difference { change, at: at.clone(), shown });
            }
        }
        at.pop();
    }
}

/// What stands under a name or an index.
pub(crate) fn entry<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Array(entries) => entries.get(name.parse::<usize>().ok()?),
        Value::Object(fields) => fields.get(name),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}
