//! The Durable Object: runs the gateway, or serves as the store of gateways in Workers.
//!
//! Invariant: requests of callers reach the gateway alone, and calls of Workers the store alone; which of
//! the two it is, is a setting that both sides read.

use balance_core::{error::Error, settings::CallsFrom, store::StoreError};
use balance_js::{door::refuse, log::complain, promise::kept, timer::begin_anew};
use wasm_bindgen::prelude::*;
use web_sys::{Request, Response};
use worker::{Env, State, worker_sys::DurableObjectState};

use crate::{door::own_settings, keeper::Keeper, sheet::Sheet};

/// What lives in the object. It is exported without the macro of the crate `worker`, which would make new
/// requests and responses of those that go through it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Pool(Result<Keeper, Error>);

#[wasm_bindgen]
impl Pool {
    /// Begun by the platform.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(state: DurableObjectState, env: Env) -> Self {
        begin_anew();
        let keeper = open(&State::from(state), &env);
        if let Err(error) = &keeper {
            complain(&error.to_string());
        }
        Self(keeper)
    }

    /// Answers a request.
    ///
    /// # Errors
    /// What JavaScript threw.
    pub async fn fetch(&self, request: Request) -> Result<Response, JsValue> {
        match &self.0 {
            Ok(keeper) if keeper.calls_from() == CallsFrom::Worker => {
                let call = kept(&request.text()?).await?.as_string().unwrap_or_default();
                Response::new_with_opt_str(Some(&keeper.serve(&call).await))
            }
            Ok(keeper) => keeper.answer(&request).await,
            Err(error) => refuse(&request, error),
        }
    }

    /// Woken by the platform, when it was asked to.
    pub async fn alarm(&self) {
        if let Ok(keeper) = &self.0 {
            keeper.wake().await;
        }
    }
}

fn open(state: &State, env: &Env) -> Result<Keeper, Error> {
    let unusable = |error: StoreError| Error::PoolUnreachable { reason: error.to_string() };
    let calls_from = own_settings(env)?.calls_from;
    let storage = state.storage();
    let sheet = Sheet::open(storage.sql()).map_err(unusable)?;
    Keeper::open(env, calls_from, sheet, storage).map_err(unusable)
}
