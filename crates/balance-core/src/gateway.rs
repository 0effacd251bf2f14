//! The way of a request, from the caller's question to the caller's answer, top to bottom.
//!
//! Invariant: a key that was taken is settled once, here or by the [`Job`] of the reply; no key is
//! tried twice for one question; nothing is sent upstream for a request that is refused.

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use balance_dialect::{
    observe::sum_up,
    preset::Preset,
    summary::Summary,
    translate::{Stamp, Translator, Upstream},
};
use bytes::Bytes;
use futures_util::{
    StreamExt,
    future::{Either, select},
    stream::FuturesOrdered,
};
use http::{Request, request, response};

mod ends;
mod explain;
mod hedge;
mod keep;
mod pour;
mod refuse;
mod share;
mod supply;
mod wait;

pub use self::share::{Meanwhile, Round};
pub(crate) use self::supply::Supply;
use crate::{
    attempt::{self, Opened},
    authorize::authorize,
    body,
    call::{Call, Via},
    decode::{Question, Series, decode},
    deliver::{events, pass, promise, whole},
    error::Error,
    fault::Fault,
    headers::{Query, is_encoded},
    host::{FetchError, Host, Payload},
    job::{Answers, Job, Outcome, Task},
    key::{Key, KeyId},
    label::Labeller,
    media::{self, Studio},
    pace::Pace,
    page,
    plan::Step,
    pool::Lease,
    pools::{PoolId, Pools},
    queue::Queue,
    remote,
    render::render,
    reply::{Draft, Reply},
    route::{Native, NativeMethod, Route, dialect_of, route},
    search::Search,
    secret::Secret,
    settings::Settings,
    sign::KEEP_ALIVE,
    store::Store,
    time::Timestamp,
    trail::Trail,
    upload::{self, Provider},
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
    preset: Preset,
    /// Never held over an await.
    pools: Mutex<Pools>,
    queue: Queue,
    /// Never held over an await.
    pace: Mutex<Pace>,
    /// Where other instances share what they know.
    store: Option<Arc<dyn Store>>,
    /// Never held over an await.
    share: Mutex<share::Share>,
}

/// The beginning of an answer, and the lease of the key that it came by. Boxed, as it goes through
/// several hands.
pub(crate) type Found<B> = (Lease, Box<Opened<B>>);

/// A question that was asked, and the beginning of its answer, if there is one yet.
struct Asked<I, B> {
    /// Boxed, as it goes through several hands.
    search: Box<Search<I>>,
    found: Option<Found<B>>,
}

impl<I, B> Asked<I, B> {
    /// Takes an answer that is there as a whole, in one piece, and the lease of its key.
    fn take_whole(&mut self) -> Option<(Lease, Bytes)> {
        let whole = self.found.as_ref()?.1.all_there()?;
        let (lease, _) = self.found.take()?;
        Some((lease, whole))
    }

    /// What marks the names in an answer that may name what belongs to its key.
    fn labeller(&self, head: &response::Parts) -> Option<Labeller> {
        let (lease, _) = self.found.as_ref().filter(|_| self.search.call.is_labelled)?;
        (!is_encoded(&head.headers)).then(|| Labeller::new(lease.key, &self.search.call.target))
    }
}

impl<H: Host> Gateway<H> {
    /// A gateway over the pool of `settings`.
    #[must_use]
    pub fn new(host: H, settings: Settings) -> Self {
        let keys = settings.api_keys.0.clone();
        let pools = Pools::new(keys, settings.strategy, settings.pool_limits())
            .with_checks(settings.check_interval())
            .with_paid(settings.paid_key.0.clone());
        let preset = settings.preset();
        let pace = Mutex::new(Pace::new(settings.hedge_percent.value()));
        let pools = Mutex::new(pools);
        let (queue, share) = Default::default();
        Self { host, settings, preset, pools, queue, pace, store: None, share }
    }

    /// Answers a request. Whatever goes wrong becomes an answer too, in the shape of the API that
    /// was called. Dropping the future cancels what is under way upstream.
    pub async fn handle(&self, request: Request<H::Incoming>) -> Reply<H::Body> {
        let (head, body) = request.into_parts();
        let mut trail = Trail::begin(self.host.next_u64());
        let route = route(&head.method, &head.uri, &head.headers);
        let dialect = route.as_ref().map_or_else(|_| dialect_of(&head.uri), Route::dialect);
        let draft = match route {
            Ok(route) => self.serve(route, Box::new(head), body, &mut trail).await,
            Err(error) => Err(error),
        };
        let mut draft = draft.unwrap_or_else(|error| Draft::of(render(&error, dialect)));
        self.tell_way(&mut draft, &trail);
        draft.finish(trail)
    }

    /// Does what a reply left to do, beside the sending of its body.
    pub async fn run(&self, job: Job<H::Body>) -> Outcome {
        match *job.0 {
            Task::Answers(answers) => self.see_through(answers).await,
            Task::Verify { keys, feeder } => verify::run(self, keys, feeder).await,
        }
    }

    async fn serve(
        &self,
        route: Route,
        head: Box<request::Parts>,
        body: H::Incoming,
        trail: &mut Trail,
    ) -> Result<Draft<H::Body>, Error> {
        trail.route = route.name();
        match &route {
            Route::Home => return Ok(page::home()),
            Route::Health => {
                let now = self.host.now();
                let census = self.pools().of(PoolId::Operator, now).census(None, now);
                return Ok(page::health(&census, self.sharing().as_ref()));
            }
            Route::Preflight => return Ok(page::preflight(&head.headers)),
            Route::Verify => return Ok(verify::begin(&head.headers, &head.uri)),
            Route::Explain => return self.explain(&head),
            Route::OpenAi(_) | Route::Native(_) => {}
        }
        let pool = self.enter(&route, &head)?;
        let pool = media::pool_for(&route, pool, &self.settings);
        trail.pool = Some(pool);
        let payload = self.receive(body, &route, &head).await?;
        let payload = remote::complete(&self.host, &self.settings, &route, payload).await?;
        let studio = Studio::of(&self.settings, &self.preset);
        match decode(route, head, payload, studio, self.stamp())? {
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
        call: Box<Call<H::Incoming>>,
        pool: PoolId,
        trail: &mut Trail,
    ) -> Result<Draft<H::Body>, Error> {
        let mut asked = self.ask_one(call, pool, trail).await?;
        let mut answers = Answers::in_pool(pool);
        let Some((head, framing)) = self.native_head(&mut asked) else {
            return Ok(Draft::with(promise(self.take_on(asked, &mut answers)?), answers));
        };
        if let Some((lease, body)) = asked.take_whole() {
            return Ok(self.settled(head, body, pool, lease, trail));
        }
        let labeller = asked.labeller(&head);
        let strand = self.take_on(asked, &mut answers)?;
        Ok(Draft::with(pass(head, framing, labeller, strand), answers))
    }

    /// A native answer that is there as a whole, which leaves nothing to do.
    fn settled(
        &self,
        head: response::Parts,
        body: Bytes,
        pool: PoolId,
        lease: Lease,
        trail: &mut Trail,
    ) -> Draft<H::Body> {
        let summary = sum_up(&body);
        let response = whole(head, body, &lease.secret);
        self.conclude(pool, lease, Some(&summary));
        trail.summary = Some(summary);
        Draft::of(response)
    }

    /// One question or several, whose answers make one as they arrive.
    async fn weave(
        &self,
        calls: Vec<Box<Call<H::Incoming>>>,
        translator: Box<Translator>,
        pool: PoolId,
        trail: &mut Trail,
    ) -> Result<Draft<H::Body>, Error> {
        let mut weave = Weave::new(translator);
        let mut answers = Answers::in_pool(pool);
        for asked in self.ask(calls, pool, trail).await? {
            weave.add(self.take_on(asked, &mut answers)?);
        }
        Ok(Draft::with(events(weave), answers))
    }

    /// One question or several, whose answers are read as a whole and make one.
    async fn gather(
        &self,
        mut series: Box<Series>,
        pool: PoolId,
        trail: &mut Trail,
    ) -> Result<Draft<H::Body>, Error> {
        let mut summaries = Vec::new();
        loop {
            let calls = series.calls();
            if calls.is_empty() {
                trail.summary = Summary::of_all(summaries);
                return Ok(series.finish());
            }
            let asked = self.ask(calls, pool, trail).await?;
            let mut answers = asked.into_iter().filter_map(|asked| asked.found);
            while let Some((lease, opened)) = answers.next() {
                let mut answer = opened.into_whole();
                if series.takes_addresses() {
                    answer = self.put_on_the_web(answer, trail).await;
                }
                let taken = series.take(&answer);
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

    /// An answer, with its pictures at addresses of their own where that is wanted.
    async fn put_on_the_web(&self, answer: Bytes, trail: &mut Trail) -> Bytes {
        let Some(provider) = Provider::of(&self.settings) else { return answer };
        // Boxed, as few requests need the room that it takes.
        let (answer, why) = Box::pin(upload::put(&self.host, &provider, answer)).await;
        trail.not_put = trail.not_put.or_else(|| why.map(|why| why.0));
        answer
    }

    /// Asks all questions, some side by side, and gives their answers in order: all or none.
    async fn ask(
        &self,
        mut calls: Vec<Box<Call<H::Incoming>>>,
        pool: PoolId,
        trail: &mut Trail,
    ) -> Result<Vec<Asked<H::Incoming, H::Body>>, Error> {
        if calls.len() == 1
            && let Some(call) = calls.pop()
        {
            return Ok(vec![self.ask_one(call, pool, trail).await?]);
        }
        let among = self.settings.admit(calls.len())?;
        calls.iter_mut().for_each(|call| call.among = among);
        let mut answers = Vec::with_capacity(among);
        let mut failure = None;
        let mut waiting = calls.into_iter();
        let mut asked = FuturesOrdered::new();
        loop {
            while asked.len() < SIDE_BY_SIDE && failure.is_none() {
                let Some(call) = waiting.next() else { break };
                asked.push_back(async move {
                    let mut way = Trail::default();
                    (self.ask_one(call, pool, &mut way).await, way)
                });
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
        let found = answers.into_iter().filter_map(|answer| answer.found);
        found.for_each(|(lease, _)| self.cancel(pool, lease));
        Err(error)
    }

    async fn ask_one(
        &self,
        call: Box<Call<H::Incoming>>,
        pool: PoolId,
        trail: &mut Trail,
    ) -> Result<Asked<H::Incoming, H::Body>, Error> {
        trail.model.clone_from(&call.model);
        let now = self.host.now();
        let mut search = Box::new(Search::new(call, pool, &self.settings, now));
        if search.is_staged() {
            return Ok(Asked { search, found: None });
        }
        let silent_until = search.sign.map(|_| now + KEEP_ALIVE);
        let found = self.exchange(&mut search, silent_until, trail).await?;
        Ok(Asked { search, found })
    }

    /// Asks upstream with one key after the other, until an answer begins well. `None` if the
    /// search still waits for a key at `silent_until`; it can then be gone on with.
    async fn exchange(
        &self,
        search: &mut Search<H::Incoming>,
        silent_until: Option<Timestamp>,
        trail: &mut Trail,
    ) -> Result<Option<Found<H::Body>>, Error> {
        loop {
            let Some(lease) = self.lease(search, silent_until).await? else { return Ok(None) };
            let left = search.plan.time_left(self.host.now());
            let limit = search.call.patience(&self.settings, left);
            let (lease, answer) = self.attempt_or_hedge(search, lease, limit, trail).await;
            let key = lease.key;
            let fault = match answer {
                Ok(opened) => {
                    trail.note(key, None);
                    // Of a native answer that is all there, its settling says the same at once.
                    if opened.rest.is_some() || matches!(search.call.via, Via::Whole) {
                        self.note_opened(search.pool, &lease);
                    }
                    return Ok(Some((lease, opened)));
                }
                Err(fault) => fault,
            };
            trail.note(key, Some(&fault));
            self.settle(search.pool, lease, Err(&fault));
            if search.call.resign(&fault) {
                continue;
            }
            match search.plan.next(key, &fault, self.host.now(), self.host.next_u64()) {
                Step::Retry { after } if after.is_zero() => {}
                Step::Retry { after } => self.host.sleep(after).await,
                Step::GiveUp => return Err(self.give_up(search, *fault)),
            }
            search.last = Some(*fault);
        }
    }

    /// One try: ask, and look how the answer begins.
    async fn attempt(
        &self,
        call: &mut Call<H::Incoming>,
        key: KeyId,
        secret: &Secret,
        limit: Duration,
    ) -> Result<Box<Opened<H::Body>>, Box<Fault>> {
        let request = attempt::request(call, key, secret, &self.settings.base_url)?;
        let answer = pin!(async {
            let response = self.host.fetch(request).await.map_err(|lost| Fault::lost(&lost))?;
            Ok(attempt::open(response, &call.via, secret).await?)
        });
        match select(answer, pin!(self.host.sleep(limit))).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err(Fault::lost(&FetchError::TimedOut(limit)).into()),
        }
    }

    /// Asks with one key, outside every pool, for what is free: whether the key works.
    pub(crate) async fn probe(&self, key: &Key) -> Result<(), Box<Fault>> {
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

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn pools(&self) -> MutexGuard<'_, Pools> {
        // A pool is whole before anything in it can panic.
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stamp(&self) -> Stamp {
        Stamp { unix_seconds: self.host.now().unix_seconds(), nonce: self.host.next_u64() }
    }
}
