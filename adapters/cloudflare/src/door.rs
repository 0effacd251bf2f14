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
    door::{read_settings, refuse},
    log::complain,
};
use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;
use worker::{Context, Env, Request, Response, Result, Stub, event};

use crate::{PLACE, sharing::Sharing};

/// The name of the object's binding in `wrangler.toml`.
const BINDING: &str = "POOL";

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

#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    let door = DOOR.with(|door| Rc::clone(door.get_or_init(|| Rc::new(Door::open(&env)))));
    match &*door {
        Door::Object(location) => match pass(&request, &env, *location).await {
            Ok(response) => Ok(response),
            Err(error) => {
                complain(&error.to_string());
                Ok(refuse(request.inner(), &error)?.into())
            }
        },
        Door::Here(sharing) => sharing.answer(&request, &context).await,
        Door::Nobody(error) => Ok(refuse(request.inner(), error)?.into()),
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
async fn pass(
    request: &Request,
    env: &Env,
    location: Location,
) -> std::result::Result<Response, Error> {
    let stub = stub(env, location)?;
    // Another handle to the same request: JavaScript's `clone` would hold its body twice.
    let onward = Request::from(Clone::clone(request.inner()));
    stub.fetch_with_request(onward).await.map_err(unreachable)
}

/// The way to the object. Each location has an object of its own, as none ever moves.
pub(crate) fn stub(env: &Env, location: Location) -> std::result::Result<Stub, Error> {
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
