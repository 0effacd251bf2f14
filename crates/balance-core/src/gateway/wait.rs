//! Waiting for a key, in line, for as long as the caller's patience lasts.
//!
//! Invariant: whoever waits asks the pool only as the first of its line, or once when its patience is
//! over, and nobody waits for what cannot come in time, nor for a key that it has tried.

use std::{pin::pin, time::Duration};

use futures_util::future::select;

use super::{Gateway, refuse::unanswered};
use crate::{
    error::Error,
    host::Host,
    pool::{Ask, Lease, Resting, Why},
    search::Search,
    time::Timestamp,
};

/// The shortest wait: a pool that says "now" and gives nothing is not asked in a circle.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);

/// The least that those are asked to wait who did not get through the line.
const SHORTEST_RETRY: Duration = Duration::from_secs(1);

/// Said to those who name what belongs to one key.
const HOLDER: &str = "What this request names (a file, a cache, a batch …) can be used with one key \
    only, and that rests.";

impl<H: Host> Gateway<H> {
    /// A key for the next try: at once, or when the turn has come and there is one. `None` if that
    /// is not so by `silent_until`; the place in line is kept then.
    ///
    /// # Errors
    /// No key is ready in time.
    pub(super) async fn lease(
        &self,
        search: &mut Search<H::Incoming>,
        silent_until: Option<Timestamp>,
    ) -> Result<Option<Lease>, Error> {
        loop {
            let now = self.host.now();
            let is_last_chance = now >= search.patient_until && !search.had_last_chance;
            search.had_last_chance |= is_last_chance;
            let picked = if is_last_chance || self.has_its_turn(search) {
                self.select(search, is_last_chance, now)
            } else {
                Err(self.behind_others(search, now))
            };
            let resting = match picked {
                Ok(lease) => {
                    search.ticket = None;
                    return Ok(Some(lease));
                }
                Err(resting) => resting,
            };
            let Some(ready) = self.worth_waiting(search, &resting, now) else {
                search.ticket = None;
                let error = no_key(search, &resting, now);
                return Err(self.naming_limit(error, search));
            };
            if silent_until.is_some_and(|until| until <= now) {
                return Ok(None);
            }
            self.wait(search, ready, silent_until, now).await;
        }
    }

    /// Whether the pool may be asked: all who came before were served. Who had a turn and got a key
    /// that failed stands in no line: it cannot take every key that comes back, and the others must
    /// not wait behind it.
    fn has_its_turn(&self, search: &Search<H::Incoming>) -> bool {
        match &search.ticket {
            _ if search.has_tried() => true,
            Some(ticket) => ticket.is_first(),
            None => !self.queue.has_line(|| search.wanted()),
        }
    }

    fn select(
        &self,
        search: &Search<H::Incoming>,
        is_last_chance: bool,
        now: Timestamp,
    ) -> Result<Lease, Resting> {
        let ask = Ask { is_last_chance, ..ask(search) };
        self.pools().of(search.pool, now).select(&ask, now, self.host.next_u64())
    }

    /// What is known to one who may not ask yet.
    fn behind_others(&self, search: &Search<H::Incoming>, now: Timestamp) -> Resting {
        let model = search.call.model.as_deref();
        let mut pools = self.pools();
        let pool = pools.of(search.pool, now);
        let ready = match search.call.holder {
            Some(_) => Some(now),
            None => pool.next_ready(model, now),
        };
        let why = if pool.is_blocked(model, now) { Why::Outage } else { Why::AllResting };
        Resting { until: ready.map(|ready| ready.max(now + SHORTEST_RETRY)), why }
    }

    /// When there may be a key for this search, if it pays to wait for it.
    fn worth_waiting(
        &self,
        search: &Search<H::Incoming>,
        resting: &Resting,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if now >= search.patient_until {
            return None;
        }
        let ready = match resting.why {
            Why::NoKeys | Why::AllOut | Why::HolderOut => None,
            Why::AllResting | Why::Outage if !search.has_tried() => resting.until,
            Why::AllTried | Why::AllResting | Why::Outage => {
                self.pools().of(search.pool, now).next_untried(&ask(search), now)
            }
        };
        // An outage may end at any moment, and there is a last chance.
        let may_end = resting.why == Why::Outage && !search.had_last_chance;
        let ready = ready.map(|at| if may_end { at.min(search.patient_until) } else { at });
        ready.filter(|ready| *ready <= search.patient_until)
    }

    /// Waits until something may have changed for this one.
    async fn wait(
        &self,
        search: &mut Search<H::Incoming>,
        ready: Timestamp,
        silent_until: Option<Timestamp>,
        now: Timestamp,
    ) {
        let rest = |until: Timestamp| {
            let until = silent_until.map_or(until, |silent| until.min(silent));
            self.host.sleep(until.since(now).max(SHORTEST_WAIT))
        };
        if search.has_tried() {
            return rest(ready).await;
        }
        let wanted = search.wanted();
        let ticket = search.ticket.get_or_insert_with(|| self.queue.join(wanted));
        let until = if ticket.is_first() { ready } else { search.patient_until };
        select(pin!(ticket.called()), pin!(rest(until))).await;
    }
}

fn ask<I>(search: &Search<I>) -> Ask<'_> {
    let Search { call, plan, .. } = search;
    Ask {
        conversation: call.conversation,
        model: call.model.as_deref(),
        tried: plan.tried(),
        prefer: None,
        holder: call.holder,
        tokens: call.tokens,
        is_last_chance: false,
    }
}

fn no_key<I>(search: &mut Search<I>, resting: &Resting, now: Timestamp) -> Error {
    let ready_in = resting.until.map(|until| until.since(now));
    let last = search.last.take();
    if resting.why == Why::HolderOut {
        return Error::HolderOut;
    }
    if search.call.holder.is_some() && last.is_none() {
        let limit = Some(HOLDER.into());
        return Error::Exhausted { retry_after: ready_in, limit, last: None };
    }
    match (resting.why, ready_in, &last) {
        (Why::Outage, Some(retry_after), None) => Error::Outage { retry_after },
        _ => unanswered(search.pool, ready_in, last),
    }
}
