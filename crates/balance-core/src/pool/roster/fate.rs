//! Which keys and projects may be used: what puts them out, and what lets them back.
//!
//! Invariant: what shut or killed is noted with its time, so that it can be told to others.

use std::time::Duration;

use super::{Member, Roster};
use crate::{
    fault::{KeyFault, ProjectFault},
    key::KeyId,
    time::Timestamp,
};

/// Why a project is not used, for any model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pool) struct Shut {
    pub(in crate::pool) fault: ProjectFault,
    /// `None` for good.
    pub(in crate::pool) until: Option<Timestamp>,
}

/// How a key stands, whatever the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pool) enum Membership {
    Open,
    Disabled,
    Dead(KeyFault),
    Shut(Shut),
}

impl Roster {
    /// Whether any key of the project may be used.
    pub(in crate::pool) fn is_open(&self, project: usize) -> bool {
        self.slots_of(project).iter().any(|slot| self.open.contains(*slot))
    }

    /// How a key stands, whatever the model.
    pub(in crate::pool) fn membership(&self, slot: usize) -> Membership {
        let Some(member) = self.members.get(slot) else { return Membership::Disabled };
        let project = self.project_of(slot).and_then(|project| self.projects.get(project));
        let shut = project.and_then(|project| project.shut);
        match (member.key.enabled, member.dead, shut) {
            (false, _, _) => Membership::Disabled,
            (true, Some(fault), _) => Membership::Dead(fault),
            (true, None, Some(shut)) => Membership::Shut(shut),
            (true, None, None) => Membership::Open,
        }
    }

    /// Notes that a key was refused without a reason; whether that may have been by mistake: if it was
    /// not refused before the request was begun.
    pub(in crate::pool) fn strike(
        &mut self,
        slot: usize,
        begun: Timestamp,
        now: Timestamp,
    ) -> bool {
        let Some(member) = self.members.get(slot) else { return false };
        *self.struck.entry(member.key.id).or_insert(now) >= begun
    }

    pub(in crate::pool) fn is_struck(&self, slot: usize) -> bool {
        self.members.get(slot).is_some_and(|member| self.struck.contains_key(&member.key.id))
    }

    /// Notes that a key works.
    pub(in crate::pool) fn clear_strike(&mut self, key: KeyId) {
        if !self.struck.is_empty() {
            self.struck.remove(&key);
        }
    }

    /// Lets a key back that was out for good, unless it leaked.
    pub(in crate::pool) fn revive(&mut self, slot: usize, at: Timestamp) {
        let Some(member) = self.members.get_mut(slot) else { return };
        self.struck.remove(&member.key.id);
        member.changed = at;
        if matches!(member.dead, None | Some(KeyFault::Leaked)) {
            return;
        }
        member.dead = None;
        let enabled = member.key.enabled;
        let Some(number) = self.project_of(slot) else { return };
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
    pub(in crate::pool) fn reopen(&mut self, number: usize) {
        let Some(project) = self.projects.get_mut(number) else { return };
        if let Some(until) = project.shut.take().and_then(|shut| shut.until) {
            self.reopenings.remove(&(until, number));
        }
        self.open_project(number);
    }

    fn open_project(&mut self, number: usize) {
        for slot in self.groups.of(number) {
            if self.members.get(*slot).is_some_and(|m| m.key.enabled && m.dead.is_none()) {
                self.open.insert(*slot);
            }
        }
    }

    /// Puts a key out for good.
    pub(in crate::pool) fn kill(&mut self, slot: usize, fault: KeyFault, at: Timestamp) {
        let Some(member) = self.members.get_mut(slot) else { return };
        let was_live = member.key.enabled && member.dead.is_none();
        member.changed = at;
        // What is known to be leaked stays so, whatever is said later.
        if member.dead != Some(KeyFault::Leaked) {
            member.dead = Some(fault);
        }
        self.open.remove(slot);
        let Some(number) = self.project_of(slot) else { return };
        let Some(project) = self.projects.get_mut(number).filter(|_| was_live) else { return };
        project.live -= 1;
        if project.live == 0
            && let Some(until) = project.shut.and_then(|shut| shut.until)
        {
            self.reopenings.remove(&(until, number));
        }
    }

    /// Shuts a project for all models. Of two reasons the longer lasting one stays.
    pub(in crate::pool) fn shut(&mut self, number: usize, shut: Shut, at: Timestamp) {
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
        for slot in self.groups.of(number) {
            self.open.remove(*slot);
        }
    }

    /// Reopens one project whose time has come; its number. To be called until there is none.
    pub(in crate::pool) fn reopen_due(&mut self, now: Timestamp) -> Option<usize> {
        let first = self.reopenings.first().copied().filter(|(until, _)| *until <= now)?;
        self.reopenings.remove(&first);
        self.projects.get_mut(first.1)?.shut = None;
        self.open_project(first.1);
        Some(first.1)
    }

    /// What became of keys since a time: out for good, or back.
    pub(in crate::pool) fn fates(
        &self,
        since: Timestamp,
    ) -> impl Iterator<Item = (KeyId, Option<KeyFault>)> {
        let changed = move |member: &&Member| {
            member.changed >= since && member.changed > Timestamp::default()
        };
        self.members.iter().filter(changed).map(|member| (member.key.id, member.dead))
    }

    /// The projects that were shut since a time and are so still, by the name of a key.
    pub(in crate::pool) fn shut_since(
        &self,
        since: Timestamp,
    ) -> impl Iterator<Item = (KeyId, Shut)> {
        let projects = self.projects.iter().enumerate();
        projects
            .filter(move |(_, project)| project.changed >= since)
            .filter_map(|(number, project)| Some((self.name_of(number)?, project.shut?)))
    }

    /// When shut projects reopen, and which, the first one first.
    pub(in crate::pool) fn reopenings(&self) -> impl Iterator<Item = (Timestamp, usize)> {
        self.reopenings.iter().copied()
    }

    /// Follows a clock that was put back to `now`. What was over by then does not begin again.
    pub(in crate::pool) fn rewind(&mut self, by: Duration, now: Timestamp) {
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
}
