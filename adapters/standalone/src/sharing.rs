//! What this server shares with others that have the same keys, beside the requests.
//!
//! Invariant: however the store is, requests are served; what changes about it is told once.

use std::{sync::Arc, time::Duration};

use balance_core::{
    gateway::{Gateway, Round},
    settings::Settings,
    store::Store,
};
use balance_redis::RedisStore;
use balance_tokio::TokioHost;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{debug, info, warn};

use crate::sources::WrongSettings;

/// How often the store is asked.
const ROUND: Duration = Duration::from_secs(1);

/// The store that the settings name, if they do.
///
/// # Errors
/// Its address cannot be read.
pub(crate) fn store(settings: &Settings) -> Result<Option<Arc<dyn Store>>, WrongSettings> {
    let Some(address) = &settings.redis_url else { return Ok(None) };
    let store = RedisStore::open(address, &settings.redis_prefix)
        .map_err(|wrong| WrongSettings(vec![format!("REDIS_URL: {wrong}")]))?;
    Ok(Some(Arc::new(store)))
}

/// Shares for as long as the server runs.
pub(crate) async fn share(gateway: Arc<Gateway<TokioHost>>) {
    let mut rounds = interval(ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        tell(&gateway.share().await);
    }
}

/// Tells the operator what is new about the store.
pub(crate) fn tell(round: &Round) {
    match round {
        Round::NotDue => {}
        Round::Reached { instances, is_news: true } => {
            info!(instances, "quotas are shared through the store");
        }
        Round::Reached { instances, is_news: false } => debug!(instances, "quotas were exchanged"),
        Round::Away { error, meanwhile, is_news: true } => {
            warn!(%error, %meanwhile, "this server shares nothing with others for now");
        }
        Round::Away { error, meanwhile, is_news: false } => {
            debug!(%error, %meanwhile, "the store is away");
        }
    }
}
