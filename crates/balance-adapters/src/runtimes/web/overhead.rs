//! What the gateway adds to a small request on Deno, beside a plain pass-through there.
//!
//! Invariant: both are asked in turns, before the same upstream.

use balance_mock::{Mock, Setup};
use xtask::process::root;

use super::{TOOLS, deno, serve_by_deno};
use crate::{
    overhead::{compare, in_turns, settings},
    runtime::Profile,
};

/// How much longer than through the plain pass-through a request may take: 1.5, and room for a busy machine. The
/// pass-through hands streams from `fetch` to `fetch` unseen; the gateway reads both bodies, to retry the one and
/// to judge the other.
const MOST: f64 = 2.0;

/// Measures and prints.
///
/// # Errors
/// It could not be measured, or the gateway adds too much.
pub(crate) async fn on_deno() -> Result<(), String> {
    let setup = Setup { fixed: true, log: 0, ..Setup::default() };
    let mock = Mock::start(setup).await.map_err(|error| error.to_string())?;
    let key = Setup::default().keys.first().map(|key| key.secret.clone()).unwrap_or_default();
    let settings = settings(mock.base_url(), &key);
    let plain = serve_by_deno(root().join(TOOLS).join("plain.mjs"));
    let ours = deno(Profile::Release).map_err(|failure| failure.to_string())?(&settings)?;
    let plain = plain.map_err(|failure| failure.to_string())?(&settings)?;
    let upstream = mock.base_url().trim_start_matches("http://").parse();
    let upstream = upstream.map_err(|error| format!("{}: {error}", mock.base_url()))?;
    let [alone, plain, ours] =
        in_turns([upstream, plain.door.address, ours.door.address], &key).await?;
    let alone = alone.iter().min().map_or(0, std::time::Duration::as_micros);
    println!("a request of 0.3 KB without anything between: {alone} µs");
    compare("a request of 0.3 KB", &ours, &plain, MOST)
}
