//! Answers that a job supplies, because finding them outlasts the reply's head: the caller waits for
//! a key, or a stream may have to be gone on with.
//!
//! Invariant: every lease that a job is handed, or takes, is settled by it.

use std::convert::Infallible;

use balance_dialect::{framing::Framing, pace::Pacer, resume::Resumption, summary::Summary};
use futures_channel::oneshot;
use futures_util::{StreamExt, future::join, stream::FuturesUnordered};
use http::response;

use super::{Asked, Found, Gateway, pour::Pouring};
use crate::{
    error::Error,
    feed::{Feeder, Left, feed},
    headers,
    host::Host,
    inflow::{Inflow, Strand},
    job::{Answers, Outcome},
    search::Search,
    settings::BaseUrl,
    trail::Trail,
};

/// An answer to be supplied.
#[derive(Debug)]
pub(crate) struct Supply<B> {
    search: Search<Infallible>,
    /// The answer to begin with, where there is one.
    begun: Option<Found<B>>,
    /// What it needs to be gone on with, where that is wanted.
    resumption: Option<Resumption>,
    feeder: Feeder,
    /// What the caller's end of it will say.
    summary: oneshot::Receiver<Summary>,
}

impl<H: Host> Gateway<H> {
    /// The head of a native answer, whose links lead back to us.
    pub(super) fn native_head(
        &self,
        asked: &mut Asked<H::Incoming, H::Body>,
    ) -> Option<(response::Parts, Option<Framing>)> {
        let (lease, opened) = asked.found.as_mut()?;
        let (mut head, framing) = opened.take_head();
        let public_url = self.settings.public_url.as_ref().map(BaseUrl::as_str);
        if let Some(ours) = public_url.or(asked.search.call.own_address.as_deref()) {
            let upstream = self.settings.base_url.as_str();
            headers::point_links_at(&mut head.headers, upstream, ours, lease.key, &lease.secret);
        }
        Some((head, framing))
    }

    /// What a reply gets of an answer: upstream's own bytes, or what a job supplies. `answers` is
    /// what that job sees to.
    ///
    /// # Errors
    /// A mistake of ours only.
    pub(super) fn take_on(
        &self,
        asked: Asked<H::Incoming, H::Body>,
        answers: &mut Answers<H::Body>,
    ) -> Result<Strand<H::Body>, Error> {
        let Asked { search, found } = asked;
        let (report, summary) = oneshot::channel();
        let framing = found.as_ref().and_then(|(_, opened)| opened.framing);
        let resumption = self.resumption(&search, framing);
        let begun = match found {
            Some((lease, opened)) if resumption.is_none() && self.pacer(&search).is_none() => {
                let inflow = Inflow::new(opened.start, opened.rest, &lease.secret);
                answers.ends.push((lease, summary));
                return Ok(Strand { inflow, report });
            }
            begun => begun,
        };
        let (mut feeder, feed) = feed();
        if let (None, Some(sign)) = (&begun, search.sign) {
            feeder.trough.begin(sign.shown());
        }
        let search = search.with_payload().ok_or(Error::Bug("an upload that waits"))?;
        answers.supplies.push(Supply { search, begun, resumption, feeder, summary });
        Ok(Strand { inflow: Inflow::fed(feed), report })
    }

    /// What an answer needs to be gone on with, if that is wanted and can be done.
    pub(super) fn resumption<I>(
        &self,
        search: &Search<I>,
        framing: Option<Framing>,
    ) -> Option<Resumption> {
        if self.settings.stream_resume.0 { search.call.resumption(framing) } else { None }
    }

    /// What gives the events of an answer at a pace of our own, if that is wanted.
    pub(super) fn pacer<I>(&self, search: &Search<I>) -> Option<Pacer> {
        search.sign?;
        self.settings.pace().map(Pacer::new)
    }

    /// Sees the answers of a reply to their ends.
    pub(super) async fn see_through(&self, answers: Answers<H::Body>) -> Outcome {
        let Answers { pool, ends, supplies } = answers;
        let begun = supplies.iter().filter_map(|supply| supply.begun.as_ref());
        let begun = begun.map(|(lease, _)| lease.key);
        let mut keys: Vec<_> = ends.iter().map(|(lease, _)| lease.key).chain(begun).collect();
        let settled = async {
            let mut summaries = Vec::with_capacity(ends.len());
            for (lease, summary) in ends {
                let summary = summary.await.ok();
                self.conclude(pool, lease, summary.as_ref());
                summaries.push(summary);
            }
            summaries
        };
        let supplied = async {
            // Pushed one by one, as in `verify`: a combinator would not be `Send` for every host.
            let mut running = FuturesUnordered::new();
            for supply in supplies {
                running.push(self.supply(supply));
            }
            let mut supplied = Vec::with_capacity(running.len());
            while let Some(one) = running.next().await {
                supplied.push(one);
            }
            supplied
        };
        let (mut summaries, supplied) = join(settled, supplied).await;
        let (mut tries, mut not_put) = (Vec::new(), None);
        for (trail, summary) in supplied {
            not_put = not_put.or(trail.not_put);
            keys.extend(trail.tries.iter().filter(|one| one.fault.is_none()).map(|one| one.key));
            tries.extend(trail.tries);
            summaries.push(summary);
        }
        Outcome::Ended { keys, tries, summary: Summary::of_all(summaries), not_put }
    }

    /// Supplies an answer, as long as somebody reads it. What was tried, and what the answer was to
    /// its caller; `None` for one who left.
    async fn supply(&self, supply: Supply<H::Body>) -> (Trail, Option<Summary>) {
        let Supply { search, begun, resumption, feeder, summary } = supply;
        let Feeder { mut trough, mut reader } = feeder;
        let mut trail = Trail::default();
        let Some(search) = search.with_payload() else { return (trail, None) };
        let pool = search.pool;
        let mut pouring = Pouring { search, resumption, pacer: None, held: None };
        let poured = self.pour(&mut pouring, begun, &mut trough, &mut trail);
        let ending = reader.unless_left(poured).await;
        drop(trough);
        let summary = match ending {
            Ok(Ok(ending)) => {
                reader.end(ending);
                summary.await.ok()
            }
            Ok(Err(Left)) | Err(Left) => None,
        };
        if let Some(lease) = pouring.held {
            let mut own = summary.clone();
            if let (Some(own), Some(resumption)) = (&mut own, &pouring.resumption) {
                own.usage = resumption.usage();
            }
            self.conclude(pool, lease, own.as_ref());
        }
        (trail, summary)
    }
}
