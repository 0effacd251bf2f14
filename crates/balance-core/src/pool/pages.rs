//! What is known of projects, found by their numbers in one step.
//!
//! Invariant: what is known of neighbours lies together, in pages that are made when they are needed;
//! all of them take no more room than one thing for each project.

/// So many projects to a page.
const PAGE: usize = 64;

/// A map from the numbers of projects, where most of them have something as a rule.
#[derive(Debug)]
pub(super) struct Pages<T> {
    /// Pages without room are not made yet.
    pages: Vec<Vec<Option<T>>>,
    len: usize,
}

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), len: 0 }
    }
}

impl<T> Pages<T> {
    pub(super) fn of(&self, project: usize) -> Option<&T> {
        self.pages.get(project / PAGE)?.get(project % PAGE)?.as_ref()
    }

    pub(super) fn of_mut(&mut self, project: usize) -> Option<&mut T> {
        self.pages.get_mut(project / PAGE)?.get_mut(project % PAGE)?.as_mut()
    }

    /// What is known of a project, from now on.
    #[expect(clippy::indexing_slicing, reason = "both places are made here, if they are not there")]
    pub(super) fn enter(&mut self, project: usize) -> &mut T
    where
        T: Default,
    {
        let (page, place) = (project / PAGE, project % PAGE);
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, Vec::new);
        }
        let places = &mut self.pages[page];
        if places.is_empty() {
            places.resize_with(PAGE, || None);
        }
        self.len += usize::from(places[place].is_none());
        places[place].get_or_insert_default()
    }

    pub(super) fn remove(&mut self, project: usize) {
        if let Some(place) =
            self.pages.get_mut(project / PAGE).and_then(|page| page.get_mut(project % PAGE))
        {
            self.len -= usize::from(place.take().is_some());
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All of them, with their projects.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        let pages = self.pages.iter().enumerate();
        pages.flat_map(|(page, places)| {
            let places = places.iter().enumerate();
            places.filter_map(move |(place, known)| Some((page * PAGE + place, known.as_ref()?)))
        })
    }

    pub(super) fn projects(&self) -> impl Iterator<Item = usize> {
        self.iter().map(|(project, _)| project)
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.pages.iter_mut().flatten().flatten()
    }

    pub(super) fn into_iter(self) -> impl Iterator<Item = (usize, T)> {
        let pages = self.pages.into_iter().enumerate();
        pages.flat_map(|(page, places)| {
            let places = places.into_iter().enumerate();
            places.filter_map(move |(place, known)| Some((page * PAGE + place, known?)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::slots::{reroll, scale};
    use std::collections::BTreeMap;

    #[test]
    fn they_do_what_a_plain_map_does() {
        let (mut pages, mut plain, mut roll) = (Pages::default(), BTreeMap::new(), 1);
        for _ in 0..5000 {
            roll = reroll(roll);
            let project = scale(roll, 1000);
            if roll & 3 == 0 {
                pages.remove(project);
                plain.remove(&project);
            } else {
                *pages.enter(project) += roll & 7;
                *plain.entry(project).or_insert(0) += roll & 7;
            }
            let other = scale(reroll(roll), 1100);
            assert_eq!(pages.is_empty(), plain.is_empty());
            assert_eq!(pages.of(other), plain.get(&other));
            assert_eq!(pages.of_mut(other), plain.get_mut(&other));
        }
        pages.values_mut().for_each(|known| *known += 1);
        plain.values_mut().for_each(|known| *known += 1);
        assert!(pages.iter().eq(plain.iter().map(|(project, known)| (*project, known))));
        assert!(pages.projects().eq(plain.keys().copied()));
        assert!(pages.into_iter().eq(plain));
    }
}
