//! A gateway by the variables of a platform; or, where they are wrong, the words that say so.
//!
//! Invariant: every request gets an answer in the dialect that it speaks, wrong settings or not.

use std::{rc::Rc, sync::Arc};

use balance_core::{
    error::Error, gateway::Gateway, place::Place, reply::Reply, settings::Settings, store::Store,
};
use js_sys::{Promise, Reflect};
use wasm_bindgen::prelude::*;

use crate::{
    answer::{Desk, later},
    body::Body,
    host::{Chance, JsHost, Network},
    log::{Journal, complain},
    message::to_web,
};

/// What answers requests: a gateway, or the reason why there is none.
#[derive(Debug)]
pub struct Door {
    desk: Result<Desk<JsHost>, Error>,
}

impl Door {
    /// A door to a gateway with the settings in `variables`, an object with a string for each name.
    /// Wrong ones are told in the log now, and to every caller.
    #[must_use]
    pub fn open(variables: &JsValue, place: &Place, network: Network) -> Self {
        Self::furnish(variables, place, network, |gateway| gateway)
    }

    /// The same with a gateway that shares what it knows through a store;
    /// [`share`](Gateway::share) is to be called then.
    #[must_use]
    pub fn sharing(
        variables: &JsValue,
        place: &Place,
        network: Network,
        store: Arc<dyn Store>,
    ) -> Self {
        Self::furnish(variables, place, network, |gateway| gateway.with_store(store))
    }

    fn furnish(
        variables: &JsValue,
        place: &Place,
        network: Network,
        change: impl FnOnce(Gateway<JsHost>) -> Gateway<JsHost>,
    ) -> Self {
        let settings = read_settings(variables, place);
        if let Err(error) = &settings {
            complain(&error.to_string());
        }
        let desk = settings.map(|settings| {
            let journal = Journal::new(&settings);
            let host = JsHost::new(&settings, network);
            Desk::new(change(Gateway::new(host, settings)), journal)
        });
        Self { desk }
    }

    /// The gateway, if the settings let there be one.
    #[must_use]
    pub fn gateway(&self) -> Option<&Rc<Gateway<JsHost>>> {
        self.desk.as_ref().ok().map(Desk::gateway)
    }

    /// Answers a request. What is left to do after the reply's head is handed to `wait_until`, for
    /// the platform to go on with.
    ///
    /// # Errors
    /// What JavaScript threw, which it does for none of the gateway's replies.
    pub async fn answer(
        &self,
        request: &web_sys::Request,
        wait_until: &dyn Fn(Promise),
    ) -> Result<web_sys::Response, JsValue> {
        let desk = match &self.desk {
            Ok(desk) => desk,
            Err(error) => return refuse(request, error),
        };
        desk.answer(request, wait_until).await
    }

    /// Checks keys whose time has come, some seconds after the last time: for platforms where nothing
    /// runs without a request.
    pub fn check_keys(&self, wait_until: &dyn Fn(Promise)) {
        let Ok(desk) = &self.desk else { return };
        if desk.is_time_to_check() {
            let gateway = Rc::clone(desk.gateway());
            wait_until(later(async move {
                let _checked = gateway.check_keys().await;
            }));
        }
    }
}

/// Reads the settings from `variables`; what is no string there is not set. Platforms bound the length
/// of a variable, so a long value may go on in `NAME_2`, `NAME_3` and so on.
///
/// # Errors
/// What is wrong with them, fit to be the answer to every request; see [`Place::read`].
pub fn read_settings(variables: &JsValue, place: &Place) -> Result<Settings, Error> {
    let variable =
        |name: &str| Reflect::get(variables, &name.into()).ok().and_then(|value| value.as_string());
    place.read(&|name: &str| {
        let mut value = variable(name)?;
        let pieces = (2..).map_while(|number| variable(&format!("{name}_{number}")));
        for piece in pieces {
            // Lists are cut between two items; what is JSON may be cut anywhere.
            if !value.starts_with(['[', '{']) {
                value.push(',');
            }
            value.push_str(&piece);
        }
        Some(value)
    })
}

/// The answer to a request that a trap ended.
///
/// # Errors
/// What JavaScript threw.
#[wasm_bindgen]
pub fn apologize(request: &web_sys::Request) -> Result<web_sys::Response, JsValue> {
    refuse(request, &Error::Bug("a panic, whose place stands in the log"))
}

/// The answer to a request while there is no gateway to ask.
///
/// # Errors
/// What JavaScript threw.
pub fn refuse(request: &web_sys::Request, error: &Error) -> Result<web_sys::Response, JsValue> {
    let uri = request.url().parse().unwrap_or_default();
    to_web::<Body>(Reply::refusal(error, &uri, Chance::default().next_u64()).response)
}
