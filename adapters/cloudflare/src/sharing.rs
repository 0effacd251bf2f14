//! A gateway in a Worker, which shares what it knows with those in other Workers through the object.
//!
//! Invariant: nothing of one request is waited for by another, as the platform lets each touch only what is
//! its own: nobody stands in line here, and each call to the object takes a way of its own.

use std::{cell::Cell, rc::Rc, sync::Arc, time::Duration};

use async_trait::async_trait;
use balance_core::{
    gateway::Round,
    host::BoxError,
    store::rpc::{RpcStore, Transport},
    time::Timestamp,
};
use balance_js::{
    answer::later,
    body::in_words,
    door::Door,
    host::{Network, now, sleep},
    log::complain,
    promise::kept,
};
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Request, Response};

use crate::PLACE;

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
    /// A gateway with what is bound to the Worker. `tell` promises the object's answer to a call.
    pub(crate) fn open(env: &JsValue, tell: Function) -> Self {
        let variables: Object = Object::create(env.unchecked_ref());
        // A new object takes whatever it is given.
        let _set = Reflect::set(&variables, &"QUEUE_SECONDS".into(), &"0".into());
        let store = Arc::new(RpcStore(WayToObject { tell }));
        let door = Door::sharing(&variables, &PLACE, Network::Open, store);
        Self(Rc::new(Shared { door, is_old: Cell::default(), next: Cell::default() }))
    }

    /// Answers a request of a caller. The first one waits until it is known what the others know.
    pub(crate) async fn answer(
        &self,
        request: &Request,
        wait_until: &Function,
    ) -> Result<Response, JsValue> {
        if !self.0.is_old.replace(true) {
            self.share().await;
        }
        let go_on = |work: Promise| {
            // Work goes on whether or not the platform was told.
            let _told = wait_until.call1(&JsValue::UNDEFINED, &work);
        };
        let wait_until = |work: Promise| {
            let sharing = self.clone();
            go_on(later(async move {
                let _done = kept(&work).await;
                if let Some(wait) = sharing.wait() {
                    sharing.share_after(wait).await;
                }
            }));
        };
        let answer = self.0.door.answer(request, &wait_until).await;
        self.0.door.check_keys(&wait_until);
        if let Some(wait) = self.wait() {
            go_on(later(self.clone().share_after(wait)));
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
    tell: Function,
}

#[async_trait(?Send)]
impl Transport for WayToObject {
    async fn send(&self, call: String) -> Result<String, BoxError> {
        let answer = async {
            let answer = self.tell.call1(&JsValue::UNDEFINED, &call.into())?;
            kept(&answer.dyn_into()?).await
        };
        // Errors of JavaScript are bound to their thread; what they say is not.
        let answer = answer.await.map_err(|thrown: JsValue| in_words(&thrown))?;
        Ok(answer.as_string().unwrap_or_default())
    }
}
