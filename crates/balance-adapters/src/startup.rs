//! The time from nothing to the first answer.
//!
//! Invariant: what is measured begins before the process is started and ends with a whole answer.

use std::time::{Duration, Instant};

use balance_testkit::client::{self, Manner};
use bytes::Bytes;
use http::Request;

use crate::runtime::{Settings, Start};

const STARTS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(60);

/// The median of some starts; `None` if there is no answer.
pub(crate) async fn first_answer(start: &Start, settings: &Settings) -> Option<Duration> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        times.push(one_start(start, settings).await?);
    }
    times.sort();
    times.get(STARTS / 2).copied()
}

/// From nothing to the first answer, once.
pub(crate) async fn one_start(start: &Start, settings: &Settings) -> Option<Duration> {
    let begun = Instant::now();
    let running = start(settings).ok()?;
    loop {
        let request = Request::get("/health").body(Bytes::new()).ok()?;
        let answer = client::ask(running.door.address, request, Manner::default()).await;
        if answer.is_ok_and(|answer| answer.status < 500) {
            return Some(begun.elapsed());
        }
        if begun.elapsed() > PATIENCE {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// The fewest with which there is an answer.
pub(crate) fn settings() -> Settings {
    let keys = [("API_KEYS", "key"), ("ACCESS_TOKENS", "token")];
    keys.map(|(name, value)| (name.into(), value.into())).into()
}
