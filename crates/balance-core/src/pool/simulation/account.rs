//! The plain account that the pool is held against: what a reader of the rules would write down,
//! searched from end to end each time.
//!
//! Invariant: it shares no code with the pool but times and limits.

use std::collections::BTreeMap;

use super::*;

/// What is known of one key, one project and one (project, model), each in the plainest form.
#[derive(Default)]
pub(super) struct Account {
    pub(super) keys: Vec<Key>,
    pub(super) dead: BTreeMap<KeyId, KeyFault>,
    /// Until when projects are shut; the end of time stands for good.
    pub(super) shut: BTreeMap<String, Timestamp>,
    /// Until when quotas are used up, and whether that is the day's.
    pub(super) quotas: BTreeMap<(String, Option<&'static str>), (Timestamp, bool)>,
    /// What was sent, and what Google said of limits.
    pub(super) meters: BTreeMap<(String, &'static str), Meter>,
    pub(super) told: BTreeMap<(String, &'static str), (Limits, Timestamp)>,
    /// What is presumed of projects that were not told, and who was told.
    pub(super) presumed: BTreeMap<&'static str, (Limits, Timestamp, String)>,
}

/// What was sent to a project and model: when, and whether it was served.
#[derive(Default)]
pub(super) struct Meter {
    sent: Vec<(Timestamp, bool)>,
    day_ends: Timestamp,
    today: u64,
    served_today: u64,
    is_beyond: bool,
}

impl Meter {
    fn turn_the_day(&mut self, now: Timestamp) {
        if now >= self.day_ends {
            (self.today, self.served_today) = (0, 0);
            self.day_ends = now.next_los_angeles_midnight();
        }
    }

    fn has_room(&self, limits: Limits, now: Timestamp) -> bool {
        let minute = self.sent.iter().filter(|(at, _)| *at + bucket::WINDOW > now).count() as u64;
        let today = if now >= self.day_ends { 0 } else { self.today };
        limits.requests_per_minute.is_none_or(|limit| minute < limit)
            && limits.requests_per_day.is_none_or(|limit| today < limit)
    }
}

pub(super) const FOR_GOOD: Timestamp = Timestamp::from_unix_millis(u64::MAX);

impl Account {
    pub(super) fn find(&self, id: KeyId) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }

    pub(super) fn project(key: &Key) -> String {
        key.project.as_deref().map_or_else(|| key.id.to_string(), str::to_owned)
    }

    /// When a key can be had for a model, `now` being the earliest; `None` if never.
    pub(super) fn usable_at(
        &self,
        key: &Key,
        model: Option<&'static str>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if !key.enabled || self.dead.contains_key(&key.id) {
            return None;
        }
        let project = Self::project(key);
        let shut = self.shut.get(&project).copied().unwrap_or(now);
        let quota = self.quotas.get(&(project.clone(), model)).map_or(now, |(until, _)| *until);
        if shut == FOR_GOOD {
            return None;
        }
        let earliest = now.max(shut).max(quota);
        Some(model.map_or(earliest, |model| {
            // A bucket that is full now is looked at from now on, or from when the project reopens.
            self.room(&project, model, now.max(shut)).max(earliest)
        }))
    }

    /// Whether nothing but what others were told speaks against a key.
    pub(super) fn may_have_more(
        &self,
        key: &Key,
        model: Option<&'static str>,
        now: Timestamp,
    ) -> bool {
        let (project, Some(model)) = (Self::project(key), model) else { return false };
        let place = (project.clone(), model);
        let told = self.told.get(&place).filter(|told| told.1 + LEARNED_FOR > now);
        let limits = told.map_or_else(Limits::default, |told| told.0);
        let is_over = |until: Option<Timestamp>| until.is_none_or(|until| until <= now);
        key.enabled
            && !self.dead.contains_key(&key.id)
            && is_over(self.shut.get(&project).copied())
            && is_over(self.quotas.get(&(project, Some(model))).map(|(until, _)| *until))
            && self.meters.get(&place).is_none_or(|meter| meter.has_room(limits, now))
    }

    /// The first moment at which there is room for one more request, of all that may be.
    pub(super) fn room(&self, project: &str, model: &'static str, from: Timestamp) -> Timestamp {
        let place = (project.to_owned(), model);
        let Some(meter) = self.meters.get(&place) else { return from };
        let told = self.told.get(&place).map(|(_, at)| *at + LEARNED_FOR);
        let presumed = self.presumed.get(model).map(|(_, at, _)| *at + LEARNED_FOR);
        let leaving = meter.sent.iter().map(|(at, _)| *at + bucket::WINDOW);
        let mut moments: Vec<_> = leaving.chain(told).chain(presumed).collect();
        moments.extend([from, meter.day_ends]);
        moments.retain(|moment| *moment >= from);
        moments.sort_unstable();
        let has_room = |at: &Timestamp| meter.has_room(self.limits(project, model, *at), *at);
        moments.into_iter().find(has_room).unwrap()
    }

    pub(super) fn limits(&self, project: &str, model: &'static str, now: Timestamp) -> Limits {
        let place = (project.to_owned(), model);
        let believed = |at: Timestamp| at + LEARNED_FOR > now;
        let told = self.told.get(&place).filter(|told| believed(told.1)).map(|told| told.0);
        let is_beyond = self.meters.get(&place).is_some_and(|meter| meter.is_beyond);
        let presumed = self.presumed.get(model).filter(|p| believed(p.1) && !is_beyond);
        told.unwrap_or_default().or(presumed.map_or_else(Limits::default, |p| p.0))
    }

    pub(super) fn learn(
        &mut self,
        project: &str,
        model: &'static str,
        limits: Limits,
        now: Timestamp,
    ) {
        if limits == Limits::default() {
            return;
        }
        let believed = |at: Timestamp| at + LEARNED_FOR > now;
        let place = (project.to_owned(), model);
        let old = self.told.get(&place).filter(|told| believed(told.1)).map(|told| told.0);
        self.told.insert(place, (limits.or(old.unwrap_or_default()), now));
        let source = self.presumed.get(model).map(|presumed| presumed.2.clone());
        let known = self.presumed.get(model).filter(|p| believed(p.1)).map(|p| p.0);
        let presumed = match known {
            None => limits,
            Some(known) if source.as_deref() == Some(project) => limits.or(known),
            Some(known) => Limits {
                requests_per_minute: limits.requests_per_minute.max(known.requests_per_minute),
                requests_per_day: limits.requests_per_day.max(known.requests_per_day),
                ..Limits::default()
            },
        };
        let is_news = known != Some(presumed);
        let source = source.filter(|_| !is_news).unwrap_or_else(|| project.to_owned());
        self.presumed.insert(model, (presumed, now, source));
    }

    pub(super) fn send(&mut self, key: &Key, model: Option<&'static str>, now: Timestamp) {
        let Some(model) = model else { return };
        let meter = self.meters.entry((Self::project(key), model)).or_default();
        meter.turn_the_day(now);
        meter.sent.push((now, false));
        meter.today += 1;
    }

    /// A request of the past turned out to be served.
    pub(super) fn serve(
        &mut self,
        key: KeyId,
        model: Option<&'static str>,
        begun: Timestamp,
        now: Timestamp,
    ) {
        let (Some(key), Some(model)) = (self.find(key).cloned(), model) else { return };
        let presumed = self.presumed.get(model).filter(|p| p.1 + LEARNED_FOR > now).map(|p| p.0);
        let Some(meter) = self.meters.get_mut(&(Self::project(&key), model)) else { return };
        meter.turn_the_day(now);
        if let Some(sent) = meter.sent.iter_mut().find(|(at, served)| *at == begun && !served) {
            sent.1 = true;
        }
        if begun.next_los_angeles_midnight() == meter.day_ends {
            meter.served_today += 1;
        }
        let counts = |(at, served): &&(Timestamp, bool)| *served && *at + bucket::WINDOW > now;
        let minute = meter.sent.iter().filter(counts).count() as u64;
        meter.is_beyond |= presumed.is_some_and(|presumed| {
            presumed.requests_per_minute.is_some_and(|limit| minute > limit)
                || presumed.requests_per_day.is_some_and(|limit| meter.served_today > limit)
        });
    }

    /// A request of the past turned out not to count.
    pub(super) fn unsend(
        &mut self,
        key: KeyId,
        model: Option<&'static str>,
        begun: Timestamp,
        now: Timestamp,
    ) {
        let (Some(key), Some(model)) = (self.find(key).cloned(), model) else { return };
        let Some(meter) = self.meters.get_mut(&(Self::project(&key), model)) else { return };
        meter.turn_the_day(now);
        let place = meter.sent.iter().position(|(at, served)| *at == begun && !served);
        if let Some(place) = place {
            meter.sent.remove(place);
        }
        if begun.next_los_angeles_midnight() == meter.day_ends {
            meter.today -= 1;
        }
    }

    pub(super) fn settle(
        &mut self,
        key: KeyId,
        model: Option<&'static str>,
        blame: Blame,
        now: Timestamp,
    ) {
        let Some(key) = self.find(key).cloned() else { return };
        let project = Self::project(&key);
        match blame {
            Blame::Key(fault) => {
                self.dead.insert(key.id, fault);
            }
            Blame::Project(ProjectFault::Forbidden) => {}
            Blame::Project(fault) => {
                let until = if fault == ProjectFault::Billing {
                    now + Duration::from_secs(3600)
                } else if fault == ProjectFault::SpendingCap {
                    now.next_los_angeles_midnight()
                } else {
                    FOR_GOOD
                };
                let shut = self.shut.entry(project).or_insert(now);
                *shut = (*shut).max(until);
            }
            Blame::Quota(quota) => {
                let (Quota::Minute { limits, .. } | Quota::Day { limits }) = quota else {
                    self.rest(project, model, now + Duration::from_secs(86_400), false);
                    return;
                };
                if let Some(model) = model {
                    self.learn(&project, model, limits, now);
                }
                let until = match quota {
                    Quota::Minute { retry_after, .. } => {
                        now + retry_after.unwrap_or(Duration::from_secs(60))
                    }
                    Quota::Day { .. } => now.next_los_angeles_midnight(),
                    Quota::Unavailable => now + Duration::from_secs(86_400),
                };
                self.rest(project, model, until, matches!(quota, Quota::Day { .. }));
            }
            Blame::Capacity { .. }
            | Blame::Service { .. }
            | Blame::Egress
            | Blame::Request
            | Blame::Gateway => {}
        }
    }

    pub(super) fn rest(
        &mut self,
        project: String,
        model: Option<&'static str>,
        until: Timestamp,
        of_the_day: bool,
    ) {
        let known = self.quotas.entry((project, model)).or_insert((until, of_the_day));
        if known.0 < until {
            *known = (until, of_the_day);
        }
    }

    /// Follows a clock put back: what lasts a time goes back too, and no day lasts beyond midnight.
    pub(super) fn rewind(&mut self, by: Duration, now: Timestamp) {
        for until in self.shut.values_mut().filter(|until| **until != FOR_GOOD) {
            *until = until.before(by);
        }
        for (until, of_the_day) in self.quotas.values_mut() {
            *until = if *of_the_day {
                (*until).min(now.next_los_angeles_midnight())
            } else {
                until.before(by)
            };
        }
        for meter in self.meters.values_mut() {
            meter.turn_the_day(now + by);
            meter.sent.retain(|(at, _)| *at + bucket::WINDOW > now + by);
            for (at, _) in &mut meter.sent {
                *at = at.before(by);
            }
            meter.day_ends = meter.day_ends.min(now.next_los_angeles_midnight());
        }
        let presumed = self.presumed.values_mut().map(|(_, at, _)| at);
        for at in self.told.values_mut().map(|(_, at)| at).chain(presumed) {
            *at = at.before(by);
        }
    }

    pub(super) fn forget_past(&mut self, now: Timestamp) {
        self.shut.retain(|_, until| *until > now);
        self.quotas.retain(|_, (until, _)| *until > now);
        for meter in self.meters.values_mut() {
            meter.turn_the_day(now);
            meter.sent.retain(|(at, _)| *at + bucket::WINDOW > now);
        }
    }
}
