//! The pieces of an answer that a job supplies.
//!
//! Invariant: to whoever passes them on they look like one answer of Gemini's, which ends as upstream
//! did: an answer that broke off, and is not gone on with, breaks off here as well.

use std::pin::pin;

use balance_dialect::{
    gemini::{self, error::ErrorBody},
    pace::{Paced, Pacer},
    resume::{End, Resumption, Unreadable},
};
use bytes::Bytes;
use futures_util::future::{Either, select};
use http_body_util::BodyExt;

use super::{Found, Gateway};
use crate::{
    attempt::Opened,
    error::Error,
    fault::Fault,
    feed::{Ending, Left, Trough},
    host::{BoxError, Host},
    plan::Step,
    pool::Lease,
    search::Search,
    sign::KEEP_ALIVE,
    trail::Trail,
    veil::Veil,
};

/// An answer that is being supplied.
pub(super) struct Pouring<I> {
    pub(super) search: Search<I>,
    pub(super) resumption: Option<Resumption>,
    /// What gives its events at a pace of our own.
    pub(super) pacer: Option<Pacer>,
    /// The lease of what is being read.
    pub(super) held: Option<Lease>,
}

impl<H: Host> Gateway<H> {
    /// Finds an answer and passes it on, and the rest of it from another key if it breaks off. How it
    /// ended, unless the reader left.
    pub(super) async fn pour(
        &self,
        pouring: &mut Pouring<H::Incoming>,
        mut begun: Option<Found<H::Body>>,
        trough: &mut Trough,
        trail: &mut Trail,
    ) -> Result<Ending, Left> {
        let mut ending = Ok(());
        loop {
            let is_for_rest = pouring.search.is_for_rest;
            let found = match begun.take() {
                Some(begun) => Ok(begun),
                None => self.keep_alive(&mut pouring.search, trough, trail).await?,
            };
            let (lease, opened) = match found {
                Ok(found) => found,
                Err(_) if is_for_rest => return pouring.give_up(trough, ending).await,
                Err(error) => return trough.answer(told(&error)).await.map(Ok),
            };
            if !is_for_rest && pouring.resumption.is_none() {
                pouring.resumption = self.resumption(&pouring.search, opened.framing);
            }
            pouring.pacer = self.pacer(&pouring.search);
            let veil = Veil::new(&lease.secret);
            pouring.held = Some(lease);
            ending = self.pass_on(opened, veil, pouring, trough, trail).await?;
            let error = match pouring.end(trough).await? {
                Some(End::Cut(error)) => error,
                Some(End::Whole) => return Ok(Ok(())),
                Some(End::Lost) | None => return Ok(ending),
            };
            if !self.go_on(pouring, error, trail).await {
                return pouring.give_up(trough, ending).await;
            }
        }
    }

    /// Prepares the question for the rest of an answer that was cut; whether it may be asked.
    async fn go_on(
        &self,
        pouring: &mut Pouring<H::Incoming>,
        error: Option<ErrorBody>,
        trail: &mut Trail,
    ) -> bool {
        let Pouring { search, resumption, held, .. } = pouring;
        let (Some(lease), Some(resumption)) = (held.take(), resumption) else { return false };
        let key = lease.key;
        let fault = error.map_or_else(Fault::truncated, |e| Fault::from_event(&e, &lease.secret));
        trail.note(key, Some(&fault));
        self.settle(search.pool, lease, Err(&fault));
        let now = self.host.now();
        // The deadline is that of an answer's beginning, and this one has begun.
        search.plan.extend(now + self.settings.deadline.0);
        match search.plan.next(key, &fault, now, self.host.next_u64()) {
            Step::GiveUp => return false,
            Step::Retry { after } if after.is_zero() => {}
            Step::Retry { after } => self.host.sleep(after).await,
        }
        search.is_for_rest = true;
        search.call.ask_instead(resumption.request());
        true
    }

    /// Looks for an answer, and gives the caller signs of life meanwhile.
    async fn keep_alive(
        &self,
        search: &mut Search<H::Incoming>,
        trough: &mut Trough,
        trail: &mut Trail,
    ) -> Result<Result<Found<H::Body>, Error>, Left> {
        let sign = search.sign;
        let every = sign.map_or(KEEP_ALIVE, |sign| sign.every);
        let mut exchange = pin!(self.exchange(search, None, trail));
        loop {
            match select(exchange.as_mut(), pin!(self.host.sleep(every))).await {
                Either::Left((Ok(Some(found)), _)) => return Ok(Ok(found)),
                Either::Left((Ok(None), _)) => return Ok(Err(Error::Bug("a wait without an end"))),
                Either::Left((Err(error), _)) => return Ok(Err(error)),
                Either::Right(_) => {
                    if let Some(sign) = sign {
                        trough.put(sign.shown()).await?;
                    }
                }
            }
        }
    }

    /// Passes an upstream answer on to its end.
    async fn pass_on(
        &self,
        mut opened: Box<Opened<H::Body>>,
        mut veil: Veil,
        pouring: &mut Pouring<H::Incoming>,
        trough: &mut Trough,
        trail: &mut Trail,
    ) -> Result<Ending, Left> {
        if pouring.search.is_staged() {
            let mut whole = opened.into_whole();
            if pouring.search.puts_pictures {
                whole = self.put_on_the_web(whole, trail).await;
            }
            let whole = [veil.pass(whole), veil.rest()].concat();
            self.give(event_of(&whole).into(), pouring, trough).await?;
            return Ok(Ok(()));
        }
        loop {
            let read = match opened.start.pop_front() {
                Some(data) => Some(Ok(data)),
                None => next_data(&mut opened.rest).await,
            };
            let (data, ending) = match read {
                Some(Ok(data)) => (veil.pass(data), None),
                Some(Err(cause)) => (veil.rest(), Some(Err(cause))),
                None => (veil.rest(), Some(Ok(()))),
            };
            match pouring.part(data) {
                Ok(part) => self.give(part, pouring, trough).await?,
                Err(unreadable) => return Ok(Err(unreadable.into())),
            }
            if let Some(ending) = ending {
                let held = pouring.pacer.as_mut().map_or_else(Vec::new, Pacer::finish);
                trough.answer(held).await?;
                return Ok(ending);
            }
        }
    }

    /// Gives bytes of an answer, at its pace.
    async fn give(
        &self,
        data: Bytes,
        pouring: &mut Pouring<H::Incoming>,
        trough: &mut Trough,
    ) -> Result<(), Left> {
        let Some(pacer) = &mut pouring.pacer else { return trough.answer(data).await };
        for Paced { bytes, wait } in pacer.push(&data) {
            trough.answer(bytes).await?;
            if !wait.is_zero() {
                self.host.sleep(wait).await;
            }
        }
        Ok(())
    }
}

impl<I> Pouring<I> {
    /// What the caller gets of the next bytes.
    fn part(&mut self, data: Bytes) -> Result<Bytes, Unreadable> {
        let Some(resumption) = &mut self.resumption else { return Ok(data) };
        let mut out = Vec::new();
        resumption.push(&data, &mut out).map(|()| out.into())
    }

    /// Ends what was read, and says how, where it is looked into.
    async fn end(&mut self, trough: &mut Trough) -> Result<Option<End>, Left> {
        let Some(resumption) = &mut self.resumption else { return Ok(None) };
        let mut out = Vec::new();
        let end = resumption.end(&mut out);
        trough.answer(out).await.map(|()| Some(end))
    }

    /// Ends an answer that is not gone on with.
    async fn give_up(&mut self, trough: &mut Trough, ending: Ending) -> Result<Ending, Left> {
        let mut out = Vec::new();
        if let Some(resumption) = &mut self.resumption {
            resumption.give_up(&mut out);
        }
        trough.answer(out).await.map(|()| ending)
    }
}

/// A whole answer as the only event of a stream. Its line ends stand between its tokens: those in
/// texts are escaped.
fn event_of(whole: &[u8]) -> Vec<u8> {
    let line = whole.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte });
    b"data: ".iter().copied().chain(line).chain(*b"\r\n\r\n").collect()
}

/// The next bytes of a body, trailers passed over.
async fn next_data<B>(rest: &mut Option<B>) -> Option<Result<Bytes, BoxError>>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    loop {
        match rest.as_mut()?.frame().await?.map(http_body::Frame::into_data) {
            Ok(Ok(data)) => return Some(Ok(data)),
            Ok(Err(_trailers)) => {}
            Err(cause) => return Some(Err(cause.into())),
        }
    }
}

/// An error as an event of Gemini's, to be put into the caller's dialect like any other.
fn told(error: &Error) -> Vec<u8> {
    let (status, message) = (error.status().as_u16(), error.to_string());
    let mut event = b"data: ".to_vec();
    let word = gemini::error::status_word(status);
    gemini::error::write(status, word, &message, error.retry_after(), &mut event);
    event.extend_from_slice(b"\r\n\r\n");
    event
}
