//! What a pool knows, written as notes that other instances can read.
//!
//! Invariant: what was sent is in no note, as it is told by claims on quotas; and a note that cannot be
//! read, because it is of a newer kind or damaged, is left out.

use std::time::Duration;

use super::Note;
use crate::{
    pool::{Fact, MEMORY_VERSION},
    time::Timestamp,
};

/// How long what has no end of its own is worth knowing.
const LASTING: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Note {
    /// A fact as a note; `None` if it is over, or of this instance alone.
    #[must_use]
    pub fn of(fact: &Fact, now: Timestamp) -> Option<Self> {
        let (subject, until) = match fact {
            Fact::Dead { key, .. } => (format!("key/{key}"), None),
            Fact::Works { key } => (format!("key/{key}"), Some(now + LASTING)),
            Fact::Shut { key, until, .. } => (format!("project/{key}"), *until),
            Fact::Quota { key, model, rest, told, doubt, .. } => {
                let rest = rest.map(|rest| rest.until);
                let ends = [rest, told.map(|(_, until)| until), doubt.map(|doubt| doubt.until)];
                (format!("quota/{key}/{model}"), Some(ends.into_iter().flatten().max()?))
            }
            Fact::Sizes { model, .. } => (format!("sizes/{model}"), Some(now + LASTING)),
            Fact::Outage { model, until, .. } => (format!("outage/{model}"), Some(*until)),
        };
        if until.is_some_and(|until| until <= now) {
            return None;
        }
        let text = serde_json::to_string(&(MEMORY_VERSION, shared(fact))).ok()?;
        Some(Self { subject, text, until })
    }

    /// The fact that it is about.
    #[must_use]
    pub fn fact(&self) -> Option<Fact> {
        let (version, fact): (u32, Fact) = serde_json::from_str(&self.text).ok()?;
        (version <= MEMORY_VERSION).then(|| shared(&fact))
    }
}

/// The part of a fact that is true for every instance.
fn shared(fact: &Fact) -> Fact {
    let mut fact = fact.clone();
    if let Fact::Quota { sent, .. } = &mut fact {
        *sent = None;
    }
    fact
}
