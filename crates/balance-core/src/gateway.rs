//! The way of a request, from the caller's question to the caller's answer, top to bottom.
//!
//! Invariant: a key that was taken is settled once, here or by the [`Job`] of the reply; no key is
//! tried twice for one question; nothing is sent upstream for a request that is refused.

use std::{
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use balance_dialect::{
    summary::{Summary, Usage},
    translate::{Stamp, Translator, Upstream},
};
use futures_util::{
    StreamExt,
    future::{Either, select},
    stream::FuturesOrdered,
};
use http::{Request, request};

use crate::{
    attempt::{self, Opened},
    authorize::authorize,
    body,
    call::{Call, Via},
    decode::{Question, Series, decode},
    deliver::{Delivery, events, pass},
    error::Error,
    fault::{Blame, Fault, ProjectFault, Remedy},
    headers::{self, Query},
    host::{FetchError, Host, Payload},
    job::{Job, Outcome, Task},
    key::{Key, KeyId},
    page,
    plan::{Plan, Step},
    pool::{Ask, Lease, Why},
    pools::{PoolId, Pools},
    render::render,
    reply::Reply,
    route::{Native, NativeMethod, Route, dialect_of, route},
    secret::Secret,
    settings::{BaseUrl, Settings},
    trail::Trail,
    verify,
    weave::Weave,
};

/// How many questions of one request are asked at once.
const SIDE_BY_SIDE: usize = 8;

/// Answers requests through pools of keys. One per process, shared by all requests.
#[derive(Debug)]
pub struct Gateway<H> {
    pub(crate) host: H,
    pub(crate) settings: Settings,
    /// Never held over an await.
    pools: Mutex<Pools>,
}

impl<H: Host> Gateway<H> {
    /// A gateway over the pool of `settings`.
    #[must_use]
    pub fn new(host: H, settings: Settings) -> Self {
        let keys = settings.api_keys.0.clone();
        let pools = Pools::new(keys, settings.strategy, settings.pool_limits())
            .with_checks(settings.check_interval());
        Self { host, settings, pools: Mutex::new(pools) }
    }

    /// Answers a request. Whatever goes wrong becomes an answer too, in the shape of the API that
    /// was called. Dropping the future cancels what is under way upstream.
    pub async fn handle(&self, request: Request<H::Incoming>) -> Reply<H::Body> {
        let (head, body) = request.into_parts();
        let mut trail = Trail::begin(self.host.next_u64());
        let route = route(&head.method, &head.uri, &head.headers);
        let dialect = route.as_ref().map_or_else(|_| dialect_of(&head.uri), Route::dialect);
        let reply = match route {
            Ok(route) => self.serve(route, head, body, &mut trail).await,
            Err(error) => Err(error),
        };
        reply.unwrap_or_else(|error| Reply::of(render(&error, dialect))).finish(trail)
    }

    /// Does what a reply left to do, beside the sending of its body.
    pub async fn run(&self, job: Job) -> Outcome {
        match job.0 {
            Task::Settle { pool, ends } => {
                let keys = ends.iter().map(|(lease, _)| lease.key).collect();
                let mut all = Vec::with_capacity(ends.len());
                for (lease, summary) in ends {
                    let summary = summary.await.ok();
                    match &summary {
                        Some(summary) => {
                            let fault = attempt::fault_at_end(summary, &lease.secret);
                            self.settle(pool, lease, fault.as_ref().map_or(Ok(summary.usage), Err));
                        }
                        None => self.cancel(pool, lease),
                    }
                    all.push(summary);
                }
                Outcome::Ended { keys, summary: Summary::of_all(all) }
            }
            Task::Verify { keys, lines } => verify::run(self, keys, lines).await,
        }
    }

    async fn serve(
        &self,
        route: Route,
        head: request::Parts,
        body: H::Incoming,
        trail: &mut Trail,
    ) -> Result<Reply<H::Body>, Error> {
        trail.route = route.name();
        match &route {
            Route::Home => return Ok(page::home()),
            Route::Health => {
                let now = self.host.now();
                return Ok(page::health(&self.pools().of(PoolId::Operator, now).census(None, now)));
            }
            Route::Preflight => return Ok(page::preflight(&head.headers)),
            Route::Verify => return Ok(verify::begin(&head.headers, &head.uri)),
            Route::OpenAi(_) | Route::Native(_) => {}
        }
        let pool = self.enter(&route, &head)?;
        let payload = self.receive(body, &route, &head).await?;
        match decode(route, head, payload, self.stamp())? {
            Question::Native(call) => self.relay(call, pool, trail).await,
            Question::Stream(calls, translator) => self.weave(calls, translator, pool, trail).await,
            Question::Series(series) => self.gather(series, pool, trail).await,
        }
    }

    /// The pool that the caller may use, by a credential or by the grant in a link of ours.
    fn enter(&self, route: &Route, head: &request::Parts) -> Result<PoolId, Error> {
        if let Route::Native(Native { path, method: NativeMethod::Upload, .. }) = route {
            let query = Query::of(head.uri.query());
            let link = [path.as_str(), &query.for_upstream].concat();
            let pool = query.grant.and_then(|grant| self.pools().enter_by(&grant, &link));
            if let Some(pool) = pool {
                return Ok(pool);
            }
        }
        let caller = authorize(&head.headers, &head.uri, &self.settings)?;
        Ok(self.pools().enter(caller, self.host.now()))
    }

    /// One native question, whose answer is passed as it is.
    async fn relay(
        &self,
        mut call: Call<H::Incoming>,
        pool: PoolId,
        trail: &mut Trail,
    ) -> Result<Reply<H::Body>, Error> {
        trail.model.clone_from(&call.model);
        let (lease, opened) = self.exchange(&mut call, pool, trail).await?;
        let key = lease.key;
        let Delivery { mut response, summary } = pass(opened, &lease.secret);
        let public_url = self.settings.public_url.as_ref().map(BaseUrl::as_str);
        if let Some(ours) = public_url.or(call.own_address.as_deref()) {
            let upstream = self.settings.base_url.as_str();
            headers::point_links_at(response.headers_mut(), upstream, ours, key, &lease.secret);
        }
        let job = Job(Task::Settle { pool, ends: vec![(lease, summary)] });
        Ok(Reply { job: Some(job), ..Reply::of(response) })
    }

    /// One question or several, whose answers make one as they arrive.
    async fn weave(
        &self,
        calls: Vec<Call<H::Incoming>>,
        translator: Box<Translator>,
        pool: PoolId,
        trail: &mut Trail,
    ) -> Result<Reply<H::Body>, Error> {
        let mut weave = Weave::new(translator);
        let mut ends = Vec::with_capacity(calls.len());
        for (lease, opened) in self.ask(calls, pool, trail).await? {
            let summary = weave.add(opened, &lease.secret);
            ends.push((lease, summary));
        }
        let job = Job(Task::Settle { pool, ends });
        Ok(Reply { job: Some(job), ..Reply::of(events(weave)) })
    }

    /// One question or several, whose answers are read as a whole and make one.
    async fn gather(
        &self,
        mut series: Box<Series>,
        pool: PoolId,
        trail: &mut Trail,
    ) -> Result<Reply<H::Body>, Error> {
        let mut summaries = Vec::new();
        loop {
            let calls = series.calls();
            if calls.is_empty() {
                trail.summary = Summary::of_all(summaries);
                return Ok(series.finish());
            }
            let mut answers = self.ask(calls, pool, trail).await?.into_iter();
            while let Some((lease, opened)) = answers.next() {
                let taken = series.take(opened.whole());
                self.settle(pool, lease, taken.as_ref().map(|summary| summary.usage));
                match taken {
                    Ok(summary) => summaries.push(Some(summary)),
                    Err(fault) => {
                        answers.for_each(|(lease, _)| self.cancel(pool, lease));
                        return Err(Error::upstream(fault));
                    }
                }
            }
        }
    }

    /// Asks all questions, some side by side, and gives their answers in order: all or none.
    async fn ask(
        &self,
        calls: Vec<Call<H::Incoming>>,
        pool: PoolId,
        trail: &mut Trail,
    ) -> Result<Vec<(Lease, Opened<H::Body>)>, Error> {
        let mut answers = Vec::with_capacity(calls.len());
        let mut failure = None;
        let mut waiting = calls.into_iter();
        let mut asked = FuturesOrdered::new();
        loop {
            while asked.len() < SIDE_BY_SIDE && failure.is_none() {
                let Some(call) = waiting.next() else { break };
                asked.push_back(self.ask_one(call, pool));
            }
            let Some((answer, way)) = asked.next().await else { break };
            trail.join(way);
            match answer {
                Ok(answer) => answers.push(answer),
                // What is under way is waited for, so that its keys are not left counted as busy.
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        let Some(error) = failure else { return Ok(answers) };
        answers.into_iter().for_each(|(lease, _)| self.cancel(pool, lease));
        Err(error)
    }

    async fn ask_one(
        &self,
        mut call: Call<H::Incoming>,
        pool: PoolId,
    ) -> (Result<(Lease, Opened<H::Body>), Error>, Trail) {
        let mut way = Trail { model: call.model.clone(), ..Trail::default() };
        let answer = self.exchange(&mut call, pool, &mut way).await;
        (answer, way)
    }

    /// Asks upstream with one key after the other, until an answer begins well.
    async fn exchange(
        &self,
        call: &mut Call<H::Incoming>,
        pool: PoolId,
        trail: &mut Trail,
    ) -> Result<(Lease, Opened<H::Body>), Error> {
        let mut plan = call.plan(&self.settings, self.host.now());
        let mut last = None;
        loop {
            let lease = self.select(pool, call, &plan, last)?;
            let key = lease.key;
            let limit = call.patience(&self.settings, plan.time_left(self.host.now()));
            let fault = match self.attempt(call, key, &lease.secret, limit).await {
                Ok(opened) => {
                    trail.note(key, None);
                    self.note_opened(pool, &lease);
                    return Ok((lease, opened));
                }
                Err(fault) => fault,
            };
            trail.note(key, Some(&fault));
            self.settle(pool, lease, Err(&fault));
            match plan.next(key, &fault, self.host.now(), self.host.next_u64()) {
                Step::Retry { after } if after.is_zero() => {}
                Step::Retry { after } => self.host.sleep(after).await,
                Step::GiveUp => return Err(self.give_up(pool, call, fault)),
            }
            last = Some(fault);
        }
    }

    /// One try: ask, and look how the answer begins.
    async fn attempt(
        &self,
        call: &mut Call<H::Incoming>,
        key: KeyId,
        secret: &Secret,
        limit: Duration,
    ) -> Result<Opened<H::Body>, Fault> {
        let request = attempt::request(call, key, secret, &self.settings.base_url)?;
        let answer = pin!(async {
            let response = self.host.fetch(request).await.map_err(|lost| Fault::lost(&lost))?;
            attempt::open(response, &call.via, secret).await
        });
        match select(answer, pin!(self.host.sleep(limit))).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err(Fault::lost(&FetchError::TimedOut(limit))),
        }
    }

    /// Asks with one key, outside every pool, for what is free: whether the key works.
    pub(crate) async fn probe(&self, key: &Key) -> Result<(), Fault> {
        let upstream = Upstream { path: "/v1beta/models?pageSize=1".into(), body: None };
        let mut call = Call::ours(upstream, None, Via::Pass);
        self.attempt(&mut call, key.id, &key.secret, self.settings.first_byte.0).await.map(drop)
    }

    /// The caller's body, unless it takes its time.
    async fn receive(
        &self,
        body: H::Incoming,
        route: &Route,
        head: &request::Parts,
    ) -> Result<Payload<H::Incoming>, Error> {
        let most = self.settings.max_body_bytes.value();
        let limit = self.settings.deadline.0;
        let whole = pin!(body::receive(body, route, &head.headers, most));
        match select(whole, pin!(self.host.sleep(limit))).await {
            Either::Left((payload, _)) => payload,
            Either::Right(_) => Err(Error::Slow { limit }),
        }
    }

    fn select(
        &self,
        pool: PoolId,
        call: &Call<H::Incoming>,
        plan: &Plan,
        last: Option<Fault>,
    ) -> Result<Lease, Error> {
        let now = self.host.now();
        let ask = Ask {
            model: call.model.as_deref(),
            tried: plan.tried(),
            prefer: call.prefer,
            tokens: call.tokens,
        };
        let lease = self.pools().of(pool, now).select(&ask, now, self.host.next_u64());
        lease.map_err(|resting| {
            let until = resting.until.map(|until| until.since(now));
            if let (Why::Outage, Some(retry_after), None) = (resting.why, until, &last) {
                return Error::Outage { retry_after };
            }
            unanswered(pool, until, last)
        })
    }

    /// The error of a call that is not tried again after `fault`.
    fn give_up(&self, pool: PoolId, call: &Call<H::Incoming>, fault: Fault) -> Error {
        let now = self.host.now();
        let ready = self.pools().of(pool, now).next_ready(call.model.as_deref(), now);
        unanswered(pool, ready.map(|ready| ready.since(now)), Some(fault))
    }

    fn settle(&self, pool: PoolId, lease: Lease, outcome: Result<Usage, &Fault>) {
        let now = self.host.now();
        self.pools().of(pool, now).settle(lease, outcome, now);
    }

    fn note_opened(&self, pool: PoolId, lease: &Lease) {
        let now = self.host.now();
        self.pools().of(pool, now).note_opened(lease, now);
    }

    fn cancel(&self, pool: PoolId, lease: Lease) {
        let now = self.host.now();
        self.pools().of(pool, now).cancel(lease, now);
    }

    pub(crate) fn pools(&self) -> MutexGuard<'_, Pools> {
        // A pool is whole before anything in it can panic.
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stamp(&self) -> Stamp {
        Stamp { unix_seconds: self.host.now().unix_seconds(), nonce: self.host.next_u64() }
    }
}

/// The error of a call that no key answers, the first being ready in `ready_in`.
fn unanswered(pool: PoolId, ready_in: Option<Duration>, last: Option<Fault>) -> Error {
    let Some(fault) = last.map(Box::new) else {
        return match ready_in {
            Some(_) => Error::Exhausted { retry_after: ready_in, last: None },
            None => Error::Unhealthy { last: None },
        };
    };
    let nobody_knows = fault.blame == Blame::Project(ProjectFault::Forbidden);
    match (pool, fault.remedy(), ready_in) {
        // It is about the request, or about all keys alike: Google's answer says it best.
        (_, Remedy::Never | Remedy::AfterPause, _) | (PoolId::Owner(_), Remedy::NextKey, _) => {
            let retry_after =
                ready_in.filter(|after| fault.remedy() != Remedy::Never && !after.is_zero());
            Error::Upstream { fault, retry_after }
        }
        (PoolId::Operator, Remedy::NextKey, _) if nobody_knows => {
            Error::Upstream { fault, retry_after: None }
        }
        (PoolId::Operator, Remedy::NextKey, Some(Duration::ZERO)) => Error::OutOfTries { fault },
        (PoolId::Operator, Remedy::NextKey, Some(_)) => {
            Error::Exhausted { retry_after: ready_in, last: Some(fault) }
        }
        (PoolId::Operator, Remedy::NextKey, None) => Error::Unhealthy { last: Some(fault) },
    }
}
