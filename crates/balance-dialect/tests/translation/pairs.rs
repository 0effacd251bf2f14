//! Examples that other translators publish with their tests, each judged against ours.
//!
//! Invariant: every difference has a written reason in `judgements.toml`, and every reason there
//! is needed; so neither a new difference nor a stale excuse passes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde::Deserialize;
use serde_json::Value;

use super::cases::shared;
use super::difference::{Difference, Pattern, differences};
use super::ours::{Comparison, compare};

/// Why ours may differ, and where.
#[derive(Deserialize)]
pub(crate) struct Reason {
    /// What stands in the page.
    pub(crate) because: String,
    /// The differences that it explains.
    #[serde(default)]
    differences: Vec<Pattern>,
    /// The pairs that it is about, by the beginnings of their names; all when empty.
    #[serde(default)]
    pairs: Vec<String>,
}

/// What was found about one pair.
pub(crate) struct Judgement {
    pub(crate) name: String,
    pub(crate) direction: String,
    /// The reasons why ours is better, by their names; none when both are equal.
    pub(crate) reasons: BTreeSet<String>,
}

/// All reasons by their names.
pub(crate) fn reasons() -> BTreeMap<String, Reason> {
    toml::from_str(include_str!("judgements.toml")).unwrap()
}

/// Judges every pair; none where the folder with them is absent.
pub(crate) fn judgements() -> Vec<Judgement> {
    let Some(shared) = shared() else { return Vec::new() };
    let files = fs::read_dir(shared.join("translation")).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|file| file.extension().is_some_and(|ending| ending == "json")).collect();
    files.sort();
    let reasons = reasons();
    let pairs = files.iter().map(|file| serde_json::from_slice(&fs::read(file).unwrap()).unwrap());
    pairs.map(|pair: Value| judge(&pair, &reasons)).collect()
}

fn judge(pair: &Value, reasons: &BTreeMap<String, Reason>) -> Judgement {
    let text = |field: &str| pair[field].as_str().unwrap().to_owned();
    let (name, direction) = (text("id"), text("direction"));
    let found = match compare(&direction, pair) {
        Comparison::Made { ours, theirs } => differences(&ours, &theirs),
        Comparison::Expected(failed) => failed,
        Comparison::Elsewhere => vec![Difference::elsewhere()],
    };
    let explained = found.iter().map(|difference| {
        let mut reasons = reasons.iter().filter(|(_, reason)| reason.explains(&name, difference));
        let Some((reason, _)) = reasons.next() else {
            panic!("{name} ({direction}): nothing explains {difference}")
        };
        reason.clone()
    });
    Judgement { reasons: explained.collect(), name, direction }
}

impl Reason {
    fn explains(&self, pair: &str, difference: &Difference) -> bool {
        let is_about =
            self.pairs.is_empty() || self.pairs.iter().any(|name| pair.starts_with(name));
        is_about && self.differences.iter().any(|pattern| pattern.matches(difference))
    }
}

#[test]
fn every_recorded_pair_is_equal_or_ours_is_better_for_a_reason() {
    let judgements = judgements();
    let used: BTreeSet<&String> = judgements.iter().flat_map(|each| &each.reasons).collect();
    let reasons = reasons();
    let unused: Vec<_> = reasons.keys().filter(|reason| !used.contains(reason)).collect();
    assert!(judgements.is_empty() || unused.is_empty(), "not needed any more: {unused:?}");
    let equal = judgements.iter().filter(|judgement| judgement.reasons.is_empty()).count();
    println!(
        "{} pairs judged: {equal} equal, {} better for a written reason",
        judgements.len(),
        judgements.len() - equal
    );
}
