//! The host: what a JavaScript platform gives to a gateway.
//!
//! Invariant: upstream is asked by `fetch`, with one abort signal for each request, held by the
//! future first and by the body of the answer then.

use std::{cell::RefCell, fmt::Display, time::Duration};

use balance_core::{
    host::{Clock, Fetch, FetchError, Payload, Random, VisitError},
    reach::Reach,
    settings::Settings,
    time::Timestamp,
};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use js_sys::{Date, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::AbortController;

use crate::{
    body::{Body, Fetching, in_words},
    message::{head_of, write_head},
    promise::{Kept, Promised},
    silence::Silence,
    timer::Timer,
    visit,
};

#[wasm_bindgen(module = "/src/steps.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    fn send(head: &str, body: &JsValue, number: f64) -> Result<AbortController, JsValue>;
}

/// A host over the web's `fetch`.
#[derive(Debug)]
pub struct JsHost {
    /// How long an answer may be silent.
    idle: Duration,
    network: Network,
    chance: RefCell<Chance>,
}

/// Where names can lead to, which `fetch` resolves out of our sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// To the open network only: the platform sees to it, as edge platforms do.
    Open,
    /// To private places, too: the machine is somebody's own.
    Own,
}

impl JsHost {
    /// A host in this network.
    #[must_use]
    pub fn new(settings: &Settings, network: Network) -> Self {
        Self { idle: settings.idle.0, network, chance: RefCell::default() }
    }

    async fn ask(
        &self,
        url: &dyn Display,
        method: &Method,
        headers: &HeaderMap,
        body: &JsValue,
    ) -> Result<Response<Body>, JsValue> {
        let head = write_head(&format_args!("{url}\n{method}"), headers);
        let (promised, controller) = Promised::by(|number| send(&head, body, number));
        let fetching = Fetching::by(controller?);
        let Kept::Told(head, response) = promised.await? else {
            return Err(JsValue::from_str("the response has no head"));
        };
        let (head, body) = head_of(head, response.unchecked_into())?.into_parts();
        Ok(Response::from_parts(head, body.of_fetch(Silence::longest(self.idle), fetching)))
    }
}

impl Fetch for JsHost {
    type Incoming = Body;
    type Body = Body;

    async fn fetch(&self, request: Request<Payload<Body>>) -> Result<Response<Body>, FetchError> {
        let (head, payload) = request.into_parts();
        let body = web_body(payload, &head.method);
        let asked = self.ask(&head.uri, &head.method, &head.headers, &body);
        asked.await.map_err(|thrown| FetchError::Broken(in_words(&thrown).into()))
    }

    async fn visit(
        &self,
        request: Request<Bytes>,
        reach: Reach,
    ) -> Result<Response<Body>, VisitError> {
        let (head, body) = request.into_parts();
        let url = visit::judge(&head.uri.to_string(), reach, self.network)?;
        let body = web_body(Payload::Full(body), &head.method);
        let asked = self.ask(&url, &head.method, &head.headers, &body);
        asked.await.map_err(|thrown| VisitError::Lost(in_words(&thrown).into()))
    }
}

/// The body of a request; `fetch` takes none with GET and HEAD.
fn web_body(payload: Payload<Body>, method: &Method) -> JsValue {
    match payload {
        _ if matches!(*method, Method::GET | Method::HEAD) => JsValue::UNDEFINED,
        Payload::Full(bytes) => Uint8Array::from(&*bytes).into(),
        Payload::Stream(body) => body.into_stream().map_or(JsValue::UNDEFINED, Into::into),
    }
}

impl Clock for JsHost {
    fn now(&self) -> Timestamp {
        now()
    }

    async fn sleep(&self, duration: Duration) {
        sleep(duration).await;
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a date before 1970 counts as 1970, and none is too late: casts of floats saturate"
)]
/// The time by the platform's clock.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::from_unix_millis(Date::now() as u64)
}

/// Resolves after `duration`.
pub async fn sleep(duration: Duration) {
    Timer::new(duration).await;
}

impl Random for JsHost {
    fn next_u64(&self) -> u64 {
        self.chance.borrow_mut().next_u64()
    }
}

/// Random bytes from the platform's generator, fetched many at a time.
#[derive(Debug)]
pub(crate) struct Chance {
    bytes: [u8; 256],
    used: usize,
}

impl Default for Chance {
    fn default() -> Self {
        Self { bytes: [0; 256], used: 256 }
    }
}

impl Chance {
    pub(crate) fn next_u64(&mut self) -> u64 {
        if self.used >= self.bytes.len() {
            // Every platform of the web has the generator; were it missing, bytes would repeat and
            // harm ids and the spreading of load, but no secret is made of them.
            let _filled = getrandom::fill(&mut self.bytes);
            self.used = 0;
        }
        let taken = self.bytes.iter().skip(self.used).take(8);
        self.used += 8;
        taken.fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}
