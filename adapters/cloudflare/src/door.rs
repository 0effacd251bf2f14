//! The Worker's side: knows whether requests are the object's to answer, and answers those that are not, by
//! a gateway of its own that shares what the object knows.
//!
//! Invariant: whatever fails, the caller gets an answer in its dialect.

use std::rc::Rc;

use balance_core::{
    error::Error,
    settings::{CallsFrom, Location, Settings},
};
use balance_js::{
    body::in_words,
    door::{read_settings, refuse},
    log::complain,
    promise::resolve_by,
    timer::apart,
};
use js_sys::{Function, Object, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{Request, Response};

use crate::{PLACE, sharing::Sharing};

/// One for all requests of an isolate.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Door {
    answers: Rc<Answers>,
    location: Location,
}

/// Who answers.
#[derive(Debug)]
enum Answers {
    /// The object.
    Object,
    /// A gateway here.
    Here(Sharing),
    /// Nobody can, for this reason.
    Nobody(Error),
}

#[wasm_bindgen]
impl Door {
    /// A door by what is bound to the Worker. `tell` promises the object's answer to a call.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(env: &JsValue, tell: Function) -> Self {
        let (answers, location) = match own_settings(env) {
            Ok(Settings { calls_from: CallsFrom::Object, location, .. }) => {
                (Answers::Object, location)
            }
            Ok(Settings { location, .. }) => (Answers::Here(Sharing::open(env, tell)), location),
            Err(error) => {
                complain(&error.to_string());
                (Answers::Nobody(error), Location::default())
            }
        };
        Self { answers: Rc::new(answers), location }
    }

    /// Whether requests are answered here, and not by the object.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn is_here(&self) -> bool {
        !matches!(*self.answers, Answers::Object)
    }

    /// The name of the object.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn object(&self) -> String {
        self.location.name().map_or_else(|| "pool".into(), |hint| format!("pool-{hint}"))
    }

    /// Where the object is to be, if that was told.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn location(&self) -> Option<String> {
        self.location.name().map(str::to_owned)
    }

    /// Answers a request by a call of `resolve`, or of `reject` with what was thrown. Promises of work
    /// that goes on beside the answer's body are given to `wait_until`.
    pub fn answer(
        &self,
        request: Request,
        wait_until: Function,
        resolve: Function,
        reject: Function,
    ) {
        let answers = Rc::clone(&self.answers);
        let answer = async move {
            match &*answers {
                Answers::Here(sharing) => sharing.answer(&request, &wait_until).await,
                Answers::Object => refuse(&request, &Error::Bug("the object is to answer this")),
                Answers::Nobody(error) => refuse(&request, error),
            }
        };
        resolve_by(apart(answer), resolve, reject);
    }

    /// The answer to a request that could not be handed to the object.
    ///
    /// # Errors
    /// What JavaScript threw.
    pub fn unreachable(&self, request: &Request, thrown: &JsValue) -> Result<Response, JsValue> {
        let reason = format!("the Durable Object does not answer ({})", in_words(thrown));
        let error = Error::PoolUnreachable { reason };
        complain(&error.to_string());
        refuse(request, &error)
    }
}

/// The settings that matter here. The others, which may be long lists, are read where the gateway runs.
pub(crate) fn own_settings(env: &JsValue) -> Result<Settings, Error> {
    let own = Object::new();
    for name in ["CLOUDFLARE_CALLS_FROM", "CLOUDFLARE_LOCATION"].map(JsValue::from) {
        let value = Reflect::get(env, &name).unwrap_or_default();
        // A new object takes whatever it is given.
        let _set = Reflect::set(&own, &name, &value);
    }
    read_settings(&own, &PLACE)
}
