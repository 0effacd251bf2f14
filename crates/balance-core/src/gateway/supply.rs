//! Answers that a job supplies, piece by piece, because finding them outlasts the reply's head.
//!
//! Invariant: to whoever passes it on, what is supplied looks like one answer of Gemini's, which ends
//! as upstream did; every lease that is taken here is settled here.

use std::{convert::Infallible, pin::pin, time::Duration};

use balance_dialect::{gemini, summary::Summary};
use bytes::Bytes;
use futures_channel::oneshot;
use futures_util::{
    StreamExt,
    future::{Either, join, select},
    stream::FuturesUnordered,
};
use http_body_util::BodyExt;

use super::Gateway;
use crate::{
    attempt::Opened,
    error::Error,
    feed::{Feeder, Left, Piece, Trough},
    host::{BoxError, Host},
    job::{Answers, Outcome},
    pool::Lease,
    search::Search,
    trail::Trail,
    veil::Veil,
};

/// How often a caller who waits is shown that the line is alive: "every 15 seconds or so", as the
/// standard of event streams advises (WHATWG HTML, §9.2.7).
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A comment, which every reader of event streams passes over.
const STILL_HERE: &[u8] = b": waiting for a key\n\n";

/// An answer to be supplied.
#[derive(Debug)]
pub(crate) struct Supply<B> {
    search: Search<Infallible>,
    /// The answer to begin with, where there is one.
    begun: Option<(Lease, Opened<B>)>,
    feeder: Feeder,
    /// What the caller's end of it will say.
    summary: oneshot::Receiver<Summary>,
}

impl<B> Supply<B> {
    /// What goes on with a search whose reply has begun. It begins with a sign of life.
    ///
    /// # Errors
    /// The search sends a stream of its caller's.
    pub(super) fn of<I>(
        search: Search<I>,
        mut feeder: Feeder,
        summary: oneshot::Receiver<Summary>,
    ) -> Result<Self, Error> {
        feeder.trough.begin(Piece::Aside(Bytes::from_static(STILL_HERE)));
        let search = search.with_payload().ok_or(Error::Bug("an upload that waits"))?;
        Ok(Self { search, begun: None, feeder, summary })
    }
}

impl<H: Host> Gateway<H> {
    /// Sees the answers of a reply to their ends.
    pub(super) async fn see_through(&self, answers: Answers<H::Body>) -> Outcome {
        let Answers { pool, ends, supplies } = answers;
        let mut keys: Vec<_> = ends.iter().map(|(lease, _)| lease.key).collect();
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
        let mut tries = Vec::new();
        for (trail, summary) in supplied {
            keys.extend(trail.tries.iter().filter(|one| one.fault.is_none()).map(|one| one.key));
            tries.extend(trail.tries);
            summaries.push(summary);
        }
        Outcome::Ended { keys, tries, summary: Summary::of_all(summaries) }
    }

    /// Supplies an answer, as long as somebody reads it.
    async fn supply(&self, supply: Supply<H::Body>) -> (Trail, Option<Summary>) {
        let Supply { search, begun, feeder: Feeder { mut trough, mut reader }, summary } = supply;
        let pool = search.pool;
        let (mut trail, mut held) = (Trail::default(), None);
        let Some(mut search) = search.with_payload() else { return (trail, None) };
        let pouring = self.pour(&mut search, begun, &mut held, &mut trough, &mut trail);
        let ending = reader.unless_left(pouring).await;
        drop(trough);
        let summary = match ending {
            Ok(Ok(ending)) => {
                reader.end(ending);
                summary.await.ok()
            }
            Ok(Err(Left)) | Err(Left) => None,
        };
        if let Some(lease) = held {
            self.conclude(pool, lease, summary.as_ref());
        }
        (trail, summary)
    }

    /// Finds an answer and passes it on. How it ended, unless the reader left.
    async fn pour(
        &self,
        search: &mut Search<H::Incoming>,
        begun: Option<(Lease, Opened<H::Body>)>,
        held: &mut Option<Lease>,
        trough: &mut Trough,
        trail: &mut Trail,
    ) -> Result<Result<(), BoxError>, Left> {
        let found = match begun {
            Some(begun) => Ok(begun),
            None => self.keep_alive(search, trough, trail).await?,
        };
        match found {
            Ok((lease, opened)) => {
                let veil = Veil::new(&lease.secret);
                *held = Some(lease);
                pass_on(opened, veil, trough).await
            }
            Err(error) => trough.answer(told(&error)).await.map(Ok),
        }
    }

    /// Looks for an answer, and gives the caller signs of life meanwhile.
    async fn keep_alive(
        &self,
        search: &mut Search<H::Incoming>,
        trough: &mut Trough,
        trail: &mut Trail,
    ) -> Result<Result<(Lease, Opened<H::Body>), Error>, Left> {
        let mut exchange = pin!(self.exchange(search, None, trail));
        loop {
            match select(exchange.as_mut(), pin!(self.host.sleep(KEEP_ALIVE))).await {
                Either::Left((Ok(Some(found)), _)) => return Ok(Ok(found)),
                Either::Left((Ok(None), _)) => return Ok(Err(Error::Bug("a wait without an end"))),
                Either::Left((Err(error), _)) => return Ok(Err(error)),
                Either::Right(_) => {
                    trough.put(Piece::Aside(Bytes::from_static(STILL_HERE))).await?;
                }
            }
        }
    }
}

/// Passes an upstream answer on to its end.
async fn pass_on<B>(
    opened: Opened<B>,
    mut veil: Veil,
    trough: &mut Trough,
) -> Result<Result<(), BoxError>, Left>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    for data in opened.start {
        trough.answer(veil.pass(data)).await?;
    }
    let Some(mut rest) = opened.rest else { return Ok(Ok(())) };
    let ending = loop {
        match rest.frame().await {
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else { continue };
                trough.answer(veil.pass(data)).await?;
            }
            Some(Err(cause)) => break Err(cause.into()),
            None => break Ok(()),
        }
    };
    trough.answer(veil.rest()).await?;
    Ok(ending)
}

/// An error as an event of Gemini's, which its relay puts into the caller's dialect.
fn told(error: &Error) -> Vec<u8> {
    let (status, message) = (error.status().as_u16(), error.to_string());
    let mut event = b"data: ".to_vec();
    let word = gemini::error::status_word(status);
    gemini::error::write(status, word, &message, error.retry_after(), &mut event);
    event.extend_from_slice(b"\r\n\r\n");
    event
}
