//! A gateway whose knowledge is kept: in the sheet a second after it was learned, and taken out of it when
//! the object starts anew. Where Workers answer callers, it checks keys by what they put into the sheet.
//!
//! Invariant: an alarm is set whenever a key is to be checked, or something that is kept will be over, so
//! that both happen without a caller.

use std::{cell::Cell, rc::Rc, time::Duration};

use balance_core::{
    pool::Mark,
    settings::CallsFrom,
    store::{News, Revision, StoreError, rpc},
    time::Timestamp,
};
use balance_js::{
    door::Door,
    host::{Network, now, sleep},
    log::complain,
    promise::kept,
    tasks::spawn,
};
use js_sys::{Date, Promise};
use wasm_bindgen::JsValue;
use worker::{ScheduledTime, Storage};

use crate::{PLACE, sheet::Sheet};

/// How long after an answer what was learned from it is kept, with what was learned from others meanwhile:
/// the platform counts the rows that are written.
const KEEP_AFTER: Duration = Duration::from_secs(1);

/// How often what is over is forgotten.
const PRUNE_EVERY: Duration = Duration::from_secs(86_400);

/// A gateway, and where its knowledge is kept. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Keeper(Rc<Kept>);

#[derive(Debug)]
struct Kept {
    door: Door,
    calls_from: CallsFrom,
    sheet: Sheet,
    storage: Storage,
    /// Up to where what was learned is kept.
    mark: Cell<Mark>,
    /// Up to where what is kept is known.
    known: Cell<Revision>,
    /// Whether it will be settled soon.
    is_soon: Cell<bool>,
    /// When the alarm rings, if that is known here.
    alarm: Cell<Option<Timestamp>>,
    /// Whether no alarm rang here yet. The first one was set before, so what it is for is due.
    is_new: Cell<bool>,
}

impl Keeper {
    /// A gateway with the settings in `variables` that goes on where the last one stopped.
    pub(crate) fn open(
        variables: &JsValue,
        calls_from: CallsFrom,
        sheet: Sheet,
        storage: Storage,
    ) -> Result<Self, StoreError> {
        let door = Door::open(variables, &PLACE, Network::Open);
        let keeper = Self(Rc::new(Kept {
            door,
            calls_from,
            sheet,
            storage,
            mark: Cell::default(),
            known: Cell::default(),
            is_soon: Cell::default(),
            alarm: Cell::default(),
            is_new: Cell::new(true),
        }));
        keeper.recall()?;
        Ok(keeper)
    }

    /// Whose requests it serves: those of callers, or of Workers.
    pub(crate) fn calls_from(&self) -> CallsFrom {
        self.0.calls_from
    }

    /// Answers a call of a Worker.
    pub(crate) async fn serve(&self, call: &str) -> String {
        let answer = rpc::answer(&self.0.sheet, call).await;
        self.settle_soon();
        answer
    }

    /// Answers a request of a caller.
    pub(crate) async fn answer(
        &self,
        request: &web_sys::Request,
    ) -> Result<web_sys::Response, JsValue> {
        // An object lives for as long as something goes on in it, so nobody needs to be told.
        let wait_until = |work: Promise| {
            let keeper = self.clone();
            spawn(async move {
                let _done = kept(&work).await;
                keeper.settle_soon();
            });
        };
        let answer = self.0.door.answer(request, &wait_until).await;
        self.settle_soon();
        answer
    }

    /// Checks the keys whose time has come, and forgets what is over.
    pub(crate) async fn wake(&self) {
        self.0.alarm.set(None);
        if let Some(gateway) = self.0.door.gateway() {
            self.settle();
            if self.0.is_new.take() {
                gateway.hurry_checks();
            }
            let _checked = gateway.check_keys().await;
        }
        self.keep();
        if let Err(error) = self.0.sheet.prune(now()) {
            complain(&error.to_string());
        }
        self.set_alarm().await;
    }

    fn settle_soon(&self) {
        if self.0.is_soon.replace(true) {
            return;
        }
        let keeper = self.clone();
        spawn(async move {
            sleep(KEEP_AFTER).await;
            keeper.0.is_soon.set(false);
            keeper.settle();
            keeper.set_alarm().await;
        });
    }

    /// Brings the gateway and the sheet to the same.
    fn settle(&self) {
        match self.0.calls_from {
            CallsFrom::Object => self.keep(),
            CallsFrom::Worker => self.recall().unwrap_or_else(|error| complain(&error.to_string())),
        }
    }

    /// Keeps what was learned since the last time. What cannot be kept now is tried again the next time.
    fn keep(&self) {
        let Some(gateway) = self.0.door.gateway() else { return };
        let (notes, mark) = gateway.learned(self.0.mark.get());
        match self.0.sheet.keep(&notes) {
            Ok(()) => self.0.mark.set(mark),
            Err(error) => complain(&error.to_string()),
        }
    }

    /// Takes in all that was kept since the last time.
    fn recall(&self) -> Result<(), StoreError> {
        let Some(gateway) = self.0.door.gateway() else { return Ok(()) };
        loop {
            let News { notes, revision } = self.0.sheet.notes(self.0.known.get(), now())?;
            if notes.is_empty() {
                // What it knows by now, in this very millisecond, need not be kept again.
                self.0.mark.set(Mark(now() + Duration::from_millis(1)));
                return Ok(());
            }
            gateway.learn(&notes);
            self.0.known.set(revision);
        }
    }

    /// Lets the alarm ring when it is next needed, if it would not before.
    async fn set_alarm(&self) {
        if let Err(error) = self.try_set_alarm().await {
            complain(&format!("the alarm cannot be set: {error}"));
        }
    }

    async fn try_set_alarm(&self) -> worker::Result<()> {
        let Some(gateway) = self.0.door.gateway() else { return Ok(()) };
        let prune = now() + PRUNE_EVERY;
        let needed = gateway.next_check().map_or(prune, |check| check.min(prune)).max(now());
        let mut alarm = self.0.alarm.get();
        if alarm.is_none() {
            let millis = self.0.storage.get_alarm().await?;
            alarm = millis.and_then(|at| at.try_into().ok()).map(Timestamp::from_unix_millis);
        }
        if alarm.is_none_or(|alarm| alarm > needed) {
            self.0.storage.set_alarm(ScheduledTime::new(date(needed))).await?;
            alarm = Some(needed);
        }
        self.0.alarm.set(alarm);
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact for some hundred thousand years")]
fn date(at: Timestamp) -> Date {
    Date::new(&JsValue::from_f64(at.unix_millis() as f64))
}
