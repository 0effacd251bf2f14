//! The Durable Object: runs the gateway, or serves as the store of gateways in Workers.
//!
//! Invariant: requests of callers reach the gateway alone, and calls of Workers the store alone; which of
//! the two it is, is a setting that both sides read.
#![expect(missing_docs, reason = "what the macro adds is for JavaScript alone")]

use balance_core::{error::Error, settings::CallsFrom, store::StoreError};
use balance_js::{door::refuse, log::complain};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use crate::{door::own_settings, keeper::Keeper, sheet::Sheet};

/// What lives in the object.
#[durable_object]
#[derive(Debug)]
pub struct Pool(std::result::Result<Keeper, Error>);

impl DurableObject for Pool {
    fn new(state: State, env: Env) -> Self {
        let keeper = open(&state, &env);
        if let Err(error) = &keeper {
            complain(&error.to_string());
        }
        Self(keeper)
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        match &self.0 {
            Ok(keeper) if keeper.calls_from() == CallsFrom::Worker => {
                Response::ok(keeper.serve(&request.text().await?).await)
            }
            Ok(keeper) => Ok(keeper.answer(request.inner()).await?.into()),
            Err(error) => Ok(refuse(request.inner(), error)?.into()),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        if let Ok(keeper) = &self.0 {
            keeper.wake().await;
        }
        Response::empty()
    }
}

fn open(state: &State, env: &Env) -> std::result::Result<Keeper, Error> {
    let unusable = |error: StoreError| Error::PoolUnreachable { reason: error.to_string() };
    let calls_from = own_settings(env)?.calls_from;
    let storage = state.storage();
    let sheet = Sheet::open(storage.sql()).map_err(unusable)?;
    Keeper::open(env, calls_from, sheet, storage).map_err(unusable)
}
