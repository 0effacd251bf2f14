//! Keeps a host awake that stops servers which nobody asks: the server asks itself now and then, by
//! the address that the world knows, since only such requests count there.
//!
//! Invariant: off unless the operator wants it; such hosts count the hours.

use std::time::Duration;

use balance_core::{
    host::Fetch,
    reach::Reach,
    settings::{BaseUrl, Settings},
};
use balance_tokio::TokioHost;
use bytes::Bytes;
use http::Request;
use tracing::{debug, warn};

use crate::sources::WrongSettings;

/// Asking oneself, as long as the server runs.
#[derive(Debug)]
pub(crate) struct Awake {
    url: String,
    every: Duration,
}

impl Awake {
    /// What the settings want; `None` if nothing.
    ///
    /// # Errors
    /// They do not say how the world reaches this server.
    pub(crate) fn wanted(settings: &Settings) -> Result<Option<Self>, WrongSettings> {
        if !settings.keep_awake.0 {
            return Ok(None);
        }
        let url = settings.public_url.as_ref().map(BaseUrl::as_str).ok_or_else(|| {
            let line =
                "KEEP_AWAKE: wants PUBLIC_URL, the address that the world reaches this server at";
            WrongSettings(vec![line.into()])
        })?;
        let every = Duration::from_secs(60 * settings.keep_awake_minutes.value());
        Ok(Some(Self { url: format!("{url}/health"), every }))
    }

    /// Asks, for as long as the server runs.
    pub(crate) async fn ask(self, host: TokioHost) {
        loop {
            tokio::time::sleep(self.every).await;
            let Ok(request) = Request::get(&self.url).body(Bytes::new()) else { return };
            match host.visit(request, Reach::Anywhere).await {
                Ok(answer) => {
                    debug!(status = answer.status().as_u16(), "asked itself to stay awake")
                }
                Err(error) => warn!(%error, "PUBLIC_URL cannot be reached to stay awake"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(given: &[(&str, &str)]) -> Result<Option<Awake>, WrongSettings> {
        let value = |name: &str| {
            given.iter().find(|(given, _)| *given == name).map(|(_, text)| (*text).into())
        };
        Awake::wanted(&Settings::read(&value).unwrap())
    }

    #[test]
    fn nobody_is_kept_awake_unasked() {
        assert!(wanted(&[("PUBLIC_URL", "https://balance.test")]).unwrap().is_none());
    }

    #[test]
    fn it_asks_itself_by_the_address_that_the_world_knows() {
        let given = [
            ("ENABLE_KEEP_ALIVE", "true"),
            ("KEEP_ALIVE_INTERVAL", "14"),
            ("RENDER_EXTERNAL_URL", "https://balance.onrender.test"),
        ];
        let awake = wanted(&given).unwrap().unwrap();
        assert_eq!(awake.url, "https://balance.onrender.test/health");
        assert_eq!(awake.every.as_secs(), 14 * 60);
    }

    #[test]
    fn without_an_address_it_says_what_to_set() {
        let WrongSettings(lines) = wanted(&[("KEEP_AWAKE", "true")]).unwrap_err();
        assert!(lines[0].contains("PUBLIC_URL"));
    }
}
