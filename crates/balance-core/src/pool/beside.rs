//! A second key beside one that a request has, and what a request waits for that has none.
//!
//! Invariant: nothing is taken that would leave a project without room.

use super::{Ask, Lease, Levels, Pool, model::View, models::Place};
use crate::time::Timestamp;

/// What the first key to come back waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bottleneck {
    /// A stable word.
    pub why: &'static str,
    /// Until when.
    pub until: Timestamp,
    /// What is used of the quotas of its project.
    pub levels: Levels,
}

impl Pool {
    /// Gives a second key for a request that has one: of another project, and only if both projects
    /// are in good standing and have room to spare.
    pub fn select_beside(
        &mut self,
        lease: &Lease,
        ask: &Ask<'_>,
        now: Timestamp,
        roll: u64,
    ) -> Option<Lease> {
        let now = self.advance(now);
        let first = self.roster.project_of(self.roster.slot_of(lease.key)?)?;
        if !self.has_room_to_spare(lease.place, first) {
            return None;
        }
        let slots = self.roster.slots_of(first).iter();
        let its_keys = slots.filter_map(|slot| self.roster.key(*slot)).map(|key| key.id);
        let tried: Vec<_> = ask.tried.iter().copied().chain(its_keys).collect();
        let other = self.select(&Ask { tried: &tried, ..*ask }, now, roll).ok()?;
        let project = self.roster.slot_of(other.key).and_then(|slot| self.roster.project_of(slot));
        if project.is_some_and(|project| self.has_room_to_spare(other.place, project)) {
            return Some(other);
        }
        self.give_back(other, now);
        None
    }

    /// What the first key to come back for a model waits for; `None` if none waits for a quota.
    pub fn bottleneck(&mut self, model: Option<&str>, now: Timestamp) -> Option<Bottleneck> {
        let now = self.advance(now);
        let place = self.enter(model);
        let roster = &self.roster;
        let model = self.models.at(place)?;
        model.wake(roster, now);
        let (until, project) = model.first_resting()?;
        let View::Resting(why, _) = model.view(project) else { return None };
        let levels = Levels::new(model.used(project, now), model.limits(project, roster, now));
        Some(Bottleneck { why, until, levels })
    }

    /// Whether a project would be given another request now.
    fn has_room_to_spare(&mut self, place: Place, project: usize) -> bool {
        self.models.at(place).is_some_and(|model| matches!(model.view(project), View::Ready))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        super::{
            PoolLimits, Strategy,
            tests::{START, ask, keys},
        },
        *,
    };
    use crate::fault::Limits;

    fn pool(count: usize, requests_per_minute: u64) -> Pool {
        let mut keys = keys(count);
        keys[0].project = Some("p".into());
        keys[1].project = Some("p".into());
        let default =
            Limits { requests_per_minute: Some(requests_per_minute), ..Limits::default() };
        let limits = PoolLimits { default, ..PoolLimits::default() };
        Pool::new(keys, Strategy::RoundRobin).with_limits(limits)
    }

    #[test]
    fn a_second_key_is_of_another_project() {
        let mut pool = pool(3, 10);
        for roll in 0..5 {
            let first = pool.select(&ask("m"), START, roll).unwrap();
            let second = pool.select_beside(&first, &ask("m"), START, roll).unwrap();
            let third = keys(3)[2].id;
            assert_eq!(first.key == third, second.key != third);
            pool.cancel(first, START);
            pool.give_back(second, START);
        }
    }

    #[test]
    fn none_is_given_where_it_would_take_the_last_room_of_either() {
        let mut pool = pool(3, 2);
        let first = pool.select(&ask("m"), START, 0).unwrap();
        let second = pool.select_beside(&first, &ask("m"), START, 0).unwrap();
        assert!(
            pool.select_beside(&first, &ask("m"), START, 0).is_none(),
            "the other is full then"
        );
        let again = pool.select(&ask("m"), START, 0).unwrap();
        assert!(pool.select_beside(&again, &ask("m"), START, 0).is_none());
        assert!(pool.select_beside(&second, &ask("m"), START, 0).is_none());
        for lease in [first, second, again] {
            pool.cancel(lease, START);
        }
    }

    #[test]
    fn a_bottleneck_names_the_limit_and_its_end() {
        let mut pool = pool(2, 1);
        assert_eq!(pool.bottleneck(Some("m"), START), None);
        let lease = pool.select(&ask("m"), START, 0).unwrap();
        pool.cancel(lease, START);
        let told = pool.bottleneck(Some("m"), START).unwrap();
        assert_eq!(told.why, "no_room");
        assert_eq!(told.levels.requests_per_minute.used, 1);
        assert!(told.until > START + Duration::from_secs(59));
    }
}
