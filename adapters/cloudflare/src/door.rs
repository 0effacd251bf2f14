//! The Worker: hands each request to the object.
//!
//! Invariant: whatever fails on the way there, the caller gets an answer in its dialect.

use std::cell::Cell;

use balance_core::{error::Error, settings::Location};
use balance_js::{
    door::{read_settings, refuse},
    log::complain,
};
use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;
use worker::{Context, Env, Request, Response, Result, Stub, event};

use crate::PLACE;

/// The name of the object's binding in `wrangler.toml`.
const BINDING: &str = "POOL";

thread_local! {
    /// It does not change as long as an isolate lives.
    static LOCATION: Cell<Option<Location>> = const { Cell::new(None) };
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    match pass(&request, &env).await {
        Ok(response) => Ok(response),
        Err(error) => {
            complain(&error.to_string());
            Ok(refuse(request.inner(), &error)?.into())
        }
    }
}

/// The request goes on to the object as it is, and the answer comes back as it is.
async fn pass(request: &Request, env: &Env) -> std::result::Result<Response, Error> {
    let stub = stub(env, location(env)?)?;
    // Another handle to the same request: JavaScript's `clone` would hold its body twice.
    let onward = Request::from(Clone::clone(request.inner()));
    stub.fetch_with_request(onward).await.map_err(unreachable)
}

/// The one setting that matters here, read once. The others, which may be long lists, are read in the
/// object.
fn location(env: &Env) -> std::result::Result<Location, Error> {
    if let Some(location) = LOCATION.get() {
        return Ok(location);
    }
    let name = JsValue::from("CLOUDFLARE_LOCATION");
    let value = Reflect::get(env, &name).unwrap_or_default();
    let own = Object::new();
    // A new object takes whatever it is given.
    let _set = Reflect::set(&own, &name, &value);
    let location = read_settings(&own, &PLACE)?.location;
    LOCATION.set(Some(location));
    Ok(location)
}

/// The way to the object. Each location has an object of its own, as none ever moves.
fn stub(env: &Env, location: Location) -> std::result::Result<Stub, Error> {
    let namespace = env.durable_object(BINDING).map_err(|_| Error::PoolUnreachable {
        reason: "the binding POOL is missing, which the project's wrangler.toml has".into(),
    })?;
    let found = match location.name() {
        None => namespace.get_by_name("pool"),
        Some(hint) => namespace.get_by_name_with_location_hint(&format!("pool-{hint}"), hint),
    };
    found.map_err(unreachable)
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
fn unreachable(error: worker::Error) -> Error {
    Error::PoolUnreachable { reason: format!("the Durable Object does not answer ({error})") }
}
