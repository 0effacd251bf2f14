//! The Durable Object: where the gateway runs.
//!
//! Invariant: whatever keeps the gateway from running, callers get an answer in their dialect.

use balance_core::{error::Error, store::StoreError};
use balance_js::{door::refuse, log::complain};
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use crate::{keeper::Keeper, sheet::Sheet};

/// What lives in the object.
#[durable_object]
#[derive(Debug)]
pub struct Pool(std::result::Result<Keeper, Error>);

impl DurableObject for Pool {
    fn new(state: State, env: Env) -> Self {
        let storage = state.storage();
        let keeper =
            Sheet::open(storage.sql()).and_then(|sheet| Keeper::open(&env, sheet, storage));
        let unusable = |error: StoreError| Error::PoolUnreachable { reason: error.to_string() };
        let keeper = keeper.map_err(unusable);
        if let Err(error) = &keeper {
            complain(&error.to_string());
        }
        Self(keeper)
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        match &self.0 {
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
