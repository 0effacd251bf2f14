//! Who is in the pool: the keys, the projects they belong to, and which of them may be used at all.
//!
//! Invariant: a slot is open exactly if its key is enabled, not dead, and its project is not shut.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use super::{
    limits::KeyLimits,
    slots::{SlotSet, reroll},
};
use crate::{
    fault::{KeyFault, Limits, ProjectFault},
    key::{Key, KeyId, Tier},
    time::Timestamp,
};

/// How many numbers are drawn for a conversation: more spread conversations more evenly.
const PROBES: usize = 8;

/// The keys by slot, and their projects by number.
#[derive(Debug)]
pub(super) struct Roster {
    members: Vec<Member>,
    by_id: HashMap<KeyId, usize>,
    projects: Vec<Project>,
    open: SlotSet,
    /// The slots of paid projects.
    paid: SlotSet,
    /// When shut projects that have live keys reopen.
    reopenings: BTreeSet<(Timestamp, usize)>,
    /// The slots of each weight, the lightest first; empty unless a strategy asks for them.
    classes: Vec<Class>,
    /// The limits that the operator knows of single projects.
    limits: HashMap<usize, Limits>,
    /// Keys that were refused once without a reason, and when.
    struck: HashMap<KeyId, Timestamp>,
    /// The names of all keys in order, as numbers, and their slots.
    ring: Vec<(u64, usize)>,
}

/// A key in the pool.
#[derive(Debug)]
struct Member {
    key: Key,
    project: usize,
    dead: Option<KeyFault>,
    /// When it was put out, or came back.
    changed: Timestamp,
}

/// The owner of a quota.
#[derive(Debug)]
struct Project {
    name: ProjectName,
    tier: Tier,
    slots: Vec<usize>,
    /// How many of its keys are enabled and not dead.
    live: usize,
    shut: Option<Shut>,
    /// When it was shut.
    changed: Timestamp,
    in_flight: u64,
    /// How often it was picked in a minute of the clock, and in which.
    picks: u64,
    minute: u64,
    /// The number of the last pick.
    last_pick: u64,
    /// That of its heaviest key.
    weight: u64,
}

/// What tells projects apart: a tag, or where there is none, the only key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum ProjectName {
    Tag(Arc<str>),
    Key(KeyId),
}

/// Why a project is not used, for any model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shut {
    pub(super) fault: ProjectFault,
    /// `None` for good.
    pub(super) until: Option<Timestamp>,
}

/// The slots of one weight.
#[derive(Debug)]
pub(super) struct Class {
    pub(super) weight: u32,
    pub(super) slots: SlotSet,
}

/// How a key stands, whatever the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Membership {
    Open,
    Disabled,
    Dead(KeyFault),
    Shut(Shut),
}

impl Roster {
    /// The first of several keys with one id counts.
    pub(super) fn new(keys: Vec<Key>, by_weight: bool) -> Self {
        let mut roster = Self {
            members: Vec::with_capacity(keys.len()),
            by_id: HashMap::with_capacity(keys.len()),
            projects: Vec::with_capacity(keys.len()),
            open: SlotSet::new(keys.len()),
            paid: SlotSet::new(0),
            reopenings: BTreeSet::new(),
            classes: Vec::new(),
            limits: HashMap::new(),
            struck: HashMap::new(),
            ring: Vec::new(),
        };
        let mut tags = HashMap::new();
        for key in keys {
            roster.add(key, &mut tags);
        }
        roster.projects.shrink_to_fit();
        roster.note_paid();
        roster.ring = roster.by_id.iter().map(|(id, slot)| (id.as_u64(), *slot)).collect();
        roster.ring.sort_unstable();
        if by_weight {
            roster.classes = classes(&roster.members);
        }
        roster
    }

    fn add(&mut self, key: Key, tags: &mut HashMap<Arc<str>, usize>) {
        let slot = self.members.len();
        if self.by_id.contains_key(&key.id) {
            return;
        }
        self.by_id.insert(key.id, slot);
        let next = self.projects.len();
        let project = match &key.project {
            Some(tag) => *tags.entry(tag.clone()).or_insert(next),
            None => next,
        };
        if project == next {
            let name = key.project.clone().map_or(ProjectName::Key(key.id), ProjectName::Tag);
            self.projects.push(Project::new(name, key.tier));
        }
        if let Some(owner) = self.projects.get_mut(project) {
            owner.slots.push(slot);
            owner.live += usize::from(key.enabled);
            owner.weight = owner.weight.max(key.weight.get().into());
        }
        if key.enabled {
            self.open.insert(slot);
        }
        self.members.push(Member { key, project, dead: None, changed: Timestamp::default() });
    }

    fn note_paid(&mut self) {
        if self.projects.iter().all(|project| project.tier == Tier::Free) {
            return;
        }
        self.paid = SlotSet::new(self.members.len());
        for slot in self.projects.iter().filter(|p| p.tier == Tier::Paid).flat_map(|p| &p.slots) {
            self.paid.insert(*slot);
        }
    }

    /// Takes over what was known of the same keys and projects. Returns, for each project of the
    /// `old` roster, its number in this one.
    pub(super) fn inherit(&mut self, old: &Self) -> Vec<Option<usize>> {
        let deaths = old.members.iter().filter_map(|m| Some((m.key.id, m.dead?, m.changed)));
        for (id, fault, at) in deaths {
            if let Some(slot) = self.slot_of(id) {
                self.kill(slot, fault, at);
            }
        }
        let still_here = |(id, _): &(&KeyId, &Timestamp)| self.by_id.contains_key(id);
        self.struck = old.struck.iter().filter(still_here).map(|(id, at)| (*id, *at)).collect();
        let names = self.projects.iter().enumerate().map(|(number, p)| (p.name.clone(), number));
        let names: HashMap<_, _> = names.collect();
        let numbers: Vec<_> = old.projects.iter().map(|p| names.get(&p.name).copied()).collect();
        for (project, number) in old.projects.iter().zip(&numbers) {
            let Some(number) = *number else { continue };
            if let Some(heir) = self.projects.get_mut(number) {
                (heir.picks, heir.minute) = (project.picks, project.minute);
                heir.last_pick = project.last_pick;
            }
            if let Some(shut) = project.shut {
                self.shut(number, shut, project.changed);
            }
        }
        numbers
    }

    pub(super) const fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) const fn open(&self) -> &SlotSet {
        &self.open
    }

    /// The slots whose project is paid; without room for any if there is none.
    pub(super) const fn paid(&self) -> &SlotSet {
        &self.paid
    }

    pub(super) fn slot_of(&self, id: KeyId) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    pub(super) fn key(&self, slot: usize) -> Option<&Key> {
        self.members.get(slot).map(|member| &member.key)
    }

    pub(super) fn project_of(&self, slot: usize) -> Option<usize> {
        self.members.get(slot).map(|member| member.project)
    }

    /// The slots of a project's keys.
    pub(super) fn slots_of(&self, project: usize) -> &[usize] {
        self.projects.get(project).map_or(&[], |project| &project.slots)
    }

    /// What a project is granted, by its first key.
    pub(super) fn tier_of(&self, project: usize) -> Tier {
        self.projects.get(project).map_or(Tier::Free, |project| project.tier)
    }

    /// The limits that the operator knows of this project.
    pub(super) fn limits_of(&self, project: usize) -> Limits {
        if self.limits.is_empty() {
            return Limits::default();
        }
        self.limits.get(&project).copied().unwrap_or_default()
    }

    /// Takes over the limits of single keys; of several keys of a project the first that has any.
    pub(super) fn set_limits(&mut self, limits: &KeyLimits) {
        self.limits = HashMap::new();
        for member in &self.members {
            if let Some(own) = limits.of(&member.key) {
                self.limits.entry(member.project).or_insert(own);
            }
        }
    }

    /// Whether any key of the project may be used.
    pub(super) fn is_open(&self, project: usize) -> bool {
        self.projects.get(project).is_some_and(|p| p.shut.is_none() && p.live > 0)
    }

    /// How a key stands, whatever the model.
    pub(super) fn membership(&self, slot: usize) -> Membership {
        let Some(member) = self.members.get(slot) else { return Membership::Disabled };
        let shut = self.projects.get(member.project).and_then(|project| project.shut);
        match (member.key.enabled, member.dead, shut) {
            (false, _, _) => Membership::Disabled,
            (true, Some(fault), _) => Membership::Dead(fault),
            (true, None, Some(shut)) => Membership::Shut(shut),
            (true, None, None) => Membership::Open,
        }
    }

    pub(super) fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// The place of a slot's weight among the classes.
    pub(super) fn class_of(&self, slot: usize) -> Option<usize> {
        let weight = self.members.get(slot)?.key.weight.get();
        self.classes.binary_search_by_key(&weight, |class| class.weight).ok()
    }

    /// Whether the project of one slot is less busy than that of another: fewer requests under way and
    /// begun in this minute, as a minute is what most quotas count, for its weight; then the longer
    /// unused one.
    pub(super) fn is_less_busy(&self, one: usize, other: usize, now: Timestamp) -> bool {
        let project = |slot| self.project_of(slot).and_then(|number| self.projects.get(number));
        let Some((one, other)) = project(one).zip(project(other)) else { return false };
        let load = |project: &Project, weight: u64| {
            let picks = if project.minute == minute(now) { project.picks } else { 0 };
            ((project.in_flight + picks).saturating_mul(weight), project.last_pick)
        };
        load(one, other.weight) < load(other, one.weight)
    }

    /// How many requests are under way on a project.
    pub(super) fn in_flight_of(&self, project: usize) -> u64 {
        self.projects.get(project).map_or(0, |project| project.in_flight)
    }

    /// Counts a request that begins on a slot; `pick` is its number.
    pub(super) fn begin(&mut self, slot: usize, pick: u64, now: Timestamp) {
        let Some(project) = self.project_mut(slot) else { return };
        project.in_flight += 1;
        project.last_pick = pick;
        if project.minute == minute(now) {
            project.picks += 1;
        } else {
            (project.picks, project.minute) = (1, minute(now));
        }
    }

    /// Counts a request that is still under way after its key got another slot.
    pub(super) fn carry(&mut self, slot: usize) {
        if let Some(project) = self.project_mut(slot) {
            project.in_flight += 1;
        }
    }

    /// Counts a request that is over.
    pub(super) fn end(&mut self, slot: usize) {
        if let Some(project) = self.project_mut(slot) {
            project.in_flight = project.in_flight.saturating_sub(1);
        }
    }

    /// Notes that a key was refused without a reason; whether that may have been by mistake: if it was
    /// not refused before the request was begun.
    pub(super) fn strike(&mut self, slot: usize, begun: Timestamp, now: Timestamp) -> bool {
        let Some(member) = self.members.get(slot) else { return false };
        *self.struck.entry(member.key.id).or_insert(now) >= begun
    }

    pub(super) fn is_struck(&self, slot: usize) -> bool {
        self.members.get(slot).is_some_and(|member| self.struck.contains_key(&member.key.id))
    }

    /// Notes that a key works.
    pub(super) fn clear_strike(&mut self, key: KeyId) {
        if !self.struck.is_empty() {
            self.struck.remove(&key);
        }
    }

    /// Lets a key back that was out for good, unless it leaked.
    pub(super) fn revive(&mut self, slot: usize, at: Timestamp) {
        let Some(member) = self.members.get_mut(slot) else { return };
        self.struck.remove(&member.key.id);
        member.changed = at;
        if matches!(member.dead, None | Some(KeyFault::Leaked)) {
            return;
        }
        member.dead = None;
        let (number, enabled) = (member.project, member.key.enabled);
        let Some(project) = self.projects.get_mut(number).filter(|_| enabled) else { return };
        project.live += 1;
        match project.shut {
            None => {
                self.open.insert(slot);
            }
            Some(Shut { until: Some(until), .. }) => {
                self.reopenings.insert((until, number));
            }
            Some(Shut { until: None, .. }) => {}
        }
    }

    /// Reopens a project before its time.
    pub(super) fn reopen(&mut self, number: usize) {
        let Some(project) = self.projects.get_mut(number) else { return };
        if let Some(until) = project.shut.take().and_then(|shut| shut.until) {
            self.reopenings.remove(&(until, number));
        }
        self.open_project(number);
    }

    fn open_project(&mut self, number: usize) {
        let Some(project) = self.projects.get(number) else { return };
        for slot in &project.slots {
            if self.members.get(*slot).is_some_and(|m| m.key.enabled && m.dead.is_none()) {
                self.open.insert(*slot);
            }
        }
    }

    /// Puts a key out for good.
    pub(super) fn kill(&mut self, slot: usize, fault: KeyFault, at: Timestamp) {
        let Some(member) = self.members.get_mut(slot) else { return };
        let was_live = member.key.enabled && member.dead.is_none();
        member.changed = at;
        // What is known to be leaked stays so, whatever is said later.
        if member.dead != Some(KeyFault::Leaked) {
            member.dead = Some(fault);
        }
        self.open.remove(slot);
        let number = member.project;
        let Some(project) = self.projects.get_mut(number).filter(|_| was_live) else { return };
        project.live -= 1;
        if project.live == 0
            && let Some(until) = project.shut.and_then(|shut| shut.until)
        {
            self.reopenings.remove(&(until, number));
        }
    }

    /// Shuts a project for all models. Of two reasons the longer lasting one stays.
    pub(super) fn shut(&mut self, number: usize, shut: Shut, at: Timestamp) {
        let Some(project) = self.projects.get_mut(number) else { return };
        let lasts_longer = project.shut.is_none_or(|old| match (old.until, shut.until) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(old), Some(new)) => old < new,
        });
        if !lasts_longer {
            return;
        }
        if let Some(until) = project.shut.and_then(|old| old.until) {
            self.reopenings.remove(&(until, number));
        }
        if let Some(until) = shut.until.filter(|_| project.live > 0) {
            self.reopenings.insert((until, number));
        }
        (project.shut, project.changed) = (Some(shut), at);
        for slot in &project.slots {
            self.open.remove(*slot);
        }
    }

    /// Reopens one project whose time has come; its number. To be called until there is none.
    pub(super) fn reopen_due(&mut self, now: Timestamp) -> Option<usize> {
        let first = self.reopenings.first().copied().filter(|(until, _)| *until <= now)?;
        self.reopenings.remove(&first);
        self.projects.get_mut(first.1)?.shut = None;
        self.open_project(first.1);
        Some(first.1)
    }

    /// What became of keys since a time: out for good, or back.
    pub(super) fn fates(
        &self,
        since: Timestamp,
    ) -> impl Iterator<Item = (KeyId, Option<KeyFault>)> {
        let changed = move |member: &&Member| {
            member.changed >= since && member.changed > Timestamp::default()
        };
        self.members.iter().filter(changed).map(|member| (member.key.id, member.dead))
    }

    /// The projects that were shut since a time and are so still, by the name of a key.
    pub(super) fn shut_since(&self, since: Timestamp) -> impl Iterator<Item = (KeyId, Shut)> {
        let projects = self.projects.iter().enumerate();
        projects
            .filter(move |(_, project)| project.changed >= since)
            .filter_map(|(number, project)| Some((self.name_of(number)?, project.shut?)))
    }

    /// The name of a project's first key.
    pub(super) fn name_of(&self, project: usize) -> Option<KeyId> {
        let slot = self.slots_of(project).first()?;
        self.key(*slot).map(|key| key.id)
    }

    /// Whether far more requests are under way on the project of a slot than on others.
    pub(super) fn is_crowded(&self, slot: usize, under_way: usize) -> bool {
        let mean = under_way as u64 / (self.projects.len() as u64).max(1);
        let own = self.project_of(slot).map_or(0, |project| self.in_flight_of(project));
        own > 2 * mean + 2
    }

    /// The key of a conversation: that whose name comes next after one of a few numbers drawn from
    /// it, the nearest. It stays the same for nearly all when keys come and go.
    pub(super) fn key_of_conversation(&self, conversation: u64) -> Option<usize> {
        let mut number = conversation;
        let probes = std::iter::repeat_with(|| {
            number = reroll(number);
            let next = self.ring.partition_point(|(name, _)| *name < number);
            let (name, slot) = self.ring.get(next).or_else(|| self.ring.first())?;
            Some((name.wrapping_sub(number), *slot))
        });
        probes.take(PROBES).flatten().min().map(|(_, slot)| slot)
    }

    /// When shut projects reopen, and which, the first one first.
    pub(super) fn reopenings(&self) -> impl Iterator<Item = (Timestamp, usize)> {
        self.reopenings.iter().copied()
    }

    /// Follows a clock that was put back to `now`. What was over by then does not begin again.
    pub(super) fn rewind(&mut self, by: Duration, now: Timestamp) {
        for project in &mut self.projects {
            let lasting = |shut: &Shut| shut.until.is_none_or(|until| until > now + by);
            project.shut = project.shut.filter(lasting).map(|shut| {
                let until = shut.until.map(|until| until.before(by));
                Shut { until, ..shut }
            });
        }
        let moved = self.reopenings.iter().map(|(until, number)| (until.before(by), *number));
        self.reopenings = moved.collect();
    }

    fn project_mut(&mut self, slot: usize) -> Option<&mut Project> {
        let number = self.project_of(slot)?;
        self.projects.get_mut(number)
    }
}

impl Project {
    fn new(name: ProjectName, tier: Tier) -> Self {
        Self {
            name,
            tier,
            slots: Vec::with_capacity(1),
            live: 0,
            shut: None,
            changed: Timestamp::default(),
            in_flight: 0,
            picks: 0,
            minute: 0,
            last_pick: 0,
            weight: 1,
        }
    }
}

const fn minute(now: Timestamp) -> u64 {
    now.unix_seconds() / 60
}

fn classes(members: &[Member]) -> Vec<Class> {
    let mut classes = BTreeMap::new();
    for (slot, member) in members.iter().enumerate() {
        let empty = || SlotSet::new(members.len());
        classes.entry(member.key.weight.get()).or_insert_with(empty).insert(slot);
    }
    classes.into_iter().map(|(weight, slots)| Class { weight, slots }).collect()
}

#[cfg(test)]
impl Roster {
    /// Requests under way on all projects.
    pub(super) fn in_flight(&self) -> u64 {
        self.projects.iter().map(|project| project.in_flight).sum()
    }
}
