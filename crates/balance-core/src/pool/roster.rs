//! Who is in the pool: the keys, the projects they belong to, and which of them may be used at all.
//!
//! Invariant: a slot is open exactly if its key is enabled, not dead, and its project is not shut.

mod fate;
mod groups;
mod load;
mod ring;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

pub(super) use self::fate::{Membership, Shut};
use self::{groups::Groups, load::Loads, ring::Ring};
use super::{
    kin::Kinship,
    limits::KeyLimits,
    numbers::{ByKey, ByProject},
    slots::SlotSet,
};
use crate::{
    fault::{KeyFault, Limits},
    key::{Key, KeyId, Tier},
    secret::Secret,
    time::Timestamp,
};

/// The keys by slot, and their projects by number.
#[derive(Debug)]
pub(super) struct Roster {
    members: Vec<Member>,
    by_id: ByKey<usize>,
    projects: Vec<Project>,
    /// The slots of each project.
    groups: Groups,
    /// The project of each slot, and how busy it is.
    loads: Loads,
    open: SlotSet,
    /// The slots of paid projects.
    paid: SlotSet,
    /// When shut projects that have live keys reopen.
    reopenings: BTreeSet<(Timestamp, usize)>,
    /// The slots of each weight, the lightest first; empty unless a strategy asks for them.
    classes: Vec<Class>,
    /// The limits that the operator knows of single projects.
    limits: ByProject<Limits>,
    /// Keys that were refused once without a reason, and when.
    struck: ByKey<Timestamp>,
    ring: Ring,
}

/// A key in the pool.
#[derive(Debug)]
struct Member {
    key: Key,
    dead: Option<KeyFault>,
    /// When it was put out, or came back.
    changed: Timestamp,
}

/// The owner of a quota.
#[derive(Debug)]
struct Project {
    name: ProjectName,
    tier: Tier,
    /// How many of its keys are enabled and not dead.
    live: usize,
    shut: Option<Shut>,
    /// When it was shut.
    changed: Timestamp,
}

/// What tells projects apart: a tag, or where there is none, the first key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum ProjectName {
    Tag(Arc<str>),
    Key(KeyId),
}

/// The slots of one weight.
#[derive(Debug)]
pub(super) struct Class {
    pub(super) weight: u32,
    pub(super) slots: SlotSet,
}

impl Roster {
    /// The first of several keys with one id counts.
    pub(super) fn new(keys: Vec<Key>, by_weight: bool, kin: &Kinship) -> Self {
        let mut roster = Self {
            members: Vec::with_capacity(keys.len()),
            by_id: ByKey::default(),
            projects: Vec::with_capacity(keys.len()),
            groups: Groups::default(),
            loads: Loads::default(),
            open: SlotSet::new(keys.len()),
            paid: SlotSet::new(0),
            reopenings: BTreeSet::new(),
            classes: Vec::new(),
            limits: ByProject::default(),
            struck: ByKey::default(),
            ring: Ring::default(),
        };
        roster.by_id.reserve(keys.len());
        let mut names = HashMap::new();
        for key in keys {
            roster.add(key, kin, &mut names);
        }
        roster.projects.shrink_to_fit();
        roster.groups = Groups::new(roster.projects.len(), roster.loads.owners());
        Secret::pack(roster.members.iter_mut().map(|member| &mut member.key.secret));
        roster.note_paid();
        roster.ring = Ring::new(roster.members.iter().map(|member| member.key.id));
        if by_weight {
            roster.classes = classes(&roster.members);
        }
        roster
    }

    fn add(&mut self, key: Key, kin: &Kinship, names: &mut HashMap<ProjectName, usize>) {
        let slot = self.members.len();
        if self.by_id.contains_key(&key.id) {
            return;
        }
        self.by_id.insert(key.id, slot);
        let name = match &key.project {
            Some(tag) => ProjectName::Tag(tag.clone()),
            None => ProjectName::Key(kin.leader_of(key.id).unwrap_or(key.id)),
        };
        let next = self.projects.len();
        let project = *names.entry(name.clone()).or_insert(next);
        if project == next {
            self.projects.push(Project::new(name, key.tier));
        }
        if let Some(owner) = self.projects.get_mut(project) {
            owner.live += usize::from(key.enabled);
        }
        if key.enabled {
            self.open.insert(slot);
        }
        self.loads.add(project, key.weight);
        self.members.push(Member { key, dead: None, changed: Timestamp::default() });
    }

    fn note_paid(&mut self) {
        if self.projects.iter().all(|project| project.tier == Tier::Free) {
            return;
        }
        self.paid = SlotSet::new(self.members.len());
        for slot in 0..self.members.len() {
            let project = self.loads.project_of(slot).and_then(|number| self.projects.get(number));
            if project.is_some_and(|project| project.tier == Tier::Paid) {
                self.paid.insert(slot);
            }
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
        // A key without a tag may be in a group by now.
        let of_key = |(number, project): (usize, &Project)| match &project.name {
            ProjectName::Tag(_) => None,
            ProjectName::Key(_) => self.project_of(self.slot_of(old.name_of(number)?)?),
        };
        let number = |(number, project): (usize, &Project)| {
            names.get(&project.name).copied().or_else(|| of_key((number, project)))
        };
        let numbers: Vec<_> = old.projects.iter().enumerate().map(number).collect();
        self.loads.inherit(&old.loads, &numbers);
        for (project, number) in old.projects.iter().zip(&numbers) {
            let Some(number) = *number else { continue };
            if let Some(shut) = project.shut {
                self.shut(number, shut, project.changed);
            }
        }
        numbers
    }

    pub(super) const fn len(&self) -> usize {
        self.members.len()
    }

    /// How many projects there are.
    pub(super) const fn projects(&self) -> usize {
        self.projects.len()
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

    /// All keys, by their slots.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.members.iter().map(|member| &member.key)
    }

    /// How many keys nobody said the project of.
    pub(super) fn untagged(&self) -> usize {
        self.keys().filter(|key| key.project.is_none()).count()
    }

    pub(super) fn key(&self, slot: usize) -> Option<&Key> {
        self.members.get(slot).map(|member| &member.key)
    }

    pub(super) fn project_of(&self, slot: usize) -> Option<usize> {
        self.loads.project_of(slot)
    }

    /// The slots of a project's keys.
    pub(super) fn slots_of(&self, project: usize) -> &[usize] {
        self.groups.of(project)
    }

    /// What a project is granted, by its first key.
    pub(super) fn tier_of(&self, project: usize) -> Tier {
        if self.paid.is_empty() {
            return Tier::Free;
        }
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
        self.limits = ByProject::default();
        for (slot, member) in self.members.iter().enumerate() {
            if let Some((own, project)) = limits.of(&member.key).zip(self.project_of(slot)) {
                self.limits.entry(project).or_insert(own);
            }
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

    /// The name of a project's first key.
    pub(super) fn name_of(&self, project: usize) -> Option<KeyId> {
        let slot = self.slots_of(project).first()?;
        self.key(*slot).map(|key| key.id)
    }

    /// Another open key of a key's project.
    pub(super) fn kin_of(&self, key: KeyId) -> Option<usize> {
        let own = self.slot_of(key)?;
        let slots = self.slots_of(self.project_of(own)?).iter().copied();
        slots.filter(|slot| *slot != own).find(|slot| self.open.contains(*slot))
    }

    pub(super) const fn loads(&self) -> &Loads {
        &self.loads
    }

    pub(super) const fn loads_mut(&mut self) -> &mut Loads {
        &mut self.loads
    }

    /// The key of a conversation.
    pub(super) fn key_of_conversation(&self, conversation: u64) -> Option<usize> {
        self.ring.slot_for(conversation)
    }
}

impl Project {
    fn new(name: ProjectName, tier: Tier) -> Self {
        Self { name, tier, live: 0, shut: None, changed: Timestamp::default() }
    }
}

fn classes(members: &[Member]) -> Vec<Class> {
    let mut classes = BTreeMap::new();
    for (slot, member) in members.iter().enumerate() {
        let empty = || SlotSet::new(members.len());
        classes.entry(member.key.weight.get()).or_insert_with(empty).insert(slot);
    }
    classes.into_iter().map(|(weight, slots)| Class { weight, slots }).collect()
}
