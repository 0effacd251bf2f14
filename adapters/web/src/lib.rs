//! Gemini Balance as a WebAssembly module for every runtime with web APIs; `js/gateway.mjs` is the
//! way in.
//!
//! Invariant: nothing here decides anything about requests; that is the gateway's. Here is what a
//! module has: a place, variables, and a door.

mod places;

use std::rc::Rc;

use balance_js::{door::Door, promise::resolve_by};
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use web_sys::Request;

/// A gateway with its settings.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Gateway(Rc<Door>);

#[wasm_bindgen]
impl Gateway {
    /// A gateway at a place (`deno`, `deno-deploy`, `netlify`, `node`) with the variables
    /// that are set there, an object with a string for each name.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(place: &str, variables: &JsValue) -> Self {
        let (place, network) = places::named(place);
        Self(Rc::new(Door::open(variables, place, network)))
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
        let door = Rc::clone(&self.0);
        let answer = async move {
            let wait_until = |work: Promise| {
                // Work goes on whether or not the platform was told.
                let _told = wait_until.call1(&JsValue::UNDEFINED, &work);
            };
            let answer = door.answer(&request, &wait_until).await;
            door.check_keys(&wait_until);
            answer
        };
        resolve_by(answer, resolve, reject);
    }
}

/// Panics, for the test that a panic ends no process.
#[wasm_bindgen]
#[expect(clippy::panic, reason = "that is what it is for")]
pub fn rehearse_panic() {
    panic!("this is a rehearsal");
}
