//! The Worker: hands each request to the object, or to a gateway of its own that shares what the object
//! knows.
//!
//! Invariant: whatever fails on the way to the object, the caller gets an answer in its dialect.

use std::{cell::OnceCell, rc::Rc};

use balance_core::{
    error::Error,
    settings::{CallsFrom, Location, Settings},
};
use balance_js::{
    body::in_words,
    door::{read_settings, refuse},
    log::complain,
    promise::kept,
    timer::apart,
};
use js_sys::{Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{Request, Response};
use worker::{Context, Env, Result, event};

use crate::{PLACE, sharing::Sharing};

/// The name of the object's binding in `wrangler.toml`.
const BINDING: &str = "POOL";

#[wasm_bindgen(module = "/src/microtasks.js")]
extern "C" {
    fn quicken();
}

#[wasm_bindgen]
extern "C" {
    /// The way to an object. The one of the crate `worker` makes new requests and responses of those that go
    /// through it, which takes longer than all else here.
    pub(crate) type Stub;

    #[wasm_bindgen(method, catch, js_name = fetch)]
    fn ask(this: &Stub, request: &Request) -> std::result::Result<Promise, JsValue>;
}

thread_local! {
    /// One for all requests of an isolate.
    static DOOR: OnceCell<Rc<Door>> = const { OnceCell::new() };
}

/// Who answers.
#[derive(Debug)]
enum Door {
    /// The object in this place.
    Object(Location),
    /// A gateway here.
    Here(Sharing),
    /// Nobody can, for this reason.
    Nobody(Error),
}

#[event(start)]
fn start() {
    quicken();
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    let door = DOOR.with(|door| Rc::clone(door.get_or_init(|| Rc::new(Door::open(&env)))));
    match &*door {
        Door::Object(location) => match pass(&request, &env, *location).await {
            Ok(response) => Ok(response),
            Err(error) => {
                complain(&error.to_string());
                Ok(refuse(&request, &error)?)
            }
        },
        Door::Here(sharing) => Ok(apart(sharing.answer(&request, &context)).await?),
        Door::Nobody(error) => Ok(refuse(&request, error)?),
    }
}

impl Door {
    fn open(env: &Env) -> Self {
        match own_settings(env) {
            Ok(Settings { calls_from: CallsFrom::Object, location, .. }) => Self::Object(location),
            Ok(Settings { location, .. }) => Self::Here(Sharing::open(env, location)),
            Err(error) => {
                complain(&error.to_string());
                Self::Nobody(error)
            }
        }
    }
}

/// The settings that matter here. The others, which may be long lists, are read where the gateway runs.
pub(crate) fn own_settings(env: &Env) -> std::result::Result<Settings, Error> {
    let own = Object::new();
    for name in ["CLOUDFLARE_CALLS_FROM", "CLOUDFLARE_LOCATION"].map(JsValue::from) {
        let value = Reflect::get(env, &name).unwrap_or_default();
        // A new object takes whatever it is given.
        let _set = Reflect::set(&own, &name, &value);
    }
    read_settings(&own, &PLACE)
}

/// The request goes on to the object as it is, and the answer comes back as it is.
pub(crate) async fn pass(
    request: &Request,
    env: &Env,
    location: Location,
) -> std::result::Result<Response, Error> {
    let asked = stub(env, location)?.ask(request).map_err(|thrown| unreachable(&thrown))?;
    let answer = kept(&asked).await.map_err(|thrown| unreachable(&thrown))?;
    Ok(answer.unchecked_into())
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
    found.map(worker::Stub::into_rpc).map_err(|error| unreachable(&error.into()))
}

fn unreachable(thrown: &JsValue) -> Error {
    let reason = format!("the Durable Object does not answer ({})", in_words(thrown));
    Error::PoolUnreachable { reason }
}
