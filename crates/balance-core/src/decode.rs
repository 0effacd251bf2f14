//! From a caller's request to the questions that upstream is asked.
//!
//! Invariant: a request that cannot be translated is refused here, before a key is taken.

use std::collections::VecDeque;

use balance_dialect::{
    preset::Preset,
    summary::Summary,
    translate::{self, Malformed, Stamp, Translator, Upstream},
};
use http::{Method, request};

use crate::{
    call::{Call, Via},
    error::Error,
    fault::Fault,
    headers::Query,
    host::Payload,
    media::Studio,
    reply::Draft,
    route::{Endpoint, Native, NativeMethod, Route},
};

/// What a request comes to.
#[derive(Debug)]
pub(crate) enum Question<I> {
    /// A native call, whose answer is passed as it is.
    Native(Box<Call<I>>),
    /// One call or several, whose answers make one as they arrive.
    Stream(Vec<Box<Call<I>>>, Box<Translator>),
    /// One call or several, whose answers are read as a whole and make one.
    Series(Box<Series>),
}

/// Calls to be made, and the answer that their answers make.
#[derive(Debug)]
pub(crate) struct Series {
    waiting: VecDeque<Upstream>,
    model: Option<String>,
    translator: Translator,
    answer: Vec<u8>,
}

/// Reads what a request asks for.
///
/// # Errors
/// [`Error::BadRequest`], naming the field at fault.
pub(crate) fn decode<I>(
    route: Route,
    head: Box<request::Parts>,
    payload: Payload<I>,
    studio: Studio<'_>,
    stamp: Stamp,
) -> Result<Question<I>, Error> {
    let preset = studio.preset();
    let endpoint = match route {
        Route::Native(native) => {
            if let Some(call) = list_of_models(&native, &head, preset) {
                return Ok(Question::of(call));
            }
            let (native, payload) = tuned(native, payload, preset)?;
            let call = Call::native(native, head, payload, stamp.nonce);
            return Ok(Question::Native(Box::new(call)));
        }
        Route::OpenAi(endpoint) => endpoint,
        Route::Home | Route::Health | Route::Preflight | Route::Verify | Route::Explain => {
            return Err(Error::Bug("a page that asks upstream"));
        }
    };
    let Payload::Full(body) = payload else {
        return Err(Error::Bug("a translated request that was not read"));
    };
    let call = match endpoint {
        Endpoint::Chat => translate::chat_by(preset, &body, stamp),
        Endpoint::Completions => translate::completions_by(preset, &body, stamp),
        Endpoint::Responses => translate::responses_by(preset, &body, stamp),
        Endpoint::Embeddings => translate::embeddings_by(preset, &body),
        Endpoint::Media(endpoint) => studio.call(endpoint, &head.headers, &body, stamp),
        Endpoint::Models => Ok(translate::models(&preset.naming)),
        Endpoint::Model(name) => translate::model(&preset.naming, &name),
    };
    Ok(Question::of(call.map_err(Error::BadRequest)?))
}

/// The native list of models, where suffixes or the operator change the names in it.
fn list_of_models(
    native: &Native,
    head: &request::Parts,
    preset: &Preset,
) -> Option<translate::Call> {
    if head.method != Method::GET || native.path != "/v1beta/models" {
        return None;
    }
    let target = native.path.clone() + &Query::of(head.uri.query()).for_upstream;
    translate::native_models(&preset.naming, &target)
}

/// A native request of the model behind the name in its path, with what is preset. One that nothing
/// is preset for stays byte for byte as it is.
fn tuned<I>(
    mut native: Native,
    mut payload: Payload<I>,
    preset: &Preset,
) -> Result<(Native, Payload<I>), Error> {
    let Some(name) = native.model.as_deref() else { return Ok((native, payload)) };
    let asked = preset.naming.resolve(name).map_err(Error::BadRequest)?;
    let generates = matches!(native.method, NativeMethod::Generate | NativeMethod::StreamGenerate);
    if let (true, Payload::Full(body)) = (generates, &mut payload)
        && let Some(tuned) = preset.tune(&asked, body)
    {
        *body = tuned.into();
    }
    native.path = asked.renamed(&native.path).unwrap_or(native.path);
    native.model = Some(asked.model);
    Ok((native, payload))
}

impl<I> Question<I> {
    fn of(call: translate::Call) -> Self {
        let translate::Call { model, stream, requests, translator } = call;
        let model = (!model.is_empty()).then_some(model);
        let waiting = VecDeque::from(requests);
        if !stream {
            return Self::Series(Box::new(Series {
                waiting,
                model,
                translator,
                answer: Vec::new(),
            }));
        }
        let takes_addresses = translator.takes_addresses();
        let calls = waiting.into_iter().map(|each| {
            let call = Call::ours(each, model.clone(), Via::Stream);
            Box::new(if takes_addresses { call.taking_addresses() } else { call })
        });
        Self::Stream(calls.collect(), Box::new(translator))
    }
}

impl Series {
    /// The calls to make now, side by side; none when all are answered.
    pub(crate) fn calls<I>(&mut self) -> Vec<Box<Call<I>>> {
        self.waiting.extend(self.translator.next_page().filter(|_| self.waiting.is_empty()));
        let model = &self.model;
        let calls = self.waiting.drain(..);
        calls.map(|each| Box::new(Call::ours(each, model.clone(), Via::Whole))).collect()
    }

    /// Takes the answer to the next of the calls, in their order.
    ///
    /// # Errors
    /// A fault of the service if it cannot be understood.
    pub(crate) fn take(&mut self, answer: &[u8]) -> Result<Summary, Fault> {
        let taken = self.translator.whole(answer, &mut self.answer);
        taken.map_err(|malformed| {
            let is_declined = matches!(malformed, Malformed::Declined { .. });
            if is_declined { Fault::declined(&malformed) } else { Fault::malformed(&malformed) }
        })
    }

    /// Whether pictures of the answers may be put on the web before they are taken.
    pub(crate) fn takes_addresses(&self) -> bool {
        self.translator.takes_addresses()
    }

    /// The one answer.
    pub(crate) fn finish<B>(self) -> Draft<B> {
        Draft::full(self.translator.content_type(), self.answer)
    }
}
