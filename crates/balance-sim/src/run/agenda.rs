//! What happens when.
//!
//! Invariant: things come in the order of their time, and those of one moment in the order in which
//! they were planned.

use std::{cmp::Reverse, collections::BinaryHeap};

use balance_core::time::Timestamp;

/// What is planned, in places that are used again.
#[derive(Debug)]
pub(super) struct Agenda<E> {
    /// When, in the order of planning, and at which place.
    order: BinaryHeap<Reverse<(Timestamp, u64, usize)>>,
    places: Vec<Option<E>>,
    free: Vec<usize>,
    planned: u64,
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Self { order: BinaryHeap::new(), places: Vec::new(), free: Vec::new(), planned: 0 }
    }
}

impl<E> Agenda<E> {
    pub(super) fn plan(&mut self, at: Timestamp, event: E) {
        self.planned += 1;
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        if let Some(free) = self.places.get_mut(place) {
            *free = Some(event);
        }
        self.order.push(Reverse((at, self.planned, place)));
    }

    /// What happens next, and when.
    pub(super) fn next(&mut self) -> Option<(Timestamp, E)> {
        let Reverse((at, _, place)) = self.order.pop()?;
        let event = self.places.get_mut(place)?.take()?;
        self.free.push(place);
        Some((at, event))
    }
}
