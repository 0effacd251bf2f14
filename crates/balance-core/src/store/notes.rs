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

/// How long what was sent counts at the least.
const MINUTE: Duration = Duration::from_secs(60);

impl Note {
    /// A fact as a note; `None` if it is over, or of this instance alone.
    #[must_use]
    pub fn of(fact: &Fact, now: Timestamp) -> Option<Self> {
        Self::to_keep(&shared(fact), now)
    }

    /// A fact as a note for the one who goes on where this instance stops, with what was sent; `None`
    /// if it is over.
    #[must_use]
    pub fn to_keep(fact: &Fact, now: Timestamp) -> Option<Self> {
        let (subject, until) = match fact {
            Fact::Dead { key, .. } => (format!("key/{key}"), None),
            Fact::Works { key } => (format!("key/{key}"), Some(now + LASTING)),
            Fact::Shut { key, until, .. } => (format!("project/{key}"), *until),
            Fact::Quota { key, model, rest, told, doubt, sent } => {
                let rest = rest.map(|rest| rest.until);
                let sent = sent.as_ref().map(|sent| sent.day_ends.max(now + MINUTE));
                let told = told.map(|(_, until)| until);
                let ends = [rest, told, doubt.map(|doubt| doubt.until), sent];
                (format!("quota/{key}/{model}"), Some(ends.into_iter().flatten().max()?))
            }
            Fact::Sizes { model, .. } => (format!("sizes/{model}"), Some(now + LASTING)),
            Fact::Outage { model, until, .. } => (format!("outage/{model}"), Some(*until)),
        };
        if until.is_some_and(|until| until <= now) {
            return None;
        }
        let text = serde_json::to_string(&(MEMORY_VERSION, fact)).ok()?;
        Some(Self { subject, text, until })
    }

    /// The fact that it is about.
    #[must_use]
    pub fn fact(&self) -> Option<Fact> {
        self.kept_fact().map(|fact| shared(&fact))
    }

    /// The fact that it is about, with what was sent if that was noted.
    #[must_use]
    pub fn kept_fact(&self) -> Option<Fact> {
        let (version, fact): (u32, Fact) = balance_dialect::json::read_str(&self.text).ok()?;
        (version <= MEMORY_VERSION).then_some(fact)
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
