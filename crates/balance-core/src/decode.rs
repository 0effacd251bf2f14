//! From a caller's request to the questions that upstream is asked.
//!
//! Invariant: a request that cannot be translated is refused here, before a key is taken.

use std::collections::VecDeque;

use balance_dialect::translate::{self, Stamp, Translator, Upstream};
use http::request;

use crate::{
    call::{Call, Via},
    error::Error,
    fault::Fault,
    host::Payload,
    reply::Reply,
    route::{Endpoint, Route},
};

/// What a request comes to.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "made and taken apart once for each request")]
pub(crate) enum Question<I> {
    /// One call, whose answer is given as it arrives.
    One(Call<I>),
    /// Several calls, whose answers make one.
    Series(Box<Series>),
}

/// Calls to be made one after the other, and the answer that their answers make.
#[derive(Debug)]
pub(crate) struct Series {
    waiting: VecDeque<Upstream>,
    model: String,
    translator: Translator,
    answer: Vec<u8>,
}

/// Reads what a request asks for.
///
/// # Errors
/// [`Error::BadRequest`], naming the field at fault.
pub(crate) fn decode<I>(
    route: Route,
    head: request::Parts,
    payload: Payload<I>,
    stamp: Stamp,
) -> Result<Question<I>, Error> {
    let endpoint = match route {
        Route::Native(native) => return Ok(Question::One(Call::native(native, head, payload))),
        Route::OpenAi(endpoint) => endpoint,
        Route::Home | Route::Health | Route::Preflight | Route::Verify => {
            return Err(Error::Bug("a page that asks upstream"));
        }
    };
    let Payload::Full(body) = payload else {
        return Err(Error::Bug("a translated request that was not read"));
    };
    let call = match endpoint {
        Endpoint::Chat => translate::chat(&body, stamp),
        Endpoint::Responses | Endpoint::Embeddings | Endpoint::Models | Endpoint::Model(_) => {
            return Err(Error::NotFound);
        }
    };
    Ok(Question::of(call.map_err(Error::BadRequest)?))
}

impl<I> Question<I> {
    fn of(call: translate::Call) -> Self {
        let translate::Call { model, stream, requests, translator } = call;
        let mut waiting = VecDeque::from(requests);
        match waiting.pop_front() {
            Some(upstream) if waiting.is_empty() => {
                let translator = Box::new(translator);
                let via = if stream { Via::Stream(translator) } else { Via::Whole(translator) };
                Self::One(Call::ours(upstream, Some(model), via))
            }
            first => {
                waiting.extend(first);
                waiting.rotate_right(1);
                let answer = Vec::new();
                Self::Series(Box::new(Series { waiting, model, translator, answer }))
            }
        }
    }
}

impl Series {
    /// The next call to make; `None` when all are answered.
    pub(crate) fn next<I>(&mut self) -> Option<Call<I>> {
        let upstream = self.waiting.pop_front()?;
        Some(Call::ours(upstream, Some(self.model.clone()), Via::Gather))
    }

    /// Takes the answer to the call that was made last.
    ///
    /// # Errors
    /// [`Error::Upstream`] if it cannot be understood.
    pub(crate) fn take(&mut self, answer: &[u8]) -> Result<(), Error> {
        let taken = self.translator.whole(answer, &mut self.answer);
        taken.map(drop).map_err(|malformed| Error::upstream(Fault::malformed(&malformed)))
    }

    /// The one answer.
    pub(crate) fn finish<B>(self) -> Reply<B> {
        Reply::full("application/json", self.answer)
    }
}
