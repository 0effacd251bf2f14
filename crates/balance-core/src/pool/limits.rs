//! Which limits hold for a (project, model), and where they are known from.
//!
//! Invariant: strongest first: the key's own setting, the model's, what Google said to this project,
//! what it said to another one of the same tier, the defaults. What Google said is forgotten after
//! [`LEARNED_FOR`], so that a limit that was raised is found out.

use std::{collections::BTreeMap, fmt, time::Duration};

use super::{pages::Pages, slices::Sharing};
use crate::{
    fault::Limits,
    key::{Key, KeyId, Tier},
    time::Timestamp,
};

/// How long a limit that Google named is believed.
pub const LEARNED_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How many characters at the end of a key's text name it in [`KeyLimits`].
const ENDING: usize = 8;

/// The limits that the operator knows of.
#[derive(Debug, Clone, Default)]
pub struct PoolLimits {
    /// Those of every model that nothing better is known of.
    pub default: Limits,
    /// Those of models, by name.
    pub by_model: BTreeMap<String, Limits>,
    /// Those of single keys, for every model.
    pub by_key: KeyLimits,
    /// Whether a limit that Google names to one project is taken to hold for all others of its tier
    /// until they are served more. Once no other key is ready, one after the other is asked for more.
    pub alike: bool,
    /// The models that paid keys serve, once no free one is ready.
    pub paid_models: PaidModels,
    /// How quotas are shared with other instances that use the same keys.
    pub sharing: Sharing,
    /// Whether keys without a tag are grouped by project where answers tell that they share one.
    pub infer_projects: bool,
}

/// A list of models: names, of which a `*` at the end stands for any ending. Empty means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaidModels(Vec<Box<str>>);

impl PaidModels {
    /// The models of these names.
    pub fn new(names: impl IntoIterator<Item = impl Into<Box<str>>>) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }

    /// Whether this model is among them. What names no model always is.
    #[must_use]
    pub fn contain(&self, model: &str) -> bool {
        let fits = |name: &str| match name.strip_suffix('*') {
            Some(beginning) => model.starts_with(beginning),
            None => model == name,
        };
        model.is_empty() || self.0.is_empty() || self.0.iter().any(|name| fits(name))
    }
}

/// Limits of single keys, by the last eight characters of their text.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct KeyLimits(pub BTreeMap<String, Limits>);

/// A limit that Google named, and for whom it is taken to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearnedLimits {
    /// The model.
    pub model: String,
    /// A key of the project that was told; `None` stands for all other projects of the tier.
    pub key: Option<KeyId>,
    /// The tier of the project that was told.
    pub tier: Tier,
    /// The limits.
    pub limits: Limits,
    /// When they are forgotten.
    pub until: Timestamp,
}

impl KeyLimits {
    /// The limits of a key, if it has any of its own.
    #[must_use]
    pub fn of(&self, key: &Key) -> Option<Limits> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(Self::ending(key.secret.expose())).copied()
    }

    /// The part of a key's text that names it here.
    #[must_use]
    pub fn ending(text: &str) -> &str {
        text.len().checked_sub(ENDING).and_then(|start| text.get(start..)).unwrap_or(text)
    }
}

/// Never shows parts of keys.
impl fmt::Debug for KeyLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "limits of {} keys", self.0.len())
    }
}

/// The limits of one model.
#[derive(Debug)]
pub(super) struct ModelLimits {
    setting: Limits,
    default: Limits,
    /// What Google said, by project.
    told: Pages<Told>,
    /// What is presumed of projects that were not told, by tier.
    presumed: [Option<Presumed>; 2],
    /// Whether what is presumed holds.
    alike: bool,
}

/// What Google said, and when.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Told {
    limits: Limits,
    at: Timestamp,
}

#[derive(Debug)]
struct Presumed {
    told: Told,
    /// The project that was told so; `None` if it is gone.
    project: Option<usize>,
}

impl ModelLimits {
    pub(super) fn new(name: &str, pool: &PoolLimits) -> Self {
        let setting = pool.by_model.get(name).copied().unwrap_or_default();
        let (told, presumed) = Default::default();
        Self { setting, default: pool.default, told, presumed, alike: pool.alike }
    }

    /// The limits that hold for a project. `own` are those of its keys; a project that
    /// `is_beyond_presumption` was served more than what others are limited to. That is asked only
    /// where it matters.
    pub(super) fn of(
        &self,
        project: usize,
        tier: Tier,
        own: Limits,
        is_beyond_presumption: impl FnOnce() -> bool,
        now: Timestamp,
    ) -> Limits {
        let presumed = self.presumed(tier, now).filter(|_| self.alike && !is_beyond_presumption());
        own.or(self.setting)
            .or(self.told(project, now).unwrap_or_default())
            .or(presumed.unwrap_or_default())
            .or(self.default)
    }

    /// Whether no limit of this model is known, of whatever project.
    pub(super) fn is_unlimited(&self) -> bool {
        self.is_blank() && self.setting == Limits::default() && self.default == Limits::default()
    }

    /// Whether what one project is told is presumed of others.
    pub(super) const fn presumes(&self) -> bool {
        self.alike
    }

    /// When Google last said something to a project.
    pub(super) fn told_at(&self, project: usize) -> Timestamp {
        self.told.of(project).map_or_else(Timestamp::default, |told| told.at)
    }

    /// What Google said to a project, if that is believed still.
    pub(super) fn told(&self, project: usize, now: Timestamp) -> Option<Limits> {
        self.told.of(project).filter(|told| told.is_believed(now)).map(|told| told.limits)
    }

    /// What Google said to a project, and until when that is believed.
    pub(super) fn told_until(&self, project: usize, now: Timestamp) -> Option<(Limits, Timestamp)> {
        let told = self.told.of(project).filter(|told| told.is_believed(now))?;
        Some((told.limits, told.at + LEARNED_FOR))
    }

    /// What is presumed of projects of this tier that were not told themselves.
    pub(super) fn presumed(&self, tier: Tier, now: Timestamp) -> Option<Limits> {
        let presumed = self.presumed.get(place(tier))?.as_ref()?;
        presumed.told.is_believed(now).then_some(presumed.told.limits)
    }

    /// The first moment after `now` at which something that holds for a project is forgotten.
    pub(super) fn next_forgotten(
        &self,
        project: usize,
        tier: Tier,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let presumed = self.presumed.get(place(tier)).and_then(Option::as_ref).map(|p| &p.told);
        let told = self.told.of(project).into_iter().chain(presumed);
        told.filter(|told| told.is_believed(now)).map(|told| told.at + LEARNED_FOR).min()
    }

    /// Keeps what Google said to a project. Whether what holds for others changed with it.
    pub(super) fn learn(
        &mut self,
        project: usize,
        tier: Tier,
        limits: Limits,
        now: Timestamp,
    ) -> bool {
        if limits == Limits::default() {
            return false;
        }
        let own = limits.or(self.told(project, now).unwrap_or_default());
        *self.told.enter(project) = Told { limits: own, at: now };
        let before = self.presumed(tier, now);
        let Some(presumed) = self.presumed.get_mut(place(tier)) else { return false };
        let source = presumed.as_ref().and_then(|presumed| presumed.project);
        // Too high a limit is put right by one refusal, too low a one would never be.
        let limits = match before {
            None => limits,
            Some(known) if source == Some(project) => limits.or(known),
            Some(known) => larger(limits, known),
        };
        let is_news = before != Some(limits);
        let source = if is_news { Some(project) } else { source };
        *presumed = Some(Presumed { told: Told { limits, at: now }, project: source });
        is_news
    }

    /// All that Google said, by project; and for each tier what is presumed of the others.
    pub(super) fn learned(
        &self,
    ) -> impl Iterator<Item = (Option<usize>, Option<Tier>, Limits, Timestamp)> {
        let told = self.told.iter().map(|(project, told)| (Some(project), None, *told));
        let presumed = [Tier::Free, Tier::Paid].into_iter().filter_map(|tier| {
            let presumed = self.presumed.get(place(tier))?.as_ref()?;
            Some((None, Some(tier), presumed.told))
        });
        presumed
            .chain(told)
            .map(|(project, tier, told)| (project, tier, told.limits, told.at + LEARNED_FOR))
    }

    /// Whether Google said nothing yet.
    pub(super) fn is_blank(&self) -> bool {
        // Whatever one project was told is presumed of others.
        self.presumed.iter().all(Option::is_none)
    }

    /// The same for projects that have the numbers given.
    pub(super) fn renumber(&mut self, numbers: &[Option<usize>]) {
        let number = |project: usize| numbers.get(project).copied().flatten();
        for (project, told) in std::mem::take(&mut self.told).into_iter() {
            if let Some(project) = number(project) {
                *self.told.enter(project) = told;
            }
        }
        for presumed in self.presumed.iter_mut().flatten() {
            presumed.project = presumed.project.and_then(number);
        }
    }

    /// Follows a clock that was put back.
    pub(super) fn rewind(&mut self, by: Duration) {
        let presumed = self.presumed.iter_mut().flatten().map(|presumed| &mut presumed.told);
        for told in self.told.values_mut().chain(presumed) {
            told.at = told.at.before(by);
        }
    }
}

impl Told {
    fn is_believed(&self, now: Timestamp) -> bool {
        self.at + LEARNED_FOR > now
    }
}

const fn place(tier: Tier) -> usize {
    match tier {
        Tier::Free => 0,
        Tier::Paid => 1,
    }
}

/// For each limit the larger one; one that is known is larger than none.
fn larger(one: Limits, other: Limits) -> Limits {
    Limits {
        requests_per_minute: one.requests_per_minute.max(other.requests_per_minute),
        tokens_per_minute: one.tokens_per_minute.max(other.tokens_per_minute),
        requests_per_day: one.requests_per_day.max(other.requests_per_day),
        tokens_per_day: one.tokens_per_day.max(other.tokens_per_day),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_unix_millis(1_795_255_680_000);
    const NONE: Limits = Limits {
        requests_per_minute: None,
        tokens_per_minute: None,
        requests_per_day: None,
        tokens_per_day: None,
    };

    fn rpm(requests: u64) -> Limits {
        Limits { requests_per_minute: Some(requests), ..NONE }
    }

    fn rpd(requests: u64) -> Limits {
        Limits { requests_per_day: Some(requests), ..NONE }
    }

    #[test]
    fn the_strongest_source_counts() {
        let by_model = BTreeMap::from([("m".to_owned(), rpd(7))]);
        let default = rpm(1).or(rpd(1));
        let pool = PoolLimits { default, by_model, alike: true, ..PoolLimits::default() };
        let mut limits = ModelLimits::new("m", &pool);
        let of = |limits: &ModelLimits, own| limits.of(0, Tier::Free, own, || false, START);
        assert_eq!(of(&limits, NONE), rpm(1).or(rpd(7)));
        limits.learn(1, Tier::Free, rpm(2), START);
        assert_eq!(of(&limits, NONE), rpm(2).or(rpd(7)));
        limits.learn(0, Tier::Free, rpm(3).or(rpd(3)), START);
        assert_eq!(of(&limits, NONE), rpm(3).or(rpd(7)));
        assert_eq!(of(&limits, rpm(4).or(rpd(4))), rpm(4).or(rpd(4)));
    }

    #[test]
    fn what_one_project_is_told_is_presumed_of_its_tier() {
        let alike = PoolLimits { alike: true, ..PoolLimits::default() };
        let mut limits = ModelLimits::new("m", &alike);
        assert!(limits.learn(0, Tier::Free, rpm(5), START));
        assert!(!limits.learn(1, Tier::Free, rpm(5), START), "others know already");
        let of = |limits: &ModelLimits, project, tier, beyond| {
            limits.of(project, tier, NONE, || beyond, START)
        };
        assert_eq!(of(&limits, 9, Tier::Free, false), rpm(5));
        assert_eq!(of(&limits, 9, Tier::Free, true), NONE);
        assert_eq!(of(&limits, 9, Tier::Paid, false), NONE);
        // Another value contradicts it, for the one that was told; of two the others get the larger.
        assert!(!limits.learn(2, Tier::Free, rpm(3), START));
        assert_eq!(of(&limits, 2, Tier::Free, false), rpm(3));
        assert_eq!(of(&limits, 9, Tier::Free, false), rpm(5));
        assert!(limits.learn(3, Tier::Free, rpm(8), START));
        assert_eq!(of(&limits, 9, Tier::Free, false), rpm(8));
        assert_eq!(of(&limits, 0, Tier::Free, false), rpm(5));
        // Who told it may take it back.
        assert!(limits.learn(3, Tier::Free, rpm(2), START));
        assert_eq!(of(&limits, 9, Tier::Free, false), rpm(2));
    }

    #[test]
    fn where_projects_may_differ_only_the_one_that_was_told_is_held_to_it() {
        let mut limits = ModelLimits::new("m", &PoolLimits::default());
        limits.learn(0, Tier::Free, rpm(5), START);
        assert_eq!(limits.of(0, Tier::Free, NONE, || false, START), rpm(5));
        assert_eq!(limits.of(9, Tier::Free, NONE, || false, START), NONE);
    }

    #[test]
    fn what_was_learned_is_listed_and_forgotten_in_time() {
        let mut limits = ModelLimits::new("m", &PoolLimits::default());
        assert!(limits.is_blank());
        limits.learn(4, Tier::Paid, rpm(5), START);
        assert!(!limits.is_blank());
        let until = START + LEARNED_FOR;
        let listed: Vec<_> = limits.learned().collect();
        assert_eq!(
            listed,
            [(None, Some(Tier::Paid), rpm(5), until), (Some(4), None, rpm(5), until)]
        );
        assert_eq!(limits.of(4, Tier::Paid, NONE, || false, until), NONE);
        limits.renumber(&[None, None, None, None, Some(0)]);
        assert_eq!(limits.told(0, START), Some(rpm(5)));
        limits.renumber(&[None]);
        assert_eq!(limits.told(0, START), None);
        assert_eq!(limits.presumed(Tier::Paid, START), Some(rpm(5)));
        limits.rewind(Duration::from_secs(10));
        let until = until.before(Duration::from_secs(10));
        assert_eq!(limits.presumed(Tier::Paid, until), None);
    }

    #[test]
    fn a_list_of_models_takes_names_and_beginnings() {
        let some = PaidModels::new(["gemini-3.8-pro", "gemini-4-*"]);
        for (model, is_in) in [
            ("gemini-3.8-pro", true),
            ("gemini-3.8-pro-x", false),
            ("gemini-4-argon", true),
            ("", true),
        ] {
            assert_eq!(some.contain(model), is_in, "{model}");
        }
        assert!(PaidModels::default().contain("any"));
    }

    #[test]
    fn a_key_is_known_by_its_ending_which_is_not_shown() {
        let by_key = KeyLimits(BTreeMap::from([("90123456".into(), rpm(9)), ("k".into(), rpm(1))]));
        let of = |text| by_key.of(&Key::parse(text).unwrap());
        assert_eq!(of("AIzaSy-0123456789_90123456"), Some(rpm(9)));
        assert_eq!(of("90123456"), Some(rpm(9)));
        assert_eq!(of("k"), Some(rpm(1)));
        assert_eq!(of("AIzaSy-k"), None);
        assert!(!format!("{by_key:?}").contains("90123456"));
    }
}
