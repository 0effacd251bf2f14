//! A gateway in a Worker, which shares what it knows with those in other Workers through the object.
//!
//! Invariant: nothing of one request is waited for by another, as the platform lets each touch only what is
//! its own: nobody stands in line here, and each call to the object takes a way of its own.

use std::{cell::Cell, rc::Rc, sync::Arc, time::Duration};

use async_trait::async_trait;
use balance_core::{
    gateway::Round,
    host::BoxError,
    settings::Location,
    store::rpc::{RpcStore, Transport},
    time::Timestamp,
};
use balance_js::{
    body::in_words,
    door::Door,
    host::{Network, now, sleep},
    log::complain,
    promise::kept,
    timer::here,
};
use js_sys::{Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Request, RequestInit, Response};
use worker::{Context, Env};

use crate::{PLACE, door::pass};

/// What is learned is told at once, but not more often than this.
const SHARE_EVERY: Duration = Duration::from_secs(1);

/// A gateway that shares what it knows. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Sharing(Rc<Shared>);

#[derive(Debug)]
struct Shared {
    door: Door,
    is_old: Cell<bool>,
    /// Before then it is not shared again; but for what is on its way.
    next: Cell<Timestamp>,
}

impl Sharing {
    pub(crate) fn open(env: &Env, location: Location) -> Self {
        let variables: Object = Object::create(env.unchecked_ref());
        // A new object takes whatever it is given.
        let _set = Reflect::set(&variables, &"QUEUE_SECONDS".into(), &"0".into());
        let store = Arc::new(RpcStore(WayToObject { env: env.clone(), location }));
        let door = Door::sharing(&variables, &PLACE, Network::Open, store);
        Self(Rc::new(Shared { door, is_old: Cell::default(), next: Cell::default() }))
    }

    /// Answers a request of a caller. The first one waits until it is known what the others know.
    pub(crate) async fn answer(
        &self,
        request: &Request,
        context: &Context,
    ) -> Result<Response, JsValue> {
        if !self.0.is_old.replace(true) {
            self.share().await;
        }
        let wait_until = |work: Promise| {
            let sharing = self.clone();
            context.wait_until(here(async move {
                let _done = kept(&work).await;
                if let Some(wait) = sharing.wait() {
                    sharing.share_after(wait).await;
                }
            }));
        };
        let answer = self.0.door.answer(request, &wait_until).await;
        self.0.door.check_keys(&wait_until);
        if let Some(wait) = self.wait() {
            context.wait_until(here(self.clone().share_after(wait)));
        }
        answer
    }

    /// How long whoever asks is to wait and then share; none if somebody else will.
    fn wait(&self) -> Option<Duration> {
        let now = now();
        let next = self.0.next.get().max(now);
        (next <= now + SHARE_EVERY).then(|| {
            self.0.next.set(next + SHARE_EVERY);
            next.since(now)
        })
    }

    async fn share_after(self, wait: Duration) {
        sleep(wait).await;
        self.share().await;
    }

    /// Tells the others, and hears from them. Without them it goes on with what it knows.
    async fn share(&self) {
        let Some(gateway) = self.0.door.gateway() else { return };
        if let Round::Away { error, meanwhile, is_news: true } = gateway.share().await {
            complain(&format!("{error}; meanwhile {meanwhile}"));
        }
    }
}

#[derive(Debug)]
struct WayToObject {
    env: Env,
    location: Location,
}

#[async_trait(?Send)]
impl Transport for WayToObject {
    async fn send(&self, call: String) -> Result<String, BoxError> {
        let answer = async {
            let init = RequestInit::new();
            init.set_method("POST");
            init.set_body(&call.into());
            // The address is nobody's: the way leads to the object whatever it says.
            let request = Request::new_with_str_and_init("https://pool/", &init)?;
            let response = pass(&request, &self.env, self.location).await;
            let response = response.map_err(|error| JsValue::from(error.to_string()))?;
            Ok(kept(&response.text()?).await?.as_string().unwrap_or_default())
        };
        // Errors of JavaScript are bound to their thread; what they say is not.
        answer.await.map_err(|thrown: JsValue| in_words(&thrown).into())
    }
}
