//! A second question for a stream that is slow to begin.
//!
//! Invariant: at most one more key is asked, of another project, and only where both projects have
//! room to spare; whoever is second to answer is cancelled and counts for nothing.

use std::{pin::pin, time::Duration};

use futures_util::future::{Either, select};

use super::Gateway;
use crate::{
    attempt::Opened,
    call::Call,
    fault::{Fault, Remedy},
    host::Host,
    key::KeyId,
    pool::{Ask, Lease},
    pools::PoolId,
    search::Search,
    trail::Trail,
};

/// What came of a try, and the lease it was made with.
type Tried<B> = (Lease, Result<Box<Opened<B>>, Box<Fault>>);

impl<H: Host> Gateway<H> {
    /// One try, by a second key as well if the first is slower than most.
    pub(super) async fn attempt_or_hedge(
        &self,
        search: &mut Search<H::Incoming>,
        lease: Lease,
        limit: Duration,
        trail: &mut Trail,
    ) -> Tried<H::Body> {
        let may_hedge = self.settings.hedge_percent.value() > 0 && search.call.may_be_hedged();
        let model = if may_hedge { search.call.model.clone() } else { None };
        let timed = model.map(|model| (model, self.host.now()));
        let slow_after = timed.as_ref().and_then(|(model, _)| self.pace().slow_after(model));
        let tried = match slow_after.filter(|slow| *slow < limit) {
            // Off for most: its future is not to weigh on theirs.
            Some(slow) => Box::pin(self.hedge(search, lease, slow, limit, trail)).await,
            None => {
                let (call, secret) = (&mut search.call, &lease.secret);
                let answer = self.attempt(call, lease.key, secret, limit).await;
                (lease, answer)
            }
        };
        if let (Some((model, start)), Ok(_)) = (timed, &tried.1) {
            self.pace().note(&model, self.host.now().since(start));
        }
        tried
    }

    async fn hedge(
        &self,
        search: &mut Search<H::Incoming>,
        lease: Lease,
        slow: Duration,
        limit: Duration,
        trail: &mut Trail,
    ) -> Tried<H::Body> {
        let Search { call, pool, plan, .. } = search;
        let (pool, copy) = (*pool, call.copy());
        let secret = lease.secret.clone();
        let first = pin!(self.attempt(call, lease.key, &secret, limit));
        let first = match select(first, pin!(self.host.sleep(slow))).await {
            Either::Left((answer, _)) => return (lease, answer),
            Either::Right(((), first)) => first,
        };
        let Some((other, mut copy)) =
            copy.and_then(|copy| self.beside(copy, &lease, pool, plan.tried()))
        else {
            return (lease, first.await);
        };
        let left = limit.saturating_sub(slow);
        let other_secret = other.secret.clone();
        let second = pin!(self.attempt(&mut copy, other.key, &other_secret, left));
        let (won, answer, lost, late) = match select(first, second).await {
            Either::Left((answer, late)) => (lease, answer, other, Either::Left(late)),
            Either::Right((answer, late)) => (other, answer, lease, Either::Right(late)),
        };
        let fault = match answer {
            Err(fault) if fault.remedy() != Remedy::Never => fault,
            answer => {
                self.give_back(pool, lost);
                return (won, answer);
            }
        };
        // The one that is left may still do it.
        trail.note(won.key, Some(&fault));
        plan.next(won.key, &fault, self.host.now(), self.host.next_u64());
        self.settle(pool, won, Err(&fault));
        let answer = match late {
            Either::Left(second) => second.await,
            Either::Right(first) => first.await,
        };
        (lost, answer)
    }

    /// A lease on a key of another project, if both have room to spare and the share allows it.
    fn beside(
        &self,
        call: Call<H::Incoming>,
        lease: &Lease,
        pool: PoolId,
        tried: &[KeyId],
    ) -> Option<(Lease, Call<H::Incoming>)> {
        if !self.pace().spend() {
            return None;
        }
        let now = self.host.now();
        let model = call.model.as_deref();
        let ask = Ask { model, tried, tokens: call.tokens, ..Ask::default() };
        let roll = self.host.next_u64();
        let other = self.pools().of(pool, now).select_beside(lease, &ask, now, roll)?;
        Some((other, call))
    }
}
