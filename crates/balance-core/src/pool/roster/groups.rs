//! Which slots belong to each project.
//!
//! Invariant: every slot stands once, with those of its project, in the order of the list; all of them
//! lie together, so that a look at one project is a look at one place.

/// The slots of all projects, one project after the other.
#[derive(Debug, Default)]
pub(super) struct Groups {
    slots: Vec<usize>,
    /// Where the slots of each project begin; and, at the end, how many there are.
    begins: Vec<u32>,
}

impl Groups {
    /// Of so many projects; `owners` tells the project of each slot.
    pub(super) fn new(projects: usize, owners: &[u32]) -> Self {
        let mut begins = vec![0; projects + 1];
        for owner in owners {
            if let Some(next) = begins.get_mut(*owner as usize + 1) {
                *next += 1;
            }
        }
        let mut sum = 0;
        for begin in &mut begins {
            sum += *begin;
            *begin = sum;
        }
        let (mut slots, mut free) = (vec![0; owners.len()], begins.clone());
        for (slot, owner) in owners.iter().enumerate() {
            let Some(place) = free.get_mut(*owner as usize) else { continue };
            if let Some(free) = slots.get_mut(*place as usize) {
                *free = slot;
            }
            *place += 1;
        }
        Self { slots, begins }
    }

    /// The slots of a project.
    pub(super) fn of(&self, project: usize) -> &[usize] {
        let begin = |number: usize| self.begins.get(number).map(|begin| *begin as usize);
        let range = begin(project).zip(begin(project + 1));
        range.and_then(|(begin, end)| self.slots.get(begin..end)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_project_has_its_slots_in_order() {
        let groups = Groups::new(3, &[1, 0, 1, 1]);
        assert_eq!([groups.of(0), groups.of(1), groups.of(2)], [&[1][..], &[0, 2, 3], &[]]);
        assert!(groups.of(3).is_empty() && Groups::default().of(0).is_empty());
    }
}
