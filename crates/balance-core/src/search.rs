//! One question on its way to an answer: what it asks, whom it may ask, and what was tried.
//!
//! Invariant: it can change hands between two tries, from the request that began it to the job that
//! goes on with it, and keeps its place in the queue.

use std::time::Duration;

use crate::{
    call::{Call, Via},
    fault::Fault,
    plan::Plan,
    pools::PoolId,
    queue::{Ticket, Wanted},
    settings::Settings,
    sign::Sign,
    time::Timestamp,
    upload::Provider,
};

/// A question, and what is left to try.
#[derive(Debug)]
pub(crate) struct Search<I> {
    pub(crate) call: Box<Call<I>>,
    pub(crate) pool: PoolId,
    pub(crate) plan: Plan,
    /// What the last key that was tried said.
    pub(crate) last: Option<Fault>,
    /// Until when the question may wait for a key.
    pub(crate) patient_until: Timestamp,
    /// Whether it had its last chance: a try when its patience is over, whatever is known then. None
    /// if it does not wait at all.
    pub(crate) had_last_chance: bool,
    /// Whether it asks for the rest of an answer that was cut.
    pub(crate) is_for_rest: bool,
    /// Its place among those that wait.
    pub(crate) ticket: Option<Ticket>,
    /// What its caller is shown while it goes on behind the reply's head.
    pub(crate) sign: Option<Sign>,
    /// Whether pictures in its answer are put on the web.
    pub(crate) puts_pictures: bool,
}

impl<I> Search<I> {
    pub(crate) fn new(
        mut call: Box<Call<I>>,
        pool: PoolId,
        settings: &Settings,
        now: Timestamp,
    ) -> Self {
        let mut sign = Sign::of(&call);
        // Pictures can be put on the web only once they are there.
        let puts_pictures = call.takes_addresses && Provider::of(settings).is_some();
        if let Some(sign) = &mut sign {
            if call.model.as_deref().is_some_and(|model| settings.fakes_stream(model)) {
                call.ask_whole();
                sign.every = settings.fake_stream_heartbeat.0;
            } else if puts_pictures {
                call.ask_whole();
            }
        }
        let plan = call.plan(settings, now);
        let patience = Duration::from_secs(settings.queue.value()).min(plan.time_left(now));
        Self {
            call,
            pool,
            plan,
            last: None,
            patient_until: now + patience,
            had_last_chance: patience.is_zero(),
            is_for_rest: false,
            ticket: None,
            sign,
            puts_pictures,
        }
    }

    /// Whether its caller's stream is made of a whole answer, and so begins before there is any.
    pub(crate) fn is_staged(&self) -> bool {
        self.sign.is_some() && matches!(self.call.via, Via::Whole)
    }

    /// Whether it had a key already, which failed.
    pub(crate) fn has_tried(&self) -> bool {
        !self.plan.tried().is_empty()
    }

    /// What it would stand in line for.
    pub(crate) fn wanted(&self) -> Wanted {
        let model = self.call.model.as_deref().map(Into::into);
        Wanted { pool: self.pool, model, holder: self.call.holder }
    }

    /// The same search where requests have other bodies; `None` if it
    /// sends a stream of its caller's, which ends with the caller's request.
    pub(crate) fn with_payload<J>(self) -> Option<Search<J>> {
        let Self { call, pool, plan, last, patient_until, had_last_chance, .. } = self;
        Some(Search {
            call: Box::new(call.with_payload()?),
            pool,
            plan,
            last,
            patient_until,
            had_last_chance,
            is_for_rest: self.is_for_rest,
            ticket: self.ticket,
            sign: self.sign,
            puts_pictures: self.puts_pictures,
        })
    }
}
