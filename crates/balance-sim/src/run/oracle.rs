//! Whether a request that failed could have been served.
//!
//! Invariant: it knows all that happens at Google, which no pool does, and is strict: one moment of
//! the request's time at which one key works, with room, is enough.

use std::time::Duration;

use super::{Request, Run, WAY};
use crate::setting::start;

const MINUTE: u64 = 60;

impl Run<'_> {
    /// Whether, sent at some moment since it came and before its patience was over, the request would
    /// have been served: by a project with a key that works and with room, outside of any storm.
    pub(super) fn could_be_served(&mut self, request: &Request) -> bool {
        let Some(model) = self.setting.models.get(request.model) else { return false };
        let below = |used, limit: Option<u64>| limit.is_none_or(|limit| used < limit);
        let mut full = self.upstream.levels(self.now);
        full.retain(|at| {
            at.model == model.name
                && (!below(at.level.minute_requests, model.limits.rpm)
                    || !below(at.level.minute_tokens + request.tokens, model.limits.tpm)
                    || !below(at.level.day_requests, model.limits.rpd))
        });
        // Storms change with the minute.
        let over = self.now.min(request.patient_until);
        let reached = (request.came + Duration::from_millis(WAY.end)).min(over);
        let (first, last) = (reached.since(start()).as_secs(), over.since(start()).as_secs());
        let minutes = first / MINUTE..=last / MINUTE;
        let is_calm = |project| {
            let mut moments = minutes.clone().map(|m| start() + Duration::from_secs(m * MINUTE));
            moments.any(|at| !self.setting.storms(project, request.model, at))
        };
        (0..self.setting.projects).any(|project| {
            self.setting.has_live_key(project)
                && is_calm(project)
                && !full.iter().any(|at| at.project == format!("project-{project}"))
        })
    }
}
