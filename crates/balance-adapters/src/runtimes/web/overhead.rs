//! What the gateway adds to a small request on Deno, beside a plain pass-through there.
//!
//! Invariant: both are asked in turns, one request at a time on one connection, before the same
//! upstream; the best round of each counts, as what disturbs only ever adds.

use std::{net::SocketAddr, time::Duration};

use balance_bench::{client::Connection, statistics::percentile};
use balance_mock::{Mock, Setup};
use xtask::process::root;

use super::{TOOLS, deno, serve_by_deno};
use crate::runtime::{Profile, Settings};

/// How much longer than through the plain pass-through a request may take. The pass-through hands streams
/// from `fetch` to `fetch` unseen; the gateway reads both bodies, to retry the one and to judge the other.
const MOST: f64 = 4.0;

const ROUNDS: usize = 9;
const REQUESTS_IN_ROUND: usize = 400;

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
    let ratio = ours.as_secs_f64() / plain.as_secs_f64();
    println!(
        "a request of 0.3 KB, median: upstream alone {} µs, through a plain pass-through {} µs, \
         through the gateway {} µs: {ratio:.2} times, of {MOST} allowed",
        alone.as_micros(),
        plain.as_micros(),
        ours.as_micros(),
    );
    if ratio <= MOST { Ok(()) } else { Err(format!("it takes {ratio:.2} times as long")) }
}

fn settings(upstream: &str, key: &str) -> Settings {
    let settings = [
        ("API_KEYS", key),
        ("ACCESS_TOKENS", key), // so that upstream can be asked by the same request
        ("BASE_URL", upstream),
        ("LOG_LEVEL", "warn"), // the pass-through writes no line for each request either
        ("UPSTREAM", upstream),
        ("KEY", key),
    ];
    settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// The medians, in the order of the addresses.
async fn in_turns(addresses: [SocketAddr; 3], key: &str) -> Result<[Duration; 3], String> {
    let mut best = [Duration::MAX; 3];
    let mut connections = Vec::new();
    for address in addresses {
        connections.push(Connection::open(address).await.map_err(|error| error.to_string())?);
    }
    for _ in 0..ROUNDS {
        let places = connections.iter_mut().zip(addresses).zip(&mut best);
        for ((connection, address), best) in places {
            *best = round(connection, &request(address, key)).await?.min(*best);
        }
    }
    Ok(best)
}

async fn round(connection: &mut Connection, request: &str) -> Result<Duration, String> {
    let mut times = Vec::new();
    for _ in 0..REQUESTS_IN_ROUND {
        let answer = connection.exchange(request.as_bytes(), |_| {}).await;
        let answer = answer.map_err(|error| error.to_string())?;
        if answer.status != 200 {
            return Err(format!("an answer has the status {}", answer.status));
        }
        times.push(answer.whole);
    }
    Ok(percentile(&mut times, 0.5))
}

fn request(address: SocketAddr, key: &str) -> String {
    let text =
        "Which three rivers of Europe carry the most water, and into which seas do they flow?";
    let body = format!(r#"{{"contents":[{{"role":"user","parts":[{{"text":"{text}"}}]}}]}}"#);
    let length = body.len();
    format!(
        "POST /v1beta/models/gemini-2.5-flash:generateContent HTTP/1.1\r\nhost: {address}\r\n\
         x-goog-api-key: {key}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n\
         {body}"
    )
}
