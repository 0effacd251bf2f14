//! The models that the pool keeps state for.
//!
//! Invariant: they are never more than [`MOST`], whatever names callers make up: the one that can be
//! spared best makes room.

use std::collections::HashMap;

use super::{limits::PoolLimits, model::Model, roster::Roster, strategy::Strategy};

/// The most models that are kept.
const MOST: usize = 256;

/// Names longer than any model's are taken for no name.
const LONGEST_NAME: usize = 200;

/// The models, found by name or by place.
#[derive(Debug, Default)]
pub(super) struct Models {
    by_name: HashMap<Box<str>, usize>,
    tracked: Vec<Tracked>,
    /// Where the model is that was asked last: as a rule it is the next one too.
    latest: usize,
    /// Counts calls of [`Models::enter`].
    asked: u64,
}

#[derive(Debug)]
struct Tracked {
    name: Box<str>,
    model: Model,
    first_asked: u64,
    last_asked: u64,
}

/// Where a model is kept, as long as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    index: usize,
    first_asked: u64,
}

impl Place {
    /// Its number among the models.
    pub(super) const fn number(self) -> usize {
        self.index
    }
}

impl Models {
    /// The place of a model, which is made if it is new. `None` stands for requests without one.
    pub(super) fn enter(
        &mut self,
        name: Option<&str>,
        strategy: Strategy,
        limits: &PoolLimits,
        roster: &Roster,
    ) -> Place {
        self.asked += 1;
        let name = known_part(name);
        let latest = self.tracked.get(self.latest).filter(|latest| *latest.name == *name);
        let known = latest.map(|_| self.latest).or_else(|| self.by_name.get(name).copied());
        let index = known.unwrap_or_else(|| {
            let tracked = Tracked {
                name: name.into(),
                model: Model::new(name, strategy, limits, roster),
                first_asked: self.asked,
                last_asked: self.asked,
            };
            self.keep(tracked)
        });
        self.latest = index;
        let first_asked = self.tracked.get_mut(index).map_or(0, |tracked| {
            tracked.last_asked = self.asked;
            tracked.first_asked
        });
        Place { index, first_asked }
    }

    /// The model at a place, if it is still kept.
    pub(super) fn at(&mut self, place: Place) -> Option<&mut Model> {
        let tracked = self.tracked.get_mut(place.index)?;
        (tracked.first_asked == place.first_asked).then_some(&mut tracked.model)
    }

    /// The model of this name, if it is kept.
    pub(super) fn find(&mut self, name: Option<&str>) -> Option<&mut Model> {
        let index = *self.by_name.get(known_part(name))?;
        self.tracked.get_mut(index).map(|tracked| &mut tracked.model)
    }

    /// All models that are kept.
    pub(super) fn all(&self) -> impl Iterator<Item = &Model> {
        self.tracked.iter().map(|tracked| &tracked.model)
    }

    /// All models that are kept, with their names.
    pub(super) fn named(&self) -> impl Iterator<Item = (&str, &Model)> {
        self.tracked.iter().map(|tracked| (&*tracked.name, &tracked.model))
    }

    /// All models that are kept, with their names.
    pub(super) fn named_mut(&mut self) -> impl Iterator<Item = (&str, &mut Model)> {
        self.tracked.iter_mut().map(|tracked| (&*tracked.name, &mut tracked.model))
    }

    /// All models that are kept.
    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Model> {
        self.tracked.iter_mut().map(|tracked| &mut tracked.model)
    }

    /// Where there is no room, takes the place of the model that nothing is known of and that was
    /// asked the longest time ago; failing such, of that which was.
    fn keep(&mut self, new: Tracked) -> usize {
        let spare = |tracked: &Tracked| (!tracked.model.is_blank(), tracked.last_asked);
        let sparest = self.tracked.iter().enumerate().min_by_key(|(_, tracked)| spare(tracked));
        let index = match sparest {
            Some((index, _)) if self.tracked.len() >= MOST => index,
            Some(_) | None => self.tracked.len(),
        };
        self.by_name.insert(new.name.clone(), index);
        if let Some(old) = self.tracked.get_mut(index) {
            self.by_name.remove(&old.name);
            *old = new;
        } else {
            self.tracked.push(new);
        }
        index
    }
}

fn known_part(name: Option<&str>) -> &str {
    name.filter(|name| name.len() <= LONGEST_NAME).unwrap_or("")
}
