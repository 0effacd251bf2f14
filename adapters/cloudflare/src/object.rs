//! The Durable Object: runs the gateway, or serves as the store of gateways in Workers.
//!
//! Invariant: requests of callers reach the gateway alone, and calls of Workers the store alone; which of
//! the two it is, is a setting that both sides read.

use std::rc::Rc;

use balance_core::{error::Error, settings::CallsFrom, store::StoreError};
use balance_js::{
    door::refuse,
    log::complain,
    promise::{kept, promise, resolve_by},
    timer::begin_anew,
};
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{Request, Response};
use worker::{State, worker_sys::DurableObjectState};

use crate::{door::own_settings, keeper::Keeper, sheet::Sheet};

/// What lives in the object.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Pool(Rc<Result<Keeper, Error>>);

#[wasm_bindgen]
impl Pool {
    /// Begun by the platform.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(state: DurableObjectState, env: &JsValue) -> Self {
        begin_anew();
        let keeper = open(&State::from(state), env);
        if let Err(error) = &keeper {
            complain(&error.to_string());
        }
        Self(Rc::new(keeper))
    }

    /// Answers a request by a call of `resolve`, or of `reject` with what was thrown.
    pub fn answer(&self, request: Request, resolve: Function, reject: Function) {
        let keeper = Rc::clone(&self.0);
        let answer = async move {
            match &*keeper {
                Ok(keeper) if keeper.calls_from() == CallsFrom::Worker => {
                    serve(keeper, &request).await
                }
                Ok(keeper) => keeper.answer(&request).await,
                Err(error) => refuse(&request, error),
            }
        };
        resolve_by(answer, resolve, reject);
    }

    /// Woken by the platform, when it was asked to.
    #[must_use]
    pub fn alarm(&self) -> Promise {
        let keeper = Rc::clone(&self.0);
        promise(async move {
            if let Ok(keeper) = &*keeper {
                keeper.wake().await;
            }
            Ok(JsValue::UNDEFINED)
        })
    }
}

/// Answers a Worker's call.
async fn serve(keeper: &Keeper, request: &Request) -> Result<Response, JsValue> {
    let call = kept(&request.text()?).await?.as_string().unwrap_or_default();
    Response::new_with_opt_str(Some(&keeper.serve(&call).await))
}

fn open(state: &State, env: &JsValue) -> Result<Keeper, Error> {
    let unusable = |error: StoreError| Error::PoolUnreachable { reason: error.to_string() };
    let calls_from = own_settings(env)?.calls_from;
    let storage = state.storage();
    let sheet = Sheet::open(storage.sql()).map_err(unusable)?;
    Keeper::open(env, calls_from, sheet, storage).map_err(unusable)
}
